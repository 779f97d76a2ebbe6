"""Farthest-first traversal against plain NumPy: every row taken, and every bit of every radius."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import coverset as cs
import neighbors_reference as reference
from coverset import _cpu
from examples import THREADS, frozen
from neighbors_examples import KINDS, every_kind, hard_cases, normal, spoilt, stored

METRICS = ("euclidean", "cosine")
every_metric = pytest.mark.parametrize("metric", METRICS)

# --- the traversal, row by row --------------------------------------------------------------------


def unit_rows(wide):
    near = reference.near_one(wide)
    return near / reference.norms(reference.in_groups(near))[:, None]


def farthest_first(
    wide,
    k,
    *,
    start=None,
    initial=(),
    metric="euclidean",
    weights=None,
    n_outliers=0,
    stop_radius=None,
):
    """Return (indices, radii) of float32 rows, each distance measured."""
    rows = unit_rows(wide) if metric == "cosine" else wide
    columns = reference.in_groups(rows)
    nearest, free = np.full(len(rows), np.inf, np.float32), np.ones(len(rows), bool)
    factor, power = np.ones(len(rows), np.float32), 1.0
    if weights is not None:
        narrow = np.asarray(weights).astype(np.float32)
        if narrow.any():
            power = 2.0 ** int(np.frexp(narrow.max())[1])
        scaled = (narrow.astype(np.float64) / power).astype(np.float32)
        factor = scaled * scaled
        start = int(np.argmax(narrow)) if start is None else start

    def take(row):
        free[row] = False
        with np.errstate(over="ignore", under="ignore"):
            distances = reference.squared_distances(columns, rows[row])
        np.minimum(nearest, distances, out=nearest)

    def farthest():
        """Return the row that comes next, and the radius: none and 0 if outliers are left."""
        keys, left = factor * nearest, np.flatnonzero(free)
        if len(left) <= n_outliers:
            return None, np.float32(0)
        row = left[np.argsort(-keys[left], kind="stable")[n_outliers]]
        return row, np.float32(float(np.sqrt(keys[row])) * power)

    def covered(radius):
        return stop_radius is not None and float(radius) <= stop_radius

    for row in initial:
        take(row)
    if len(initial):
        row, radius = farthest()
        if covered(radius):
            return np.empty(0, np.int64), np.empty(0, np.float32)
    else:
        row = 0 if start is None else start
    indices, radii = [], []
    while len(indices) < k:
        take(row)
        indices.append(row)
        row, radius = farthest()
        radii.append(radius)
        if covered(radius):
            break
    return np.array(indices, np.int64), np.array(radii, np.float32)


def even_budgets(k, free):
    """Deal k rows out one at a time, from the lowest class on, to classes with rows left."""
    budgets, names = dict.fromkeys(free, 0), itertools.cycle(sorted(free))
    while sum(budgets.values()) < k:
        name = next(names)
        budgets[name] += budgets[name] < free[name]
    return budgets


def class_traversals(wide, k, groups, initial=(), weights=None, **options):
    """Return the traversal of each class that rows are taken of, in rows of the whole."""
    groups, initial = np.asarray(groups), np.asarray(initial, np.int64)
    names = np.unique(groups).tolist()
    if not isinstance(k, dict):
        given = groups[initial]
        k = even_budgets(k, {c: int((groups == c).sum() - (given == c).sum()) for c in names})
    parts = []
    for name in (name for name in names if k.get(name, 0)):
        own = np.flatnonzero(groups == name)
        centres = np.searchsorted(own, initial[groups[initial] == name])
        some = None if weights is None else np.asarray(weights)[own]
        indices, radii = farthest_first(
            wide[own], k[name], initial=centres, weights=some, **options
        )
        parts.append((own[indices], radii))
    return parts


def farthest_first_of_classes(wide, k, groups, **options):
    """Return (indices, radii) of the merged order: the class of the largest radius comes next."""
    parts = class_traversals(wide, k, groups, **options)
    now, used = [np.inf] * len(parts), [0] * len(parts)
    indices, radii = [], []
    for _ in range(sum(len(rows) for rows, _ in parts)):
        c = max(
            (c for c in range(len(parts)) if used[c] < len(parts[c][0])), key=lambda c: (now[c], -c)
        )
        indices.append(parts[c][0][used[c]])
        now[c] = parts[c][1][used[c]]
        used[c] += 1
        radii.append(max(now))
    return np.array(indices, np.int64), np.array(radii, np.float32)


def nearest_centres(wide, centres, metric="euclidean"):
    rows = unit_rows(wide) if metric == "cosine" else wide
    return centres[np.argmin(reference.distances(rows, rows[centres], "sqeuclidean"), axis=0)]


def same(found, want):
    indices, radii = want
    assert (found.indices.dtype, found.radii.dtype) == (np.int64, np.float32)
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_array_equal(found.radii.view(np.int32), radii.view(np.int32))


def check(X, wide, k, n_threads=None, **options):
    want = farthest_first(wide, k, **options)
    same(cs.k_center(X, k, n_threads=n_threads, **options), want)


def quantized(X, kind):
    """Return rows of a kind, int8 as ``quantize`` makes it, and the float32 they stand for."""
    if kind != "int8":
        return stored(X, kind)
    rows = cs.quantize(X)
    return rows, reference.widened(rows.data, rows.scale)


def clustered(n, d):
    centres = normal(7, d, 2) * np.float32(20)
    return centres[np.random.default_rng(n).integers(0, 7, n)] + normal(n, d, 3)


def grid(n, d):
    return np.random.default_rng([n, d]).integers(-2, 3, (n, d)).astype(np.float32)


def repeated(n, d):
    return normal(max(n // 10, 1), d)[np.random.default_rng(n).integers(0, max(n // 10, 1), n)]


def any_length(n, d):
    lengths = 10 ** np.random.default_rng(n).uniform(-18, 17, (n, 1))
    return normal(n, d) * lengths.astype(np.float32)


DATA = {
    "normal": normal,
    "clustered": clustered,
    "grid": grid,
    "repeated": repeated,
    "any length": any_length,
    "huge": lambda n, d: normal(n, d) * np.float32(1e17),
    "tiny": lambda n, d: normal(n, d) * np.float32(1e-19),
}
every_data = pytest.mark.parametrize("name", sorted(DATA))


def data(name, n, d, metric="euclidean"):
    X = DATA[name](n, d).astype(np.float32)
    if metric == "cosine":
        X[~X.any(axis=1), 0] = 1
    return X


# --- answers worked by hand -----------------------------------------------------------------------

LINE = np.float32([[0], [1], [10], [4], [12]])


def answer(*arguments, **options):
    found = cs.k_center(*arguments, **options)
    return found.indices.tolist(), found.radii.tolist()


def test_rows_on_a_line_are_taken_farthest_first():
    assert answer(LINE, 5) == ([0, 4, 3, 2, 1], [12, 4, 2, 1, 0])


def test_start_is_taken_first():
    assert answer(LINE, 3, start=2) == ([2, 0, 3], [10, 4, 2])


def test_initial_rows_are_centres_and_never_taken():
    assert answer(LINE, 3, initial=[4, 0]) == ([3, 2, 1], [2, 1, 0])


def test_ties_go_to_the_lower_row():
    X = np.float32([[0, 0], [3, 0], [0, -3], [-3, 0], [0, 3]])
    assert answer(X, 5) == ([0, 1, 2, 3, 4], [3, 3, 3, 3, 0])
    assert answer(X, 2, start=4) == ([4, 2], [6, np.sqrt(np.float32(18))])


def test_equal_rows_are_taken_in_order_at_radius_zero():
    assert answer(np.ones((4, 3), np.float32), 4, start=2) == ([2, 0, 1, 3], [0, 0, 0, 0])


def test_heaviest_row_is_taken_first_and_weights_multiply_distances():
    weights = [1, 3, 0.5, 3, 0]
    # from row 1: 1, 0, 4.5, 9, 0; then from rows 1 and 3: 1, 0, 3, 0, 0
    assert answer(LINE, 4, weights=weights) == ([1, 3, 2, 0], [9, 3, 1, 0])
    assert answer(LINE, 2, weights=weights, start=0) == ([0, 3], [12, 3])
    assert answer(LINE, 1, weights=weights, initial=[0]) == ([3], [3])


def test_weights_are_computed_with_as_float32():
    assert answer(LINE, 1, weights=np.array([1, 1, 1, 1, 1 + 1e-12])) == ([0], [12])
    assert answer(LINE, 1, weights=[1, 1, 1, 1, 2]) == ([4], [12])
    assert answer(LINE, 1, weights=np.uint8([1, 1, 1, 1, 2])) == ([4], [12])
    assert answer(LINE, 1, weights=np.float16([1, 1, 1, 1, 2])) == ([4], [12])


def test_rows_without_weight_follow_in_order():
    assert answer(LINE, 5, weights=np.zeros(5)) == ([0, 1, 2, 3, 4], [0, 0, 0, 0, 0])


def test_outliers_are_passed_over():
    # from row 0: rows 4, 2, 3, 1 at 12, 10, 4, 1; from rows 0, 2: rows 3, 4, 1 at 4, 2, 1
    assert answer(LINE, 3, n_outliers=1) == ([0, 2, 4], [10, 2, 1])
    assert answer(LINE, 2, n_outliers=2) == ([0, 3], [4, 1])
    assert answer(LINE, 1, n_outliers=4) == ([0], [0])


def test_outliers_of_equal_rows_are_passed_over_in_order():
    assert answer(np.ones((6, 2), np.float32), 4, n_outliers=2) == ([0, 3, 4, 5], [0, 0, 0, 0])


def test_stop_radius_ends_once_it_is_reached():
    assert answer(LINE, 5, stop_radius=4) == ([0, 4], [12, 4])
    assert answer(LINE, 5, stop_radius=3.9) == ([0, 4, 3], [12, 4, 2])
    assert answer(LINE, 5, stop_radius=0) == ([0, 4, 3, 2, 1], [12, 4, 2, 1, 0])
    assert answer(LINE, 5, stop_radius=100.0) == ([0], [12])
    assert answer(np.ones((9, 2), np.float32), 9, stop_radius=0) == ([0], [0])


def test_initial_rows_may_cover_all():
    assert answer(LINE, 2, initial=[0, 4], stop_radius=4.0) == ([], [])
    found = cs.k_center(LINE, 2, initial=[4, 0], stop_radius=4.0, assign=True)
    assert (len(found), found.indices.dtype, found.radii.dtype) == (0, np.int64, np.float32)
    assert found.assignment.tolist() == [0, 0, 4, 0, 4]


def test_cosine_is_the_distance_of_rows_of_length_one():
    X = np.float32([[5, 0], [1e-20, 0], [0, 3e10], [-2, 0], [0, 1]])
    assert answer(X, 3, metric="cosine") == ([0, 3, 2], [2, np.sqrt(np.float32(2)), 0])


def test_assignment_ties_go_to_the_centre_taken_earlier():
    X = np.float32([[2], [0], [1], [4], [3]])
    assert cs.k_center(X, 2, start=1, assign=True).assignment.tolist() == [1, 1, 1, 3, 3]
    assert cs.k_center(X, 1, start=1, initial=None, assign=True).assignment.tolist() == [1] * 5
    found = cs.k_center(X, 1, initial=[3], assign=True)
    assert found.indices.tolist() == [1]
    assert found.assignment.tolist() == [3, 1, 1, 3, 3]
    equal = np.ones((4, 2), np.float32)
    assert cs.k_center(equal, 2, initial=[3, 1], assign=True).assignment.tolist() == [3] * 4


def test_classes_are_covered_by_their_own_rows():
    X = np.float32([[0], [1], [10], [4], [12]])
    found = answer(X, 4, groups=[0, 7, 0, 7, 7])
    # class 0: rows 0, 2 at 10, 0; class 7: rows 1, 4 at 11, 3
    assert found == ([0, 1, 4, 2], [np.inf, 11, 10, 3])


def test_ties_of_classes_go_to_the_lower_class():
    X = np.float32([[0], [5], [0], [5], [0], [5]])
    assert answer(X, 6, groups=[2, 2, -1, -1, 0, 0])[0] == [2, 4, 0, 3, 5, 1]


def test_small_classes_leave_their_budget_to_others():
    X, groups = normal(12, 2), np.repeat([0, 1, 2, 3], [1, 5, 4, 2])
    for k, want in ((4, [1, 1, 1, 1]), (6, [1, 2, 2, 1]), (9, [1, 3, 3, 2]), (12, [1, 5, 4, 2])):
        taken = groups[cs.k_center(X, k, groups=groups).indices]
        assert np.bincount(taken, minlength=4).tolist() == want
    taken = groups[cs.k_center(X, 3, groups=groups).indices]
    assert np.bincount(taken, minlength=4).tolist() == [1, 1, 1, 0]


# --- what comes back ------------------------------------------------------------------------------


def test_a_core_set_has_rows_radii_and_no_assignment_unless_asked():
    found = cs.k_center(LINE, 3)
    assert isinstance(found, cs.CoreSet)
    assert len(found) == 3
    assert (found.indices.shape, found.indices.dtype) == ((3,), np.int64)
    assert (found.radii.shape, found.radii.dtype) == ((3,), np.float32)
    assert found.assignment is None
    assigned = cs.k_center(LINE, 3, assign=True)
    assert (assigned.assignment.shape, assigned.assignment.dtype) == ((5,), np.int64)
    same(assigned, (found.indices, found.radii))
    grouped = cs.k_center(LINE, 2, groups=[0, 0, 1, 1, 1], assign=True)
    assert (grouped.indices.dtype, grouped.radii.dtype) == (np.int64, np.float32)
    assert (grouped.assignment.shape, grouped.assignment.dtype) == ((5,), np.int64)
    for result in (found, grouped):
        named = {"distances", "products", "coordinates", "bytes", "refreshes"}
        assert set(result.stats) == named
        assert all(type(value) is int and value >= 0 for value in result.stats.values())


def test_a_core_set_is_frozen():
    with pytest.raises(AttributeError):
        cs.k_center(LINE, 1).indices = None


def test_whole_numbers_may_be_of_numpy():
    found = cs.k_center(LINE, np.int16(3), start=np.uint8(2), n_outliers=np.int64(0))
    assert found.indices.tolist() == [2, 0, 3]
    for dtype in "bBhHiIlL":
        found = cs.k_center(LINE, 1, initial=np.array([4, 0], dtype))
        assert found.indices.tolist() == [3]
        found = cs.k_center(LINE, {1: 1, 0: 1}, groups=np.array([0, 0, 0, 1, 1], dtype))
        assert found.indices.tolist() == [0, 3]


def test_nothing_is_written_to_the_arguments():
    X, weights = frozen(normal(50, 4), np.float32), frozen(np.arange(50), np.float32)
    initial, groups = frozen([3, 2], np.int64), frozen(np.arange(50) % 3, np.int64)
    check(X, X, 20, weights=weights, initial=initial, metric="cosine")
    cs.k_center(X, 9, weights=weights, initial=initial, groups=groups, assign=True)


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
@pytest.mark.parametrize("d", [2, 5, 8, 15, 16, 31, 32, 33, 64, 100])
def test_every_width_equals_the_reference(metric, d):
    X = normal(500, d)
    check(X, X, 40, metric=metric)


@pytest.mark.parametrize("n", [*range(1, 20), 31, 32, 33, 63, 64, 65, 255, 256, 257, 1023, 1025])
def test_every_number_of_rows_equals_the_reference(n):
    X = normal(n, 5)
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


def test_many_centres_equal_the_reference():
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
    np.testing.assert_array_equal(found.assignment, nearest_centres(X, found.indices))


# --- stored kinds ---------------------------------------------------------------------------------


@every_kind
@every_metric
@pytest.mark.parametrize("d", [1, 3, 17, 130])
def test_every_kind_equals_the_reference_on_its_stored_values(kind, metric, d):
    X, wide = quantized(normal(600, d), kind)
    check(X, wide, 50, metric=metric)
    found = cs.k_center(X, 9, metric=metric, assign=True, initial=[5, 4])
    centres = np.concatenate([[5, 4], found.indices])
    np.testing.assert_array_equal(found.assignment, nearest_centres(wide, centres, metric))


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
    np.testing.assert_array_equal(found.assignment, nearest_centres(X, found.indices))


def test_files_mapped_to_memory_are_covered(tmp_path):
    X = normal(700, 12)
    X.tofile(tmp_path / "rows")
    check(np.memmap(tmp_path / "rows", np.float32, "r", shape=X.shape), X, 40)


# --- bytes ----------------------------------------------------------------------------------------


@every_metric
@pytest.mark.parametrize("d", [3, 17, 130])
def test_every_level_and_thread_count_equals_the_reference(simd_level, metric, d):
    assert _cpu.simd_level() == simd_level
    X = clustered(1500, d)
    X[1000:1200] = X[:200]
    weights = np.random.default_rng(d).random(1500)
    for options in ({}, {"weights": weights}, {"n_outliers": 20}, {"initial": [1100, 7]}):
        want = farthest_first(X, 60, metric=metric, **options)
        for n_threads in THREADS:
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
    groups = np.arange(3000) % 3
    of_classes = farthest_first_of_classes(X, 60, groups)
    for n_threads in THREADS:
        same(cs.k_center(X, 400, n_outliers=1, n_threads=n_threads), want)
        found = cs.k_center(X, 60, groups=groups, assign=True, n_threads=n_threads)
        same(found, of_classes)
        np.testing.assert_array_equal(found.assignment, nearest_centres(X, found.indices))


def test_every_level_and_thread_count_equals_the_reference_on_rows_of_any_length(simd_level):
    X = any_length(2000, 9)
    for metric in METRICS:
        want = farthest_first(X, 60, metric=metric)
        for n_threads in THREADS:
            same(cs.k_center(X, 60, metric=metric, n_threads=n_threads), want)


# --- options --------------------------------------------------------------------------------------


@every_data
@every_metric
def test_every_combination_of_options_equals_the_reference(name, metric):
    X, rng = data(name, 250, 6, metric), np.random.default_rng(8)
    stop = float(farthest_first(X, 15, metric=metric)[1][-1])
    for first, weights, n_outliers, stop_radius in itertools.product(
        ({}, {"start": 77}, {"initial": [9, 200, 3]}),
        (None, rng.random(250)),
        (0, 1, 30),
        (None, stop),
    ):
        options = {"weights": weights, "n_outliers": n_outliers, "stop_radius": stop_radius}
        check(X, X, 30, metric=metric, **first, **options)


@pytest.mark.parametrize("z", [0, 1, 2, 50, 149, 150, 298, 299])
def test_every_number_of_outliers_equals_the_reference(z):
    for X in (normal(300, 4), grid(300, 2)):
        for k in {1, min(20, 300 - z), 300 - z}:
            check(X, X, k, n_outliers=z)


def test_initial_rows_in_any_order_and_number_equal_the_reference():
    rng = np.random.default_rng(9)
    for X, m in itertools.product((normal(300, 4), repeated(300, 4)), (1, 2, 100, 299)):
        initial = rng.permutation(300)[:m]
        check(X, X, min(20, 300 - m), initial=initial)
        found = cs.k_center(X, min(20, 300 - m), initial=initial)
        assert not set(found.indices) & set(initial)
        same(
            cs.k_center(X, min(20, 300 - m), initial=sorted(initial)), (found.indices, found.radii)
        )


@pytest.mark.parametrize("scale", [1e-42, 1e-30, 1e-5, 1, 1e10, 1e30])
def test_weights_of_any_size_equal_the_reference(simd_level, scale):
    rng = np.random.default_rng(10)
    X = normal(400, 5) * np.float32(1e-3)
    for weights in (rng.random(400), rng.integers(0, 3, 400), 10 ** rng.uniform(-25, 0, 400)):
        check(X, X, 60, weights=weights * scale)


@pytest.mark.parametrize("power", [-100, -1, 1, 100])
def test_weights_times_a_power_of_two_take_the_same_rows(power):
    X, weights = normal(300, 4), np.random.default_rng(1).random(300, dtype=np.float32)
    one, other = (cs.k_center(X, 40, weights=weights * np.float32(f)) for f in (1, 2.0**power))
    same(other, (one.indices, one.radii * np.float32(2.0**power)))


def test_radii_of_the_largest_weights_are_weights_times_distances():
    weights = np.full(5, 2.0**127, np.float32)
    found = cs.k_center(LINE / np.float32(64), 5, weights=weights)
    assert found.indices.tolist() == [0, 4, 3, 2, 1]
    assert found.radii.tolist() == [2.0**121 * radius for radius in (12, 4, 2, 1, 0)]


def test_stop_radius_ends_at_each_radius_exactly():
    X = normal(300, 4)
    weights = np.random.default_rng(1).random(300) * 1e-20
    for options in ({}, {"weights": weights}, {"n_outliers": 5}, {"metric": "cosine"}):
        radii = cs.k_center(X, 60, **options).radii
        for radius in radii[::7]:
            first = int(np.argmax(radii <= radius))
            below = float(np.nextafter(radius, np.float32(0)))
            assert len(cs.k_center(X, 60, stop_radius=float(radius), **options)) == first + 1
            assert len(cs.k_center(X, 60, stop_radius=radius, **options)) == first + 1
            assert len(cs.k_center(X, 60, stop_radius=below, **options)) > first + 1


@pytest.mark.parametrize("stop", [2e18, 9e18, 1.3e19, 1.5e19, 1.8e19, 1e20, 1e38, 1e39, 1e300])
def test_large_stop_radii_end_at_large_radii(stop):
    X = np.float32([[-7e18], [7e18], [1e18], [0]])
    check(X, X, 4, stop_radius=stop)
    check(X, X, 4, stop_radius=stop, weights=[1, 1, 0.5, 0.25])


def run_apart(arguments):
    """Run a call on rows 2^63, -2^63, 0 in a process of its own; return what it prints."""
    call = (
        "import coverset as cs, numpy as np\n"
        "X = np.float32([[2.0**63], [-2.0**63], [0]])\n"
        f"found = cs.k_center(X, 3, {arguments})\n"
        "print(found.indices.tolist(), found.radii.tolist())"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", call],
        capture_output=True,
        text=True,
        timeout=3,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_the_whole_line_may_be_the_stop_radius():
    assert run_apart("stop_radius=np.inf") == "[0] [inf]"


def test_a_large_stop_radius_may_come_with_small_weights():
    assert run_apart("stop_radius=1e300, weights=np.float32([1, 1, 1]) * 1e-30").startswith("[0] ")


@pytest.mark.parametrize("weight", [0, 1e-30])
def test_no_weight_times_infinite_distance_is_no_radius(weight):
    want = f"[0, 2, 1] [{2.0**63}, "
    assert run_apart(f"weights=[1, {weight}, 1]").startswith(want)


# --- assignment -----------------------------------------------------------------------------------


@every_data
@every_metric
def test_assignment_is_the_nearest_centre(name, metric):
    X = data(name, 700, 5, metric)
    for options in ({}, {"initial": [600, 3, 8]}, {"weights": np.arange(700.0)}, {"n_outliers": 9}):
        found = cs.k_center(X, 40, metric=metric, assign=True, **options)
        centres = np.concatenate([options.get("initial", []), found.indices]).astype(np.int64)
        np.testing.assert_array_equal(found.assignment, nearest_centres(X, centres, metric))


def test_assignment_of_many_rows_is_the_nearest_centre():
    X = grid(40_000, 3)
    found = cs.k_center(X, 20, assign=True)
    np.testing.assert_array_equal(found.assignment, nearest_centres(X, found.indices))


def test_largest_distance_to_the_assigned_centre_is_the_radius():
    X = normal(500, 7)
    found = cs.k_center(X, 30, assign=True)
    between = reference.distances(X, X[found.indices], "sqeuclidean")
    place = np.argsort(found.indices)[np.searchsorted(np.sort(found.indices), found.assignment)]
    assert np.sqrt(between[place, np.arange(500)].max()) == found.radii[-1]


# --- classes --------------------------------------------------------------------------------------


@every_data
@every_metric
def test_classes_equal_the_reference(name, metric):
    X, rng = data(name, 400, 4, metric), np.random.default_rng(12)
    groups = rng.choice([-5, 0, 3, 10**12], 400, p=[0.5, 0.3, 0.18, 0.02])
    for weights in (None, rng.random(400)):
        options = {"weights": weights, "metric": metric}
        for k in (4, 7, 50, 150, 400):
            want = farthest_first_of_classes(X, k, groups, **options)
            same(cs.k_center(X, k, groups=groups, **options), want)
        k = {3: 5, -5: 40, 10**12: 1, 0: int((groups == 0).sum())}
        want = farthest_first_of_classes(X, k, groups, **options)
        same(cs.k_center(X, k, groups=groups, **options), want)


@every_metric
def test_classes_end_at_the_stop_radius(metric):
    X, groups = normal(400, 4), np.random.default_rng(13).integers(0, 3, 400)
    radii = farthest_first_of_classes(X, 400, groups, metric=metric)[1]
    for stop in (radii[5], radii[100], 0):
        want = farthest_first_of_classes(X, 400, groups, metric=metric, stop_radius=float(stop))
        found = cs.k_center(X, 400, groups=groups, metric=metric, stop_radius=float(stop))
        same(found, want)
        assert found.radii[-1] <= stop < found.radii[-2]


def test_initial_rows_cover_their_own_class():
    X, rng = normal(400, 4), np.random.default_rng(14)
    groups, initial = rng.integers(0, 3, 400), rng.permutation(400)[:30]
    found = cs.k_center(X, 90, groups=groups, initial=initial)
    parts = class_traversals(X, 90, groups, initial=initial)
    for name, (rows, _) in enumerate(parts):
        np.testing.assert_array_equal(found.indices[groups[found.indices] == name], rows)
    assert found.radii[-1] == max(radii[-1] for _, radii in parts)
    assert (np.diff(found.radii[3:]) <= 0).all()


@pytest.mark.parametrize(
    ("k", "initial", "stop_radius", "want"),
    [
        # class 0 is 9 from its initial row and takes row 1 at 9; class 1 is 2 from its own
        ({0: 1, 1: 1}, [0, 2], None, ([1, 3], [2, 0])),
        ({0: 1, 1: 1}, [0, 2], 3.0, ([1], [2])),
        ({0: 1}, [0, 2], None, ([1], [2])),
    ],
    ids=["both", "one stops", "one has no budget"],
)
def test_radii_of_classes_measure_initial_rows_too(k, initial, stop_radius, want):
    X, groups = np.float32([[0], [9], [20], [22]]), [0, 0, 1, 1]
    assert answer(X, k, groups=groups, initial=initial, stop_radius=stop_radius) == want


def test_a_class_without_any_row_has_an_infinite_radius():
    X, groups = np.float32([[0], [2], [10], [11]]), [0, 0, 1, 1]
    assert answer(X, 1, groups=groups) == ([0], [np.inf])
    assert answer(X, {1: 2}, groups=groups) == ([2, 3], [np.inf, np.inf])


def test_a_class_whose_rows_are_all_initial_has_radius_zero():
    X, groups = np.float32([[0], [2], [10], [11]]), [0, 0, 1, 1]
    assert answer(X, 2, groups=groups, initial=[1, 0]) == ([2, 3], [1, 0])


def test_one_class_is_the_whole():
    X = normal(300, 5)
    found = cs.k_center(X, 40, assign=True)
    grouped = cs.k_center(X, 40, groups=np.full(300, 9), assign=True)
    same(grouped, (found.indices, found.radii))
    np.testing.assert_array_equal(grouped.assignment, found.assignment)


def test_every_row_a_class_of_its_own_is_taken_in_order_of_classes():
    X, groups = normal(50, 2), np.random.default_rng(1).permutation(50)
    found = cs.k_center(X, 50, groups=groups)
    assert found.indices.tolist() == np.argsort(groups).tolist()
    assert found.radii.tolist() == [np.inf] * 49 + [0]


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
    """Return the smallest radius of any k centres, rows or not: half of the longest interval."""
    x = np.sort(X[:, 0].astype(np.float64))
    cuts = itertools.combinations(range(1, len(x)), k - 1)
    ends = ((0, *cut, len(x)) for cut in cuts)
    return min(max(x[b - 1] - x[a] for a, b in itertools.pairwise(end)) / 2 for end in ends)


@pytest.mark.parametrize("seed", range(10))
def test_half_the_radius_bounds_centres_that_are_not_rows(seed):
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


# --- errors ---------------------------------------------------------------------------------------


def refused(error, message, X, k, **options):
    with pytest.raises(error, match=message):
        cs.k_center(X, k, **options)


GOOD = normal(20, 6)


@every_metric
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_must_be_finite(simd_level, metric, value):
    for row, column in ((0, 0), (7, 2), (19, 5)):
        bad = spoilt(GOOD, row, value, column)
        message = f"^X must be finite, row {row} has {value} in column {column}"
        for X in (bad, bad.astype(np.float16), cs.Rows(reference.narrowed(bad))):
            refused(ValueError, message, X, 3, metric=metric)
            refused(ValueError, message, X, 3, metric=metric, groups=np.arange(20) % 2)


@pytest.mark.parametrize("n_threads", THREADS)
def test_first_bad_row_is_named_on_any_thread_count(n_threads):
    X = spoilt(normal(50_000, 4), [33_333, 33_334, 49_999], np.nan, 1)
    message = "^X must be finite, row 33333 has nan in column 1"
    refused(ValueError, message, X, 3, n_threads=n_threads)


@every_metric
def test_rows_must_not_be_too_long(metric):
    message = r"^X must have squared norms of at most 2\^126, row 7 has "
    refused(ValueError, message, spoilt(GOOD, 7, 1e19, 2), 3, metric=metric)


def test_zero_rows_have_no_cosine():
    message = r"^X must have a number of at least 2\^-126 in each row under the cosine .*, row 4"
    bad = spoilt(GOOD, [4, 9], 0)
    for X in (bad, bad.astype(np.float16), cs.Rows(reference.narrowed(bad)), cs.quantize(bad)):
        refused(ValueError, message, X, 3, metric="cosine")
        assert len(cs.k_center(X, 3)) == 3


@pytest.mark.parametrize("dtype", ["f8", "i8", "i4", "i1", "u2", "?", "c8", ">f4", ">f2", "O"])
def test_no_dtype_is_converted(dtype):
    message = "^X must be float32 or float16 .*, got " + re.escape(str(np.dtype(dtype)))
    refused(TypeError, message, GOOD.astype(dtype), 3)


@pytest.mark.parametrize("X", [None, [[1.0, 2.0]], "rows", np.float32(1)])
def test_rows_must_be_arrays(X):
    message = f"^X must be a NumPy array.*, got {type(X).__name__}"
    refused(TypeError, message, X, 1)


def test_rows_must_be_plain_arrays_of_two_dimensions():
    refused(TypeError, "^X must not be a masked array", np.ma.array(GOOD, mask=GOOD > 1), 3)
    for shape in ((6,), (1, 20, 6)):
        message = "^X must have 2 dimensions, got shape " + re.escape(str(shape))
        refused(ValueError, message, np.ones(shape, np.float32), 1)
    refused(TypeError, "^X must have contiguous rows", np.asfortranarray(GOOD), 3)
    refused(TypeError, "^X must have contiguous rows", GOOD[:, ::2], 3)
    refused(TypeError, "^X must have contiguous rows", GOOD[::-1], 3)


def test_there_must_be_rows_and_columns():
    refused(ValueError, "^X must have at least one row, got none", GOOD[:0], 1)
    refused(ValueError, "^X must have at least one column", GOOD[:, :0], 1)


@pytest.mark.parametrize(
    ("options", "most"),
    [
        ({}, 20),
        ({"initial": [1, 2, 3]}, 17),
        ({"n_outliers": 4}, 16),
        ({"initial": [1, 2, 3], "n_outliers": 4}, 13),
        ({"groups": np.arange(20) % 3}, 20),
        ({"groups": np.arange(20) % 3, "initial": [7, 8]}, 18),
    ],
)
def test_k_must_be_possible(options, most):
    assert len(cs.k_center(GOOD, most, **options)) == most
    for k in (0, -1, most + 1, 10**30):
        refused(ValueError, rf"^k must be in 1\.\.{most}, got {k}", GOOD, k, **options)


@pytest.mark.parametrize("k", [2.0, "3", None, [1], {0: 1}])
def test_k_must_be_a_whole_number(k):
    refused(TypeError, "^k must be a whole number, got " + re.escape(repr(k)), GOOD, k)
    if not isinstance(k, dict):
        message = "^k must be a whole number, got " + re.escape(repr(k))
        refused(TypeError, message, GOOD, k, groups=np.zeros(20, int))


@pytest.mark.parametrize(
    ("n", "options"),
    [
        (20, {"initial": range(20)}),
        (1, {"initial": [0]}),
        (20, {"initial": range(5), "n_outliers": 15}),
        (20, {"initial": range(10), "n_outliers": 19}),
    ],
)
def test_a_row_must_be_left_to_take(n, options):
    options = options | {"initial": list(options["initial"])}
    message = f"^k, initial and n_outliers must leave a row, got {n} rows"
    refused(ValueError, message, GOOD[:n], 1, **options)


@pytest.mark.parametrize(
    ("initial", "error", "message"),
    [
        ([], ValueError, "must have at least one row, got none"),
        ([0, 20], ValueError, r"must hold rows in 0\.\.19, entry 1 is 20"),
        ([3, 5, -1, 99], ValueError, r"must hold rows in 0\.\.19, entry 2 is -1"),
        (np.array([2**63 + 1], np.uint64), ValueError, r"entry 0 is 9223372036854775809"),
        ([3, 5, 3, 5], ValueError, "must hold each row once, entry 2 repeats row 3"),
        ([9, 1, 1, 9], ValueError, "must hold each row once, entry 2 repeats row 1"),
        ([0.0], TypeError, "must hold integers, got dtype float64"),
        (np.ones(20, bool), TypeError, "must hold integers, got dtype bool"),
        ("0", TypeError, "must hold integers"),
        ([[0, 1]], ValueError, r"must have 1 dimension, got shape \(1, 2\)"),
        (3, ValueError, r"must have 1 dimension, got shape \(\)"),
        (np.ma.array([1, 2]), TypeError, "must not be a masked array"),
    ],
)
def test_initial_names_each_row_once(initial, error, message):
    refused(error, "^initial .*" + message, GOOD, 2, initial=initial)
    refused(error, "^initial .*" + message, GOOD, 2, initial=initial, groups=np.arange(20) % 2)


def test_start_excludes_initial_and_groups():
    message = "^start must not be given with initial or groups, got start=0"
    refused(ValueError, message, GOOD, 2, start=0, initial=[1])
    refused(ValueError, message, GOOD, 2, start=0, groups=np.zeros(20, int))


@pytest.mark.parametrize("start", [-1, 20, 10**20])
def test_start_must_be_a_row(start):
    refused(ValueError, rf"^start must be in 0\.\.19, got {start}", GOOD, 2, start=start)


@pytest.mark.parametrize("start", [1.0, "1", [1]])
def test_start_must_be_a_whole_number(start):
    refused(TypeError, "^start must be a whole number, got ", GOOD, 2, start=start)


@pytest.mark.parametrize(
    ("value", "named"), [(-1, "-1.0"), (-1e-30, "-1e-30"), (np.nan, "nan"), (np.inf, "inf")]
)
def test_the_first_bad_weight_is_named(value, named):
    weights = np.ones(20)
    weights[[7, 11]] = value
    message = f"^weights must be finite and at least 0, entry 7 is {named}"
    refused(ValueError, message, GOOD, 2, weights=weights)
    refused(ValueError, message, GOOD, 2, weights=weights, groups=np.arange(20) % 2)


def test_weights_must_fit_float32():
    weights = np.ones(20)
    weights[3] = 1e39
    message = r"^weights must be finite and at least 0, entry 3 is 1e\+39"
    refused(ValueError, message, GOOD, 2, weights=weights)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (np.ones(19), ValueError, r"one number a row: shape \(20,\), got \(19,\)"),
        (np.ones((20, 1)), ValueError, r"one number a row: shape \(20,\), got \(20, 1\)"),
        (1.0, ValueError, r"one number a row: shape \(20,\), got \(\)"),
        (np.ones(20, bool), TypeError, "must hold numbers, got dtype bool"),
        (np.ones(20, complex), TypeError, "must hold numbers, got dtype complex128"),
        (["1"] * 20, TypeError, "must hold numbers, got dtype <U1"),
    ],
)
def test_weights_are_one_number_a_row(weights, error, message):
    refused(error, "^weights .*" + message, GOOD, 2, weights=weights)


@pytest.mark.parametrize("n_outliers", [-1, 20, 10**20])
def test_there_must_not_be_too_many_outliers(n_outliers):
    message = rf"^n_outliers must be in 0\.\.19, got {n_outliers}"
    refused(ValueError, message, GOOD, 1, n_outliers=n_outliers)


def test_outliers_are_a_whole_number_without_groups():
    refused(TypeError, "^n_outliers must be a whole number, got 1.5", GOOD, 1, n_outliers=1.5)
    message = "^n_outliers must be 0 with groups, got 2"
    refused(ValueError, message, GOOD, 1, n_outliers=2, groups=np.zeros(20, int))


@pytest.mark.parametrize(
    ("stop", "error", "message"),
    [
        (-1, ValueError, "be at least 0, got -1"),
        (-1e-300, ValueError, "be at least 0, got -1e-300"),
        (np.nan, ValueError, "be at least 0, got nan"),
        ("1", TypeError, "be a number, got '1'"),
        (True, TypeError, "be a number, got True"),
        ([1.0], TypeError, "be a number, got "),
        (10**400, ValueError, "fit a float"),
    ],
)
def test_stop_radius_must_be_a_number(stop, error, message):
    refused(error, f"^stop_radius must {message}", GOOD, 2, stop_radius=stop)


@pytest.mark.parametrize("metric", ["sqeuclidean", "Cosine", "", None])
def test_metric_must_be_one_of_two(metric):
    message = f"^metric must be one of 'euclidean', 'cosine', got {metric!r}"
    refused(ValueError, message, GOOD, 2, metric=metric)


@pytest.mark.parametrize(
    ("groups", "error", "message"),
    [
        (np.zeros(19, int), ValueError, "one entry a row: 20 rows, got 19 entries"),
        ([], ValueError, "one entry a row: 20 rows, got 0 entries"),
        (np.zeros((20, 1), int), ValueError, r"1 dimension, got shape \(20, 1\)"),
        (np.zeros(20), TypeError, "must hold integers, got dtype float64"),
        (["a"] * 20, TypeError, "must hold integers"),
    ],
)
def test_groups_are_one_whole_number_a_row(groups, error, message):
    refused(error, "^groups .*" + message, GOOD, 2, groups=groups)


def test_budgets_must_be_possible():
    groups = np.repeat([0, 1, 4], [3, 7, 10])
    for k, error, message in (
        ({0: 4}, ValueError, r"^k\[0\] must be in 0\.\.3, got 4"),
        ({0: 1, 4: -1}, ValueError, r"^k\[4\] must be in 0\.\.10, got -1"),
        ({0: 1, 2: 1}, ValueError, "^k must have groups that occur, got group 2"),
        ({"0": 1}, ValueError, "^k must have groups that occur, got group '0'"),
        ({1: 1.5}, TypeError, r"^k\[1\] must be a whole number, got 1.5"),
        ({}, ValueError, "^k must take at least one row, got none"),
        ({0: 0, 1: 0}, ValueError, "^k must take at least one row, got none"),
    ):
        refused(error, message, GOOD, k, groups=groups)
    message = r"^k\[0\] must be in 0\.\.1, got 2"
    refused(ValueError, message, GOOD, {0: 2}, groups=groups, initial=[0, 2])


@pytest.mark.parametrize("n_threads", [0, -1, 2**31])
def test_thread_count_must_be_positive(n_threads):
    message = f"^n_threads must be .*, got {n_threads}"
    refused(ValueError, message, GOOD, 2, n_threads=n_threads)


def test_options_are_given_by_name():
    with pytest.raises(TypeError, match="positional"):
        cs.k_center(GOOD, 2, 0)
