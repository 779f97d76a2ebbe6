"""Labeling functions over a model's class scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._cpu as _cpu
from coverset.lf.base import LabelingFunction, column_argument, vote_argument
from coverset.lf.engines.passes import Declarative, Member, Part, Pass, RuleBook, Running, named
from coverset.lf.tables.blocks import Block
from coverset.lf.tables.columns import Validity

_Scores = list[tuple[NDArray[Any], Validity]]  # by class


class _ScorePass(Pass):
    """Functions over the same scores."""

    def compile(self, members: Sequence[Member], rules: RuleBook) -> list[list[int]]:
        """Give each class of a function a rule."""
        lfs: list[Any] = [member.lf for member in members]
        return [
            [rules.add(member, label) for label in lf.classes]
            for member, lf in zip(members, lfs, strict=True)
        ]

    def run(self, block: Block, running: Running, n_threads: int) -> list[Part]:
        """Compare the scores of a block."""
        with running.timed(self.members):
            return [
                named([member], _match, member.lf, own, block, n_threads)
                for member, own in zip(self.members, self.rules_of, strict=True)
            ]


def _match(lf: Any, rules: list[int], block: Block, n_threads: int) -> Part:
    """Return the hits of one function."""
    scores = _of_matrix(lf, block) if lf.is_matrix else _of_columns(lf, block)
    wide = any(values.dtype not in (np.float16, np.float32) for values, _ in scores)
    dtype = np.float64 if wide else np.float32
    thresholds = lf.thresholds.astype(dtype)
    given = [(values.astype(dtype, copy=False), v.bits, v.offset) for values, v in scores]
    return Part(*_cpu.match_scores(given, thresholds, np.array(rules, dtype=np.int32), n_threads))


def _of_columns(lf: Any, block: Block) -> _Scores:
    columns = [block.numbers(name) for name in lf.columns]
    for name, numbers in zip(lf.columns, columns, strict=True):
        if numbers.dtype.kind not in "iuf" or numbers.unit is not None:
            msg = f"column {name!r} must hold scores, got {numbers.unit or numbers.dtype}"
            raise TypeError(msg)
    return [(numbers.values, numbers.validity) for numbers in columns]


def _of_matrix(lf: Any, block: Block) -> _Scores:
    rows, validity = block.embeddings(lf.columns[0])
    k = len(lf.thresholds)
    if rows.shape[1] != k:
        if validity.mask.any():
            msg = f"column {lf.columns[0]!r} must have a score for each of {k} classes, "
            raise ValueError(f"{msg}got {rows.shape[1]}")
        rows = np.zeros((block.n, k), dtype=np.float32)
    return [(rows[:, j], validity if j == 0 else Validity(len(rows))) for j in range(k)]


class _Scored(Declarative):
    """Votes for the class that wins; made by :func:`scores`."""

    pass_type = _ScorePass

    def __init__(
        self,
        columns: tuple[str, ...],
        thresholds: NDArray[np.float64],
        labels: list[int],
        is_matrix: bool,
        name: str | None,
    ) -> None:
        super().__init__(name, f"scores_{columns[0]}", tuple(sorted({x for x in labels if x >= 0})))
        self.columns = columns
        self.thresholds = thresholds
        self.classes = labels
        self.is_matrix = is_matrix


def scores(
    columns: str | Sequence[str],
    thresholds: ArrayLike,
    labels: Sequence[int] | None = None,
    *,
    name: str | None = None,
) -> LabelingFunction:
    """Let a classifier vote for the class with the highest score, if that reaches its threshold.

    Each class has a threshold of its own; of the classes that reach theirs, the one with the
    highest score gets the vote. A tie abstains, and so does a row with a null or NaN score.

    Parameters
    ----------
    columns : str or sequence of str
        A column of vectors with a score for each class ((n, k) array or Arrow lists of floats), or
        k columns of numbers.
    thresholds : float or (k,) floats
        The least score that counts, for all classes or for each; infinity for a class that never
        gets a vote. Compared in the scores' own precision.
    labels : sequence of int, optional
        The class of each score, by default 0..k-1; needed where one column of vectors is given with
        one threshold. -1: where this score wins, abstain.
    name : str, optional
        By default made from the first column.

    Raises
    ------
    ValueError
        If a threshold is NaN, the numbers of columns, thresholds and labels differ, a label is
        below -1 or all are -1; when applied, if vectors are of another length.
    TypeError
        If thresholds are no numbers; when applied, if a column does not hold numbers.

    Notes
    -----
    Reads each score once, all classes of 64 rows at a time.

    Examples
    --------
    >>> import coverset as cs, numpy as np
    >>> proba = np.array([[0.7, 0.2, 0.1], [0.4, 0.2, 0.4], [0.5, 0.1, 0.4], [0.3, 0.3, 0.4]])
    >>> model = cs.lf.scores("proba", thresholds=[0.6, 0.6, 0.4])
    >>> cs.apply([model], {"proba": proba}).to_dense().ravel().tolist()
    [0, 2, 2, 2]
    """
    is_matrix = isinstance(columns, str)
    if not isinstance(columns, Sequence):
        msg = f"columns must be a column or a list of columns, got {columns!r}"
        raise TypeError(msg)
    names = (columns,) if isinstance(columns, str) else tuple(columns)
    if not names:
        msg = "columns must hold at least one column, got none"
        raise ValueError(msg)
    checked = tuple(column_argument(c, "columns" if is_matrix else "each column") for c in names)
    limits = _thresholds(thresholds)
    if labels is not None:
        k = len(labels)
    else:
        k = limits.size if is_matrix else len(names)
        if is_matrix and limits.ndim == 0:
            msg = "labels must be given for one column of vectors and one threshold, got None"
            raise ValueError(msg)
    for what, size in (
        ("columns", k if is_matrix else len(names)),
        ("thresholds", limits.size if limits.ndim else k),
    ):
        if size != k:
            msg = f"{what} must be one for each of {k} classes, got {size}"
            raise ValueError(msg)
    classes = [vote_argument(f"labels[{i}]", x) for i, x in enumerate(labels or range(k))]
    if max(classes, default=-1) < 0:
        msg = f"labels must hold at least one class, got {labels!r}"
        raise ValueError(msg)
    return _Scored(checked, np.broadcast_to(limits, (k,)).copy(), classes, is_matrix, name)


def _thresholds(thresholds: ArrayLike) -> NDArray[np.float64]:
    """Return one number or a vector of numbers, none of them NaN."""
    given = np.asarray(thresholds)
    if given.dtype.kind not in "iuf":
        msg = f"thresholds must be numbers, got {thresholds!r}"
        raise TypeError(msg)
    limits = given.astype(np.float64)
    if limits.ndim > 1 or not limits.size:
        msg = f"thresholds must be a number or one for each class, got shape {limits.shape}"
        raise ValueError(msg)
    bad = np.flatnonzero(np.isnan(np.atleast_1d(limits)))
    if len(bad):
        msg = f"thresholds must not be NaN, entry {bad[0]} is"
        raise ValueError(msg)
    return limits
