"""Core-sets of parts and of streams: merged, numbered, certified, refused."""

import itertools

import numpy as np
import pytest

import coverset as cs
from coreset_examples import SETS, radius_of, same
from coreset_reference import farthest_first
from examples import trying
from neighbors_examples import normal


@pytest.mark.parametrize("name", SETS)
def test_sixteen_parts_merge_into_one(name):
    X, k = SETS[name](), 40
    if name == "duplicates":
        X = X + np.float32(1e-4) * normal(*X.shape, 9)
    edges = np.linspace(0, len(X), 17).astype(int)
    parts = [(X[a:b], cs.k_center(X[a:b], k)) for a, b in itertools.pairwise(edges)]
    merged, whole = cs.k_center_merge(parts, k), cs.k_center(X, k)
    exact = radius_of(X, merged.indices)
    assert exact <= merged.radii[-1] * (1 + 1e-6)
    assert exact <= 1.15 * whole.radii[-1]
    assert exact <= 4 * whole.radii[-1]  # whose half bounds the best from below: 8 at most


def test_parts_that_lie_elsewhere_are_numbered_by_what_is_given():
    X = normal(300, 3)
    found = [cs.k_center(part, 10) for part in (X[:100], X[100:])]
    whole = cs.k_center_merge([(X[:100], found[0]), (X[100:], found[1])], 8)
    taken = [X[:100][found[0].indices], X[100:][found[1].indices]]
    order = [cs.CoreSet(np.arange(10), part.radii) for part in found]
    again = cs.k_center_merge(list(zip(taken, order, strict=True)), 8)
    assert np.array_equal(np.concatenate(taken)[again.indices], X[whole.indices])
    assert np.array_equal(again.radii, whole.radii)


@pytest.mark.parametrize("d", [1, 2, 3, 40])
def test_merged_radii_are_never_below_the_true_one(d):
    """Of rows in line, where the distances of parts and of the merge add up."""
    for seed in range(150):
        rng = np.random.default_rng([d, seed])
        X = rng.random((int(rng.integers(6, 40)), 1)) * rng.standard_normal(d)
        X = X.astype(np.float32)
        parts = [(part, cs.k_center(part, 2)) for part in np.array_split(X, 2)]
        for found in (cs.k_center_merge(parts, 2), cs.k_center(iter(np.array_split(X, 3)), 1)):
            with trying(d=d, seed=seed):
                assert radius_of(X.astype(np.float64), found.indices) <= found.radii[-1]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("number", [np.nan, np.inf, 1e20])
def test_rows_that_a_core_set_refuses_are_not_merged(metric, number):
    X, more = normal(50, 3), normal(60, 3, 1)
    parts = [(X, cs.k_center(X, 5)), (more, cs.k_center(more, 5))]
    row = int(parts[1][1].indices[2])
    more[row, 1] = number
    message = rf"parts\[1\]\[0\] must .*row {row} has"
    with pytest.raises(ValueError, match=message):
        cs.k_center_merge(parts, 5, metric=metric)
    more[row] = 0.0
    if metric == "cosine":
        with pytest.raises(ValueError, match=rf"parts\[1\]\[0\] must .*row {row} has none"):
            cs.k_center_merge(parts, 5, metric=metric)
    odd = cs.CoreSet(np.arange(2), np.float32([np.inf, np.nan]))
    with pytest.raises(ValueError, match=r"parts\[0\] must have a core-set of finite radii"):
        cs.k_center_merge([(X, odd)], 2, metric=metric)


def test_what_cannot_be_merged_is_named():
    X = normal(50, 3)
    part = (X, cs.k_center(X, 5))
    with pytest.raises(TypeError, match=r"parts must be a list of \(X, CoreSet\), got \[\]"):
        cs.k_center_merge([], 1)
    with pytest.raises(TypeError, match=r"parts\[1\] must be \(X, CoreSet\)"):
        cs.k_center_merge([part, X], 1)
    with pytest.raises(ValueError, match=r"parts\[0\] must have a core-set of its own rows, 0..3"):
        cs.k_center_merge([(X[:4], part[1])], 1)
    with pytest.raises(ValueError, match=r"parts\[1\] must have as many columns as parts\[0\]"):
        cs.k_center_merge([part, (X[:, :2].copy(), part[1])], 1)
    with pytest.raises(ValueError, match=r"k must be in 1..5, got 6"):
        cs.k_center_merge([part], 6)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("size", [1, 37, 500, 3000])
@pytest.mark.parametrize("name", ["normal", "clusters", "grid"])
def test_a_stream_stays_within_its_factor(name, size, metric):
    X, k = SETS[name]()[: 3000 if size > 1 else 400], 12
    X = X + np.float32(1)
    found = cs.k_center((X[i : i + size] for i in range(0, len(X), size)), k, metric=metric)
    same_rows = X / np.linalg.norm(X, axis=1, keepdims=True) if metric == "cosine" else X
    exact, whole = radius_of(same_rows, found.indices), cs.k_center(X, k, metric=metric)
    assert len(set(found.indices)) == k
    assert exact <= found.radii[-1] * (1 + 1e-5)
    assert found.radii[-1] <= 10 * whole.radii[-1]  # half of which bounds the best: 20 at most
    assert exact <= 2 * whole.radii[-1]
    assert np.allclose(found.rows, same_rows[found.indices], atol=1e-6)


def test_a_stream_that_fits_is_the_same_as_an_array():
    X = normal(40, 4)
    found = cs.k_center(iter([X[:15], X[15:]]), 10)
    same(found, farthest_first(X, 10))


def test_a_stream_of_equal_rows_gives_rows_once():
    found = cs.k_center(iter([np.ones((90, 2), np.float32)] * 3), 4)
    assert len(set(found.indices)) == 4
    assert found.radii.tolist() == [0, 0, 0, 0]


def test_what_a_stream_cannot_do_is_named():
    X = normal(30, 3)
    with pytest.raises(ValueError, match="weights must not be given with an iterator"):
        cs.k_center(iter([X]), 3, weights=np.ones(30))
    with pytest.raises(ValueError, match="assign must not be given with an iterator"):
        cs.k_center(iter([X]), 3, assign=True)
    with pytest.raises(ValueError, match=r"k must be in 1..30, the rows of X, got 31"):
        cs.k_center(iter([X]), 31)
    with pytest.raises(
        ValueError, match="block 1 of X must have 3 columns, as those before, got 2"
    ):
        cs.k_center(iter([X, X[:, :2].copy()]), 3)
