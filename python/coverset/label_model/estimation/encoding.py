"""Values as JSON has them: arrays are base64 with dtype and shape, checked when they are read."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SMALLEST = float(np.nextafter(0.0, 1.0))  # positive number
MOST_ROWS = 2**53  # counts up to here are exact as floats


def packed(array: NDArray[Any]) -> dict[str, Any]:
    """Return an array as JSON has it."""
    stored = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return {
        "dtype": stored.dtype.str,
        "shape": list(stored.shape),
        "data": base64.b64encode(stored.tobytes()).decode(),
    }


def unpacked(entry: Mapping[str, Any], dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an array of that type and shape; its memory is that of its text. Else ValueError."""
    if entry["dtype"] != dtype or tuple(entry["shape"]) != shape:
        msg = f"an array must have dtype {dtype} and shape {shape}"
        raise ValueError(msg)
    data = base64.b64decode(entry["data"], validate=True)
    return np.frombuffer(data, dtype=dtype).reshape(shape).copy()


def encoded(value: Any) -> Any:
    """Return a value as JSON has it, so that :func:`decoded` returns an equal one."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return {"array": packed(value)}
    if isinstance(value, Mapping):
        return {"mapping": [[encoded(name), encoded(item)] for name, item in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [encoded(item) for item in value]}
    if isinstance(value, set | frozenset):
        return {"set": [encoded(item) for item in sorted(value, key=repr)]}
    if isinstance(value, list):
        return [encoded(item) for item in value]
    return value if value is None or isinstance(value, str) else np.asarray(value).tolist()


def decoded(entry: Any) -> Any:
    """Return what :func:`encoded` was given."""
    if isinstance(entry, list):
        return [decoded(item) for item in entry]
    if not isinstance(entry, dict):
        return entry
    ((kind, inside),) = entry.items()
    if kind == "array":
        if np.dtype(inside["dtype"]).kind not in "biuf":
            msg = f"an array must hold numbers, got dtype {inside['dtype']}"
            raise ValueError(msg)
        return unpacked(inside, inside["dtype"], tuple(inside["shape"]))
    if kind == "mapping":
        return {decoded(name): decoded(item) for name, item in inside}
    return {"tuple": tuple, "set": set}[kind](map(decoded, inside))


class Arrays:
    """The arrays of a file, each checked when it is taken; ValueError where it is not as asked."""

    def __init__(self, entries: Mapping[str, Any]) -> None:
        self._entries = entries

    def take(self, name: str, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return an array of that type and shape."""
        return unpacked(self._entries[name], dtype, shape)

    def vector(self, name: str, dtype: str) -> NDArray[Any]:
        """Return a vector of any length."""
        (length,) = self._entries[name]["shape"]
        return self.take(name, dtype, (length,))

    def numbers(
        self, name: str, shape: tuple[int, ...], low: float = -np.inf, high: float = np.inf
    ) -> Floats:
        """Return finite float64 numbers in ``low..high``."""
        values = self.take(name, "<f8", shape)
        if not (np.isfinite(values) & (values >= low) & (values <= high)).all():
            msg = f"{name} holds numbers that no fit gives"
            raise ValueError(msg)
        return values

    def counts(self, name: str, length: int) -> Floats:
        """Return how many rows each of ``length`` things was seen on: whole numbers, as float64."""
        values = self.numbers(name, (length,), 1.0, MOST_ROWS)
        if (values != np.floor(values)).any():
            msg = f"{name} must hold whole numbers"
            raise ValueError(msg)
        return values
