"""Bad input of nearest neighbors: each error by message."""

from __future__ import annotations

import numpy as np
import pytest

import coverset as cs
import neighbors_reference as reference
from examples import THREADS
from neighbors_examples import (
    every_metric,
    normal,
    spoilt,
)

# --- errors -------------------------------------------------------------------------------------


def refused(error, message, X, metric="sqeuclidean"):
    """Assert that every call refuses these rows, by the name that it has for them."""
    good = normal(20, 6)
    with pytest.raises(error, match="^X " + message):
        cs.FlatIndex(metric=metric).fit(X)
    with pytest.raises(error, match="^X " + message):
        cs.knn(X, good, 2, metric)
    with pytest.raises(error, match="^X " + message):
        cs.knn_graph(X, 2, metric)
    index = cs.FlatIndex(metric=metric).fit(good)
    with pytest.raises(error, match="^Q " + message):
        index.search(X, 2)
    with pytest.raises(error, match="^Q " + message):
        index.search_radius(X, 2.0)


@every_metric
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_must_be_finite(simd_level, metric, value):
    X = normal(20, 6)
    for row, column in ((0, 0), (7, 2), (19, 5)):
        bad = spoilt(X, row, value, column)
        message = f"must be finite, row {row} has {value} in column {column}"
        refused(ValueError, message, bad, metric=metric)
        refused(ValueError, message, bad.astype(np.float16), metric=metric)
        refused(ValueError, message, cs.Rows(reference.narrowed(bad)), metric=metric)


@pytest.mark.parametrize("n_threads", THREADS)
def test_first_bad_row_is_named_on_any_thread_count(n_threads):
    X = spoilt(normal(50_000, 4), [33_333, 33_334, 49_999], np.nan, 1)
    with pytest.raises(ValueError, match="X must be finite, row 33333 has nan in column 1"):
        cs.FlatIndex().fit(X, n_threads=n_threads)
    X[41] = 1e30
    with pytest.raises(ValueError, match=r"X must .* 2\^126, row 41 has"):
        cs.knn(X, X[:2], 3, n_threads=n_threads)
    with pytest.raises(ValueError, match=r"X must .* 2\^126, row 41 has"):
        cs.knn_graph(X, 3, n_threads=n_threads)


@every_metric
@pytest.mark.parametrize(("value", "squares"), [(1e19, r"1e\+38"), (-3e38, "inf")])
def test_rows_must_not_be_too_long(metric, value, squares):
    message = rf"must have squared norms of at most 2\^126, row 7 has {squares}"
    refused(ValueError, message, spoilt(normal(20, 6), 7, value, 2), metric=metric)


def test_rows_just_past_the_limit_of_length_are_refused():
    limit = np.float32(2.0**63)
    for over in ([[np.nextafter(limit, np.float32(np.inf))]], [[limit, limit * 1e-3]]):
        with pytest.raises(ValueError, match=r"2\^126, row 0"):
            cs.FlatIndex().fit(np.array(over, np.float32))


def test_zero_rows_have_no_cosine():
    message = "must have a number of at least 2.-126 in each row under the cosine metric, row 4"
    for zero in (0, -0.0):
        X = spoilt(normal(20, 6), [4, 9], zero)
        for rows in (X, X.astype(np.float16), cs.Rows(reference.narrowed(X))):
            refused(ValueError, message, rows, metric="cosine")
    scale = np.ones(20, np.float32)
    scale[4] = 0
    refused(ValueError, message, cs.Rows(np.ones((20, 6), np.int8), scale), metric="cosine")
    data = spoilt(np.ones((20, 6), np.int8), 4, 0)
    refused(ValueError, message, cs.Rows(data, scale + 1), metric="cosine")


@pytest.mark.parametrize(
    "dtype", ["f8", "g", "i8", "i4", "i2", "i1", "u1", "u2", "?", "c8", ">f4", ">f2", "O", "U3"]
)
def test_no_dtype_is_converted(dtype):
    message = r"must be float32 or float16 .*, got "
    refused(TypeError, message + str(np.dtype(dtype)), normal(20, 6).astype(dtype))


@pytest.mark.parametrize("rows", [None, "rows", np.float32(1), {}])
def test_rows_must_be_arrays(rows):
    refused(TypeError, f"must be a NumPy array.*, got {type(rows).__name__}", rows)


def test_lists_of_numbers_are_refused():
    X = [[1.0, 2.0]]
    for call in (cs.FlatIndex().fit, lambda X: cs.knn(X, normal(2, 2), 1), cs.knn_graph):
        with pytest.raises(TypeError, match=r"^X\[0\] must be a NumPy array.*, got list"):
            call(X)
    with pytest.raises(TypeError, match=r"^Q must be a NumPy array.*, got list"):
        cs.knn(normal(2, 2), X, 1)


def test_masked_arrays_are_refused():
    refused(TypeError, "must", np.ma.array(normal(20, 6), mask=normal(20, 6) > 1))


@pytest.mark.parametrize(
    "layout", [np.asfortranarray, lambda X: X[:, ::2], lambda X: X[:, ::-1]], ids=["F", "2", "-1"]
)
@pytest.mark.parametrize("dtype", ["f4", "f2"])
def test_rows_must_be_contiguous(layout, dtype):
    X = layout(normal(20, 12).astype(dtype)[:, :6])
    message = r"must have contiguous rows .*, got strides \(" + ", ".join(map(str, X.strides))
    refused(TypeError, message, X)
    with pytest.raises(TypeError, match=r"^data must have contiguous rows"):
        cs.Rows(layout(reference.narrowed(normal(20, 6))))


def test_rows_must_be_aligned():
    raw = np.zeros(20 * 6 * 4 + 1, np.uint8)
    refused(TypeError, "must be aligned", raw[1:].view(np.float32).reshape(20, 6))


def test_rows_must_have_two_dimensions():
    for shape in ((6,), (1, 20, 6)):
        X = np.ones(shape, np.float32)
        message = r"must have 2 dimensions, got shape \(" + ", ".join(map(str, shape))
        refused(ValueError, message, X)
        with pytest.raises(ValueError, match=r"^data must have 2 dimensions"):
            cs.Rows(X.astype(np.uint16))


@pytest.mark.parametrize(("shape", "what"), [((0, 6), "row"), ((20, 0), "column")])
def test_there_must_be_rows_and_columns(shape, what):
    X = np.empty(shape, np.float32)
    for call in (cs.FlatIndex().fit, cs.knn_graph, lambda X: cs.knn(X, normal(3, 6), 1)):
        with pytest.raises(ValueError, match=f"X must have at least one {what}, got"):
            call(X)


@pytest.mark.parametrize("shape", [(3, 5), (3, 7), (0, 5)])
def test_queries_must_have_the_columns_of_the_rows(shape):
    X, Q = normal(20, 6), np.ones(shape, np.float32)
    index = cs.FlatIndex().fit(X)
    message = rf"Q must have 6 columns, as X, got shape \({shape[0]}, {shape[1]}\)"
    for call in (lambda: cs.knn(X, Q, 2), lambda: index.search(Q, 2)):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(ValueError, match=message):
        index.search_radius(Q, 2.0)


@pytest.mark.parametrize("k", [0, -1, 21, 10**30])
def test_k_must_be_possible(k):
    X = normal(20, 6)
    for call in (lambda: cs.knn(X, X, k), lambda: cs.FlatIndex().fit(X).search(X, k)):
        with pytest.raises(ValueError, match=rf"k must be in 1\.\.20, got {k}"):
            call()
    with pytest.raises(ValueError, match=rf"k must be in 1\.\.19, got {k}"):
        cs.knn_graph(X, k)


@pytest.mark.parametrize("k", [2.0, "3", None, [1]])
def test_k_must_be_a_whole_number(k):
    X = normal(20, 6)
    for call in (cs.knn_graph, lambda X, k: cs.knn(X, X, k), cs.FlatIndex().fit(X).search):
        with pytest.raises(TypeError, match=r"k must be a whole number, got "):
            call(X, k)


def test_graph_has_no_more_neighbors_than_other_rows():
    with pytest.raises(ValueError, match=r"k must be in 1\.\.19, got 20"):
        cs.knn_graph(normal(20, 6), 20)
    with pytest.raises(ValueError, match=r"k must be .*, got 100"):
        cs.knn_graph(normal(20, 6))
    with pytest.raises(ValueError, match="X must have at least two rows, got 1"):
        cs.knn_graph(normal(1, 6), 1)


@pytest.mark.parametrize(
    ("exclude", "error", "message"),
    [
        (np.zeros(19, bool), ValueError, r"one entry a row: shape \(20,\), got \(19,\)"),
        (np.zeros((20, 1), bool), ValueError, r"one entry a row: shape \(20,\), got \(20, 1\)"),
        (np.zeros(20, np.uint8), TypeError, "must be bool, got uint8"),
        (np.zeros(20, np.int64), TypeError, "must be bool, got int64"),
        (np.arange(3), TypeError, "must be bool, got int64"),
    ],
)
def test_exclude_is_one_bool_a_row(exclude, error, message):
    X = normal(20, 6)
    index = cs.FlatIndex().fit(X)
    for call in (
        lambda: cs.knn(X, X, 2, exclude=exclude),
        lambda: index.search(X, 2, exclude=exclude),
        lambda: index.search_radius(X, 2.0, exclude=exclude),
    ):
        with pytest.raises(error, match="^exclude .*" + message):
            call()


@pytest.mark.parametrize("metric", ["l2", "Cosine", "", None])
def test_metric_must_be_one_of_four(metric):
    X = normal(20, 6)
    names = "'sqeuclidean', 'euclidean', 'cosine', 'inner_product'"
    message = f"metric must be one of {names}, got {metric!r}"
    for call in (
        lambda: cs.knn(X, X, 2, metric),
        lambda: cs.knn_graph(X, 2, metric),
        lambda: cs.FlatIndex(metric=metric).fit(X),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize(
    ("radius", "error"), [(np.nan, ValueError), ("1", TypeError), (None, TypeError)]
)
def test_radius_must_be_a_number(radius, error):
    X = normal(20, 6)
    with pytest.raises(error, match=f"radius must .*, got {radius!r}"):
        cs.FlatIndex().fit(X).search_radius(X, radius)


@pytest.mark.parametrize("n_threads", [0, -1, 2**31])
def test_thread_count_must_be_positive(n_threads):
    X = normal(20, 6)
    index = cs.FlatIndex().fit(X)
    for call in (
        lambda: cs.knn(X, X, 2, n_threads=n_threads),
        lambda: cs.knn_graph(X, 2, n_threads=n_threads),
        lambda: index.fit(X, n_threads=n_threads),
        lambda: index.search(X, 2, n_threads=n_threads),
        lambda: index.search_radius(X, 2.0, n_threads=n_threads),
    ):
        with pytest.raises(ValueError, match=f"n_threads must be .*, got {n_threads}"):
            call()


def test_searching_before_fit_is_refused():
    for call in (
        lambda: cs.FlatIndex().search(normal(2, 6), 1),
        lambda: cs.FlatIndex().search_radius(normal(2, 6), 1.0),
    ):
        with pytest.raises(Exception, match="FlatIndex is not fitted"):
            call()


@pytest.mark.parametrize(
    ("scale", "error", "message"),
    [
        (None, ValueError, "scale must be given for int8 rows"),
        (np.ones(3, np.float32), ValueError, r"one number a row: shape \(20,\), got \(3,\)"),
        (np.ones((20, 1), np.float32), ValueError, r"one number a row: .*, got \(20, 1\)"),
        (np.ones(20), TypeError, "scale must be float32, got float64"),
        (spoilt(np.ones(20, np.float32)[:, None], 3, np.nan)[:, 0], ValueError, "entry 3 is nan"),
        (spoilt(np.ones(20, np.float32)[:, None], 3, np.inf)[:, 0], ValueError, "entry 3 is inf"),
    ],
)
def test_scales_are_one_finite_float32_a_row(scale, error, message):
    with pytest.raises(error, match=message):
        cs.Rows(np.ones((20, 6), np.int8), scale)


def test_only_int8_has_scales():
    with pytest.raises(ValueError, match="scale must be given for int8 rows and for no others"):
        cs.Rows(np.ones((20, 6), np.uint16), np.ones(20, np.float32))


def test_rows_of_other_dtypes_are_refused():
    with pytest.raises(TypeError, match=r"data must be .*got float64"):
        cs.Rows(normal(20, 6).astype(np.float64))
    with pytest.raises(TypeError, match=r"X must be float32.*got float16"):
        cs.quantize(normal(20, 6).astype(np.float16))
    with pytest.raises(ValueError, match="X must be finite, row 4 has nan in column 1"):
        cs.quantize(spoilt(normal(20, 6), 4, np.nan, 1))
