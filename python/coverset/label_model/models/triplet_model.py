"""FlyingSquid's label model: accuracies in closed form, from triplets of labeling functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
import coverset._cpu as _cpu
from coverset.label_matrix import LabelMatrix
from coverset.label_model.estimation import rows_without_votes, vote_columns
from coverset.label_model.estimation.encoding import Arrays
from coverset.label_model.estimation.evidence import Evidence
from coverset.label_model.estimation.statistics import PairStatistics, both_ways
from coverset.label_model.models.base import balance_argument
from coverset.label_model.models.streamed import StreamedModel

Floats = NDArray[np.float64]

_LARGEST = 0.999999


class TripletModel(StreamedModel):
    """Solve for accuracies by the method of moments over triplets (Fu et al. 2020).

    Two labeling functions (LFs) that err independently agree as far as both are right:
    ``E[s_i s_j] = a_i a_j``, so that ``a_i`` is known from any two others. Here it is the mean over
    all triplets. More than two classes are solved one against the rest. LFs are taken to be
    better than chance.

    The same votes give the same bytes on any thread count and SIMD level, in any order of the
    rows, and however they are divided over ``partial_fit`` and ``merge``.

    Parameters
    ----------
    class_balance : (k,) floats, optional
        Probability of each class; uniform by default.
    seed : int
        Draws of ``tie_break_policy="random"``.

    Attributes
    ----------
    cardinality_, n_lfs_ : int
    class_balance_ : (k,) float64
    class_accuracies_ : (m, k) float64
        How often an LF that votes tells class y from the rest; 0.5 where no triplet says.
    lf_accuracies_ : (m,) float64
        With two classes only.

    Notes
    -----
    No iterations: O(sum of squared votes of the distinct rows) for the pairs, then O(triplets) for
    each class.

    Examples
    --------
    >>> import coverset as cs
    >>> L = cs.LabelMatrix.from_dense([[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 1, 0], [0, 1, 1]])
    >>> model = cs.TripletModel().fit(L)
    >>> model.lf_accuracies_.round(2), model.predict(L)
    (array([0.89, 0.89, 0.63]), array([0, 1, 0, 1, 1], dtype=int16))
    """

    _statistics_type: ClassVar[Any] = PairStatistics
    _magic: ClassVar[str] = "coverset.triplet_model"
    _fewest_lfs: ClassVar[int] = 3

    def __init__(self, *, class_balance: ArrayLike | None = None, seed: int = 0) -> None:
        self.class_balance = class_balance
        self.seed = seed

    def _check(self, k: int) -> Floats:
        arguments.whole_number("seed", self.seed, 0, 2**63 - 1)
        balance = balance_argument(self.class_balance, k)
        return np.full(k, 1 / k) if balance is None else balance

    def _learn(self, statistics: Any, checked: Any, threads: int) -> dict[str, Any]:
        m, k = statistics.shape
        pairs = _LFPairs(statistics)
        accuracies = np.empty((m, k))
        for y in range(k) if k > 2 else (1,) if k == 2 else ():
            accuracies[:, y] = (1 + pairs.reliability(y, threads)) / 2
        if k == 2:
            accuracies[:, 0] = accuracies[:, 1]
        if k == 1:
            accuracies[:] = 0.5
        return {"class_balance_": checked, "class_accuracies_": accuracies}

    @property
    def lf_accuracies_(self) -> Floats:
        """(m,) float64: how often each LF is right; AttributeError unless there are two classes."""
        self._require_fitted()
        if self.cardinality_ != 2:
            msg = "lf_accuracies_ is of two classes; see class_accuracies_"
            raise AttributeError(msg)
        return self.class_accuracies_[:, 1].copy()

    def _evidence(self, L: LabelMatrix, threads: int) -> Evidence:
        if self.cardinality_ != 2:
            msg = f"L must have two classes to be explained, got {self.cardinality_}"
            raise ValueError(msg)
        column, log_weight, prior = self._weighed(L, threads)
        log_weight[:, 0] = prior[0] = 0.0
        without_votes = rows_without_votes.by_balance(self.class_balance_)
        return Evidence(column, log_weight, prior, without_votes)

    def _weighed(self, L: LabelMatrix, threads: int) -> tuple[NDArray[np.int32], Floats, Floats]:
        """Return the column of each vote, the log odds of columns, and those before any vote."""
        table = vote_columns.observe_rows(L, threads)
        odds = _cpu.logs(self.class_accuracies_) - _cpu.logs(1 - self.class_accuracies_)
        log_weight = -odds[table.lf]
        log_weight[np.arange(len(table.label)), table.label] *= -1
        prior = _cpu.logs(self.class_balance_) - _cpu.logs(1 - self.class_balance_)
        return vote_columns.find(L, table, threads), np.ascontiguousarray(log_weight), prior

    def _proba(self, L: LabelMatrix, threads: int) -> NDArray[np.float32]:
        k = self.cardinality_
        proba = np.ones((len(L), k), dtype=np.float32)
        if k > 1:
            _cpu.predict_one_vs_rest(L.indptr, *self._weighed(L, threads), proba, threads)
        return proba

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {"accuracies": self.class_accuracies_, "balance": self.class_balance_}

    def _restore(self, arrays: Arrays, parts: Mapping[str, Any]) -> None:
        m, k = self.n_lfs_, self.cardinality_
        self.class_accuracies_ = arrays.numbers("accuracies", (m, k), 0.5, 1.0 - 1e-9)
        self.class_balance_ = arrays.numbers("balance", (k,), 1e-300, 1.0)


class _LFPairs:
    """Pairs of LFs that vote on common rows, both ways round."""

    def __init__(self, statistics: PairStatistics) -> None:
        m, self._k = statistics.shape
        self._m = m
        first, second = statistics.pairs()
        self._labels = first % self._k, second % self._k
        self._rows = statistics.rows_both
        key, self._pair = vote_columns.numbered(first // self._k * m + second // self._k, m * m)
        self._both = np.bincount(self._pair, weights=self._rows, minlength=len(key))
        a, b = np.divmod(key, m)
        half = np.searchsorted(a, np.arange(m + 1)).astype(np.int64)
        self._indptr, self._other, self._entry = both_ways(half, b.astype(np.int32))

    def reliability(self, y: int, threads: int) -> Floats:
        """Return how far each LF's sign follows that of class ``y``; 0 where no triplet says."""
        differing = (self._labels[0] == y) != (self._labels[1] == y)
        apart = np.bincount(
            self._pair[differing], weights=self._rows[differing], minlength=len(self._both)
        )
        correlation = ((self._both - 2 * apart) / self._both)[self._entry]
        mean = np.empty(self._m)
        _cpu.solve_triplets(self._indptr, self._other, correlation, mean, threads)
        return np.minimum(np.nan_to_num(mean, nan=0.0), _LARGEST)
