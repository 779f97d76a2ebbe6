"""Vectors in the forms that tables hold them: read in place wherever that is possible."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Vectors(NamedTuple):
    """(n, d) rows of float16, float32 or float64; ``valid`` is (n,) bool, or None for all.

    Rows that are not valid were null, and hold anything.
    """

    rows: NDArray[Any]
    valid: NDArray[np.bool_] | None


def read_vectors(values: Any, start: int = 0) -> Vectors:
    """Read vectors of one length: (n, d) float arrays and Arrow lists in place.

    Lists of sequences are copied, and so are Arrow lists among which nulls have another length.
    Errors count rows from ``start``.
    """
    if isinstance(values, np.ndarray) and values.ndim == 2 and values.dtype.kind == "f":
        return Vectors(values, None)
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
    return Vectors(rows, None if valid.all() else valid)


def _as_floats(vector: NDArray[Any], row: int) -> NDArray[np.float64]:
    if vector.dtype.kind not in "iuf":
        msg = f"it must hold vectors of numbers, row {row} is of dtype {vector.dtype}"
        raise TypeError(msg)
    return vector.astype(np.float64)


def _mask(array: Any) -> NDArray[np.bool_] | None:
    """Return which entries of an Arrow array are there; None for all."""
    if not array.null_count:
        return None
    valid: NDArray[np.bool_] = array.is_valid().to_numpy(zero_copy_only=False)
    return valid


def _from_arrow(array: Any, start: int) -> Vectors:
    import pyarrow as pa

    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    kind, valid = array.type, _mask(array)
    if pa.types.is_null(kind):
        return Vectors(np.zeros((len(array), 0)), np.zeros(len(array), dtype=bool))
    nested = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not nested and not pa.types.is_fixed_size_list(kind):
        msg = f"it must hold lists of floats, got Arrow type {kind}"
        raise TypeError(msg)
    if not pa.types.is_floating(kind.value_type):
        msg = f"it must hold lists of floats, got Arrow type {kind}"
        raise TypeError(msg)
    n = len(array)
    own = np.arange(n) if valid is None else np.flatnonzero(valid)
    if nested:
        ends = array.offsets.to_numpy()
        lengths = np.diff(ends)
        d = _common_length(lengths, own, start)
        first, last = (int(ends[0]), int(ends[-1])) if n else (0, 0)
        in_place = bool((lengths == d).all())
    else:
        d, in_place = kind.list_size, True
        first, last = array.offset * d, (array.offset + n) * d
    child = array.values.slice(first, last - first)
    numbers, known = _numbers(child), _mask(child)
    complete: NDArray[np.bool_] | None = None
    if in_place:
        rows = numbers.reshape(n, d)
        if known is not None:
            complete = np.all(known.reshape(n, d), axis=1)
    else:  # nulls take another length, or none
        places = (ends[own] - first)[:, None] + np.arange(d)
        rows = np.zeros((n, d), dtype=numbers.dtype)
        rows[own] = numbers[places]
        if known is not None:
            complete = np.ones(n, dtype=bool)
            complete[own] = np.all(known[places], axis=1)
    if complete is not None:
        bad = own[~complete[own]]
        if len(bad):
            msg = f"vectors must hold no nulls, that of row {start + bad[0]} does"
            raise TypeError(msg)
    return Vectors(rows, valid)


def _common_length(lengths: NDArray[Any], own: NDArray[np.int64], start: int) -> int:
    """Return the length that the lists ``own``, those that are not null, must all have."""
    d = int(lengths[own[0]]) if len(own) else 0
    odd = own[lengths[own] != d]
    if len(odd):
        msg = f"it must hold vectors of one length, row {start + odd[0]} has {lengths[odd[0]]}, not"
        raise TypeError(f"{msg} {d}")
    return d


def _numbers(array: Any) -> NDArray[Any]:
    """Return the buffer of an Arrow array of floats, in place; nulls are any number."""
    dtype = np.dtype(array.type.to_pandas_dtype())
    buffer = array.buffers()[1]
    if buffer is None or not len(array):
        return np.zeros(len(array), dtype=dtype)
    return np.frombuffer(buffer, dtype, len(array), array.offset * dtype.itemsize)
