"""What models learn from, as sums: statistics of parts of the rows add up to those of all."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
import coverset._cpu as _cpu
from coverset.label_matrix import LabelMatrix
from coverset.label_model.estimation import vote_columns
from coverset.label_model.estimation.encoding import MOST_ROWS, Arrays, packed

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_VOTES = {"indptr": "<i8", "lfs": "<i4", "labels": "<i2"}
_NAMES = ("lf_names", "class_names", "polarity")


class PatternStatistics(NamedTuple):
    """Distinct rows of votes and gold, with how often each occurs."""

    grouped: vote_columns.Grouped

    @classmethod
    def of(cls, L: LabelMatrix, y: ArrayLike | None, threads: int) -> Self:
        """Collapse the rows of ``L``."""
        return cls(vote_columns.group(L, y, threads))

    def plus(self, other: Self, threads: int) -> Self:
        """Return the statistics of both."""
        first, second = self.grouped, other.grouped
        both = LabelMatrix.concat([first.matrix, second.matrix])
        weights = np.concatenate([first.weight, second.weight])
        gold = np.concatenate([first.gold, second.gold])
        joined = vote_columns.group(both, gold, threads, weights)
        return type(self)(joined)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of LFs and cardinality."""
        return self.grouped.matrix.n_lfs, self.grouped.matrix.cardinality

    def stored(self) -> dict[str, Any]:
        """Return them as JSON has them."""
        matrix, weight, gold = self.grouped.matrix, self.grouped.weight, self.grouped.gold
        arrays = {name: getattr(matrix, name) for name in _VOTES} | {"weight": weight, "gold": gold}
        names = {name: getattr(matrix, name) for name in _NAMES}
        return {**{name: packed(array) for name, array in arrays.items()}, **names}

    @classmethod
    def restored(cls, stored: dict[str, Any], m: int, k: int) -> Self:
        """Return what :meth:`stored` was given, checked; ValueError or TypeError otherwise."""
        arrays = Arrays(stored)
        votes = [arrays.vector(name, dtype) for name, dtype in _VOTES.items()]
        matrix = LabelMatrix.from_csr(
            *votes, n_lfs=m, cardinality=k, copy=False, **{name: stored[name] for name in _NAMES}
        )
        n = len(matrix)
        weight, gold = arrays.counts("weight", n), arrays.take("gold", "<i2", (n,))
        if not ((gold >= -1) & (gold < k)).all() or weight.sum() > MOST_ROWS:
            msg = "its distinct rows hold gold or counts that no fit gives"
            raise ValueError(msg)
        return cls(vote_columns.Grouped(matrix, weight, gold))


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
        grouped = vote_columns.group(L, y, threads)
        table = vote_columns.observe(grouped, threads)
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

    def stored(self) -> dict[str, Any]:
        """Return them as JSON has them."""
        arrays = self._asdict()
        del arrays["shape"], arrays["n"]
        return {"n": self.n, **{name: packed(array) for name, array in arrays.items()}}

    @classmethod
    def restored(cls, stored: dict[str, Any], m: int, k: int) -> Self:
        """Return what :meth:`stored` was given, checked; ValueError or TypeError otherwise."""
        arrays = Arrays(stored)
        vote, pair = arrays.vector("vote", "<i8"), arrays.vector("pair", "<i8")
        rows, both = arrays.counts("rows", len(vote)), arrays.counts("rows_both", len(pair))
        n = arguments.whole_number("n", stored["n"], 0, MOST_ROWS)
        found = cls((m, k), n, vote, rows, pair, both)
        if not found._in_order():
            msg = "its counts of votes and pairs of votes are not in order"
            raise ValueError(msg)
        return found

    def _in_order(self) -> bool:
        """Return whether votes and pairs ascend, pairs are of votes, and no count is too large."""
        k, size = self.shape[1], self.shape[0] * self.shape[1]
        if (np.diff(self.vote) <= 0).any() or (np.diff(self.pair) <= 0).any():
            return False
        if ((self.vote < 0) | (self.vote >= size)).any() or (self.rows > self.n).any():
            return False
        if not len(self.pair):
            return True
        pairs = self.pairs()
        if not np.isin(pairs, self.vote).all() or (pairs[0] // k >= pairs[1] // k).any():
            return False
        rows = (self.rows[np.searchsorted(self.vote, vote)] for vote in pairs)
        return all((self.rows_both <= most).all() for most in rows)

    def lf_indptr(self) -> Ints:
        """Return where the votes of each LF begin."""
        m, k = self.shape
        return np.searchsorted(self.vote, np.arange(m + 1) * k).astype(np.int64)

    def pairs_of(self, votes: Ints) -> tuple[Ints, Ints]:
        """Return the pairs as CSR, one row for each of ``votes``, which are all there are."""
        firsts = votes * (self.shape[0] * self.shape[1])
        indptr = np.append(np.searchsorted(self.pair, firsts), len(self.pair)).astype(np.int64)
        return indptr, self.pair - np.repeat(firsts, np.diff(indptr))

    def pairs(self) -> tuple[Ints, Ints]:
        """Return the votes of each pair."""
        first, second = np.divmod(self.pair, self.shape[0] * self.shape[1])
        return first, second


def both_ways(half: Ints, second: NDArray[np.int32]) -> tuple[Ints, NDArray[np.int32], Ints]:
    """Return pairs both ways round; the second of each, above its first, ascend in rows of CSR.

    As CSR too: row pointers, the other of each pair, and the place of the pair.
    """
    indptr, other = np.empty_like(half), np.empty(2 * len(second), dtype=np.int32)
    entry = np.empty(len(other), dtype=np.int64)
    _cpu.mirror_overlaps(half, second, indptr, other, entry, 1)
    return indptr, other, entry


def _added(first: tuple[Ints, Floats], second: tuple[Ints, Floats]) -> tuple[Ints, Floats]:
    """Return the keys of both, ascending, and the sums of their counts."""
    keys = np.concatenate([first[0], second[0]])
    order = np.argsort(keys, kind="stable")  # two ascending runs: merged, not sorted
    keys, counts = keys[order], np.concatenate([first[1], second[1]])[order]
    fresh = np.diff(keys, prepend=-1) > 0
    sums: Floats = np.bincount(np.cumsum(fresh) - 1, weights=counts).astype(np.float64)
    return keys[fresh], sums
