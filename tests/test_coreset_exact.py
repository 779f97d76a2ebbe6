"""Core-sets equal a NumPy reference: sorts of data, stored kinds, levels and threads."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest

import coverset as cs
import neighbors_reference as reference
from coreset_examples import (
    METRICS,
    any_length,
    check,
    clustered,
    data,
    every_data,
    every_metric,
    grid,
    measured,
    quantized,
    same,
)
from coreset_reference import farthest_first, farthest_first_of_classes, nearest_centers
from coverset import _cpu
from examples import THREADS, trying
from neighbors_examples import every_kind, hard_cases, normal

# --- data of every sort ---------------------------------------------------------------------------


@every_data
@every_metric
@pytest.mark.parametrize("d", [1, 3, 17, 130])
def test_every_sort_of_data_equals_the_reference(name, metric, d):
    X = data(name, 1200, d, metric)
    check(X, X, 60, metric=metric)
    check(X, X, 25, metric=metric, start=1199)


@every_data
@every_metric
def test_all_rows_may_be_taken(name, metric):
    for n, d in ((1, 3), (2, 1), (37, 3), (300, 17)):
        X = data(name, n, d, metric)
        check(X, X, n, metric=metric)
        found = cs.k_center(X, n, metric=metric)
        assert sorted(found.indices.tolist()) == list(range(n))
        assert found.radii[-1] == 0


@pytest.mark.parametrize("d", [1, 3, 17, 130])
def test_one_row_is_taken_at_radius_zero(d):
    for metric, options in itertools.product(METRICS, ({}, {"weights": [5]}, {"groups": [-3]})):
        found = cs.k_center(normal(1, d), 1, metric=metric, assign=True, **options)
        assert (found.indices.tolist(), found.radii.tolist()) == ([0], [0])
        assert found.assignment.tolist() == [0]


@every_metric
def test_every_width_equals_the_reference(metric):
    for d in (2, 5, 8, 15, 16, 31, 32, 33, 64, 100):
        X = normal(500, d)
        with trying(d=d):
            check(X, X, 40, metric=metric)


def test_every_number_of_rows_equals_the_reference():
    for n in (*range(1, 20), 31, 32, 33, 63, 64, 65, 255, 256, 257, 1023, 1025):
        X = normal(n, 5)
        with trying(n=n):
            check(X, X, min(n, 50))
            check(grid(n, 2), grid(n, 2), min(n, 50), start=n - 1)


@every_metric
@pytest.mark.parametrize("name", sorted(hard_cases()))
def test_hard_rows_equal_the_reference(name, metric):
    X = hard_cases()[name][0]
    check(X[:1500], X[:1500], 25, metric=metric)


def test_many_rows_equal_the_reference():
    X = normal(20_000, 10)
    check(X, X, 150, n_threads=2)


@pytest.mark.parametrize("n_threads", THREADS)
def test_many_clustered_rows_equal_the_reference(n_threads):
    X = clustered(60_000, 6)
    check(X, X, 40, n_threads=n_threads)


def test_many_centers_equal_the_reference():
    X = clustered(2500, 24)
    check(X, X, 1200)


def test_squared_distances_past_the_largest_float_are_infinite_radii():
    rng = np.random.default_rng(11)
    X = np.zeros((300, 20), np.float32)  # opposite rows are 2^128 apart, others 2^127
    X[np.arange(300), rng.integers(0, 20, 300)] = rng.choice([-(2.0**63), 2.0**63], 300)
    check(X, X, 60)
    assert cs.k_center(X, 1).radii.tolist() == [np.inf]
    check(X, X, 60, n_outliers=3, stop_radius=1e18)
    check(X, X, 60, weights=rng.random(300) + 0.1)


def test_distances_below_the_smallest_normal_float_are_kept(simd_level):
    assert _cpu.simd_level() == simd_level
    X = normal(400, 6) * np.float32(1e-20)  # squares are subnormal
    check(X, X, 100)
    check(X, X, 100, weights=np.random.default_rng(1).random(400))


def test_real_rows_equal_the_reference(test_data):
    X = np.load(test_data / "embeddings" / "letter.npz")["X"]
    X = np.ascontiguousarray(X[np.random.default_rng(3).permutation(len(X))[:3000]])
    for metric in METRICS:
        check(X, X, 300, metric=metric)
    initial = np.random.default_rng(4).permutation(3000)[:100]
    check(X, X, 100, initial=initial, weights=np.random.default_rng(5).random(3000))
    check(X, X, 100, n_outliers=40)
    whole, wide = quantized(X, "int8")
    check(whole, wide, 100)
    found = cs.k_center(X, 100, assign=True)
    np.testing.assert_array_equal(found.assignment, nearest_centers(X, found.indices))


# --- stored kinds ---------------------------------------------------------------------------------


@every_kind
@every_metric
@pytest.mark.parametrize("d", [1, 3, 17, 130])
def test_every_kind_equals_the_reference_on_its_stored_values(kind, metric, d):
    X, wide = quantized(normal(600, d), kind)
    check(X, wide, 50, metric=metric)
    found = cs.k_center(X, 9, metric=metric, assign=True, initial=[5, 4])
    centers = np.concatenate([[5, 4], found.indices])
    np.testing.assert_array_equal(found.assignment, nearest_centers(wide, centers, metric))


@every_kind
def test_every_kind_of_clustered_rows_equals_the_reference(kind):
    X, wide = quantized(clustered(1500, 40), kind)
    check(X, wide, 100, weights=np.random.default_rng(2).random(1500))
    groups = np.random.default_rng(3).integers(0, 4, 1500)
    same(cs.k_center(X, 50, groups=groups), farthest_first_of_classes(wide, 50, groups))


@every_metric
def test_rows_may_lie_apart(metric):
    for dtype in ("float32", "float16"):
        whole = normal(800, 40).astype(dtype)
        for X in (whole[:, :23], whole[::2], whole[::3, 5:30], whole[7:, 1:2]):
            check(X, reference.widened(X), 40, metric=metric)
    cut = reference.narrowed(normal(600, 40))[::2, :23]
    check(cs.Rows(cut), reference.widened(cut), 40, metric=metric)
    wide_apart = np.rint(normal(600, 40) * 30).astype(np.int8)[::2, :23]
    scale = np.random.default_rng(1).random(300, dtype=np.float32) + np.float32(0.1)
    X = cs.Rows(wide_apart, scale)
    check(X, reference.widened(wide_apart, scale), 40, metric=metric)


def test_rows_that_lie_apart_are_grouped_and_assigned():
    X, groups = normal(600, 40)[::2, 3:20], np.arange(300) % 3
    found = cs.k_center(X, 30, groups=groups, assign=True)
    same(found, farthest_first_of_classes(X, 30, groups))
    np.testing.assert_array_equal(found.assignment, nearest_centers(X, found.indices))


def test_files_mapped_to_memory_are_covered(tmp_path):
    X = normal(700, 12)
    X.tofile(tmp_path / "rows")
    check(np.memmap(tmp_path / "rows", np.float32, "r", shape=X.shape), X, 40)


# --- bytes ----------------------------------------------------------------------------------------


@functools.cache
def rows_with_copies(metric, d):
    """Rows, some of them twice, and by options what is taken of them."""
    X = clustered(1500, d)
    X[1000:1200] = X[:200]
    weights = np.random.default_rng(d).random(1500)
    cases = ({}, {"weights": weights}, {"n_outliers": 20}, {"initial": [1100, 7]})
    return X, [(options, farthest_first(X, 60, metric=metric, **options)) for options in cases]


@every_metric
@pytest.mark.parametrize("d", [3, 17, 130])
def test_every_level_and_thread_count_equals_the_reference(simd_level, metric, d):
    assert _cpu.simd_level() == simd_level
    X, cases = rows_with_copies(metric, d)
    for options, want in cases:
        for n_threads, strategy in itertools.product(THREADS, ("best", "projection")):
            with measured(strategy):
                same(cs.k_center(X, 60, metric=metric, n_threads=n_threads, **options), want)


@every_kind
@every_metric
def test_every_level_and_thread_count_reads_every_kind(simd_level, kind, metric):
    X, wide = quantized(normal(700, 45), kind)
    want = farthest_first(wide, 50, metric=metric)
    for n_threads in THREADS:
        same(cs.k_center(X, 50, metric=metric, n_threads=n_threads), want)


def test_every_level_and_thread_count_gives_ties_to_the_lower_row(simd_level):
    X = grid(3000, 3)
    want = farthest_first(X, 400, n_outliers=1)
    with measured("projection"):
        same(cs.k_center(X, 400, n_outliers=1), want)
    groups = np.arange(3000) % 3
    of_classes = farthest_first_of_classes(X, 60, groups)
    for n_threads in THREADS:
        same(cs.k_center(X, 400, n_outliers=1, n_threads=n_threads), want)
        found = cs.k_center(X, 60, groups=groups, assign=True, n_threads=n_threads)
        same(found, of_classes)
        np.testing.assert_array_equal(found.assignment, nearest_centers(X, found.indices))


def test_every_level_and_thread_count_equals_the_reference_on_rows_of_any_length(simd_level):
    X = any_length(2000, 9)
    for metric in METRICS:
        want = farthest_first(X, 60, metric=metric)
        for n_threads, strategy in itertools.product(THREADS, ("best", "projection")):
            with measured(strategy):
                same(cs.k_center(X, 60, metric=metric, n_threads=n_threads), want)
