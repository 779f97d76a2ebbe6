"""The daily loop of writing labeling functions: which rows to look at, and what changed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
import coverset._tables as _tables
from coverset.label_matrix import LabelMatrix
from coverset.label_matrix.matrix import matrix_argument
from coverset.label_model.estimation import vote_columns
from coverset.label_model.models.base import BaseLabelModel
from coverset.label_model.models.majority_vote import MajorityVote

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_KINDS = ("silent", "conflict", "low_margin")


def suggest_rows(
    L: LabelMatrix,
    model: BaseLabelModel | None,
    kind: str,
    n: int = 10,
    *,
    y: ArrayLike | None = None,
) -> Ints:
    """Return rows that are worth a look.

    Parameters
    ----------
    L : LabelMatrix
    model : label model, optional
        Fitted; needed for ``"low_margin"``.
    kind : {"silent", "conflict", "low_margin"}
        Rows without a vote, in order; rows whose votes disagree, the highest entropy of vote shares
        first; rows with votes whose two most probable classes are closest.
    n : int
        At most so many rows. Ties go to the lower row.
    y : (n,) integers, optional
        Gold, -1 where unknown: rows whose class is known are left out.

    Raises
    ------
    ValueError
        If ``kind`` is unknown, ``n`` is not positive, or ``"low_margin"`` has no model.

    Examples
    --------
    >>> import coverset as cs
    >>> L = cs.LabelMatrix.from_dense([[0, 1], [-1, -1], [1, 1], [0, -1]])
    >>> cs.suggest_rows(L, None, "conflict"), cs.suggest_rows(L, None, "silent")
    (array([0]), array([1]))
    """
    matrix = matrix_argument(L)
    arguments.one_of("kind", kind, _KINDS)
    count = arguments.count("n", n)
    possible = np.ones(len(matrix), dtype=bool)
    if y is not None:
        possible = arguments.gold_labels(y, len(matrix), matrix.cardinality) < 0
    if kind == "silent":
        return np.flatnonzero(possible & ~matrix.covered)[:count]
    if kind == "conflict":
        entropy = _entropy(matrix)
        rows = np.flatnonzero(possible & (entropy > 0))
        return rows[np.argsort(-entropy[rows], kind="stable")][:count]
    if model is None:
        msg = "low_margin needs a model, got None"
        raise ValueError(msg)
    proba = np.sort(model.predict_proba(matrix).astype(np.float64), axis=1)
    rows = np.flatnonzero(possible & matrix.covered)
    margin = proba[rows, -1] - (proba[rows, -2] if proba.shape[1] > 1 else 0.0)
    return rows[np.argsort(margin, kind="stable")][:count]


def _entropy(L: LabelMatrix) -> Floats:
    """Return the entropy of each row's vote shares; exactly 0 where all votes agree."""
    rows = vote_columns.row_of_entry(L.indptr)
    pair, counts = np.unique(rows * L.cardinality + L.labels, return_counts=True)
    row = pair // L.cardinality
    order = np.lexsort((counts, row))  # so that the names of the classes break no ties
    row, counts = row[order], counts[order]
    share = counts / np.diff(L.indptr)[row]
    parts = np.where(share < 1, -share * np.log(share), 0.0)
    return np.bincount(row, weights=parts, minlength=len(L)).astype(np.float64)


def label_buckets(y: ArrayLike, predicted: ArrayLike) -> dict[tuple[int, int], Ints]:
    """Return the rows of each pair (gold, predicted) that occurs.

    Parameters
    ----------
    y, predicted : (n,) integers
        -1 is unknown, or an abstain.

    Returns
    -------
    dict
        Pairs ascending; rows ascending, int64.

    Raises
    ------
    ValueError
        If they are of different lengths.
    TypeError
        If they are not whole numbers.

    Examples
    --------
    >>> import coverset as cs
    >>> {pair: rows.tolist() for pair, rows in cs.label_buckets([0, 1, 1], [1, 1, -1]).items()}
    {(0, 1): [0], (1, -1): [2], (1, 1): [1]}
    """
    gold, labels = _whole("y", y), _whole("predicted", predicted)
    if len(gold) != len(labels):
        msg = f"y and predicted must be of one length, got {len(gold)} and {len(labels)}"
        raise ValueError(msg)
    order = np.lexsort((np.arange(len(gold)), labels, gold))
    pairs = np.stack([gold[order], labels[order]], axis=1)
    starts = np.flatnonzero((np.diff(pairs, axis=0, prepend=pairs[:1] - 1) != 0).any(axis=1))
    groups = np.split(order.astype(np.int64), starts[1:]) if len(starts) else []
    return {
        (int(pairs[start, 0]), int(pairs[start, 1])): rows
        for start, rows in zip(starts, groups, strict=True)
    }


def _whole(name: str, values: ArrayLike) -> Ints:
    given = np.asarray(values)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        msg = f"{name} must be a vector of whole numbers, got {given.dtype} of shape {given.shape}"
        raise TypeError(msg)
    return given.astype(np.int64)


class Changes(NamedTuple):
    """Rows by what the majority vote said and what a model says; prints as a table."""

    majority: Ints  # label, -1: no vote, or a tie
    model: Ints
    rows: Ints
    right_before: Ints | None  # of the rows whose gold is known; None without gold
    right_after: Ints | None

    def __str__(self) -> str:
        """Return an aligned table."""
        columns: list[tuple[str, Any]] = [
            ("majority", self.majority), ("model", self.model), ("rows", self.rows)
        ]  # fmt: skip
        if self.right_before is not None and self.right_after is not None:
            columns += [("right before", self.right_before), ("right after", self.right_after)]
        rows = [[title for title, _ in columns]]
        rows += [[str(values[i]) for _, values in columns] for i in range(len(self.rows))]
        return _tables.aligned(rows)


def compare_with_majority(
    L: LabelMatrix, model: BaseLabelModel, y: ArrayLike | None = None
) -> Changes:
    """Return how a model's labels differ from the majority vote's.

    Parameters
    ----------
    L : LabelMatrix
    model : label model
        Fitted.
    y : (n,) integers, optional
        Gold, -1 where unknown.

    Examples
    --------
    >>> import coverset as cs
    >>> L = cs.LabelMatrix.from_dense([[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 0, -1]])
    >>> print(cs.compare_with_majority(L, cs.LabelModel().fit(L), [1, 1, 0, 0]))
    majority  model  rows  right before  right after
    -1            1     1             0            0
    0             0     2             1            1
    1             1     1             1            1
    """
    matrix = matrix_argument(L)
    before = MajorityVote().fit(matrix).predict(matrix).astype(np.int64)
    after = model.predict(matrix).astype(np.int64)
    buckets = label_buckets(before, after)
    pairs = np.array(list(buckets), dtype=np.int64).reshape(-1, 2)
    counts = np.array([len(rows) for rows in buckets.values()], dtype=np.int64)
    if y is None:
        return Changes(pairs[:, 0], pairs[:, 1], counts, None, None)
    gold = arguments.gold_labels(y, len(matrix), matrix.cardinality)
    right = [
        np.array([np.sum((gold[rows] >= 0) & (gold[rows] == labels[rows]))
                  for rows in buckets.values()], dtype=np.int64)
        for labels in (before, after)
    ]  # fmt: skip
    return Changes(pairs[:, 0], pairs[:, 1], counts, right[0], right[1])
