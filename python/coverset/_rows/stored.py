"""Rows of numbers as kernels take them: float32, float16, bfloat16, or int8 with a scale a row."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
import coverset._cpu as _cpu
from coverset._rows.vectors import read_vectors

_NO_SCALE = np.empty(0, dtype=np.float32)
_KINDS = ("float32", "float16", "bfloat16", "int8")


class Rows:
    """Rows in a storage type that NumPy has no dtype for; nothing is copied.

    Parameters
    ----------
    data : (n, d) array
        uint16, the bits of bfloat16 (or an ml_dtypes bfloat16 array); int8, with ``scale``; or
        float32 or float16, as they are, also as a CPU tensor or an Arrow column of lists.
    scale : (n,) float32, optional
        Only for int8: row i stands for ``scale[i] * data[i]``.

    Raises
    ------
    TypeError
        If the dtype is another one, rows are not contiguous, or ``scale`` is not float32.
    ValueError
        If ``data`` is not two-dimensional, or ``scale`` is missing, superfluous, of another length,
        or has a number that is not finite (the first is named).

    Examples
    --------
    >>> import coverset as cs, numpy as np
    >>> data = np.array([[127, 0], [0, -127]], dtype=np.int8)
    >>> rows = cs.Rows(data, np.float32([1 / 127, 2 / 127]))
    >>> rows, rows.to_float32()
    (Rows(2 x 2, int8), array([[ 1.,  0.],
           [ 0., -2.]], dtype=float32))
    """

    data: NDArray[Any]
    scale: NDArray[np.float32] | None

    def __init__(self, data: NDArray[Any], scale: ArrayLike | None = None) -> None:
        stored = stored_rows("data", data, raw=True)
        if (scale is not None) != (stored.kind == "int8"):
            msg = f"scale must be given for int8 rows and for no others, got {stored.kind} rows"
            raise ValueError(msg)
        self.data, self.scale = data if isinstance(data, np.ndarray) else stored.data, None
        self._kind = stored.kind
        if scale is not None:
            self.scale = _scale_argument(scale, len(self.data))

    @property
    def shape(self) -> tuple[int, int]:
        """(n, d)."""
        n, d = self.data.shape
        return n, d

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        return f"Rows({self.shape[0]:,} x {self.shape[1]:,}, {self._kind})"

    def to_float32(self, n_threads: int | None = None) -> NDArray[np.float32]:
        """Return the rows as float32: exact but for int8, which is rounded once."""
        return as_float32(stored_rows("rows", self), arguments.threads(n_threads))


def quantize(X: NDArray[np.float32]) -> Rows:
    """Return float32 rows as int8 with a scale a row: a quarter of the memory.

    The scale is the largest absolute value of a row over 127, and each number the nearest whole
    one, so that it is off by at most half a scale; in rows without a number of at least 1e-37 the
    scale itself loses digits. A row of zeros has scale 0.

    Parameters
    ----------
    X : (n, d) float32

    Raises
    ------
    TypeError, ValueError
        As for :func:`knn`.

    Examples
    --------
    >>> import coverset as cs, numpy as np
    >>> rows = cs.quantize(np.float32([[1.0, 0.5], [0.0, 0.0]]))
    >>> rows.data, rows.scale
    (array([[127,  64],
           [  0,   0]], dtype=int8), array([0.00787402, 0.        ], dtype=float32))
    """
    if str(getattr(X, "dtype", "")) != "float32":
        got = getattr(X, "dtype", type(X).__name__)
        msg = f"X must be float32 to be quantized, got {got}"
        raise TypeError(msg)
    stored = stored_rows("X", X)
    check_rows("X", stored, "sqeuclidean", 0)
    scale = np.abs(X).max(axis=1, initial=0.0) / np.float32(127)
    whole = np.rint(X / np.where(scale > 0, scale, 1)[:, None])
    return Rows(np.clip(whole, -127, 127).astype(np.int8), scale.astype(np.float32))


class StoredRows(NamedTuple):
    """What kernels take: the array, what its items are, and scales (empty: none)."""

    data: NDArray[Any]
    kind: str
    scale: NDArray[np.float32]


def stored_rows(name: str, rows: Any, raw: bool = False) -> StoredRows:
    """Return rows as a kernel takes them, without a copy; ``raw`` allows bits of a type."""
    if isinstance(rows, Rows):
        return StoredRows(rows.data, rows._kind, _NO_SCALE if rows.scale is None else rows.scale)
    if not isinstance(rows, np.ndarray):
        rows = _from_elsewhere(name, rows)
    if isinstance(rows, np.ma.MaskedArray):
        msg = f"{name} must not be a masked array; fill it first"
        raise TypeError(msg)
    kind = str(rows.dtype)
    if raw and kind == "uint16":
        kind = "bfloat16"
    if kind not in _KINDS or (kind == "int8" and not raw) or not rows.dtype.isnative:
        msg = (
            f"{name} must be float32 or float16 (or cs.Rows of bfloat16 or int8), got {rows.dtype}"
        )
        raise TypeError(msg)
    if rows.ndim != 2:
        msg = f"{name} must have 2 dimensions, got shape {rows.shape}"
        raise ValueError(msg)
    if rows.shape[1] == 0:
        msg = f"{name} must have at least one column, got shape {rows.shape}"
        raise ValueError(msg)
    item, (n, d) = rows.dtype.itemsize, rows.shape
    apart, step = rows.strides  # which say nothing where an axis has one entry
    if (n > 1 and apart < item * d) or (n and d > 1 and step != item):
        msg = f"{name} must have contiguous rows (np.ascontiguousarray makes a copy that has), "
        raise TypeError(f"{msg}got strides {rows.strides}")
    if not rows.flags.aligned or (n > 1 and apart % item):
        msg = f"{name} must be aligned to its items of {item} bytes"
        raise TypeError(msg)
    data = rows.view(np.uint16) if kind == "bfloat16" and rows.dtype != np.uint16 else rows
    return StoredRows(data, kind, _NO_SCALE)


def row_parts(name: str, X: Any) -> list[tuple[str, Any]]:
    """Return arrays whose rows are numbered through, with their names: a list's, or the chunks."""
    if isinstance(X, list | tuple):
        return [(f"{name}[{i}]", part) for i, part in enumerate(X)]
    if getattr(X, "num_chunks", 1) > 1:
        return [(f"{name}.chunk({i})", part) for i, part in enumerate(X.chunks) if len(part)]
    return [(name, X)]


def _from_elsewhere(name: str, rows: Any) -> NDArray[Any]:
    """Return the array behind a CPU tensor or an Arrow column; a list would be converted."""
    if hasattr(rows, "to_pylist") and hasattr(rows, "type"):
        return _from_arrow(name, rows)
    if hasattr(rows, "__dlpack__") and hasattr(rows, "detach"):
        rows = rows.detach()
        if str(getattr(rows, "dtype", "")) == "torch.bfloat16":
            msg = f"{name} of torch.bfloat16: pass cs.Rows(X.view(torch.uint16).numpy())"
            raise TypeError(msg)
        array: NDArray[Any] = np.asarray(rows.numpy())
        return array
    msg = f"{name} must be a NumPy array, a torch tensor or cs.Rows, got {type(rows).__name__}"
    raise TypeError(msg)


def _from_arrow(name: str, column: Any) -> NDArray[Any]:
    """Return the vectors of an Arrow column, which must lie together."""
    chunks = getattr(column, "num_chunks", 1)
    if chunks > 1:
        msg = f"{name} must be in one chunk (combine_chunks makes a copy that is), got {chunks}"
        raise TypeError(msg)
    if column.null_count:
        row = column.is_valid().to_pylist().index(False)
        msg = f"{name} must hold no nulls, row {row} is null"
        raise ValueError(msg)
    try:
        return read_vectors(column).rows
    except TypeError as error:
        msg = f"{name}: {error}"
        raise TypeError(msg) from None


def check_rows(
    name: str,
    rows: StoredRows,
    metric: str,
    threads: int,
    *,
    numbers: NDArray[np.int64] | None = None,
) -> None:
    """Raise for the first row that is not finite, too large, or without direction under cosine.

    ``numbers`` are what the rows are called in the message; by default 0, 1, ...
    """
    at, squares = _cpu.find_bad_row(*rows, metric, threads)
    if at < 0:
        return
    row = at if numbers is None else numbers[at]
    values = float_rows(rows, slice(at, at + 1), 1)
    if not np.isfinite(values).all():
        column = int(np.flatnonzero(~np.isfinite(values[0]))[0])
        msg = f"{name} must be finite, row {row} has {values[0, column]} in column {column}"
    elif metric == "cosine" and not np.any(np.abs(values) >= np.finfo(np.float32).tiny):
        msg = f"{name} must have a number of at least 2^-126 in each row under the cosine metric, "
        msg += f"row {row} has none"
    else:
        msg = f"{name} must have squared norms of at most 2^126, row {row} has {squares:g}"
    raise ValueError(msg)


def as_float32(rows: StoredRows, threads: int) -> NDArray[np.float32]:
    """Return the rows as a C-contiguous float32 array; the same array if they are one."""
    if rows.kind == "float32" and rows.data.flags.c_contiguous:
        return rows.data
    out = np.empty(rows.data.shape, dtype=np.float32)
    _cpu.load_rows(*rows, out, threads)
    return out


def float_rows(
    rows: StoredRows, which: slice | NDArray[np.int64], threads: int, *, unit: bool = False
) -> NDArray[np.float32]:
    """Return some rows as float32, divided by their length if ``unit``."""
    data = rows.data[which]
    out = np.empty(data.shape, dtype=np.float32)
    scale = rows.scale[which] if len(rows.scale) else rows.scale
    _cpu.load_rows(data, rows.kind, scale, out, threads, unit)
    return out


def _scale_argument(scale: ArrayLike, n: int) -> NDArray[np.float32]:
    array = np.asarray(scale)
    if array.dtype != np.float32:
        msg = f"scale must be float32, got {array.dtype}"
        raise TypeError(msg)
    if array.shape != (n,):
        msg = f"scale must have one number a row: shape ({n},), got {array.shape}"
        raise ValueError(msg)
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array))[0])
        msg = f"scale must be finite, entry {row} is {array[row]}"
        raise ValueError(msg)
    return np.ascontiguousarray(array)
