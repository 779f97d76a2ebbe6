"""Conditions on a number as closed ranges of the column's own type, so that kernels compare alike.

Integers, booleans and dates are compared exactly, whatever the type of the value: ``x < 2.5`` is
``x <= 2``. Floats are compared in the column's precision: the value is rounded to it first, as
NumPy does.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

Range = tuple[Any, Any]
_PER_DAY = {
    "D": 1,
    "h": 24,
    "m": 1440,
    "s": 86400,
    "ms": 86400 * 10**3,
    "us": 86400 * 10**6,
    "ns": 86400 * 10**9,
}
Date = datetime.date | np.datetime64  # a datetime is a date


def checked(name: str, value: Any, *, dates: bool = True) -> Any:
    """Return a number, bool or date given by the user; NaN is an error."""
    if isinstance(value, np.generic) and not isinstance(value, np.datetime64):
        value = value.item()
    if isinstance(value, int | float) or (dates and isinstance(value, Date)):
        if value != value or (isinstance(value, np.datetime64) and np.isnat(value)):  # noqa: PLR0124
            msg = f"{name} must not be NaN"
            raise ValueError(msg)
        return value
    msg = f"{name} must be a number, a bool{', a date' * dates} or a string, got {value!r}"
    raise TypeError(msg)


def _in_unit(value: Any, unit: str | None) -> Any:
    """Return a value as a number of the column's units since 1970."""
    if not isinstance(value, Date):
        if unit is not None:
            msg = f"it holds dates and must be compared with dates, got {value!r}"
            raise TypeError(msg)
        return value
    if unit is None:
        msg = f"it must hold dates to be compared with {value!r}"
        raise TypeError(msg)
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        value = value.astimezone(datetime.UTC).replace(tzinfo=None)
    stamp = np.datetime64(value)
    own, count = np.datetime_data(stamp.dtype)
    if own not in _PER_DAY:
        stamp = stamp.astype("datetime64[D]")
        own, count = "D", 1
    exact = Fraction(int(stamp.astype(np.int64)) * count * _PER_DAY[unit], _PER_DAY[own])
    return int(exact) if exact.denominator == 1 else exact


def _limits(dtype: np.dtype[Any]) -> Range:
    if dtype.kind == "f":
        return dtype.type(-np.inf), dtype.type(np.inf)
    if dtype.kind == "b":
        return 0, 1
    return np.iinfo(dtype).min, np.iinfo(dtype).max


def _rounded(value: Any, dtype: np.dtype[Any]) -> Any:
    """Return a number in a float column's precision; too large a one is infinite."""
    with np.errstate(over="ignore"):  # 1e300 in a float32 column
        try:
            return dtype.type(value)
        except OverflowError:  # 10**400
            return dtype.type(np.inf if value > 0 else -np.inf)


def _next(value: Any, toward: Any, dtype: np.dtype[Any]) -> Any:
    with np.errstate(over="ignore", under="ignore"):
        return np.nextafter(value, toward, dtype=dtype)


def _below(value: Any, dtype: np.dtype[Any], *, strictly: bool) -> Range | None:
    """Return the range of numbers below ``value``, or up to it; None where there are none."""
    low, high = _limits(dtype)
    if dtype.kind == "f":
        bound = _rounded(value, dtype)
        if strictly and bound == low:
            return None
        return low, _next(bound, low, dtype) if strictly else bound
    if value in (math.inf, -math.inf):
        return (low, high) if value > 0 else None
    top = math.ceil(value) - 1 if strictly else math.floor(value)
    return None if top < low else (low, min(top, high))


def _above(value: Any, dtype: np.dtype[Any], *, strictly: bool) -> Range | None:
    """Return the range of numbers above ``value``, or from it; None where there are none."""
    low, high = _limits(dtype)
    if dtype.kind == "f":
        bound = _rounded(value, dtype)
        if strictly and bound == high:
            return None
        return _next(bound, high, dtype) if strictly else bound, high
    if value in (math.inf, -math.inf):
        return (low, high) if value < 0 else None
    bottom = math.floor(value) + 1 if strictly else math.ceil(value)
    return None if bottom > high else (max(bottom, low), high)


def where(op: str, value: Any, dtype: np.dtype[Any], unit: str | None = None) -> list[Range]:
    """Return the ranges where ``column op value`` holds: closed, disjoint, ascending."""
    number = _in_unit(value, unit)
    if op in ("<", "<="):
        found = [_below(number, dtype, strictly=op == "<")]
    elif op in (">", ">="):
        found = [_above(number, dtype, strictly=op == ">")]
    elif op == "==":
        return both(where(">=", value, dtype, unit), where("<=", value, dtype, unit))
    else:
        found = [_below(number, dtype, strictly=True), _above(number, dtype, strictly=True)]
    return [one for one in found if one is not None]


def both(first: Iterable[Range], second: Iterable[Range]) -> list[Range]:
    """Return where two lists of ranges overlap."""
    second = list(second)
    pairs = ((max(a[0], b[0]), min(a[1], b[1])) for a in first for b in second)
    return [one for one in pairs if one[0] <= one[1]]
