"""Columns with many numbers a row: embeddings, class scores, sparse features."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coverset.lf.columns import Validity


class Embeddings(NamedTuple):
    """(n, d) rows of floats; rows that are null hold anything."""

    rows: NDArray[Any]  # float16, float32 or float64
    validity: Validity


class SparseColumn:
    """Rows ``start..stop-1`` of a SciPy CSR matrix, sliced without a copy."""

    def __init__(self, matrix: Any, start: int, stop: int) -> None:
        self._matrix = matrix
        self._start, self._stop = start, stop

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._stop - self._start

    def __getitem__(self, rows: slice) -> SparseColumn:
        """Return a range of the rows."""
        start, stop, _ = rows.indices(len(self))
        return SparseColumn(self._matrix, self._start + start, self._start + stop)

    @property
    def matrix(self) -> Any:
        """These rows as a SciPy matrix of their own."""
        return self._matrix[self._start : self._stop]

    def row(self, i: int) -> dict[int, float]:
        """Return one row by feature."""
        indptr, columns, values = self.arrays
        some = slice(indptr[i], indptr[i + 1])
        return dict(zip(columns[some].tolist(), values[some].tolist(), strict=True))

    @property
    def n_features(self) -> int:
        """Number of columns of the matrix."""
        return int(self._matrix.shape[1])

    @property
    def arrays(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Row pointers of these rows; columns and values of all rows."""
        matrix = self._matrix
        return matrix.indptr[self._start : self._stop + 1], matrix.indices, matrix.data


def sparse_column(matrix: Any) -> SparseColumn:
    """Take a SciPy sparse matrix or array as a column; another format than CSR is turned once."""
    rows = matrix if matrix.format == "csr" else matrix.tocsr()
    if rows.dtype not in (np.float32, np.float64):
        rows = rows.astype(np.float64)
    return SparseColumn(rows, 0, rows.shape[0])


def holds_vectors(values: Any) -> bool:
    """Return whether a column has more than one number a row."""
    if isinstance(values, np.ndarray) and values.ndim > 1:
        return True
    if hasattr(values, "to_pylist"):
        return "list" in str(getattr(values.type, "storage_type", values.type))
    first = next((item for item in values if item is not None), None)
    return isinstance(first, list | tuple | np.ndarray)


def embeddings(values: Any, start: int) -> Embeddings:
    """Read a column of vectors, all of one length: (n, d) arrays and fixed-size lists in place."""
    if isinstance(values, np.ndarray) and values.ndim == 2 and values.dtype.kind == "f":
        return Embeddings(values, Validity(len(values)))
    if hasattr(values, "to_pylist"):
        return _from_arrow(values, start)
    items = list(values)
    vectors = [None if item is None else np.asarray(item) for item in items]
    lengths = {v.shape for v in vectors if v is not None}
    if len(lengths) > 1 or any(len(shape) != 1 for shape in lengths):
        msg = f"it must hold vectors of one length, got shapes {sorted(lengths)[:3]}"
        raise TypeError(msg)
    d = next(iter(lengths), (0,))[0]
    rows = np.zeros((len(items), d))
    valid = np.array([v is not None for v in vectors], dtype=bool)
    for i, vector in enumerate(vectors):
        if vector is not None:
            rows[i] = _as_floats(vector, start + i)
    return Embeddings(rows, Validity.of_mask(valid))


def _as_floats(vector: NDArray[Any], row: int) -> NDArray[np.float64]:
    if vector.dtype.kind not in "iuf":
        msg = f"it must hold vectors of numbers, row {row} is of dtype {vector.dtype}"
        raise TypeError(msg)
    return vector.astype(np.float64)


def _from_arrow(array: Any, start: int) -> Embeddings:
    import pyarrow as pa

    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    kind, validity = array.type, Validity.of_arrow(array)
    if pa.types.is_null(kind):
        return Embeddings(np.zeros((len(array), 0)), Validity.of_mask(validity.mask & False))
    nested = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not nested and not pa.types.is_fixed_size_list(kind):
        msg = f"it must hold lists of floats, got Arrow type {kind}"
        raise TypeError(msg)
    if not pa.types.is_floating(kind.value_type):
        msg = f"it must hold lists of floats, got Arrow type {kind}"
        raise TypeError(msg)
    dtype = np.dtype(kind.value_type.to_pandas_dtype())
    if not nested:
        d = kind.list_size
        rows = _floats(array.values, dtype, array.offset * d, len(array) * d, start, d, validity)
        return Embeddings(rows, validity)
    offsets = array.offsets.to_numpy()
    lengths = np.diff(offsets)
    present = lengths[validity.mask]
    d = int(present[0]) if len(present) else 0
    odd = np.flatnonzero((lengths != d) & validity.mask)
    if len(odd):
        msg = f"it must hold vectors of one length, row {start + odd[0]} has {lengths[odd[0]]}, not"
        raise TypeError(f"{msg} {d}")
    if (lengths == d).all():
        first = int(offsets[0]) if len(offsets) else 0
        flat = _floats(array.values, dtype, first, len(array) * d, start, d, validity)
        return Embeddings(flat, validity)
    rows = np.zeros((len(array), d), dtype=dtype)  # nulls take another length, or none
    for i in np.flatnonzero(validity.mask):
        first = int(offsets[i])
        rows[i] = _floats(array.values, dtype, first, d, start + int(i), d, Validity(1))[0]
    return Embeddings(rows, validity)


def _floats(
    values: Any,
    dtype: np.dtype[Any],
    first: int,
    count: int,
    start: int,
    d: int,
    validity: Validity,
) -> NDArray[Any]:
    """Return vectors of d numbers from an Arrow array's buffer, in place."""
    buffer = values.buffers()[1]
    if values.null_count:
        missing = ~Validity.of_arrow(values.slice(first, count)).mask.reshape(-1, d)
        bad = np.flatnonzero(missing.any(axis=1) & validity.mask)
        if len(bad):
            msg = f"vectors must hold no nulls, that of row {start + bad[0]} does"
            raise TypeError(msg)
    if buffer is None or not count:
        return np.zeros((count // max(d, 1), d), dtype=dtype)
    offset = (values.offset + first) * dtype.itemsize
    return np.frombuffer(buffer, dtype=dtype, count=count, offset=offset).reshape(-1, d)
