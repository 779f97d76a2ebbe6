"""Moments of votes, and the loss of parameters that should match them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import coverset._cpu as _cpu
from coverset.label_model.estimation import vote_columns
from coverset.label_model.estimation.assignment import best_assignment
from coverset.label_model.estimation.statistics import PairStatistics, both_ways

Floats = NDArray[np.float64]


def smallest_probability(n: int) -> float:
    """Return the least probability that ``n`` rows can tell from 0."""
    return float(min(0.01, 10.0 ** -np.ceil(np.log10(n))))


class MomentProblem:
    """The shares of votes and pairs of votes, and the loss over them."""

    def __init__(
        self,
        statistics: PairStatistics,
        balance: Floats,
        precision: Floats,
        table: vote_columns.Table | None = None,
    ) -> None:
        m, k = statistics.shape
        vote = statistics.vote
        if table is None:
            table = vote_columns.Table(
                statistics.lf_indptr(), (vote % k).astype(np.int16), np.ones(m, dtype=np.uint8),
                statistics.rows.astype(np.int64), np.ones(len(vote)),
                np.arange(len(vote), dtype=np.int32),
            )  # fmt: skip
        self.table = table
        n = max(statistics.n, 1)
        keys = table.lf * k + table.label
        share = np.zeros(len(keys))
        share[np.searchsorted(keys, vote)] = statistics.rows / n
        place = np.empty(m * k, dtype=np.int32)
        place[keys] = np.arange(len(keys))
        half, second = statistics.pairs_of(keys)
        indptr, other, entry = both_ways(half, place[second])
        both = (statistics.rows_both / n)[entry]
        self._moments = table.indptr, share, indptr, other, both, balance
        own = np.zeros((len(keys), k))
        right = np.clip(share * precision[table.lf] / balance[table.label], 0.0, 1.0)
        own[np.arange(len(keys)), table.label] = right
        self.start = own
        self._balance = balance

    def descend(
        self,
        mu: Floats,
        rates: Floats,
        l2: float,
        threads: int,
        *,
        optimizer: str = "sgd",
        momentum: float = 0.9,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        amsgrad: bool = False,
    ) -> bool:
        """Take one step for each rate, in place; False where they diverged."""
        return _cpu.descend_moments(
            *(self._moments, optimizer, momentum, *betas, epsilon, amsgrad, float(l2)),
            *(rates, self.start, mu, threads),
        )

    def loss(self, mu: Floats, l2: float, threads: int) -> float:
        """Return the loss."""
        return _cpu.moment_loss(self._moments, mu, self.start, float(l2), threads)

    def in_order(self, mu: Floats) -> Floats:
        """Name classes of equal balance so that as many votes as possible are right."""
        k = len(self._balance)
        of_label = np.zeros((k, k))
        np.add.at(of_label, self.table.label, mu)
        names = np.round(self._balance, 3)
        order = np.arange(k)
        for name in np.unique(names):
            some = np.flatnonzero(names == name)
            order[some] = some[best_assignment(of_label[np.ix_(some, some)])]
        return np.ascontiguousarray(mu[:, order])
