"""Core-sets: what holds of any rows, and how near the best they are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import coverset as cs
from coreset_examples import METRICS, check, repeated, same
from coreset_reference import farthest_first
from examples import THREADS
from neighbors_examples import KINDS, normal, stored

# --- certificates ---------------------------------------------------------------------------------

POOLS = {
    "integers": [-2, -1, 0, 1, 2],
    "tenths": np.arange(-10, 11) / 10,
    "signs": [-1, 1],
    "scales": [0, 1e-30, -1e-20, 1e-3, 1, -1, 1e9, 1e17],
    "near one": [1, 1 + 2.0**-23, 1 - 2.0**-24, 1 + 2.0**-22],
}


@st.composite
def coverings(draw):
    """A small covering with many ties: what to cover, its float32, k and options."""
    metric, pool = draw(st.sampled_from(METRICS)), draw(st.sampled_from(sorted(POOLS)))
    kind = draw(st.sampled_from([k for k in KINDS if pool != "scales" or k != "float16"]))
    n, d = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.choice(POOLS[pool], (n, d)).astype(np.float32)
    if draw(st.booleans()):
        X = X[rng.integers(0, n, n)]
    if metric == "cosine":
        X[~X.any(axis=1), 0] = 1
    options = {"metric": metric}
    if draw(st.booleans()):
        options["weights"] = rng.choice([0, 0.1, 1, 1, 3], n)
    first, m = draw(st.sampled_from(["start", "initial", None])), 0
    if first == "start":
        options["start"] = draw(st.integers(0, n - 1))
    elif first and n > 1:
        m = draw(st.integers(1, n - 1))
        options["initial"] = rng.permutation(n)[:m]
    options["n_outliers"] = draw(st.integers(0, n - m - 1)) if draw(st.booleans()) else 0
    k = draw(st.integers(1, n - m - options["n_outliers"]))
    X, wide = stored(X, kind)
    return X, wide, k, options


@settings(max_examples=300)
@given(coverings(), st.sampled_from([None, *THREADS]))
def test_small_coverings_equal_the_reference(covering, n_threads):
    X, wide, k, options = covering
    check(X, wide, k, n_threads=n_threads, **options)


@settings(max_examples=100)
@given(coverings(), st.data())
def test_small_coverings_that_stop_equal_the_reference(covering, choice):
    X, wide, k, options = covering
    radii = sorted(set(farthest_first(wide, k, **options)[1].tolist()))
    check(X, wide, k, stop_radius=choice.draw(st.sampled_from(radii)), **options)


@settings(max_examples=100)
@given(coverings())
def test_radii_never_increase_and_no_row_is_taken_twice(covering):
    X, wide, k, options = covering
    found = cs.k_center(X, k, **options)
    assert len(found) == k
    assert (found.radii[1:] <= found.radii[:-1]).all()
    taken = [*found.indices.tolist(), *options.get("initial", [])]
    assert len(set(taken)) == len(taken)
    assert set(taken) <= set(range(len(wide)))


@settings(max_examples=100)
@given(coverings(), st.data())
def test_fewer_rows_are_a_prefix(covering, choice):
    X, _, k, options = covering
    found = cs.k_center(X, k, **options)
    fewer = choice.draw(st.integers(1, k))
    same(cs.k_center(X, fewer, **options), (found.indices[:fewer], found.radii[:fewer]))


@settings(max_examples=100)
@given(coverings())
def test_rows_taken_before_may_be_given_as_initial(covering):
    X, _, k, options = covering
    whole = cs.k_center(X, k, **options)
    half = k // 2
    if not half:
        return
    before = np.concatenate([options.pop("initial", []), whole.indices[:half]]).astype(np.int64)
    options.pop("start", None)
    rest = cs.k_center(X, k - half, initial=before, **options)
    same(rest, (whole.indices[half:], whole.radii[half:]))


def best_radius(X, k, z=0, weights=None):
    """Return the smallest radius of any k rows, where z rows may be left out."""
    between = np.sqrt(((X[:, None].astype(np.float64) - X) ** 2).sum(axis=2))
    if weights is not None:
        between = between * np.asarray(weights, np.float64)  # column j is row j to cover
    rows = np.array(list(itertools.combinations(range(len(X)), k)))
    return np.sort(between[rows].min(axis=1), axis=1)[:, len(X) - 1 - z].min()


SLACK = 1 + 1e-6


@pytest.mark.parametrize("seed", range(12))
def test_radius_is_at_most_twice_the_best(seed):
    n, d = 9, seed % 3 + 1
    for X in (normal(n, d, seed), np.round(normal(n, d, seed) * 2), repeated(n * 3, d)[:n]):
        for k in range(1, n + 1):
            best = best_radius(X, k)
            for start in (0, seed % n):
                radius = float(cs.k_center(X, k, start=start).radii[-1])
                assert best / SLACK <= radius <= 2 * best * SLACK
                assert radius / 2 <= best * SLACK


def best_on_a_line(X, k):
    """Return the smallest radius of any k centers, rows or not: half of the longest interval."""
    x = np.sort(X[:, 0].astype(np.float64))
    cuts = itertools.combinations(range(1, len(x)), k - 1)
    ends = ((0, *cut, len(x)) for cut in cuts)
    return min(max(x[b - 1] - x[a] for a, b in itertools.pairwise(end)) / 2 for end in ends)


@pytest.mark.parametrize("seed", range(10))
def test_half_the_radius_bounds_centers_that_are_not_rows(seed):
    for X in (normal(10, 1, seed), np.round(normal(10, 1, seed) * 4)):
        for k in range(1, 11):
            assert float(cs.k_center(X, k).radii[-1]) / 2 <= best_on_a_line(X, k) * SLACK


@pytest.mark.parametrize("seed", range(8))
def test_weighted_radius_is_at_most_three_times_the_best(seed):
    X, weights = normal(8, 2, seed), np.random.default_rng(seed).random(8)
    weights[seed % 8] *= 5
    for k in range(1, 9):
        found = cs.k_center(X, k, weights=weights)
        best = best_radius(X, k, weights=weights)
        assert best / SLACK - 1e-9 <= found.radii[-1] <= 3 * best * SLACK + 1e-9


@pytest.mark.parametrize("seed", range(8))
def test_radius_after_k_and_z_rows_is_at_most_twice_the_best_with_outliers(seed):
    X = normal(10, 2, seed)
    X[: seed % 4] *= np.float32(30)
    for z in (1, 2, 3):
        for k in range(1, 10 - 2 * z + 1):
            found = cs.k_center(X, k + z, n_outliers=z)
            assert found.radii[-1] <= 2 * best_radius(X, k, z) * SLACK
