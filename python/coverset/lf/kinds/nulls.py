"""Labeling functions that vote on nulls, or on all else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coverset.lf.base import LabelingFunction, column_argument, label_argument
from coverset.lf.engines.passes import (
    Declarative,
    Member,
    Part,
    Pass,
    RuleBook,
    Running,
    constant_part,
    named,
)
from coverset.lf.tables.blocks import Block


class _NullPass(Pass):
    """Null tests of one column."""

    def compile(self, members: Sequence[Member], rules: RuleBook) -> list[list[int]]:
        """Give each function its rule."""
        self.column = members[0].lf.columns[0]
        return [[rules.add(member, member.lf.label)] for member in members]  # type: ignore[attr-defined]

    def run(self, block: Block, running: Running, n_threads: int) -> list[Part]:
        """Look at the column's validity."""
        with running.timed(self.members):
            valid = named(self.members, block.valid, self.column)
            return [
                constant_part(np.flatnonzero(valid != member.lf.null), rule)  # type: ignore[attr-defined]
                for member, (rule,) in zip(self.members, self.rules_of, strict=True)
            ]


class NullTest(Declarative):
    """Votes on nulls, or on all else."""

    pass_type = _NullPass

    def __init__(self, column: str, null: bool, label: int, name: str | None) -> None:
        super().__init__(name, f"{'is' if null else 'not'}_null_{column}", (label,))
        self.columns = (column,)
        self.null = null
        self.label = label


def is_null(column: str, label: int, *, name: str | None = None) -> LabelingFunction:
    """Vote for ``label`` where the column is null or NaN.

    Parameters
    ----------
    column : str
        A column of any type that the other functions read.
    label : int
        The class to vote for.
    name : str, optional
        By default made from the column.

    Examples
    --------
    >>> import coverset as cs
    >>> cs.apply([cs.lf.is_null("age", 1)], {"age": [3, None]}).to_dense().ravel().tolist()
    [-1, 1]
    """
    return NullTest(column_argument(column), True, label_argument("label", label), name)


def not_null(column: str, label: int, *, name: str | None = None) -> LabelingFunction:
    """Vote for ``label`` where the column is neither null nor NaN.

    Parameters
    ----------
    column : str
        A column of any type that the other functions read.
    label : int
        The class to vote for.
    name : str, optional
        By default made from the column.

    Examples
    --------
    >>> import coverset as cs
    >>> cs.apply([cs.lf.not_null("age", 1)], {"age": [3, None]}).to_dense().ravel().tolist()
    [1, -1]
    """
    return NullTest(column_argument(column), False, label_argument("label", label), name)
