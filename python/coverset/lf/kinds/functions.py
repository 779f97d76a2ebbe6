"""Labeling functions written in Python: one row at a time, or a batch."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import coverset._cpu as _cpu
from coverset.lf.base import BlockVotes, LabelingFunction, column_argument
from coverset.lf.tables.blocks import Block

_MOST_SHOWN = 200


def shown(value: object) -> str:
    """Return a row as error messages have it."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "..."


def _label(value: Any) -> int:
    """Return a vote, -1 for None; raise for anything that is no class."""
    if value is None:
        return -1
    if isinstance(value, bool | np.bool_):
        msg = f"it must return a class, -1 or None, got {value!r}"
        raise TypeError(msg)
    try:
        label = operator.index(value)
    except TypeError:
        msg = f"it must return a class, -1 or None, got {value!r}"
        raise TypeError(msg) from None
    if not -1 <= label < _cpu.MOST_CLASSES:
        msg = f"it must return a class in 0..{_cpu.MOST_CLASSES - 1}, -1 or None, got {label}"
        raise ValueError(msg)
    return label


class RowFunction(LabelingFunction):
    """Calls a Python function once a row; made by :func:`labeling_function`."""

    engine = "python"

    def __init__(
        self,
        function: Callable[..., Any],
        name: str | None,
        resources: Mapping[str, Any],
        pre: Sequence[Callable[[Any], Any]],
        timeout: float | None = None,
    ) -> None:
        super().__init__(name, getattr(function, "__name__", "labeling_function"), None)
        self.timeout = timeout
        self._function = function
        self._resources = dict(resources)
        self._pre = tuple(pre)
        self.__doc__ = function.__doc__

    def __call__(self, x: Any) -> int:
        """Return the label of one row, -1 for an abstain."""
        for step in self._pre:
            x = step(x)
        return _label(self._function(x, **self._resources))

    def vote(self, block: Block, *, on_error: str, n_threads: int) -> BlockVotes:
        """Return the votes of the rows, one call each."""
        labels = np.full(block.n, -1, dtype=np.int16)
        errors, first_error = 0, None
        for i in range(block.n):
            row = block.row(i)
            try:
                labels[i] = self(row)
            except Exception as error:
                what = f"{type(error).__name__}: {error}"
                msg = f"row {block.start + i}, {shown(row)}: {what}"
                if on_error == "raise":
                    raise ValueError(msg) from error
                errors += 1
                first_error = first_error or msg
        rows = np.flatnonzero(labels >= 0)
        return BlockVotes(rows, labels[rows], errors, first_error)


class BatchFunction(LabelingFunction):
    """Calls a Python function once a batch; made by :func:`batch_labeling_function`."""

    engine = "batch"

    def __init__(
        self,
        function: Callable[..., Any],
        columns: Sequence[str],
        name: str | None,
        resources: Mapping[str, Any],
    ) -> None:
        super().__init__(name, getattr(function, "__name__", "batch_labeling_function"), None)
        self._function = function
        self._resources = dict(resources)
        self.columns = tuple(columns)
        self.__doc__ = function.__doc__

    def __call__(self, batch: Mapping[str, Any]) -> Any:
        """Return the labels of a batch, as the function gave them."""
        return self._function(batch, **self._resources)

    def vote(self, block: Block, *, on_error: str, n_threads: int) -> BlockVotes:
        """Return the votes of the block, made by one call."""
        batch = {column: block.lent(column) for column in self.columns}
        last = block.start + block.n - 1
        try:
            labels = self._checked(self(batch), block)
        except Exception as error:
            msg = f"rows {block.start}..{last}: {type(error).__name__}: {error}"
            if on_error == "raise":
                raise ValueError(msg) from error
            empty = np.empty(0, dtype=np.int64)
            return BlockVotes(empty, empty.astype(np.int16), block.n, msg)
        rows = np.flatnonzero(labels >= 0)
        return BlockVotes(rows, labels[rows])

    @staticmethod
    def _checked(result: Any, block: Block) -> np.ndarray[Any, np.dtype[np.int16]]:
        as_list = getattr(result, "to_pylist", None)
        labels = np.asarray(as_list() if as_list else result)
        if labels.dtype == object:  # None abstains
            labels = np.array([_label(label) for label in labels.tolist()], dtype=np.int64)
        if labels.shape != (block.n,):
            msg = f"it must return one label a row, ({block.n},), got shape {labels.shape}"
            raise ValueError(msg)
        if labels.dtype.kind not in "iu" and block.n:
            msg = f"it must return integers, got dtype {labels.dtype}"
            raise TypeError(msg)
        stored = np.empty(block.n, dtype=np.int16)
        if block.n:
            labels = labels.astype(labels.dtype.newbyteorder("="), order="C")  # aligned, too
            _cpu.narrow("labels", labels, -1, _cpu.MOST_CLASSES - 1, stored, 0)
        return stored


def adopted(lf: Any) -> RowFunction | None:
    """Return a Snorkel labeling function as one of ours; None for anything else."""
    origins = {kind.__module__.partition(".")[0] for kind in type(lf).__mro__}
    if "snorkel" not in origins or not callable(lf):
        return None
    return RowFunction(lf, lf.name, {}, ())


def labeling_function(
    function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    resources: Mapping[str, Any] | None = None,
    pre: Sequence[Callable[[Any], Any]] | None = None,
    timeout: float | None = None,
) -> Any:
    """Make a labeling function of a Python function that labels one row.

    Use it as a decorator, with or without arguments. The function is called with a row: the object
    itself where the data are a list, else an object with the columns as attributes (``x.text``)
    and items (``x["text"]``). It returns a class, or -1 or None to abstain.

    Parameters
    ----------
    name : str, optional
        By default the function's own name.
    resources : mapping, optional
        Passed to every call as keyword arguments.
    pre : sequence of callables, optional
        Applied to the row in turn before the function sees it.
    timeout : float, optional
        Seconds for one call. One that takes longer is stopped, with the worker process that runs
        it, and is an error of its row.

    Raises
    ------
    TypeError
        If the decorated object is not callable.
    ValueError
        If ``timeout`` is not above 0.

    Examples
    --------
    >>> import coverset as cs
    >>> @cs.labeling_function(resources={"limit": 5})
    ... def short(x, limit):
    ...     return 0 if len(x.text.split()) < limit else -1
    >>> cs.apply([short], {"text": ["so good", "one two three four five"]}).to_dense().tolist()
    [[0], [-1]]
    """
    if function is not None and not callable(function):
        msg = f"labeling_function takes keyword arguments or decorates a function, got {function!r}"
        raise TypeError(msg)

    if timeout is not None and not timeout > 0:
        msg = f"timeout must be above 0 seconds, got {timeout!r}"
        raise ValueError(msg)

    def decorate(decorated: Callable[..., Any]) -> RowFunction:
        return RowFunction(decorated, name, resources or {}, pre or (), timeout)

    return decorate if function is None else decorate(function)


def batch_labeling_function(
    *,
    columns: Sequence[str],
    name: str | None = None,
    resources: Mapping[str, Any] | None = None,
) -> Callable[[Callable[..., Any]], BatchFunction]:
    """Make a labeling function of a Python function that labels a batch of rows.

    The function is called with a dict of the named columns, of whatever type: Arrow arrays where
    the data are Arrow, NumPy arrays or lists elsewhere. It returns one label a row: classes, -1
    or None.

    Parameters
    ----------
    columns : sequence of str
        Columns that the function reads.
    name : str, optional
        By default the function's own name.
    resources : mapping, optional
        Passed to every call as keyword arguments.

    Raises
    ------
    TypeError
        If ``columns`` is a string.

    Examples
    --------
    >>> import coverset as cs, numpy as np
    >>> @cs.batch_labeling_function(columns=["n_words"])
    ... def short(batch):
    ...     return np.where(batch["n_words"] < 5, 0, -1)
    >>> cs.apply([short], {"n_words": np.array([2, 9])}).to_dense().tolist()
    [[0], [-1]]
    """
    if isinstance(columns, str):
        msg = f"columns must be a list of column names, got the string {columns!r}"
        raise TypeError(msg)
    wanted = [column_argument(column) for column in columns]

    def decorate(function: Callable[..., Any]) -> BatchFunction:
        return BatchFunction(function, wanted, name, resources or {})

    return decorate
