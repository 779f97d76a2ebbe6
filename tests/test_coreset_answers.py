"""Core-sets: answers worked by hand, and what comes back."""

from __future__ import annotations

import numpy as np
import pytest

import coverset as cs
from coreset_examples import LINE, answer, check, same
from examples import frozen
from neighbors_examples import normal


def test_rows_on_a_line_are_taken_farthest_first():
    assert answer(LINE, 5) == ([0, 4, 3, 2, 1], [12, 4, 2, 1, 0])


def test_start_is_taken_first():
    assert answer(LINE, 3, start=2) == ([2, 0, 3], [10, 4, 2])


def test_initial_rows_are_centers_and_never_taken():
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


def test_assignment_ties_go_to_the_center_taken_earlier():
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
        named = {"distances", "products", "coordinates", "bytes", "refreshes", "projection"}
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
