"""Rows from Arrow columns: read in place by searches and core-sets, as by labeling functions."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import coverset as cs
from coverset._rows import read_vectors, stored_rows
from neighbors_examples import normal

D = 5
X = normal(300, D)


def fixed(rows, mask=None):
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1], mask=mask)


def listed(rows, make=pa.ListArray):
    ends = np.arange(len(rows) + 1) * rows.shape[1]
    kind = pa.int32() if make is pa.ListArray else pa.int64()
    return make.from_arrays(pa.array(ends, kind), pa.array(rows.ravel()))


def tensors(rows):
    kind = pa.fixed_shape_tensor(pa.from_numpy_dtype(rows.dtype), (rows.shape[1],))
    return pa.ExtensionArray.from_storage(kind, fixed(rows))


FORMS = {
    "fixed": fixed,
    "lists": listed,
    "large lists": lambda rows: listed(rows, pa.LargeListArray),
    "tensors": tensors,
    "a slice": lambda rows: fixed(np.concatenate([rows[:7], rows, rows[:1]])).slice(7, len(rows)),
    "a slice of lists": lambda rows: listed(np.concatenate([rows[:7], rows])).slice(7),
    "one chunk": lambda rows: pa.chunked_array([fixed(rows)]),
}
every_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


def address(column):
    chunk = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    values = getattr(chunk, "storage", chunk).values
    return values.buffers()[1].address


@every_form
@pytest.mark.parametrize("dtype", ["f4", "f2"])
def test_arrow_columns_are_taken_in_place(form, dtype):
    rows = X.astype(dtype)
    column = form(rows)
    stored = stored_rows("X", column)
    np.testing.assert_array_equal(stored.data, rows)
    skipped = getattr(column, "offset", 0) * D * rows.itemsize
    assert stored.data.ctypes.data == address(column) + skipped


@every_form
def test_searches_graphs_and_core_sets_take_arrow_columns(form):
    column, Q = form(X), form(X[:9] + 1)
    want = cs.knn(X, X[:9] + 1, 7)
    for got in (cs.knn(column, Q, 7), cs.FlatIndex().fit(column).search(Q, 7)):
        np.testing.assert_array_equal(got.indices, want.indices)
        np.testing.assert_array_equal(got.distances, want.distances)
    np.testing.assert_array_equal(cs.knn_graph(column, 3).indices, cs.knn_graph(X, 3).indices)
    want = cs.k_center(X, 9, assign=True)
    for got in (cs.k_center(column, 9, assign=True), cs.k_center_merge([(column, want)], 9)):
        np.testing.assert_array_equal(got.indices, want.indices)
    streamed = cs.k_center(iter([form(X[:100]), form(X[100:])]), 9)
    np.testing.assert_array_equal(
        streamed.indices, cs.k_center(iter([X[:100], X[100:]]), 9).indices
    )


def test_rows_of_an_arrow_column():
    rows = cs.Rows(fixed(X))
    assert repr(rows) == "Rows(300 x 5, float32)"
    np.testing.assert_array_equal(rows.to_float32(), X)
    np.testing.assert_array_equal(cs.knn(rows, X[:9], 3).indices, cs.knn(X, X[:9], 3).indices)


def test_chunks_are_parts_whose_rows_are_numbered_through():
    parts = X[:100], X[:0], X[100:101], X[101:]
    column = pa.chunked_array([listed(part) for part in parts])
    want = cs.knn(X, X[:9] + 1, 7)
    np.testing.assert_array_equal(cs.knn(column, X[:9] + 1, 7).indices, want.indices)
    np.testing.assert_array_equal(cs.knn_graph(column, 3).indices, cs.knn_graph(X, 3).indices)


def test_a_bad_chunk_is_named():
    bad = X[100:].copy()
    bad[5, 2] = np.nan
    with pytest.raises(ValueError, match=r"X\.chunk\(1\) must be finite, row 5 has nan in column"):
        cs.FlatIndex().fit(pa.chunked_array([fixed(X[:100]), fixed(bad)]))
    with pytest.raises(ValueError, match=r"X\.chunk\(1\) must have 5 columns, as X\.chunk\(0\), g"):
        cs.FlatIndex().fit(pa.chunked_array([listed(X), listed(X[:, :3].copy())]))


@pytest.mark.parametrize("rows", [
    pa.chunked_array([fixed(X[:9]), fixed(X[9:])]), [pa.chunked_array([fixed(X[:9]), fixed(X[9:])])]
])  # fmt: skip
def test_columns_in_chunks_that_must_lie_together(rows):
    message = r"must be in one chunk \(combine_chunks makes a copy that is\), got 2"
    with pytest.raises(TypeError, match=message):
        cs.k_center(rows[0] if isinstance(rows, list) else rows, 2)
    if isinstance(rows, list):
        with pytest.raises(TypeError, match=rf"X\[0\] {message}"):
            cs.knn(rows, X, 2)
    else:
        with pytest.raises(TypeError, match=f"Q {message}"):
            cs.knn(X, rows, 2)


MASK = pa.array([i in (4, 6) for i in range(len(X))])
BROKEN = pa.array([[1.0, 2.0], [3.0, None], [None, 1.0]], pa.list_(pa.float32()))


@pytest.mark.parametrize(("column", "error", "message"), [
    (fixed(X, MASK), ValueError, "X must hold no nulls, row 4 is null"),
    (pa.array([[1.0], None], pa.list_(pa.float32())), ValueError, "no nulls, row 1 is null"),
    (pa.nulls(3), ValueError, "X must hold no nulls, row 0 is null"),
    (BROKEN, TypeError, "X: vectors must hold no nulls, that of row 1 does"),
    (BROKEN.cast(pa.list_(pa.float32(), 2)), TypeError, "X: vectors must hold no nulls, .* row 1"),
    (fixed(X.astype("f8")), TypeError, "X must be float32 or float16 .*, got float64"),
    (fixed(X.astype("i4")), TypeError, "X: it must hold lists of floats, got Arrow type fixed"),
    (pa.array([1.0, 2.0]), TypeError, "X: it must hold lists of floats, got Arrow type double"),
    (pa.array(["a"]), TypeError, "X: it must hold lists of floats, got Arrow type string"),
    (listed(X).slice(0, 0), ValueError, "X must have at least one column, got shape"),
    (fixed(X).slice(0, 0), ValueError, "X must have at least one row, got none"),
    (pa.array([[1.0], [1.0, 2.0]]), TypeError, "X: it must hold vectors of one length, row 1 has"),
    (pa.array([[], []], pa.list_(pa.float32())), ValueError, "at least one column, got shape"),
    (pa.table({"x": fixed(X)}), TypeError, "X must be a NumPy array, a torch tensor or cs.Rows"),
])  # fmt: skip
def test_columns_that_hold_no_rows(column, error, message):
    for run in (cs.FlatIndex().fit, lambda rows: cs.k_center(rows, 1)):
        with pytest.raises(error, match=message):
            run(column)


def test_nulls_of_any_length_leave_their_rows_alone():
    kind = pa.list_(pa.float32())
    column = pa.array([[9.0], [1.0, 2.0], None, [3.0, 4.0], None], kind).slice(1)
    room = pa.ListArray.from_arrays([0, 2, 3, 5], pa.array([1.0, 2, 9, 3, 4], pa.float32()),
                                    mask=pa.array([False, True, False]))  # fmt: skip
    for some in (column, room, column.cast(pa.large_list(pa.float32()))):
        rows, valid = read_vectors(some)
        np.testing.assert_array_equal(rows[valid], [[1, 2], [3, 4]])
        assert valid.tolist() == [True, False, True, False][: len(some)]


@pytest.mark.parametrize("column", [BROKEN.slice(1, 1), BROKEN])
def test_errors_count_rows_from_the_start_of_the_block(column):
    row = 11 if len(column) == 3 else 10
    with pytest.raises(TypeError, match=f"that of row {row} does"):
        read_vectors(column, 10)


def test_a_null_in_the_vector_of_a_null_row_is_no_error():
    inner = pa.array([1.0, 2.0, None, None, 3.0, 4.0], pa.float32())
    column = pa.FixedSizeListArray.from_arrays(inner, 2, mask=pa.array([False, True, False]))
    rows, valid = read_vectors(column)
    np.testing.assert_array_equal(rows[valid], [[1, 2], [3, 4]])
