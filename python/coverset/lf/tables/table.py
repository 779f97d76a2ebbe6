"""Tables of any make, as blocks of rows: data frames, Arrow, dictionaries of arrays, objects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coverset.lf.tables import columns, vectors

BLOCK_ROWS = 1 << 15
_NEEDS_ARROW = "this table needs pyarrow: pip install 'coverset[arrow]'"


class Block(ABC):
    """Consecutive rows of a table, starting at row ``start``."""

    def __init__(self, start: int, n: int) -> None:
        self.start = start
        self.n = n
        self._columns: dict[str, columns.Column] = {}
        self._lists: dict[str, list[Any]] = {}

    @abstractmethod
    def names(self) -> Sequence[str] | None:
        """Return the columns' names; None where each row is an object."""

    @abstractmethod
    def values(self, name: str) -> Any:
        """Return a column as it came: an Arrow array, a NumPy array or a list."""

    def column(self, name: str) -> columns.Column:
        """Return a column as numbers or text, converted once a block."""
        if name not in self._columns:
            if isinstance(self.values(name), vectors.SparseColumn):
                msg = f"column {name!r}: it must hold strings or numbers, got sparse features"
                raise TypeError(msg)
            read = self._named(name, columns.from_any, self.values(name), self.start)
            self._columns[name] = read
        return self._columns[name]

    def text(self, name: str) -> columns.Text:
        """Return a text column; TypeError for another kind."""
        column = self.column(name)
        if isinstance(column, columns.Numbers):
            if not column.valid.any():  # nulls have no type
                ends: NDArray[np.int64] = np.zeros(self.n + 1, dtype=np.int64)
                return columns.Text(
                    ends,
                    [np.empty(0, dtype=np.uint8)],
                    columns.Validity.of_mask(np.zeros(self.n, dtype=bool)),
                )
            msg = f"column {name!r} must hold text, got {column.dtype}"
            raise TypeError(msg)
        return column

    def numbers(self, name: str) -> columns.Numbers:
        """Return a numeric column; TypeError for text."""
        column = self.column(name)
        if isinstance(column, columns.Text):
            if not column.valid.any():
                return columns.Numbers(
                    np.zeros(self.n), columns.Validity.of_mask(np.zeros(self.n, dtype=bool))
                )
            msg = f"column {name!r} must hold numbers, got text"
            raise TypeError(msg)
        return column

    def lent(self, name: str) -> Any:
        """Return a column as batch functions see it."""
        values = self.values(name)
        return values.matrix if isinstance(values, vectors.SparseColumn) else values

    def valid(self, name: str) -> NDArray[np.bool_]:
        """Return a column's (n,) bool: rows that are neither null nor NaN."""
        values = self.values(name)
        if isinstance(values, vectors.SparseColumn):
            return np.ones(self.n, dtype=bool)
        if vectors.holds_vectors(values):
            return self.embeddings(name).validity.mask
        return self.column(name).valid

    def embeddings(self, name: str) -> vectors.Embeddings:
        """Return a column of vectors."""
        return self._named(name, vectors.embeddings, self.values(name), self.start)  # type: ignore[no-any-return]

    def sparse(self, name: str) -> vectors.SparseColumn:
        """Return a column of sparse features; TypeError for another kind."""
        values = self.values(name)
        if not isinstance(values, vectors.SparseColumn):
            got = type(values).__name__
            msg = f"column {name!r} must be a SciPy sparse matrix in a dict of columns, got {got}"
            raise TypeError(msg)
        return values

    @staticmethod
    def _named(name: str, read: Callable[..., Any], *arguments: Any) -> Any:
        """Read a column; errors begin with its name."""
        try:
            return read(*arguments)
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            msg = f"column {name!r}: {error}"
            raise kind(msg) from None

    def item(self, name: str, row: int) -> Any:
        """Return one value as a Python object."""
        if name not in self._lists:
            values = self.values(name)
            if isinstance(values, vectors.SparseColumn):
                return values.row(row)
            self._lists[name] = columns.as_list(values)
        return self._lists[name][row]

    def row(self, row: int) -> Any:
        """Return what a row labeling function is called with."""
        return Row(self, row)


class Row:
    """One row of a table: columns as attributes (``x.text``) and items (``x["text"]``).

    What a function sets on it stays with this row; copies and pickles are whole.
    """

    __slots__ = ("_block", "_row", "_set")

    def __init__(self, block: Block | None, row: int, own: dict[str, Any] | None = None) -> None:
        object.__setattr__(self, "_block", block)
        object.__setattr__(self, "_row", row)
        object.__setattr__(self, "_set", own or {})

    def __getitem__(self, name: str) -> Any:
        """Return the value of a column."""
        if name in self._set:
            return self._set[name]
        if self._block is None or name not in (self._block.names() or ()):
            raise KeyError(name)
        return self._block.item(name, self._row)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            msg = f"a row has no column {name!r}; it has {', '.join(self.keys())}"
            raise AttributeError(msg) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._set[name] = value

    __setitem__ = __setattr__

    def __reduce__(self) -> tuple[Any, ...]:
        return Row, (None, 0, {name: self[name] for name in self.keys()})

    def keys(self) -> list[str]:
        """Return the columns' names."""
        names = [] if self._block is None else list(self._block.names() or ())
        return names + [name for name in self._set if name not in names]

    def __repr__(self) -> str:
        return f"Row({', '.join(f'{name}={self[name]!r}' for name in self.keys())})"


class _ArrowBlock(Block):
    def __init__(self, start: int, batch: Any) -> None:
        super().__init__(start, batch.num_rows)
        self._batch = batch

    def names(self) -> Sequence[str]:
        return list(self._batch.schema.names)

    def values(self, name: str) -> Any:
        return self._batch.column(name)


class _ColumnsBlock(Block):
    def __init__(self, start: int, stop: int, table: Mapping[str, Any]) -> None:
        super().__init__(start, stop - start)
        self._table = table

    def names(self) -> Sequence[str]:
        return list(self._table)

    def values(self, name: str) -> Any:
        values = self._table[name][self.start : self.start + self.n]
        return values if isinstance(values, vectors.SparseColumn) else columns.plain(values)


class _ObjectsBlock(Block):
    def __init__(self, start: int, objects: Sequence[Any]) -> None:
        super().__init__(start, len(objects))
        self._objects = objects

    def names(self) -> None:
        return None

    def values(self, name: str) -> list[Any]:
        found = []
        for i, item in enumerate(self._objects):
            if isinstance(item, Mapping):
                if name not in item:
                    msg = f"row {self.start + i} has no entry {name!r}"
                    raise ValueError(msg)
                found.append(item[name])
            elif hasattr(item, name):
                found.append(getattr(item, name))
            else:
                msg = f"row {self.start + i} ({type(item).__name__}) has no attribute {name!r}"
                raise ValueError(msg)
        return found

    def row(self, row: int) -> Any:
        return self._objects[row]


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
        yield _ColumnsBlock(start, min(start + rows, n), table)


def _is_converted(values: Any) -> bool:
    """Return whether a column is of Python objects, which kernels read as a copy."""
    return isinstance(values, list) or getattr(values, "dtype", None) in (object, "string", "str")


def _arrow_blocks(batches: Iterator[Any], rows: int) -> Iterator[Block]:
    start = 0
    for batch in batches:
        for first in range(0, batch.num_rows, rows):
            part = batch.slice(first, rows)
            yield _ArrowBlock(start, part)
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
        blocks = (_ObjectsBlock(start, data[start : start + BLOCK_ROWS]) for start in starts)
        return Table(n, None, blocks)
    msg = (
        "data must be a data frame, an Arrow table, dataset or stream, a dict of arrays or a list "
        f"of objects, got {type(data).__name__}"
    )
    raise TypeError(msg)
