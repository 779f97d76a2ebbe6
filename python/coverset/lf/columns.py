"""Columns in the two forms that labeling functions read: numbers and text."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coverset import _cpu

_NO_BITS = np.empty(0, dtype=np.uint8)


class Numbers:
    """Numeric or boolean values; ``valid`` is None, or False where a value is null."""

    def __init__(self, values: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> None:
        self.values = values
        if values.dtype.kind == "f":
            real = ~np.isnan(values)
            valid = real if valid is None else valid & real
        self.valid = valid

    def where(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the rows of ``mask`` whose value is not null."""
        return np.flatnonzero(mask if self.valid is None else mask & self.valid)


class Text:
    """Strings as Arrow lays them out: offsets (int32 or int64), UTF-8 bytes, validity bits."""

    def __init__(
        self,
        offsets: NDArray[Any],
        data: NDArray[np.uint8],
        validity: NDArray[np.uint8] = _NO_BITS,
        validity_offset: int = 0,
        array: Any = None,
    ) -> None:
        self.offsets = offsets
        self.data = data
        self.validity = validity
        self.validity_offset = validity_offset
        self._array = array

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.offsets) - 1

    @property
    def buffers(self) -> tuple[NDArray[Any], NDArray[np.uint8], NDArray[np.uint8], int]:
        """What the kernels take."""
        return self.offsets, self.data, self.validity, self.validity_offset

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """(n,) bool: rows that are not null."""
        if not len(self.validity):
            return np.ones(len(self), dtype=bool)
        first, skipped = divmod(self.validity_offset, 8)
        whole = self.validity[first : first + (skipped + len(self) + 7) // 8]
        bits = np.unpackbits(whole, bitorder="little")
        return bits[skipped : skipped + len(self)].astype(bool)

    @cached_property
    def strings(self) -> list[str | None]:
        """The rows as Python strings; None where null."""
        data = self.data.tobytes() if len(self.data) < 2**16 else memoryview(self.data.data)
        ends = self.offsets.tolist()
        return [
            str(data[start:end], "utf-8") if ok else None
            for start, end, ok in zip(ends[:-1], ends[1:], self.valid.tolist(), strict=True)
        ]

    @cached_property
    def arrow(self) -> Any:
        """The same rows as an Arrow array, without a copy; None without pyarrow."""
        if self._array is not None:
            return self._array
        try:
            import pyarrow as pa
        except ImportError:
            return None
        kind = pa.LargeStringArray if self.offsets.dtype == np.int64 else pa.StringArray
        validity = pa.py_buffer(self.validity) if len(self.validity) else None
        return kind.from_buffers(
            len(self),
            pa.py_buffer(self.offsets),
            pa.py_buffer(self.data),
            validity,
            -1,
            self.validity_offset,
        )

    def equal_to(self, value: str) -> NDArray[np.bool_]:
        """(n,) bool: rows whose text is ``value``."""
        wanted = value.encode()
        same: NDArray[np.bool_] = self.valid & (np.diff(self.offsets) == len(wanted))
        for row in np.flatnonzero(same):
            start = self.offsets[row]
            same[row] = self.data[start : start + len(wanted)].tobytes() == wanted
        return same


Column = Numbers | Text


def plain(values: Any) -> Any:
    """Return a column as an Arrow array, a NumPy array or a list: pandas' arrays are turned."""
    if isinstance(values, np.ndarray | list) or hasattr(values, "to_pylist"):
        return values
    if hasattr(values, "__arrow_array__"):
        try:
            import pyarrow as pa
        except ImportError:
            return np.asarray(values, dtype=object)
        return pa.array(values, from_pandas=True)
    return np.asarray(values)


def as_list(values: Any) -> list[Any]:
    """Return a plain column as Python objects; None where null."""
    if hasattr(values, "to_pylist"):
        return list(values.to_pylist())
    items = values.tolist() if isinstance(values, np.ndarray) else list(values)
    if isinstance(values, np.ndarray) and values.dtype == object:
        return [_null_to_none(item) for item in items]
    return items


def _null_to_none(item: Any) -> Any:
    """Turn NaN, which pandas has for null among objects, into None; so for pandas' NA."""
    if type(item).__name__ in ("NAType", "NaTType"):
        return None
    return None if isinstance(item, float) and item != item else item  # noqa: PLR0124


def from_any(values: Any, start: int) -> Column:
    """Read a plain column whose first row is row ``start`` of the table."""
    column = from_arrow(values) if hasattr(values, "to_pylist") else from_values(values, start)
    if isinstance(column, Text):
        bad = _cpu.find_invalid_utf8(*column.buffers, 0)
        if bad >= 0:
            msg = f"text must be valid UTF-8, row {start + bad} is not"
            raise ValueError(msg)
    return column


def from_arrow(array: Any) -> Column:
    """Read an Arrow array of strings, numbers or booleans in place.

    Dictionary and view layouts of strings are decoded once; booleans become one byte each.
    """
    import pyarrow as pa

    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        array, kind = array.storage, array.storage.type
    if pa.types.is_dictionary(kind):
        return from_arrow(array.dictionary_decode())
    if pa.types.is_string_view(kind):
        array, kind = array.cast(pa.large_string()), pa.large_string()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _text_from_arrow(array, np.int32 if pa.types.is_string(kind) else np.int64)
    if pa.types.is_null(kind):
        return Numbers(np.zeros(len(array)), np.zeros(len(array), dtype=bool))
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        msg = f"it must hold strings, numbers or booleans, got Arrow type {kind}"
        raise TypeError(msg)
    if array.null_count == 0:
        return Numbers(array.to_numpy(zero_copy_only=False))
    valid = array.is_valid().to_numpy(zero_copy_only=False)
    filled = array.fill_null(False if pa.types.is_boolean(kind) else 0)
    return Numbers(filled.to_numpy(zero_copy_only=False), valid)


def _text_from_arrow(array: Any, offset_type: type) -> Text:
    validity, offsets, data = array.buffers()
    itemsize = np.dtype(offset_type).itemsize
    ends: NDArray[Any]
    if offsets is None or offsets.size == 0:
        ends = np.zeros(1, dtype=offset_type)
    else:
        ends = np.frombuffer(
            offsets, dtype=offset_type, count=len(array) + 1, offset=array.offset * itemsize
        )
    return Text(
        ends if ends.flags.aligned else ends.copy(),
        np.frombuffer(data, dtype=np.uint8) if data is not None and data.size else _NO_BITS,
        np.frombuffer(validity, dtype=np.uint8)
        if validity is not None and array.null_count
        else _NO_BITS,
        array.offset,
        array,
    )


def _check_strings(items: list[Any], start: int) -> None:
    """Raise at the first item that is neither None nor text."""
    for i, item in enumerate(items):
        if item is not None and not isinstance(item, str):
            msg = f"row {start + i} must be a str or None, got {type(item).__name__}"
            raise TypeError(msg)
        if item is not None and not item.isascii():
            try:
                item.encode()
            except UnicodeEncodeError:
                msg = f"text must be valid Unicode, row {start + i} is not"
                raise ValueError(msg) from None


def from_values(values: Any, start: int) -> Column:
    """Read a NumPy array, or a list of strings, numbers or None."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iufb":
        if values.ndim != 1:
            msg = f"it must have one dimension, got shape {values.shape}"
            raise TypeError(msg)
        return Numbers(
            values if values.dtype.isnative else values.astype(values.dtype.newbyteorder("="))
        )
    kind = values.dtype.kind if isinstance(values, np.ndarray) else "O"
    if kind not in "iufbOUT":
        msg = f"it must hold strings, numbers or booleans, got dtype {values.dtype}"
        raise TypeError(msg)
    items = [_null_to_none(item) for item in as_list(values)]
    first = next((item for item in items if item is not None), None)
    if isinstance(first, str):
        _check_strings(items, start)
        return Text(*_cpu.text_of_strings(items))
    valid = np.array([item is not None for item in items], dtype=bool)
    numbers = np.array([0 if item is None else item for item in items])
    if numbers.dtype.kind not in "iufb" or numbers.ndim != 1:
        got = type(first).__name__
        msg = f"it must hold strings, numbers or booleans, got {got} values"
        raise TypeError(msg)
    return Numbers(numbers, None if valid.all() else valid)
