"""Bad input of core-sets: each error by its message."""

from __future__ import annotations

import re

import numpy as np
import pytest

import coverset as cs
import neighbors_reference as reference
from coreset_examples import every_metric
from examples import THREADS
from neighbors_examples import normal, spoilt

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
