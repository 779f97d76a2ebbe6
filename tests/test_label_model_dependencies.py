"""Dependent labeling functions: weights and probabilities against a slow reference, and errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import coverset as cs
import dependency_reference as reference
import label_model_reference
from label_model_examples import matrix, problems

THREADS = (1, 2, 7)


def copied(seed, n=400, k=2, drop=0.1, unipolar=True):
    """Return votes of LFs of which the last three repeat the third."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, n)
    independent = 3 if unipolar else 8  # annotators are told from the truth by others only
    L = np.full((n, independent + 3), -1)
    for j in range(independent):
        if unipolar:
            fires = rng.random(n) < np.where(y == j % k, 0.6, 0.1)
            L[:, j] = np.where(fires, j % k, -1)
        else:
            right = np.where(rng.random(n) < 0.75, y, rng.integers(0, k, n))
            L[:, j] = np.where(rng.random(n) < 0.8, right, -1)
    for j in range(independent, independent + 3):
        L[:, j] = np.where(rng.random(n) < drop, -1, L[:, 2])
    return L, y


def assert_like_reference(L, k, want, **options):
    model = cs.LabelModel(**options).fit(matrix(L, k))
    proba = model.predict_proba(matrix(L, k))
    np.testing.assert_allclose(model.reliability_, want.alpha, atol=1e-9)
    np.testing.assert_allclose(proba, label_model_reference.predict_proba(want, L), atol=2e-6)
    return model


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("unipolar", [True, False])
@pytest.mark.parametrize("k", [2, 3])
def test_copies_are_found_and_count_as_in_the_reference(seed, unipolar, k):
    L, _ = copied(seed, k=k, unipolar=unipolar)
    want = reference.fit(L, k)
    model = assert_like_reference(L, k, want)
    m = L.shape[1]
    weights = [want.omega[j][np.unique(L[L[:, j] >= 0, j])[0]] for j in range(m)]
    np.testing.assert_allclose(model.lf_weights_, weights, atol=1e-9)
    assert model.lf_clusters_ == [(2, m - 3, m - 2, m - 1)]
    assert (model.lf_weights_[m - 3 :] < 0.4).all()


@settings(max_examples=60)
@given(problems())
def test_any_votes_are_weighed_as_in_the_reference(p):
    want = reference.fit(p.L, p.k, polarity=p.polarity, y=p.y, given=p.balance, anchor=p.anchor)
    L = matrix(p.L, p.k, p.polarity)
    model = cs.LabelModel(class_balance=p.balance, anchor=p.anchor).fit(L, p.y)
    np.testing.assert_allclose(
        model.predict_proba(L), label_model_reference.predict_proba(want, p.L), atol=1e-5
    )


@settings(max_examples=40)
@given(problems(), st.data())
def test_given_families_are_weighed_as_in_the_reference(p, data):
    m = p.L.shape[1]
    family = data.draw(st.lists(st.integers(0, 2), min_size=m, max_size=m))
    want = reference.fit(p.L, p.k, family, polarity=p.polarity)
    L = matrix(p.L, p.k, p.polarity)
    groups = [f"family {name}" for name in family]
    model = cs.LabelModel(groups=groups).fit(L)
    np.testing.assert_allclose(
        model.predict_proba(L), label_model_reference.predict_proba(want, p.L), atol=1e-5
    )


def test_pairs_and_groups_name_the_same_families():
    L, _ = copied(1)
    names = [f"lf{j}" for j in range(6)]
    named = cs.LabelMatrix.from_dense(L, 2, lf_names=names)
    groups = ["a", None, "b", "b", "b", "b"]
    fits = [
        cs.LabelModel(groups=groups),
        cs.LabelModel(groups={"b": ["lf2", 3, "lf4", 5]}),
        cs.LabelModel(dependencies=[(2, 3), ("lf3", "lf4"), (5, 4)]),
        cs.LabelModel(dependencies=[(4, 5)], groups={"b": [2, 3, 4]}),
    ]
    want = fits[0].fit(named).predict_proba(named)
    for model in fits[1:]:
        assert np.array_equal(model.fit(named).predict_proba(named), want)
    assert fits[0].lf_clusters_ == [(2, 3, 4, 5)]


def test_ten_copies_leave_the_answer_where_it_was():
    L, _ = copied(5, n=1500)
    base = cs.LabelModel().fit(matrix(L[:, :3])).predict_proba(matrix(L[:, :3]))
    rng = np.random.default_rng(0)
    copies = np.where(rng.random((len(L), 10)) < 0.1, -1, L[:, [1]])
    wide = np.hstack([L[:, :3], copies])
    auto = cs.LabelModel().fit(matrix(wide)).predict_proba(matrix(wide))
    none = cs.LabelModel(dependencies="none").fit(matrix(wide)).predict_proba(matrix(wide))
    assert np.abs(auto - base).mean() < 0.01
    assert np.abs(none - base).mean() > 5 * np.abs(auto - base).mean()


def test_independent_functions_keep_their_weight():
    L, _ = label_model_reference.planted_votes(2000, [0.7, 0.8, 0.75, 0.9, 0.65])
    model = cs.LabelModel().fit(matrix(L))
    assert model.lf_weights_.tolist() == [1.0] * 5
    assert model.lf_clusters_ == []
    alone = cs.LabelModel(dependencies="none").fit(matrix(L))
    assert np.array_equal(model.predict_proba(matrix(L)), alone.predict_proba(matrix(L)))


def test_the_same_bytes_on_any_thread_count_and_after_loading(tmp_path):
    L = matrix(copied(3, n=5000, unipolar=False)[0])
    models = [cs.LabelModel().fit(L, n_threads=t) for t in THREADS]
    want = models[0].predict_proba(L, n_threads=1)
    for model in models[1:]:
        assert np.array_equal(model.predict_proba(L), want)
    models[0].save(tmp_path / "model")
    loaded = cs.LabelModel.load(tmp_path / "model")
    assert np.array_equal(loaded.predict_proba(L), want)
    assert loaded.lf_weights_.tolist() == models[0].lf_weights_.tolist()
    assert loaded.lf_clusters_ == models[0].lf_clusters_


SMALL = matrix([[0, 0, 1], [1, 1, 1], [0, -1, 0]])


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"dependencies": "some"}, ValueError, "dependencies must be one of .*, got 'some'"),
        ({"dependencies": 3}, TypeError, "dependencies must be 'auto', 'none' or pairs of LFs"),
        ({"dependencies": [(0, 3)]}, ValueError, r"dependencies\[0\] must be in 0..2, got 3"),
        ({"dependencies": [(0, 1), (-1, 2)]}, ValueError, r"dependencies\[1\] must be in 0..2"),
        ({"dependencies": [(0, 1), (1, 0)]}, ValueError, "entry 1 repeats entry 0"),
        ({"dependencies": [(1, 1)]}, ValueError, r"dependencies\[0\] must be two LFs"),
        ({"dependencies": [(1,)]}, ValueError, r"dependencies\[0\] must be a pair of LFs"),
        ({"dependencies": [(0, 1.5)]}, TypeError, "index or name of an LF, got 1.5"),
        ({"dependencies": [("x", 1)]}, ValueError, "must be an LF of L, got 'x'"),
        (
            {"groups": ["a"]},
            ValueError,
            "groups must map families to LFs, or name one for each of 3",
        ),
        ({"groups": "abc"}, ValueError, "groups must map families to LFs"),
        ({"groups": {"a": [0, 1], "b": [1]}}, ValueError, "'a' and 'b' share 1"),
        ({"groups": {"a": [7]}}, ValueError, r"groups\['a'\] must be in 0..2, got 7"),
    ],
)
def test_bad_dependencies(options, error, says):
    model = cs.LabelModel(**options)
    with pytest.raises(error, match=says):
        model.fit(SMALL)
    with pytest.raises(cs.label_model.models.base.NotFittedError):
        model.predict(SMALL)
