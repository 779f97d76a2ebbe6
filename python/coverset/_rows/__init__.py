"""Rows of numbers, from whatever holds them: arrays, tensors, Arrow columns, :class:`Rows`."""

from coverset._rows.stored import (
    Rows,
    StoredRows,
    as_float32,
    check_rows,
    float_rows,
    quantize,
    row_parts,
    stored_rows,
)
from coverset._rows.vectors import Vectors, read_vectors

__all__ = [
    "Rows",
    "StoredRows",
    "Vectors",
    "as_float32",
    "check_rows",
    "float_rows",
    "quantize",
    "read_vectors",
    "row_parts",
    "stored_rows",
]
