"""Blocks: consecutive rows of a table, and one row as a Python function sees it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coverset.lf.tables import columns, vectors


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


class ArrowBlock(Block):
    """A record batch."""

    def __init__(self, start: int, batch: Any) -> None:
        super().__init__(start, batch.num_rows)
        self._batch = batch

    def names(self) -> Sequence[str]:
        """Return the columns' names."""
        return list(self._batch.schema.names)

    def values(self, name: str) -> Any:
        """Return a column as it came."""
        return self._batch.column(name)


class ColumnsBlock(Block):
    """Rows of a dictionary of columns."""

    def __init__(self, start: int, stop: int, table: Mapping[str, Any]) -> None:
        super().__init__(start, stop - start)
        self._table = table

    def names(self) -> Sequence[str]:
        """Return the columns' names."""
        return list(self._table)

    def values(self, name: str) -> Any:
        """Return a column as it came."""
        values = self._table[name][self.start : self.start + self.n]
        return values if isinstance(values, vectors.SparseColumn) else columns.plain(values)


class ObjectsBlock(Block):
    """Rows that are objects."""

    def __init__(self, start: int, objects: Sequence[Any]) -> None:
        super().__init__(start, len(objects))
        self._objects = objects

    def names(self) -> None:
        """Return None: each row is an object."""
        return

    def values(self, name: str) -> list[Any]:
        """Return an attribute or item of each object."""
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
        """Return an object."""
        return self._objects[row]


class _Columns(ColumnsBlock):
    """Rows with columns of their own; an exception instead of one that cannot be converted."""

    def values(self, name: str) -> Any:
        values = self._table[name]
        if isinstance(values, Exception):
            raise values
        return values


def plain_columns(block: Block) -> dict[str, Any]:
    """Return the columns of a block that has neither a batch nor objects, each converted once."""
    found: dict[str, Any] = {}
    if isinstance(block, ArrowBlock | ObjectsBlock):
        return found
    for name in block.names() or ():
        try:
            found[name] = block.values(name)
        except Exception as error:  # for the functions that read it, if there are any
            found[name] = error
    return found


def cut(block: Block, plain: dict[str, Any], part: slice) -> Block:
    """Return some rows as a block that holds no others; ``plain`` are the block's plain columns."""
    start, stop = block.start + part.start, block.start + part.stop
    if isinstance(block, ArrowBlock):
        return ArrowBlock(start, block._batch.slice(part.start, stop - start))
    if isinstance(block, ObjectsBlock):
        return ObjectsBlock(start, list(block._objects[part]))
    values = {n: v if isinstance(v, Exception) else v[part] for n, v in plain.items()}
    return _Columns(start, stop, values)
