"""Columns with many numbers a row: embeddings, class scores, sparse features."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coverset._rows import read_vectors
from coverset.lf.tables.columns import Validity


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
    rows, valid = read_vectors(values, start)
    return Embeddings(rows, Validity(len(rows)) if valid is None else Validity.of_mask(valid))
