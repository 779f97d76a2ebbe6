"""What models learn from, as sums: statistics of parts of the rows add up to those of all."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._cpu as _cpu
from coverset.label_matrix import LabelMatrix
from coverset.label_model.estimation import columns

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class PatternStatistics(NamedTuple):
    """Distinct rows of votes and gold, with how often each occurs."""

    grouped: columns.Grouped

    @classmethod
    def of(cls, L: LabelMatrix, y: ArrayLike | None, threads: int) -> Self:
        """Collapse the rows of ``L``."""
        return cls(columns.group(L, y, threads))

    def plus(self, other: Self, threads: int) -> Self:
        """Return the statistics of both."""
        first, second = self.grouped, other.grouped
        both = LabelMatrix.concat([first.matrix, second.matrix])
        weights = np.concatenate([first.weight, second.weight])
        gold = np.concatenate([first.gold, second.gold])
        joined = columns.group(both, gold, threads, weights)
        return type(self)(joined)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of LFs and cardinality."""
        return self.grouped.matrix.n_lfs, self.grouped.matrix.cardinality


class PairStatistics(NamedTuple):
    """Rows with each vote, and with each pair of votes; a vote (LF, label) is LF * k + label."""

    shape: tuple[int, int]
    n: int
    vote: Ints  # ascending
    rows: Floats
    pair: Ints  # first vote * (m k) + second, ascending, first below second
    rows_both: Floats

    @classmethod
    def of(cls, L: LabelMatrix, y: ArrayLike | None, threads: int) -> Self:
        """Count the votes of ``L``; gold says nothing here."""
        grouped = columns.group(L, y, threads)
        table = columns.observe(grouped)
        k = L.cardinality
        vote = table.lf * k + table.label
        indptr, other, rows_both = _cpu.count_overlaps(
            *grouped.arrays(table, threads), len(vote), threads
        )
        first = np.repeat(vote, np.diff(indptr))
        pair = first * (L.n_lfs * k) + vote[other]
        rows = table.votes.astype(np.float64)
        return cls((L.n_lfs, k), len(L), vote, rows, pair, rows_both)

    def plus(self, other: Self, threads: int) -> Self:
        """Return the statistics of both."""
        vote, rows = _added((self.vote, self.rows), (other.vote, other.rows))
        pair, both = _added((self.pair, self.rows_both), (other.pair, other.rows_both))
        return type(self)(self.shape, self.n + other.n, vote, rows, pair, both)

    def lf_indptr(self) -> Ints:
        """Return where the votes of each LF begin."""
        m, k = self.shape
        return np.searchsorted(self.vote, np.arange(m + 1) * k).astype(np.int64)

    def pairs(self) -> tuple[Ints, Ints]:
        """Return the votes of each pair."""
        first, second = np.divmod(self.pair, self.shape[0] * self.shape[1])
        return first, second


def _added(first: tuple[Ints, Floats], second: tuple[Ints, Floats]) -> tuple[Ints, Floats]:
    """Return the keys of both, ascending, and the sums of their counts."""
    keys, place = np.unique(np.concatenate([first[0], second[0]]), return_inverse=True)
    counts = np.concatenate([first[1], second[1]])
    sums: Floats = np.bincount(place, weights=counts, minlength=len(keys)).astype(np.float64)
    return keys, sums
