"""Labeling functions over numbers: comparisons, and any model's scores."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from coverset import _arguments as arguments
from coverset.lf.base import (
    BlockVotes,
    LabelingFunction,
    column_argument,
    constant_votes,
    label_argument,
)
from coverset.lf.table import Block

_OPERATORS: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "<": ("lt", operator.lt),
    "<=": ("le", operator.le),
    ">": ("gt", operator.gt),
    ">=": ("ge", operator.ge),
    "==": ("eq", operator.eq),
    "!=": ("ne", operator.ne),
}


class Compare(LabelingFunction):
    """Votes where a comparison holds; made by :func:`compare`."""

    def __init__(self, column: str, op: str, value: Any, label: int, name: str | None) -> None:
        word, self._holds = _OPERATORS[op]
        super().__init__(name, f"compare_{column}_{word}_{value}", (label,))
        self.column = column
        self.columns = (column,)
        self.op = op
        self.value = value
        self.label = label

    def vote(self, block: Block, *, on_error: str, n_threads: int) -> BlockVotes:
        """Return votes for the rows where the comparison holds."""
        if isinstance(self.value, str):
            text = block.text(self.column)
            equal = text.equal_to(self.value)
            mask = equal if self.op == "==" else text.valid & ~equal
            return constant_votes(np.flatnonzero(mask), self.label)
        numbers = block.numbers(self.column)
        with np.errstate(over="ignore"):  # 1e300 is inf to a float16 column: it compares as that
            mask = self._holds(numbers.values, self.value)
        return constant_votes(numbers.where(mask), self.label)


def compare(
    column: str, op: str, value: float | str, label: int, *, name: str | None = None
) -> LabelingFunction:
    """Vote for ``label`` where ``column op value`` holds; nulls and NaN abstain.

    Parameters
    ----------
    column : str
        A column of numbers or booleans, or of text for ``"=="`` and ``"!="`` with a string.
    op : {"<", "<=", ">", ">=", "==", "!="}
    value : number, bool or str
        Compared in the column's own type, as NumPy does.
    label : int
        The class to vote for.
    name : str, optional
        By default made from the arguments.

    Raises
    ------
    ValueError
        If ``op`` is unknown, ``value`` is NaN, or a string is to be ordered.
    TypeError
        If ``value`` is no number, bool or string.

    Examples
    --------
    >>> import coverset as cs
    >>> short = cs.lf.compare("n_words", "<", 5, label=0)
    >>> cs.apply([short], {"n_words": [2, 9, None]}).to_dense().ravel().tolist()
    [0, -1, -1]
    """
    arguments.one_of("op", op, tuple(_OPERATORS))
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, int | float | str):
        msg = f"value must be a number, a bool or a string, got {value!r}"
        raise TypeError(msg)
    if isinstance(value, str) and op not in ("==", "!="):
        msg = f"op must be '==' or '!=' for the string {value!r}, got {op!r}"
        raise ValueError(msg)
    if value != value:  # noqa: PLR0124
        msg = "value must not be NaN: nothing compares with it"
        raise ValueError(msg)
    return Compare(column_argument(column), op, value, label_argument("label", label), name)


class Score(LabelingFunction):
    """Votes by a model's score; made by :func:`score`."""

    def __init__(
        self, column: str, low: float, high: float, labels: tuple[int, int], name: str | None
    ) -> None:
        voted = tuple(sorted({label for label in labels if label >= 0}))
        super().__init__(name, f"score_{column}", voted)
        self.column = column
        self.columns = (column,)
        self.low = low
        self.high = high
        self.low_label, self.high_label = labels

    def vote(self, block: Block, *, on_error: str, n_threads: int) -> BlockVotes:
        """Return votes for the rows with a low or a high score."""
        numbers = block.numbers(self.column)
        labels = np.full(block.n, -1, dtype=np.int16)
        if self.low > -np.inf:
            labels[numbers.where(numbers.values <= self.low)] = self.low_label
        if self.high < np.inf:
            labels[numbers.where(numbers.values >= self.high)] = self.high_label
        rows = np.flatnonzero(labels >= 0)
        return BlockVotes(rows, labels[rows])


def score(
    column: str,
    low: float,
    high: float,
    labels: tuple[int, int] = (0, 1),
    *,
    name: str | None = None,
) -> LabelingFunction:
    """Let a model vote: ``labels[0]`` at ``low`` and below, ``labels[1]`` at ``high`` and above.

    Parameters
    ----------
    column : str
        A column of scores; nulls and NaN abstain, and so does everything between the bounds.
    low, high : float
        ``low < high``. Infinite bounds never vote.
    labels : (int, int)
        Classes for low and high scores; -1 abstains on that side.
    name : str, optional
        By default made from the column.

    Raises
    ------
    ValueError
        If ``low`` is not below ``high``, or a label is below -1.

    Examples
    --------
    >>> import coverset as cs
    >>> model = cs.lf.score("p_model", low=0.1, high=0.9)
    >>> cs.apply([model], {"p_model": [0.05, 0.5, 0.95]}).to_dense().ravel().tolist()
    [0, -1, 1]
    """
    if not low < high:
        msg = f"low must be below high, got low={low!r}, high={high!r}"
        raise ValueError(msg)
    if len(labels) != 2:
        msg = f"labels must be two classes, for low and for high scores, got {labels!r}"
        raise ValueError(msg)
    sides = tuple(
        -1 if label == -1 else label_argument(f"labels[{i}]", label)
        for i, label in enumerate(labels)
    )
    return Score(column_argument(column), float(low), float(high), (sides[0], sides[1]), name)
