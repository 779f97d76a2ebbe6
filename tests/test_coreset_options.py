"""Options of core-sets, assignment and classes equal a NumPy reference."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest

import coverset as cs
import neighbors_reference as reference
from coreset_examples import (
    LINE,
    answer,
    check,
    data,
    every_data,
    every_metric,
    grid,
    repeated,
    same,
)
from coreset_reference import (
    class_traversals,
    farthest_first,
    farthest_first_of_classes,
    nearest_centers,
)
from neighbors_examples import normal

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
def test_assignment_is_the_nearest_center(name, metric):
    X = data(name, 700, 5, metric)
    for options in ({}, {"initial": [600, 3, 8]}, {"weights": np.arange(700.0)}, {"n_outliers": 9}):
        found = cs.k_center(X, 40, metric=metric, assign=True, **options)
        centers = np.concatenate([options.get("initial", []), found.indices]).astype(np.int64)
        np.testing.assert_array_equal(found.assignment, nearest_centers(X, centers, metric))


def test_assignment_of_many_rows_is_the_nearest_center():
    X = grid(40_000, 3)
    found = cs.k_center(X, 20, assign=True)
    np.testing.assert_array_equal(found.assignment, nearest_centers(X, found.indices))


def test_largest_distance_to_the_assigned_center_is_the_radius():
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
