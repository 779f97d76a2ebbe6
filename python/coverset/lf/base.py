"""What every labeling function is: a name, the labels it may give, and votes on a block of rows."""

from __future__ import annotations

import operator
from abc import ABC
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import coverset._cpu as _cpu
from coverset.lf.tables.blocks import Block


class BlockVotes(NamedTuple):
    """Votes of one labeling function on one block: rows ascend, counted from the block's first."""

    rows: NDArray[np.int64]
    labels: NDArray[np.int16]
    errors: int = 0  # rows on which it raised and abstained
    first_error: str | None = None


class LabelingFunction(ABC):  # noqa: B024 - what runs it is a pass, or `vote`
    """Votes for a class, or abstains, on each row of a table.

    Made by the functions of :mod:`coverset.lf` and by the decorators
    :func:`coverset.labeling_function` and :func:`coverset.batch_labeling_function`. A class of
    your own defines ``vote``.

    Attributes
    ----------
    name : str
        Given, or made from the arguments.
    named : bool
        Whether the name was given.
    labels : tuple of int or None
        The classes it votes for, where that is known before it runs.
    engine : str
        What runs it: ``"native"``, ``"re2"``, ``"python"``, ...
    columns : tuple of str
        The columns it names; a row function may read others.
    """

    engine: str = "native"
    columns: tuple[str, ...] = ()
    parts: tuple[LabelingFunction, ...] = ()  # what a combination is made of

    def __init__(self, name: str | None, default: str, labels: tuple[int, ...] | None) -> None:
        if name is not None and (not isinstance(name, str) or not name):
            msg = f"name must be a string that is not empty, got {name!r}"
            raise ValueError(msg)
        self.name = default if name is None else name
        self.named = name is not None
        self.labels = labels

    def __repr__(self) -> str:
        return f"<labeling function {self.name!r}, {self.engine}>"

    def vote(self, block: Block, *, on_error: str, n_threads: int) -> BlockVotes:
        """Return this function's votes on a block."""
        raise NotImplementedError


def label_argument(name: str, label: Any) -> int:
    """Return a class given by the user, ``0..32766``."""
    try:
        number = operator.index("" if isinstance(label, bool) else label)  # type: ignore[arg-type]
    except TypeError:
        msg = f"{name} must be a whole number, got {label!r}"
        raise TypeError(msg) from None
    if not 0 <= number < _cpu.MOST_CLASSES:
        msg = f"{name} must be in 0..{_cpu.MOST_CLASSES - 1}, got {number}"
        raise ValueError(msg)
    return number


def vote_argument(name: str, label: Any) -> int:
    """Return a class, or -1 for an abstain."""
    return -1 if label == -1 and not isinstance(label, bool) else label_argument(name, label)


def column_argument(column: Any, name: str = "column") -> str:
    """Return a column name given by the user."""
    if not isinstance(column, str) or not column:
        msg = f"{name} must be a string that is not empty, got {column!r}"
        raise TypeError(msg)
    return column
