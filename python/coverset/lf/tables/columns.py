"""Columns in the forms that kernels read: text and numbers, in place wherever that is possible."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

import coverset._cpu as _cpu

_NO_BITS = np.empty(0, dtype=np.uint8)
_VIEW_BYTES = 16


class Validity:
    """Arrow's bitmap of a column of ``n`` rows: empty bits mean that none is null."""

    def __init__(self, n: int, bits: NDArray[np.uint8] = _NO_BITS, offset: int = 0) -> None:
        self.n = n
        self.bits = bits
        self.offset = offset

    @classmethod
    def of_mask(cls, valid: NDArray[np.bool_]) -> Validity:
        """Pack one bool a row."""
        return cls(len(valid), np.packbits(valid, bitorder="little"))

    @classmethod
    def of_arrow(cls, array: Any) -> Validity:
        """Read an Arrow array's own."""
        bits = array.buffers()[0]
        if bits is None or not array.null_count:
            return cls(len(array))
        return cls(len(array), np.frombuffer(bits, dtype=np.uint8), array.offset)

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """(n,) bool: rows that are not null."""
        if not len(self.bits):
            return np.ones(self.n, dtype=bool)
        first, skipped = divmod(self.offset, 8)
        whole = self.bits[first : first + (skipped + self.n + 7) // 8]
        return np.unpackbits(whole, bitorder="little")[skipped : skipped + self.n].astype(bool)


class Numbers:
    """Numbers of a column: stored as a type that kernels take.

    ``dtype`` is the column's own type; ``unit`` NumPy's name of that of dates and times, or None.
    """

    def __init__(
        self, values: NDArray[Any], validity: Validity | None = None, unit: str | None = None
    ) -> None:
        self.values = _storable(values)
        is_own = values.dtype in (np.float16, np.bool_)
        self.dtype = np.dtype(values.dtype.type) if is_own else self.values.dtype
        self.validity = validity or Validity(len(values))
        self.unit = unit

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """(n,) bool: rows that are neither null nor NaN."""
        mask = self.validity.mask
        return mask & ~np.isnan(self.values) if self.values.dtype.kind == "f" else mask


class Text:
    """Strings as Arrow lays them out; with ``codes``, the distinct ones and each row's."""

    def __init__(
        self,
        index: NDArray[Any],
        buffers: list[NDArray[np.uint8]],
        validity: Validity,
        array: Any = None,
        codes: NDArray[np.int32] | None = None,
    ) -> None:
        self.index = index
        self.buffers = buffers
        self.validity = validity
        self.codes = codes  # -1: null
        self._array = array

    def __len__(self) -> int:
        """Return the number of strings: of distinct ones where there are codes."""
        return self.validity.n

    @cached_property
    def native(self) -> _cpu.TextColumn:
        """What the kernels take."""
        bits = self.validity
        return _cpu.TextColumn(self.index, self.buffers, bits.bits, bits.offset)

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """(n,) bool: rows that are not null."""
        if self.codes is None:
            return self.validity.mask
        known = self.codes >= 0
        known[known] = self.validity.mask[self.codes[known]]
        return known

    @property
    def mean_bytes(self) -> int:
        """Bytes of a string, on average; at least 1."""
        return self.native.bytes // max(1, len(self)) + 1

    def take(self, rows: NDArray[np.int32]) -> Text:
        """Return a copy of some strings, none of them null."""
        offsets, data = _cpu.take_text(self.native, rows, False)
        return Text(offsets, [data], Validity(len(rows)))

    def strings(self) -> list[str | None]:
        """Return the strings as Python objects; None where null."""
        if self.arrow is not None:
            return list(self.arrow.to_pylist())
        data, ends = memoryview(self.buffers[0].data), self.index.tolist()
        return [
            str(data[start:end], "utf-8") if ok else None
            for start, end, ok in zip(ends[:-1], ends[1:], self.validity.mask, strict=True)
        ]

    @cached_property
    def arrow(self) -> Any:
        """The same strings as an Arrow array, in place; None without pyarrow."""
        if self._array is not None:
            return self._array
        try:
            import pyarrow as pa
        except ImportError:
            return None
        kind = pa.LargeStringArray if self.index.dtype == np.int64 else pa.StringArray
        bits = self.validity
        return kind.from_buffers(
            len(self),
            pa.py_buffer(self.index),
            pa.py_buffer(self.buffers[0]),
            pa.py_buffer(bits.bits) if len(bits.bits) else None,
            -1,
            bits.offset,
        )


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
    return from_arrow(values) if hasattr(values, "to_pylist") else from_values(values, start)


def from_arrow(array: Any) -> Column:
    """Read an Arrow array of strings, numbers, booleans or dates in place.

    Booleans become one byte each, float16 becomes float32.
    """
    import pyarrow as pa

    if isinstance(array, pa.ChunkedArray):
        if array.num_chunks > 1 and pa.types.is_dictionary(array.type):
            array = pa.chunked_array([_decoded(chunk) for chunk in array.chunks])
        array = array.combine_chunks()
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _from_dictionary(array)
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        return _text_from_views(array)
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return _text_from_offsets(array, np.int32)
    if pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        return _text_from_offsets(array, np.int64)
    if pa.types.is_null(kind):
        return Numbers(np.zeros(len(array)), Validity.of_mask(np.zeros(len(array), dtype=bool)))
    return _numbers_from_arrow(array)


def _from_dictionary(array: Any) -> Column:
    """Read the distinct values and each row's; decode where there are fewer rows than values."""
    distinct = array.dictionary
    column = from_arrow(distinct) if len(distinct) <= len(array) else None
    if not isinstance(column, Text) or column.codes is not None:
        return from_arrow(_decoded(array))
    indices = array.indices
    filled = indices.fill_null(0) if indices.null_count else indices
    codes = filled.to_numpy(zero_copy_only=False).astype(np.int32)
    if indices.null_count:
        codes[~Validity.of_arrow(indices).mask] = -1
    column.codes = codes
    return column


def _decoded(array: Any) -> Any:
    """Return a dictionary array's values by row; Arrow cannot do that for views."""
    import pyarrow as pa

    distinct = array.dictionary
    if pa.types.is_string_view(distinct.type):
        array = pa.DictionaryArray.from_arrays(array.indices, distinct.cast(pa.large_string()))
    return array.dictionary_decode()


def _bytes(buffer: Any) -> NDArray[np.uint8]:
    if buffer is None or not buffer.size:
        return _NO_BITS
    return np.frombuffer(buffer, dtype=np.uint8)


def _text_from_offsets(array: Any, offset_type: type) -> Text:
    offsets, data = array.buffers()[1:]
    ends: NDArray[Any] = np.zeros(len(array) + 1, dtype=offset_type)
    if offsets is not None and offsets.size:
        ends = np.frombuffer(
            offsets,
            dtype=offset_type,
            count=len(array) + 1,
            offset=array.offset * ends.itemsize,
        )
    whole = ends if ends.flags.aligned else ends.copy()
    return Text(whole, [_bytes(data)], Validity.of_arrow(array), array)


def _text_from_views(array: Any) -> Text:
    views, *data = array.buffers()[1:]
    start = array.offset * _VIEW_BYTES
    index = _bytes(views)[start : start + len(array) * _VIEW_BYTES]
    return Text(index, [_bytes(buffer) for buffer in data], Validity.of_arrow(array), array)


def _numbers_from_arrow(array: Any) -> Numbers:
    import pyarrow as pa

    kind, unit = array.type, None
    if pa.types.is_boolean(kind):
        filled = array.fill_null(False) if array.null_count else array
        values = filled.to_numpy(zero_copy_only=False)
        return Numbers(values, Validity.of_arrow(array))
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        unit = "D" if pa.types.is_date32(kind) else getattr(kind, "unit", "ms")
        dtype = np.dtype(np.int32 if pa.types.is_date32(kind) else np.int64)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        dtype = np.dtype(kind.to_pandas_dtype())
    else:
        msg = f"it must hold strings, numbers, booleans or dates, got Arrow type {kind}"
        raise TypeError(msg)
    buffer = array.buffers()[1]
    if buffer is None or not len(array):
        return Numbers(np.zeros(len(array), dtype=dtype), Validity.of_arrow(array), unit)
    offset = array.offset * dtype.itemsize
    values = np.frombuffer(buffer, dtype=dtype, count=len(array), offset=offset)
    return Numbers(values, Validity.of_arrow(array), unit)


def _storable(values: NDArray[Any]) -> NDArray[Any]:
    """Return numbers of a type that the kernels take: copies only where they cannot be read."""
    if values.dtype == np.float16:
        return values.astype(np.float32)
    if values.dtype.kind == "f" and values.dtype.itemsize > np.dtype(np.float64).itemsize:
        return values.astype(np.float64)
    if values.dtype == np.bool_:
        values = values.view(np.uint8)
    native = values.astype(values.dtype.newbyteorder("="), copy=False)
    return native if native.flags.aligned and native.flags.c_contiguous else native.copy()


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


def _from_dates(values: NDArray[Any]) -> Numbers:
    unit = np.datetime_data(values.dtype)[0]
    unit = {"Y": "D", "M": "D", "W": "D", "ps": "ns", "fs": "ns", "as": "ns"}.get(unit, unit)
    values = values.astype(f"datetime64[{unit}]")
    missing = np.isnat(values)
    validity = Validity.of_mask(~missing) if missing.any() else None
    return Numbers(values.view(np.int64), validity, unit)


def _numbers(items: list[Any]) -> NDArray[Any]:
    """Return numbers as an array; whole ones beyond int64 as uint64."""
    if all(type(item) is int for item in items):
        for dtype in (np.int64, np.uint64):
            try:
                return np.array(items, dtype=dtype)
            except OverflowError:
                continue
    return np.array(items)


def from_values(values: Any, start: int) -> Column:
    """Read a NumPy array, or a list of strings, numbers or None."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iufbM":
        if values.ndim != 1:
            msg = f"it must have one dimension, got shape {values.shape}"
            raise TypeError(msg)
        return _from_dates(values) if values.dtype.kind == "M" else Numbers(values)
    kind = values.dtype.kind if isinstance(values, np.ndarray) else "O"
    if kind not in "OUT":
        msg = f"it must hold strings, numbers, booleans or dates, got dtype {values.dtype}"
        raise TypeError(msg)
    items = [_null_to_none(item) for item in as_list(values)]
    first = next((item for item in items if item is not None), None)
    if isinstance(first, str):
        _check_strings(items, start)
        offsets, data, bits = _cpu.text_of_strings(items)
        return Text(offsets, [data], Validity(len(items), bits))
    valid = np.array([item is not None for item in items], dtype=bool)
    validity = None if valid.all() else Validity.of_mask(valid)
    if hasattr(first, "isoformat"):  # a date or a datetime
        return Numbers(
            np.array(items, dtype="datetime64[us]").view(np.int64),
            validity,
            "us",
        )
    numbers = _numbers([0 if item is None else item for item in items])
    if numbers.dtype.kind not in "iufb" or numbers.ndim != 1:
        got = type(first).__name__
        msg = f"it must hold strings, numbers, booleans or dates, got {got} values"
        raise TypeError(msg)
    return Numbers(numbers, validity)
