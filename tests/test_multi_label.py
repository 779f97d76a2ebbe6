"""MultiLabelModel: one two-class model for each class, fitted on the votes for that class."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import coverset as cs
from coverset._not_fitted import NotFittedError
from label_model_examples import matrix, problems
from label_model_reference import planted_votes

SMALL = np.array([[0, 2, -1], [0, -1, 1], [1, 1, 1], [-1, -1, -1], [2, 2, 0]])
TEMPLATES = [
    cs.LabelModel,
    lambda: cs.LabelModel(class_balance=[0.8, 0.2], dependencies="none", anchor=0.3),
    cs.DawidSkene,
    lambda: cs.DawidSkene(abstain="outcome", max_iter=3),
    cs.MajorityVote,
    lambda: cs.MomentModel(n_steps=5),
    cs.TripletModel,
]


def view(L, y):
    """Return the votes for class ``y`` as votes for 1, all else as abstains."""
    return matrix(np.where(np.asarray(L) == y, 1, -1), 2)


def reference_proba(make, L, k, Y=None, unseen=None):
    """Return column y from a model of its own, fitted on view y."""
    unseen = L if unseen is None else unseen
    columns = [
        make().fit(view(L, y), None if Y is None else Y[:, y]).predict_proba(view(unseen, y))[:, 1]
        for y in range(k)
    ]
    return np.stack(columns, axis=1)


@st.composite
def multi_labels(draw):
    """Votes of three or more LFs, other votes, gold for some cells, and a template."""
    p = draw(problems())
    L = np.pad(p.L, ((0, 0), (0, max(3 - p.L.shape[1], 0))), constant_values=-1)
    unseen = draw(hnp.arrays(np.int64, (5, L.shape[1]), elements=st.integers(-1, p.k - 1)))
    Y = draw(st.none() | hnp.arrays(np.int64, (len(L), p.k), elements=st.integers(-1, 1)))
    return L, p.k, unseen, Y, draw(st.sampled_from(TEMPLATES))


# --- the contract -------------------------------------------------------------------------------


@given(multi_labels(), st.sampled_from([0.25, 0.5, 0.75]))
def test_each_class_has_a_model_of_its_own(p, threshold):
    L, k, unseen, Y, make = p
    model = cs.MultiLabelModel(make())
    assert model.fit(matrix(L, k), Y) is model
    for votes in (L, unseen):
        proba = model.predict_proba(matrix(votes, k))
        assert (proba.shape, proba.dtype) == ((len(votes), k), np.float32)
        np.testing.assert_allclose(proba, reference_proba(make, L, k, Y, votes), atol=1e-6)
        labels = model.predict(matrix(votes, k), threshold)
        assert (labels.shape, labels.dtype) == ((len(votes), k), bool)
        np.testing.assert_array_equal(labels, proba > threshold)


@given(multi_labels())
def test_views_keep_the_votes_for_one_class(p):
    L, k, unseen, _, _ = p
    model = cs.MultiLabelModel().fit(matrix(L, k))
    for votes in (L, unseen):
        views = list(model.views(matrix(votes, k)))
        assert len(views) == k
        for y, seen in enumerate(views):
            assert isinstance(seen, cs.LabelMatrix)
            assert (len(seen), seen.n_lfs, seen.cardinality) == (len(votes), votes.shape[1], 2)
            np.testing.assert_array_equal(seen.to_dense(), view(votes, y).to_dense())


def test_views_worked_by_hand():
    model = cs.MultiLabelModel().fit(matrix(SMALL))
    views = [seen.to_dense().tolist() for seen in model.views(matrix(SMALL))]
    assert views == [
        [[1, -1, -1], [1, -1, -1], [-1, -1, -1], [-1, -1, -1], [-1, -1, 1]],
        [[-1, -1, -1], [-1, -1, 1], [1, 1, 1], [-1, -1, -1], [-1, -1, -1]],
        [[-1, 1, -1], [-1, -1, -1], [-1, -1, -1], [-1, -1, -1], [1, 1, -1]],
    ]


def test_views_of_a_matrix_with_names_and_polarity():
    names, polarity = ["a", "b", "c"], [(0, 1, 2), None, (0, 1)]
    L = cs.LabelMatrix.from_dense(SMALL, lf_names=names, polarity=polarity)
    model = cs.MultiLabelModel().fit(L)
    for y, seen in enumerate(model.views(L)):
        np.testing.assert_array_equal(seen.to_dense(), view(SMALL, y).to_dense())
    want = reference_proba(cs.LabelModel, SMALL, 3)
    np.testing.assert_allclose(model.predict_proba(L), want, atol=1e-6)


def test_a_template_may_name_lfs():
    L, _ = planted_votes(200, [0.7, 0.8, 0.9, 0.6], 3)
    named = cs.LabelMatrix.from_dense(L, 3, lf_names=["a", "b", "c", "d"])
    model = cs.MultiLabelModel(cs.LabelModel(groups={"family": ["b", "d"]})).fit(named)
    want = reference_proba(lambda: cs.LabelModel(groups={"family": [1, 3]}), L, 3)
    np.testing.assert_allclose(model.predict_proba(named), want, atol=1e-6)


def test_the_same_bytes_as_the_template_on_the_views():
    L, _ = planted_votes(500, np.linspace(0.5, 0.9, 6), 4, 0.6)
    model = cs.MultiLabelModel().fit(matrix(L, 4))
    for y, seen in enumerate(model.views(matrix(L, 4))):
        want = cs.LabelModel().fit(seen).predict_proba(seen)[:, 1]
        assert model.predict_proba(matrix(L, 4))[:, y].tobytes() == want.tobytes()


def test_label_model_is_the_default():
    L, _ = planted_votes(100, [0.6, 0.7, 0.8], 3)
    one, other = (cs.MultiLabelModel(model) for model in (None, cs.LabelModel()))
    np.testing.assert_array_equal(
        one.fit(matrix(L, 3)).predict_proba(matrix(L, 3)),
        other.fit(matrix(L, 3)).predict_proba(matrix(L, 3)),
    )
    np.testing.assert_array_equal(one.predict(matrix(L, 3)), one.predict_proba(matrix(L, 3)) > 0.5)


# --- what must not matter -----------------------------------------------------------------------


def test_votes_for_other_classes_say_nothing():
    L, _ = planted_votes(200, [0.6, 0.7, 0.8, 0.9], 4)
    for other in (np.array([0, 3, 1, 2])[L], np.full(L.shape, -1)):
        changed = np.where(L > 0, other, L)  # class 0 keeps its votes
        proba = [
            cs.MultiLabelModel().fit(matrix(votes, 4)).predict_proba(matrix(votes, 4))
            for votes in (L, changed)
        ]
        assert proba[0][:, 0].tobytes() == proba[1][:, 0].tobytes()


def test_the_template_stays_unfitted():
    template = cs.LabelModel(anchor=0.25)
    model = cs.MultiLabelModel(template).fit(matrix(SMALL))
    with pytest.raises(NotFittedError):
        template.predict(matrix(np.minimum(SMALL, 1), 2))
    assert template.get_params() == cs.LabelModel(anchor=0.25).get_params()
    before = model.predict_proba(matrix(SMALL)).tobytes()
    template.set_params(anchor=1.0)
    template.fit(matrix(np.minimum(SMALL, 1), 2))
    assert model.predict_proba(matrix(SMALL)).tobytes() == before


def test_fitting_again_forgets_the_first_fit():
    L, _ = planted_votes(100, [0.6, 0.7, 0.8], 2)
    other, _ = planted_votes(100, [0.9, 0.5, 0.7, 0.6], 3, seed=1)
    model = cs.MultiLabelModel().fit(matrix(other, 3)).fit(matrix(L))
    fresh = cs.MultiLabelModel().fit(matrix(L)).predict_proba(matrix(L))
    assert model.predict_proba(matrix(L)).tobytes() == fresh.tobytes()


# --- gold ---------------------------------------------------------------------------------------


def test_gold_of_a_class_is_its_column():
    L, truth = planted_votes(300, [0.6, 0.7, 0.8], 3)
    Y = np.where(np.arange(300)[:, None] % 3 == 0, np.eye(3, dtype=int)[truth], -1)
    Y[:, 2] = -1  # nothing is known of the last class
    with_gold, without = (
        cs.MultiLabelModel().fit(matrix(L, 3), gold).predict_proba(matrix(L, 3))
        for gold in (Y, None)
    )
    want = reference_proba(cs.LabelModel, L, 3, Y)
    np.testing.assert_allclose(with_gold, want, atol=1e-6)
    assert np.abs(with_gold - without)[:, :2].max() > 1e-3
    np.testing.assert_array_equal(with_gold[:, 2], without[:, 2])


@pytest.mark.parametrize(
    "layout", [np.asfortranarray, lambda Y: Y.astype(np.int8), np.ndarray.tolist]
)
def test_gold_in_any_layout(layout):
    Y = np.random.default_rng(0).integers(-1, 2, (5, 3))
    model = cs.MultiLabelModel().fit(matrix(SMALL), layout(Y))
    want = reference_proba(cs.LabelModel, SMALL, 3, Y)
    np.testing.assert_allclose(model.predict_proba(matrix(SMALL)), want, atol=1e-6)


def test_several_classes_may_apply_to_one_row():
    Y = np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1], [0, 0, 0]] * 40)
    rng = np.random.default_rng(0)
    fires = rng.random((160, 9)) < np.where(np.tile(Y, 3), 0.9, 0.02)
    L = np.where(fires, np.arange(9) % 3, -1)
    proba = cs.MultiLabelModel().fit(matrix(L), Y).predict_proba(matrix(L))
    several = proba.sum(axis=1)[(Y.sum(axis=1) == 3) & ((L >= 0).sum(axis=1) == 9)]
    assert several.min() > 1.5  # no softmax over the classes


# --- thresholds ---------------------------------------------------------------------------------


def test_predict_is_above_the_threshold_with_a_vote_or_without():
    L = matrix(SMALL)
    model = cs.MultiLabelModel(cs.MajorityVote()).fit(L)
    proba = model.predict_proba(L)  # 1 with a vote for the class, 1/2 without
    np.testing.assert_array_equal(proba, np.where(reference_votes(SMALL, 3), 1.0, 0.5))
    np.testing.assert_array_equal(model.predict(L), reference_votes(SMALL, 3))
    assert model.predict(L, threshold=0.25).all()
    assert model.predict(L, threshold=0.0).all()
    assert not model.predict(L, threshold=1.0).any()
    np.testing.assert_array_equal(model.predict(L, 0.75), reference_votes(SMALL, 3))


def reference_votes(L, k):
    """Return whether any LF votes for the class, (n, k)."""
    return np.stack([(y == L).any(axis=1) for y in range(k)], axis=1)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan"), float("inf")])
def test_rejects_thresholds(threshold):
    model = cs.MultiLabelModel().fit(matrix(SMALL))
    with pytest.raises(ValueError, match="threshold must be"):
        model.predict(matrix(SMALL), threshold)


# --- edges --------------------------------------------------------------------------------------


def test_one_class_and_rows_without_votes():
    L = np.array([[0, 0, -1], [-1, -1, -1], [0, -1, -1]])
    proba = cs.MultiLabelModel().fit(matrix(L, 1)).predict_proba(matrix(L, 1))
    assert proba.shape == (3, 1)
    np.testing.assert_allclose(proba, reference_proba(cs.LabelModel, L, 1), atol=1e-6)


def test_all_abstain():
    L = np.full((4, 3), -1)
    model = cs.MultiLabelModel().fit(matrix(L, 3))
    np.testing.assert_allclose(model.predict_proba(matrix(L, 3)), 0.5, atol=1e-6)
    assert not model.predict(matrix(L, 3)).any()


def test_no_rows():
    model = cs.MultiLabelModel().fit(matrix(SMALL))
    none = matrix(SMALL)[:0]
    assert model.predict_proba(none).shape == model.predict(none).shape == (0, 3)
    assert [len(seen) for seen in model.views(none)] == [0, 0, 0]
    fitted = cs.MultiLabelModel().fit(none, np.empty((0, 3), dtype=int))
    assert fitted.predict_proba(matrix(SMALL)).shape == (5, 3)


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize("use", ["predict_proba", "predict"])
def test_asks_for_fit_first(use):
    with pytest.raises(NotFittedError):
        getattr(cs.MultiLabelModel(), use)(matrix(SMALL))


@pytest.mark.parametrize("use", ["predict_proba", "predict"])
def test_rejects_other_matrices(use):
    predict = getattr(cs.MultiLabelModel().fit(matrix(SMALL)), use)
    with pytest.raises(ValueError, match="cardinality"):
        predict(matrix(SMALL, 4))
    with pytest.raises(ValueError, match="number of LFs"):
        predict(matrix(SMALL[:, :2], 3))
    with pytest.raises(TypeError, match="L must be a LabelMatrix"):
        predict(SMALL)


@pytest.mark.parametrize(
    "shape", [(5,), (5, 2), (5, 4), (4, 3), (6, 3), (3, 5), (5, 3, 1), (15,), (0, 3)]
)
def test_rejects_gold_of_another_shape(shape):
    with pytest.raises(ValueError, match="Y must"):
        cs.MultiLabelModel().fit(matrix(SMALL), np.zeros(shape, dtype=int))


@pytest.mark.parametrize("wrong", [2, -2, 300])
def test_rejects_gold_that_is_no_yes_or_no(wrong):
    Y = np.zeros((5, 3), dtype=int)
    Y[2, 1] = wrong
    with pytest.raises(ValueError, match=f"must be in -1..1, got {wrong}"):
        cs.MultiLabelModel().fit(matrix(SMALL), Y)


def test_rejects_gold_that_is_no_integer():
    with pytest.raises((TypeError, ValueError)):
        cs.MultiLabelModel().fit(matrix(SMALL), np.full((5, 3), 0.5))


@pytest.mark.parametrize("template", ["LabelModel", 3, object(), cs.LabelModel, {}])
def test_rejects_templates_that_are_no_label_model(template):
    with pytest.raises(TypeError):
        cs.MultiLabelModel(template).fit(matrix(SMALL))


def test_rejects_templates_of_other_than_two_classes():
    template = cs.LabelModel(class_balance=[0.2, 0.3, 0.5])
    with pytest.raises(ValueError, match="2 classes"):
        cs.MultiLabelModel(template).fit(matrix(SMALL))


def test_failed_fit_leaves_a_fitted_model_as_it_was():
    L = matrix(SMALL)
    model = cs.MultiLabelModel().fit(L)
    before = model.predict_proba(L).tobytes()
    Y = np.zeros((5, 3), dtype=int)
    Y[4, 2] = 2  # wrong in the last column
    with pytest.raises(ValueError, match="must be"):
        model.fit(L, Y)
    assert model.predict_proba(L).tobytes() == before
