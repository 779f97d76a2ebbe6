"""Checks of arguments that many functions share; each message has the rule and the value."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import coverset._cpu as _cpu

_MOST = 2**31 - 1


def whole_number(name: str, value: Any, low: int, high: int | None = None) -> int:
    """Return ``value`` as an int in ``low..high``, or raise naming the argument."""
    try:
        number = operator.index(value)
    except TypeError:
        msg = f"{name} must be a whole number, got {value!r}"
        raise TypeError(msg) from None
    if number < low or (high is not None and number > high):
        rule = f"at least {low}" if high is None else f"in {low}..{high}"
        msg = f"{name} must be {rule}, got {number}"
        raise ValueError(msg)
    return number


def count(name: str, value: Any) -> int:
    """Return ``value`` as an int of at least 1 that fits 32 bits."""
    whole_number(name, value, 1)
    return whole_number(name, value, 1, _MOST)


def real_number(name: str, value: Any, low: float, high: float) -> float:
    """Return ``value`` as a float in ``low..high``, or raise naming the argument."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        msg = f"{name} must be a number, got {value!r}"
        raise TypeError(msg)
    try:
        number = float(
            value
        )  # NumPy would compare in the value's own type, where bounds may overflow
    except OverflowError:
        number = float("inf") if value > 0 else float("-inf")
    if not low <= number <= high:
        rule = f"be at least {low:g}" if high == float("inf") else f"be in {low:g}..{high:g}"
        rule = "not be NaN" if -low == high == float("inf") else rule
        msg = f"{name} must {rule}, got {value!r}"
        raise ValueError(msg)
    if isinstance(value, int) and abs(number) == float("inf"):
        msg = f"{name} must fit a float, got a whole number of {len(str(value))} digits"
        raise ValueError(msg)
    return number


def threads(n_threads: int | None) -> int:
    """Return the thread count for a kernel: 0 (as many as allowed) for None."""
    return 0 if n_threads is None else count("n_threads", n_threads)


def one_of(name: str, value: Any, allowed: Sequence[str]) -> str:
    """Return ``value`` if it is one of ``allowed``, or raise listing them."""
    if value not in allowed:
        choices = ", ".join(repr(choice) for choice in allowed)
        msg = f"{name} must be one of {choices}, got {value!r}"
        raise ValueError(msg)
    return str(value)


def integer_array(name: str, values: Any, ndim: int = 1) -> NDArray[Any]:
    """Return ``values`` as an aligned integer array in native byte order; others raise TypeError.

    Such arrays pass through; lists become int64 arrays.
    """
    if isinstance(values, np.ma.MaskedArray):
        msg = f"{name} must not be a masked array; fill it first, with -1 for an abstain"
        raise TypeError(msg)
    array = np.asarray(values)
    if array.size == 0 and not isinstance(values, np.ndarray):
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        msg = f"{name} must hold integers, got dtype {array.dtype}"
        raise TypeError(msg)
    if array.ndim != ndim:
        msg = f"{name} must have {ndim} dimension{'s' * (ndim > 1)}, got shape {array.shape}"
        raise ValueError(msg)
    if not array.dtype.isnative or not array.flags.aligned:
        array = array.astype(array.dtype.newbyteorder("="), copy=True)
    return array


def row_numbers(name: str, values: Any, n: int) -> NDArray[np.int64]:
    """Return numbers of rows in 0..n-1; the error names the first that is none."""
    rows = integer_array(name, values)
    outside = np.flatnonzero((rows < 0) | (rows >= n))
    if len(outside):
        entry = outside[0]
        msg = f"{name} must hold rows in 0..{n - 1}, entry {entry} is {rows[entry]}"
        raise ValueError(msg)
    return np.ascontiguousarray(rows, dtype=np.int64)


def gold_labels(y: Any, n: int, cardinality: int) -> NDArray[np.int16]:
    """Return gold labels as (n,) int16: a class, or -1 where it is unknown."""
    array = np.ascontiguousarray(integer_array("y", y))
    if len(array) != n:
        msg = f"y must have one entry a row: {n} rows, got {len(array)} entries"
        raise ValueError(msg)
    gold = np.empty(n, dtype=np.int16)
    _cpu.narrow("y", array, -1, cardinality - 1, gold, 0)
    return gold


def names(argument: str, values: Sequence[str] | None, n: int, what: str) -> tuple[str, ...] | None:
    """Return ``n`` unique names as a tuple, or None."""
    if values is None:
        return None
    if isinstance(values, str):
        msg = f"{argument} must be a sequence of {n} names, got the string {values!r}"
        raise TypeError(msg)
    given = tuple(values)
    for name in given:
        if not isinstance(name, str):
            msg = f"{argument} must hold strings, got {name!r}"
            raise TypeError(msg)
    if len(given) != n:
        msg = f"{argument} must have one name for each of {n} {what}, got {len(given)}"
        raise ValueError(msg)
    if len(set(given)) != n:
        twice = next(name for name in given if given.count(name) > 1)
        msg = f"{argument} must be unique, got {twice!r} twice"
        raise ValueError(msg)
    return given
