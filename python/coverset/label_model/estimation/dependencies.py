"""Labeling functions that depend on each other: how much of their votes counts."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import coverset._cpu as _cpu
from coverset.label_matrix import LabelMatrix
from coverset.label_model.estimation.clusters import average_linkage, connected
from coverset.label_model.estimation.vote_columns import Grouped, State, Table, row_of_entry

_LEAST_DICE = 0.85  # columns that share this much of their votes are taken for copies
_LEAST_CORRELATION = 0.55  # given the class; the mean of a cluster's pairs
_PRIOR_PAIRS = 10.0  # rows without agreement beyond chance, added to those of two annotators
_SURPRISE = 4.0  # standard errors: a weaker dependence is taken for an accident
_MOST = 0.999999

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Pairs(NamedTuple):
    """Columns that may repeat each other, first below second, of different LFs.

    Unipolar LFs meet in columns of one label, and always agree. Annotators meet as a whole, on the
    rows both voted on; their first columns stand for them.
    """

    first: Ints
    second: Ints
    rows: Floats  # with both votes
    agreeing: Floats  # of annotators: of these, with one label


class Weights(NamedTuple):
    """Which columns stand together, and how much of their votes counts."""

    cluster: NDArray[np.int32]  # (columns,)
    weight: Floats  # (columns,)


class Dependent:
    """The pairs of columns of some votes, and what they weigh together.

    ``family`` (one a LF) says which LFs are dependent; None: those that the votes show to be.
    """

    def __init__(self, grouped: Grouped, table: Table, family: Ints | None, threads: int) -> None:
        self._table, self._family, self._threads = table, family, threads
        self._size = len(table.label)
        self._lf = table.lf
        self._overlaps = _cpu.count_overlaps(*grouped.arrays(table, threads), self._size, threads)
        kind = table.indptr, table.label, table.annotator
        families = np.empty(0, dtype=np.int64) if family is None else family
        unipolar, annotators = _cpu.dependent_pairs(*self._overlaps, *kind, families, threads)
        self._unipolar, self._annotators = Pairs(*unipolar), Pairs(*annotators)
        self._votes = np.bincount(self._lf, weights=table.votes, minlength=len(table.annotator))

    def by_votes(self) -> Weights:
        """Return weights before anything is known of the classes: copies share their votes."""
        return self._weights(self._dice(), np.zeros(len(self._annotators.rows)), _LEAST_DICE)

    def by_posterior(self, state: State) -> Weights:
        """Return weights by the correlation of votes, given the class."""
        dice = self._dice()
        near = np.maximum(self._correlation(state), np.where(dice >= _LEAST_DICE, dice, 0.0))
        return self._weights(near, self._agreement(state), _LEAST_CORRELATION)

    def beyond_chance(self, state: State) -> list[tuple[int, int, float]]:
        """Return (LF, LF, agreement beyond chance) of annotators, where it is no accident."""
        pairs, chance = self._annotators, self._chance(state)
        beyond = _beyond(pairs, chance)
        spread = np.sqrt(chance * pairs.rows * (1 - chance))
        surprising = np.abs(beyond) * (pairs.rows * (1 - chance) + _PRIOR_PAIRS) >= (
            _SURPRISE * spread
        )
        kept = pairs.first[surprising], pairs.second[surprising]
        columns = self._lf[kept[0]], self._lf[kept[1]], beyond[surprising]
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def direct(self, state: State, l1: float, threads: int) -> list[tuple[int, int, float]]:
        """Return (LF, LF, partial correlation) of unipolar LFs of one class, by l1 regression."""
        found: list[tuple[int, int, float]] = []
        unipolar = self._table.annotator[self._lf] == 0
        for label in np.unique(self._table.label[unipolar]):
            some = np.flatnonzero(unipolar & (self._table.label == label))
            correlation = self._correlations(state, some)
            weights = np.empty_like(correlation)
            _cpu.solve_neighborhoods(correlation, l1, weights, threads)
            product = weights * weights.T
            least = _SURPRISE**2 / max(float(state.believed_rows.sum()), 1.0)
            a, b = np.nonzero(np.triu((product > 0) & (product >= least), 1))
            strength = np.sign(weights[a, b]) * np.sqrt(product[a, b])
            lfs = self._lf[some]
            found += zip(lfs[a].tolist(), lfs[b].tolist(), strength.tolist(), strict=True)
        return found

    def _correlations(self, state: State, some: Ints) -> Floats:
        """Return the correlations, given the class, of some columns: (c, c), 1 on the diagonal."""
        rows, expected = np.maximum(state.believed_rows, 1e-300), state.believed[some]
        covariance = np.zeros((len(some), len(some)))
        place = np.full(self._size, -1)
        place[some] = np.arange(len(some))
        indptr, second, both = self._overlaps
        first = row_of_entry(indptr)
        inside = (place[first] >= 0) & (place[second] >= 0)
        covariance[place[first[inside]], place[second[inside]]] = both[inside]
        covariance += covariance.T
        for y, n in enumerate(rows):
            covariance -= np.multiply.outer(expected[:, y] / n, expected[:, y])
        variance = np.maximum((expected * (1 - expected / rows)).sum(axis=1), 1e-12)
        spread = np.sqrt(variance)
        correlation = covariance / (spread[:, None] * spread)
        np.fill_diagonal(correlation, 1.0)
        clipped: Floats = correlation.clip(-1.0, 1.0)
        return clipped

    def _dice(self) -> Floats:
        pairs, votes = self._unipolar, self._table.votes
        dice: Floats = 2 * pairs.rows / (votes[pairs.first] + votes[pairs.second] + _PRIOR_PAIRS)
        return dice

    def _correlation(self, state: State) -> Floats:
        """Return the correlation, given the class, of the votes of unipolar LFs."""
        pairs, rows = self._unipolar, np.maximum(state.believed_rows, 1e-300)
        expected = state.believed
        variance = np.maximum((expected * (1 - expected / rows)).sum(axis=1), 1e-12)
        both = np.empty(len(pairs.rows))
        weighed = expected / rows, expected, pairs.first, pairs.second
        _cpu.multiply_pairs(*weighed, expected.shape[1], both, self._threads)
        spread = np.sqrt(variance[pairs.first] * variance[pairs.second])
        correlation: Floats = (pairs.rows - both) / (spread + _PRIOR_PAIRS / 2)
        return correlation

    def _agreement(self, state: State) -> Floats:
        """Return the agreement of annotators beyond that of their confusions, on common rows."""
        return _beyond(self._annotators, self._chance(state))

    def _chance(self, state: State) -> Floats:
        """Return how often annotators of these confusions agree by chance, given the class."""
        pairs, table = self._annotators, self._table
        chance = np.empty(len(pairs.rows))
        if not len(pairs.rows):
            return chance
        by_lf = np.zeros((len(table.annotator), state.believed.shape[1]))
        np.add.at(by_lf, self._lf, state.believed)
        confusion = state.believed / np.maximum(by_lf[self._lf], 1e-300)
        weighed = confusion * state.class_balance, confusion, pairs.first, pairs.second
        kinds = table.indptr, table.label, confusion.shape[1]
        _cpu.multiply_annotators(*weighed, *kinds, chance, self._threads)
        return chance.clip(0.0, 1.0)

    def _weights(self, unipolar: Floats, annotators: Floats, least: float) -> Weights:
        """Cluster, and let each vote count 1 / (1 + what its cluster repeats of it)."""
        first = np.concatenate([self._unipolar.first, self._annotators.first])
        second = np.concatenate([self._unipolar.second, self._annotators.second])
        similarity = np.clip(np.concatenate([unipolar, annotators]), 0.0, _MOST)
        if self._family is None:
            pairs = first, second, similarity
            cluster = average_linkage(self._size, *pairs, least, self._threads)
        else:
            cluster = connected(self._size, first, second)
        repeated = np.zeros(self._size)
        together = np.where(cluster[first] == cluster[second], similarity, 0.0)
        common = np.concatenate([np.full(len(unipolar), np.inf), self._annotators.rows])
        for some in (first, second):  # of an annotator's votes, those on common rows
            share = np.minimum(common / self._votes[self._lf[some]], 1.0)
            np.add.at(repeated, some, together * share)
        lead = np.where(self._table.annotator == 1, self._table.indptr[:-1], -1)[self._lf]
        own = np.where(lead >= 0, lead, np.arange(self._size))
        weight = 1 / (1 + repeated[own])
        return Weights(self._of_label(cluster[own]), weight)

    def _of_label(self, cluster: Ints) -> NDArray[np.int32]:
        """Number clusters apart by label, each by its first column."""
        k = int(self._table.label.max(initial=0)) + 1
        _, first, place = np.unique(
            cluster * k + self._table.label, return_index=True, return_inverse=True
        )
        names: NDArray[np.int32] = first[place].astype(np.int32)
        return names


def _beyond(pairs: Pairs, chance: Floats) -> Floats:
    """Return the agreement beyond chance, shrunk by pseudo-rows."""
    expected = chance * pairs.rows
    beyond: Floats = (pairs.agreeing - expected) / (pairs.rows - expected + _PRIOR_PAIRS)
    return beyond


def summary(table: Table) -> tuple[Floats, list[tuple[int, ...]]]:
    """Return how much of each LF's votes counts at the least, and the clusters of LFs."""
    weight = np.ones(len(table.annotator))
    np.minimum.at(weight, table.lf, table.weight)
    _, lead, place = np.unique(table.cluster, return_index=True, return_inverse=True)
    others = np.flatnonzero(lead[place] != np.arange(len(place)))
    first, second = table.lf[lead[place[others]]], table.lf[others]
    family = connected(len(weight), first, second)
    members = [tuple(np.flatnonzero(family == j).tolist()) for j in np.unique(family[second])]
    return weight, members


def families(dependencies: Any, groups: Any, L: LabelMatrix) -> Ints | None:
    """Return the family of each LF as the user gave it, by pairs or by groups, or None."""
    given = None if isinstance(dependencies, str) else _pairs_argument(dependencies, L)
    if given is None and groups is None:
        return None
    family = np.arange(L.n_lfs) if groups is None else _groups_argument(groups, L)
    first, second = [], []
    for name in np.unique(family):
        members = np.flatnonzero(family == name)
        first += [members[0]] * (len(members) - 1)
        second += members[1:].tolist()
    for a, b in given or ():
        first.append(a)
        second.append(b)
    return connected(L.n_lfs, np.array(first, dtype=np.int64), np.array(second, dtype=np.int64))


def lf_argument(name: str, lf: Any, L: LabelMatrix) -> int:
    """Return the index of an LF given by index or name."""
    if isinstance(lf, str):
        names = L.lf_names or ()
        if lf not in names:
            msg = f"{name} must be an LF of L, got {lf!r}"
            raise ValueError(msg)
        return list(names).index(lf)
    if isinstance(lf, bool) or not isinstance(lf, int | np.integer):
        msg = f"{name} must be the index or name of an LF, got {lf!r}"
        raise TypeError(msg)
    if not 0 <= lf < L.n_lfs:
        msg = f"{name} must be in 0..{L.n_lfs - 1}, got {lf}"
        raise ValueError(msg)
    return int(lf)


def _pairs_argument(pairs: Any, L: LabelMatrix) -> list[tuple[int, int]]:
    found: dict[tuple[int, int], int] = {}
    if not isinstance(pairs, Sequence | set | np.ndarray):
        msg = f"dependencies must be 'auto', 'none' or pairs of LFs, got {pairs!r}"
        raise TypeError(msg)
    for i, pair in enumerate(pairs):
        if isinstance(pair, str) or not hasattr(pair, "__len__") or len(pair) != 2:
            msg = f"dependencies[{i}] must be a pair of LFs, got {pair!r}"
            raise ValueError(msg)
        a, b = (lf_argument(f"dependencies[{i}]", lf, L) for lf in pair)
        if a == b:
            msg = f"dependencies[{i}] must be two LFs, got {pair!r}"
            raise ValueError(msg)
        key = min(a, b), max(a, b)
        if key in found:
            msg = f"dependencies must be unique, entry {i} repeats entry {found[key]}: {pair!r}"
            raise ValueError(msg)
        found[key] = i
    return list(found)


def _groups_argument(groups: Any, L: LabelMatrix) -> Ints:
    """Return a number for the family of each LF; None is a family of its own."""
    family = np.arange(L.n_lfs)
    if isinstance(groups, Mapping):
        taken: dict[int, Hashable] = {}
        for name, members in groups.items():
            indices = [lf_argument(f"groups[{name!r}]", lf, L) for lf in members]
            for j in indices:
                if j in taken:
                    msg = f"groups must not share LFs, {taken[j]!r} and {name!r} share {j}"
                    raise ValueError(msg)
                taken[j] = name
            family[indices] = min(indices, default=0)
        return family
    if isinstance(groups, str) or not hasattr(groups, "__len__") or len(groups) != L.n_lfs:
        msg = f"groups must map families to LFs, or name one for each of {L.n_lfs} LFs, "
        raise ValueError(f"{msg}got {groups!r}")
    first: dict[Hashable, int] = {}
    for j, name in enumerate(groups):
        if name is not None:
            family[j] = first.setdefault(name, j)
    return family
