"""The tables that a label model learns on: distinct rows, and (LF, label) columns."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
import coverset._cpu as _cpu
from coverset.label_matrix import LabelMatrix

NO_CLUSTERS = np.empty(0, dtype=np.int32)
_Z = 1.959963984540054  # of a 95 % interval
_CHANCE = 1e-3  # below this probability an annotator's votes are not one class by chance


def row_of_entry(indptr: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row of each entry of a CSR layout."""
    return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))


def numbered(keys: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the distinct keys of 0..size-1, ascending, and the place of each key among them."""
    if size > 4 * len(keys) + 1024:
        return np.unique(keys, return_inverse=True)
    present = np.zeros(size, dtype=np.bool_)
    present[keys] = True
    place: NDArray[Any] = np.cumsum(present, dtype=np.int32 if size < 2**31 else np.int64)
    return np.flatnonzero(present), (place - 1)[keys]


class Table(NamedTuple):
    """The (LF, label) pairs that a model weighs; columns of LF j are indptr[j]..indptr[j+1]-1."""

    indptr: NDArray[np.int64]  # (m + 1,)
    label: NDArray[np.int16]  # (columns,)
    annotator: NDArray[np.uint8]  # (m,): 1 for confusion, 0 for lift
    votes: NDArray[np.int64]  # (columns,): votes it was seen with
    weight: NDArray[np.float64]  # (columns,): how much of a vote counts
    cluster: NDArray[np.int32]  # (columns,): the first column of those that stand together

    def arrays(self) -> tuple[Any, Any, Any, Any]:
        """What the kernels take."""
        return self.indptr, self.label, self.annotator, self.weight

    @property
    def lf(self) -> NDArray[np.int64]:
        """(columns,): the LF of each column."""
        return row_of_entry(self.indptr)


class Settings(NamedTuple):
    """What weighing a column needs besides its expected votes."""

    anchor: float
    row_correlation: float
    kappa: float
    annotator_share: float
    balance_given: bool

    def options(self) -> _cpu.FitOptions:
        """What the kernels take."""
        options = _cpu.FitOptions()
        for name, value in self._asdict().items():
            setattr(options, name, value)
        return options


class State(NamedTuple):
    """What was learned, one row a column."""

    expected: NDArray[np.float64]  # (columns, k): expected votes in each class
    log_weight: NDArray[np.float64]  # (columns, k): log evidence of a vote
    class_balance: NDArray[np.float64]  # (k,)
    believed: NDArray[np.float64]  # (columns, k): expected votes, by the posterior alone
    believed_rows: NDArray[np.float64]  # (k,): expected covered rows, by the posterior alone

    @classmethod
    def zero(cls, table: Table, class_balance: NDArray[np.float64]) -> State:
        """Return a state of which only the class balance is known."""
        c, k = len(table.label), len(class_balance)
        votes = (np.zeros((c, k)) for _ in range(3))
        expected, log_weight, believed = votes
        return cls(expected, log_weight, class_balance.copy(), believed, np.zeros(k))


class Fitted(NamedTuple):
    """All that predictions need; replaced as a whole."""

    table: Table
    state: State
    settings: Settings
    without_votes: NDArray[np.float64]  # (k,): probabilities of a row without votes

    @property
    def cardinality(self) -> int:
        """Number of classes."""
        return len(self.without_votes)

    @property
    def n_lfs(self) -> int:
        """Number of LFs."""
        return len(self.table.annotator)


class Grouped:
    """Distinct rows of votes and gold, with how often each occurs."""

    def __init__(
        self, matrix: LabelMatrix, weight: NDArray[np.float64], gold: NDArray[np.int16]
    ) -> None:
        self.matrix = matrix
        self.weight = weight
        self.gold = gold
        self._found: tuple[Any, Any] = (None, None)  # labels of a table, and each vote's column

    @property
    def n_patterns(self) -> int:
        """Number of distinct rows."""
        return len(self.weight)

    def arrays(self, table: Table, threads: int) -> tuple[Any, Any, Any, Any]:
        """What the kernels take; the columns of the table that was asked for last are kept."""
        if self._found[0] is not table.label:
            self._found = table.label, find(self.matrix, table, threads)
        return self.matrix.indptr, self._found[1], self.weight, self.gold


def group(
    L: LabelMatrix,
    y: ArrayLike | None,
    threads: int,
    weights: NDArray[np.float64] | None = None,
) -> Grouped:
    """Collapse equal rows (with equal gold) into patterns with counts, or with sums of weights."""
    n = len(L)
    gold = np.empty(0, dtype=np.int16) if y is None else arguments.gold_labels(y, n, L.cardinality)
    pattern_of_row, first_row = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    count = _cpu.group_rows(L.indptr, L.lfs, L.labels, gold, pattern_of_row, first_row, threads)
    firsts = first_row[:count]
    # rows of equal length stand together: loops over their votes take the same number of turns
    lengths = L.indptr[firsts + 1] - L.indptr[firsts]
    order = np.argsort(lengths.astype(np.min_scalar_type(L.n_lfs)), kind="stable")
    firsts = firsts[order]
    return Grouped(
        L[firsts],
        np.bincount(pattern_of_row, weights, minlength=count).astype(np.float64)[order],
        np.full(count, -1, dtype=np.int16) if y is None else gold[firsts],
    )


def _table(votes: NDArray[np.int64], annotator: NDArray[np.uint8]) -> Table:
    """Return the columns with a vote in (m, k) counts."""
    lf, label = np.nonzero(votes)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(lf, minlength=len(votes)))])
    return Table(
        *(indptr.astype(np.int64), label.astype(np.int16), annotator, votes[lf, label]),
        weight=np.ones(len(label)),
        cluster=np.arange(len(label), dtype=np.int32),
    )


def _counts(L: LabelMatrix, threads: int) -> NDArray[np.int64]:
    votes = np.empty((L.n_lfs, L.cardinality), dtype=np.int64)
    _cpu.count_labels(L.indptr, L.lfs, L.labels, L.cardinality, votes, threads)
    return votes


def observe(grouped: Grouped, threads: int) -> Table:
    """Return the columns of distinct rows; no LF is an annotator yet."""
    matrix = grouped.matrix
    m, k = matrix.n_lfs, matrix.cardinality
    counts = np.empty((m, k), dtype=np.int64)
    _cpu.weigh_labels(matrix.indptr, matrix.lfs, matrix.labels, grouped.weight, k, counts, threads)
    return _table(counts, np.zeros(m, dtype=np.uint8))


def observe_rows(L: LabelMatrix, threads: int) -> Table:
    """Return the columns of ``L``; no LF is an annotator yet."""
    return _table(_counts(L, threads), np.zeros(L.n_lfs, dtype=np.uint8))


def agreement(
    grouped: Grouped,
    table: Table,
    k: int,
    threads: int,
    cluster: NDArray[np.int32] = NO_CLUSTERS,
) -> tuple[float, NDArray[np.float64]]:
    """Return Krippendorff's alpha, and the mean vote share of each class over covered rows."""
    share = np.empty(k)
    alpha, _ = _cpu.measure_agreement(
        *grouped.arrays(table, threads), *table.arrays(), cluster, share, threads
    )
    return alpha, share


def tell_annotators(table: Table, L: LabelMatrix, share: NDArray[np.float64]) -> Table:
    """Tell annotators (several classes) from unipolar LFs (one class).

    A declared polarity settles it. Otherwise an LF seen with several labels is an annotator; where
    annotators cast at least half of the votes, so is one seen with a single label, unless that is
    too unlikely to be chance.
    """
    several: NDArray[np.bool_] = np.diff(table.indptr) > 1
    votes_of_lf = np.bincount(table.lf, weights=table.votes, minlength=L.n_lfs)
    annotator = several.copy()
    if votes_of_lf[several].sum() >= 0.5 * votes_of_lf.sum() and several.any():
        for lf in np.flatnonzero(~several).tolist():
            if votes_of_lf[lf]:
                own = table.label[table.indptr[lf]]
                annotator[lf] = share[own] ** votes_of_lf[lf] >= _CHANCE
            else:
                annotator[lf] = True
    for lf, classes in enumerate(L.polarity or ()):
        if classes is not None:
            annotator[lf] = len(classes) > 1
    return table._replace(annotator=annotator.astype(np.uint8))


def annotator_share(table: Table) -> float:
    """Return the share of votes cast by annotators."""
    total = int(table.votes.sum())
    return int(table.votes[table.annotator[table.lf] == 1].sum()) / total if total else 0.0


def believing(
    state: State, table: Table, grouped: Grouped, post: NDArray[np.float64], threads: int
) -> State:
    """Return the state with expected votes by other class probabilities of the patterns."""
    indptr, column, weight, gold = grouped.arrays(table, threads)
    known, covered = gold >= 0, np.diff(indptr) > 0
    mass = np.where(known[:, None], np.eye(post.shape[1])[gold], post) * weight[:, None]
    believed = np.empty((len(table.label), post.shape[1]))
    _cpu.add_by_column(indptr, column, mass, post.shape[1], believed, threads)
    return state._replace(believed=believed, believed_rows=mass[covered].sum(axis=0))


def accuracies(table: Table, state: State) -> NDArray[np.float64]:
    """Return each LF's expected share of right votes."""
    m = len(table.indptr) - 1
    votes = np.bincount(table.lf, weights=table.votes, minlength=m)
    right = state.believed[np.arange(len(table.label)), table.label]
    hits = np.bincount(table.lf, weights=right, minlength=m)
    accuracy: NDArray[np.float64] = np.full(m, np.nan)
    return np.divide(hits, votes, out=accuracy, where=votes > 0)


def accuracy_intervals(table: Table, accuracy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Wilson's 95 % score interval of each LF's accuracy."""
    n = np.bincount(table.lf, weights=table.votes, minlength=len(accuracy))
    n = np.where(n > 0, n, np.nan)
    middle = (accuracy + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * np.sqrt(accuracy * (1 - accuracy) / n + (_Z / (2 * n)) ** 2)
    low, high = np.minimum(middle - half, accuracy), np.maximum(middle + half, accuracy)
    interval: NDArray[np.float64] = np.stack([low, high], axis=1).clip(0.0, 1.0)
    return interval


def find(L: LabelMatrix, table: Table, threads: int) -> NDArray[np.int32]:
    """Return the column of each vote."""
    column = np.empty(L.nnz, dtype=np.int32)
    _cpu.find_columns(L.indptr, L.lfs, L.labels, *table.arrays(), column, threads)
    return column


def every(m: int, k: int) -> Table:
    """Return the columns of all labels of all LFs."""
    return _table(np.ones((m, k), dtype=np.int64), np.ones(m, dtype=np.uint8))


def joined(table: Table, L: LabelMatrix, threads: int) -> Table:
    """Return columns for the votes of ``L`` as well; the same object where there are no others."""
    known = np.zeros((L.n_lfs, L.cardinality), dtype=np.int64)
    known[table.lf, table.label] = 1
    seen = _counts(L, threads) > 0
    return _table(known + seen, table.annotator) if (seen & (known == 0)).any() else table


def extend(table: Table, state: State, L: LabelMatrix, threads: int) -> tuple[Table, State]:
    """Return tables with columns for every vote of ``L``: unseen ones have no expected votes."""
    wider = joined(table, L, threads)
    if wider is table:
        return table, state
    k = L.cardinality
    old = np.searchsorted(wider.lf * k + wider.label, table.lf * k + table.label)
    larger = State.zero(wider, state.class_balance)
    larger.expected[old] = state.expected
    wider.weight[old] = table.weight
    wider.cluster[old] = old[table.cluster]
    return wider, larger
