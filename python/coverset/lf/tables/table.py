"""Tables of any make, as blocks: data frames, Arrow, dictionaries of arrays, objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from coverset.lf.tables import vectors
from coverset.lf.tables.blocks import ArrowBlock, Block, ColumnsBlock, ObjectsBlock

BLOCK_ROWS = 1 << 15
_NEEDS_ARROW = "this table needs pyarrow: pip install 'coverset[arrow]'"


class Table(NamedTuple):
    """A source of blocks."""

    n: int | None  # None where the length is only known at the end
    names: Sequence[str] | None  # None where each row is an object
    blocks: Iterator[Block]

    def require(self, column: str) -> None:
        """Raise unless there is such a column, just once."""
        if self.names is None:
            return
        if column not in self.names:
            known = ", ".join(map(repr, self.names))
            msg = f"column must be one of {known}, got {column!r}"
            raise ValueError(msg)
        if list(self.names).count(column) > 1:
            msg = f"column names must be unique, got {column!r} twice"
            raise ValueError(msg)


def _column_array(name: str, values: Any) -> Any:
    """Return a column of a dictionary as something that slices: Arrow, NumPy or list."""
    if isinstance(values, np.ndarray | list):
        return values
    if hasattr(values, "tocsr") and hasattr(values, "format"):
        return vectors.sparse_column(values)
    if hasattr(values, "__dlpack__") and not hasattr(values, "to_pylist"):
        try:
            return np.from_dlpack(values)
        except (BufferError, RuntimeError, TypeError, ValueError) as error:
            msg = f"column {name!r}: {type(values).__name__} does not lend its memory: {error}"
            raise TypeError(msg) from None
    if hasattr(values, "__arrow_c_array__") or hasattr(values, "__arrow_c_stream__"):
        try:
            import pyarrow as pa
        except ImportError:
            raise ImportError(_NEEDS_ARROW) from None
        if isinstance(values, pa.Array | pa.ChunkedArray):
            return values
        return (
            pa.chunked_array(values) if hasattr(values, "__arrow_c_stream__") else pa.array(values)
        )
    if hasattr(values, "__array__"):
        return np.asarray(values)
    if isinstance(values, Sequence) and not isinstance(values, str | bytes):
        return list(values)
    msg = f"column {name!r} must be an array or a list, got {type(values).__name__}"
    raise TypeError(msg)


def _from_columns(data: Mapping[str, Any], rows: int) -> Table:
    table = {name: _column_array(name, values) for name, values in data.items()}
    lengths = {name: len(values) for name, values in table.items()}
    n = next(iter(lengths.values()), 0)
    for name, length in lengths.items():
        if length != n:
            first = next(iter(lengths))
            msg = f"columns must be of one length: {first!r} has {n} rows, {name!r} has {length}"
            raise ValueError(msg)
    return Table(n, list(table), _column_blocks(table, n, rows))


def _column_blocks(table: Mapping[str, Any], n: int, rows: int) -> Iterator[Block]:
    if any(_is_converted(values) for values in table.values()):
        rows = min(rows, BLOCK_ROWS)
    for start in range(0, n, rows):
        yield ColumnsBlock(start, min(start + rows, n), table)


def _is_converted(values: Any) -> bool:
    """Return whether a column is of Python objects, which kernels read as a copy."""
    return isinstance(values, list) or getattr(values, "dtype", None) in (object, "string", "str")


def _arrow_blocks(batches: Iterator[Any], rows: int) -> Iterator[Block]:
    start = 0
    for batch in batches:
        for first in range(0, batch.num_rows, rows):
            part = batch.slice(first, rows)
            yield ArrowBlock(start, part)
            start += part.num_rows


def _from_arrow(data: Any, wanted: Sequence[str] | None, rows: int) -> Table | None:
    """Read pyarrow's own types and anything with the Arrow stream or array interface."""
    try:
        import pyarrow as pa
    except ImportError:
        if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
            raise ImportError(_NEEDS_ARROW) from None
        return None
    if isinstance(data, pa.Table):
        return Table(data.num_rows, data.schema.names, _arrow_blocks(iter(data.to_batches()), rows))
    if isinstance(data, pa.RecordBatch):
        return Table(data.num_rows, data.schema.names, _arrow_blocks(iter([data]), rows))
    if type(data).__module__.startswith("pyarrow") and hasattr(data, "to_batches"):  # a Dataset
        known = None if wanted is None else [c for c in wanted if c in data.schema.names]
        return Table(None, data.schema.names, _arrow_blocks(data.to_batches(columns=known), rows))
    if isinstance(data, pa.RecordBatchReader):
        return Table(None, data.schema.names, _arrow_blocks(data, rows))
    if hasattr(data, "__arrow_c_stream__"):
        try:
            reader = pa.RecordBatchReader.from_stream(data)
        except pa.ArrowInvalid:
            return None  # a single column
        n = len(data) if hasattr(data, "__len__") else None
        return Table(n, reader.schema.names, _arrow_blocks(reader, rows))
    if hasattr(data, "__arrow_c_array__"):
        try:
            return _from_arrow(pa.record_batch(data), wanted, rows)
        except pa.ArrowInvalid:
            return None
    return None


def open_table(data: Any, wanted: Sequence[str] | None = None, rows: int = BLOCK_ROWS) -> Table:
    """Return the rows of ``data`` in order, as blocks of at most ``rows``.

    ``wanted`` are the columns that will be read, if that is known: a dataset reads no others.
    """
    if type(data).__module__.partition(".")[0] == "pandas" and hasattr(data, "columns"):
        names = [str(name) for name in data.columns]
        arrays = {name: data.iloc[:, i].array for i, name in enumerate(names)}
        return Table(len(data), names, _column_blocks(arrays, len(data), rows))
    if isinstance(data, Mapping):
        return _from_columns(data, rows)
    table = _from_arrow(data, wanted, rows)
    if table is not None:
        return table
    if isinstance(data, np.ndarray) and data.dtype.names:
        return _from_columns({name: data[name] for name in data.dtype.names}, rows)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        n = len(data)
        starts = range(0, n, BLOCK_ROWS)
        blocks = (ObjectsBlock(start, data[start : start + BLOCK_ROWS]) for start in starts)
        return Table(n, None, blocks)
    msg = (
        "data must be a data frame, an Arrow table, dataset or stream, a dict of arrays or a list "
        f"of objects, got {type(data).__name__}"
    )
    raise TypeError(msg)
