"""Models that learn part by part: the same as from all rows at once, and every error."""

from __future__ import annotations

import numpy as np
import pytest

import coverset as cs
from coverset._not_fitted import NotFittedError
from label_model_examples import matrix
from label_model_reference import planted_votes

MODELS = [cs.LabelModel, cs.DawidSkene, cs.MomentModel, cs.TripletModel, cs.MajorityVote]
LEARNING = MODELS[:-1]


def votes(n=900, k=3, seed=1):
    return planted_votes(n, np.linspace(0.5, 0.9, 6), k, 0.6, seed=seed)


@pytest.mark.parametrize("kind", MODELS)
def test_parts_in_order_are_as_all_rows_at_once(kind):
    L, _ = votes()
    whole = kind().fit(matrix(L, 3))
    parts = kind()
    for part in np.split(L, [100, 101, 500]):
        assert parts.partial_fit(matrix(part, 3)) is parts
    want = whole.predict_proba(matrix(L, 3))
    assert np.array_equal(parts.predict_proba(matrix(L, 3)), want)


@pytest.mark.parametrize("kind", MODELS)
def test_merged_shards_are_as_all_rows_at_once(kind):
    L, _ = votes()
    first, second = (kind().fit(matrix(part, 3)) for part in (L[:350], L[350:]))
    before = second.predict_proba(matrix(L, 3))
    assert first.merge(second) is first
    want = kind().fit(matrix(L, 3)).predict_proba(matrix(L, 3))
    np.testing.assert_array_equal(first.predict_proba(matrix(L, 3)), want)
    np.testing.assert_array_equal(second.predict_proba(matrix(L, 3)), before)


def test_shards_in_another_order_differ_by_rounding_only():
    L, _ = votes()
    shards = [cs.LabelModel().fit(matrix(part, 3)) for part in np.split(L, 3)]
    turned = shards[2].merge(shards[0]).merge(shards[1])
    want = cs.LabelModel().fit(matrix(L, 3))
    assert turned.n_patterns_ == want.n_patterns_
    np.testing.assert_allclose(
        turned.predict_proba(matrix(L, 3)), want.predict_proba(matrix(L, 3)), atol=1e-6
    )
    np.testing.assert_allclose(turned.lf_accuracies_, want.lf_accuracies_, atol=1e-9)


def test_gold_is_kept_with_its_rows():
    L, y = votes()
    gold = np.where(np.arange(len(y)) % 5, -1, y)
    parts = cs.LabelModel().fit(matrix(L[:300], 3), gold[:300])
    parts.partial_fit(matrix(L[300:], 3), gold[300:])
    want = cs.LabelModel().fit(matrix(L, 3), gold).predict_proba(matrix(L, 3))
    assert np.array_equal(parts.predict_proba(matrix(L, 3)), want)


def test_names_and_polarity_stay_known():
    L, _ = votes(300, k=2)
    whole = cs.LabelMatrix.from_dense(L, 2, lf_names=list("abcdef"))
    model = cs.LabelModel(dependencies=[("a", "b")]).fit(whole[:100]).partial_fit(whole[100:])
    want = cs.LabelModel(dependencies=[("a", "b")]).fit(whole)
    assert np.array_equal(model.predict_proba(whole), want.predict_proba(whole))


@pytest.mark.parametrize("kind", MODELS)
def test_first_part_may_come_by_partial_fit(kind):
    L = matrix(votes(200)[0], 3)
    want = kind().fit(L).predict_proba(L)
    assert np.array_equal(kind().partial_fit(L).predict_proba(L), want)


@pytest.mark.parametrize("kind", MODELS)
def test_parts_of_another_shape_are_refused(kind):
    model = kind().fit(matrix(votes(100)[0], 3))
    with pytest.raises(ValueError, match="cardinality"):
        model.partial_fit(matrix(votes(100)[0], 4))
    with pytest.raises(ValueError, match="number of LFs"):
        model.partial_fit(matrix(votes(100)[0][:, :5], 3))
    with pytest.raises(ValueError, match="cardinality"):
        model.merge(kind().fit(matrix(votes(100, k=2)[0], 2)))


@pytest.mark.parametrize("kind", MODELS)
def test_unfitted_models_do_not_merge(kind):
    fitted = kind().fit(matrix(votes(100)[0], 3))
    with pytest.raises(NotFittedError):
        fitted.merge(kind())
    with pytest.raises(NotFittedError):
        kind().merge(fitted)


@pytest.mark.parametrize("kind", LEARNING)
def test_models_saved_without_statistics_have_none_to_add_to(kind, tmp_path):
    L = matrix(votes(100)[0], 3)
    model = kind().fit(L)
    model.save(tmp_path / "model", statistics=False)
    loaded = kind.load(tmp_path / "model")
    for use in (lambda: loaded.partial_fit(L), lambda: loaded.merge(model)):
        with pytest.raises(ValueError, match=r"was loaded, and holds no statistics .*=True"):
            use()
    assert np.array_equal(loaded.fit(L).partial_fit(L).predict_proba(L).shape, (100, 3))


def test_models_of_other_kinds_or_parameters_do_not_merge():
    L = matrix(votes(100)[0], 3)
    model = cs.LabelModel().fit(L)
    with pytest.raises(TypeError, match="other must be a LabelModel, got DawidSkene"):
        model.merge(cs.DawidSkene().fit(L))
    with pytest.raises(ValueError, match=r"other must have the same anchor, 0.5, got 0.25"):
        model.merge(cs.LabelModel(anchor=0.25).fit(L))


def test_a_failed_part_leaves_the_model_as_it_was():
    L = matrix(votes(100)[0], 3)
    model = cs.LabelModel().fit(L)
    before = model.predict_proba(L)
    with pytest.raises(ValueError, match="y must"):
        model.partial_fit(L, [0, 1])
    assert np.array_equal(model.predict_proba(L), before)
    assert model.partial_fit(L).n_patterns_ == cs.LabelModel().fit(L).n_patterns_
