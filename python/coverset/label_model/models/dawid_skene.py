"""Dawid and Skene's model of annotators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
import coverset._cpu as _cpu
from coverset.label_matrix import LabelMatrix
from coverset.label_model.estimation import rows_without_votes, vote_columns
from coverset.label_model.estimation.encoding import SMALLEST, Arrays
from coverset.label_model.estimation.evidence import Evidence, posterior
from coverset.label_model.estimation.statistics import PatternStatistics
from coverset.label_model.models.base import balance_argument
from coverset.label_model.models.storage import restored_columns
from coverset.label_model.models.streamed import StreamedModel

Floats = NDArray[np.float64]

_CONFUSIONS = ("full", "class", "one_coin")


class DawidSkene(StreamedModel):
    """Learn each annotator's confusions by expectation and maximization (Dawid & Skene 1979).

    Given the class, votes are independent; vote ``l`` of annotator ``j`` has probability
    ``theta[j, y, l]`` in class ``y``. Starts from the vote fractions and takes turns between the
    most probable ``theta`` and class balance, and each row's class probabilities. The page "Label
    models" of the documentation has the equations.

    The same votes give the same bytes on any thread count and SIMD level, in any order of the
    rows, and however they are divided over ``partial_fit`` and ``merge``.

    Parameters
    ----------
    confusion : {"full", "class", "one_coin"}
        ``"full"``: any label may be mistaken for any other. ``"class"``: how often an annotator is
        right depends on the class, all mistakes are alike. ``"one_coin"``: on nothing.
    abstain : {"ignore", "outcome"}
        Whether an abstain says something of the class.
    smoothing : float
        Pseudo-votes for each label in each class; positive.
    diagonal : float
        Pseudo-votes that are right, besides.
    class_balance : (k,) floats, optional
        Probability of each class; learned by default.
    max_iter : int
        Passes over the distinct rows, at most.
    tol : float
        Stop when no row's probabilities move by more in a pass.
    seed : int
        Draws of ``tie_break_policy="random"``.

    Attributes
    ----------
    cardinality_, n_lfs_ : int
    class_balance_ : (k,) float64
    confusion_ : (m, k, k) float64
        ``confusion_[j, y, l]`` is ``theta[j, y, l]``; made on request.
    n_iter_ : int
    converged_ : bool
        Whether it stopped before ``max_iter`` passes.

    Notes
    -----
    A pass costs O(votes of the distinct rows x k). Sums are kept in fixed point, with as many bits
    below the point as the number of rows leaves, so that the order does not show. It wins
    on dense answers of annotators; on labeling functions that vote for one class it often ends
    with one class for all: see :class:`LabelModel`.

    Examples
    --------
    >>> import coverset as cs
    >>> L = cs.LabelMatrix.from_dense([[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 1, 0], [0, 1, 1]])
    >>> cs.DawidSkene().fit(L).predict(L)
    array([0, 1, 0, 1, 1], dtype=int16)
    """

    _statistics_type: ClassVar[Any] = PatternStatistics
    _magic: ClassVar[str] = "coverset.dawid_skene"
    _facts: ClassVar[Mapping[str, type]] = {"n_iter_": int, "converged_": bool}
    _state: _State

    def __init__(
        self,
        *,
        confusion: str = "full",
        abstain: str = "ignore",
        smoothing: float = 0.01,
        diagonal: float = 0.0,
        class_balance: ArrayLike | None = None,
        max_iter: int = 100,
        tol: float = 1e-6,
        seed: int = 0,
    ) -> None:
        self.confusion = confusion
        self.abstain = abstain
        self.smoothing = smoothing
        self.diagonal = diagonal
        self.class_balance = class_balance
        self.max_iter = max_iter
        self.tol = tol
        self.seed = seed

    def _check(self, k: int) -> tuple[_cpu.DawidSkeneOptions, Floats | None]:
        arguments.one_of("confusion", self.confusion, _CONFUSIONS)
        arguments.one_of("abstain", self.abstain, ("ignore", "outcome"))
        arguments.whole_number("seed", self.seed, 0, 2**63 - 1)
        balance = balance_argument(self.class_balance, k)
        options = _cpu.DawidSkeneOptions(
            self.confusion,
            self.abstain == "outcome",
            arguments.real_number("smoothing", self.smoothing, 1e-100, 1e100),
            arguments.real_number("diagonal", self.diagonal, 0.0, 1e100),
            balance is not None,
            arguments.count("max_iter", self.max_iter),
            arguments.real_number("tol", self.tol, 0.0, np.inf),
        )
        return options, balance

    def _learn(self, statistics: Any, checked: Any, threads: int) -> dict[str, Any]:
        (options, balance), grouped = checked, statistics.grouped
        table = vote_columns.observe(grouped, threads)
        state = _State.zero(table, grouped.matrix.cardinality, balance)
        indptr, column, weight, gold = grouped.arrays(table, threads)
        patterns = indptr, column, weight, gold, table.indptr, table.label
        passes, change = _cpu.fit_dawid_skene(*patterns, options, *state.arrays(), threads)
        return {
            "_state": state,
            "n_iter_": int(passes),
            "converged_": bool(change <= self.tol),
            "class_balance_": state.class_balance.copy(),
        }

    @property
    def confusion_(self) -> Floats:
        """(m, k, k) float64: probability of label ``l`` in class ``y``."""
        self._require_fitted()
        m, k = self.n_lfs_, self.cardinality_
        options, _ = self._check(k)
        state = self._state.wider(vote_columns.every(m, k))
        state.weigh(options, 1)
        theta: Floats = np.exp(state.log_weight.reshape(m, k, k))  # LF, label, class
        if self.abstain == "outcome":  # they are relative to an abstain's, and all outcomes make 1
            theta /= 1 + theta.sum(axis=1, keepdims=True)
        return np.ascontiguousarray(theta.transpose(0, 2, 1))

    def _seen(self, L: LabelMatrix, threads: int) -> _State:
        """Return the state with evidence for every vote of ``L``."""
        state = self._state.seeing(L, threads)
        if state is not self._state:
            state.weigh(self._check(self.cardinality_)[0], threads)
        return state

    def _proba(self, L: LabelMatrix, threads: int) -> NDArray[np.float32]:
        return posterior(L.indptr, self._evidence(L, threads), threads)

    def _evidence(self, L: LabelMatrix, threads: int) -> Evidence:
        state = self._seen(L, threads)
        column = vote_columns.find(L, state.table, threads)
        if self.abstain == "outcome":
            without_votes = rows_without_votes.by_log_prior(state.log_prior)
        else:
            without_votes = rows_without_votes.by_balance(state.class_balance)
        return Evidence(column, state.log_weight, state.log_prior, without_votes)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        state = self._state
        return {
            "indptr": state.table.indptr,
            "label": state.table.label,
            "expected": state.expected,
            "rows": state.rows,
            "balance": state.class_balance,
        }

    def _restore(self, arrays: Arrays, parts: Mapping[str, Any]) -> None:
        m, k = self.n_lfs_, self.cardinality_
        table = restored_columns(arrays, m, k)
        expected = arrays.numbers("expected", (len(table.label), k), 0.0, 1e18)
        state = _State.zero(table, k, arrays.numbers("balance", (k,), SMALLEST, 1.0))
        state.expected[:] = expected
        state.rows[:] = arrays.numbers("rows", (k,), 0.0, 1e18)
        state.weigh(self._check(k)[0], 1)
        self._state = state
        self.class_balance_ = state.class_balance.copy()


class _State:
    """Expected votes of columns, and the evidence that follows."""

    def __init__(self, table: vote_columns.Table, k: int, balance: Floats) -> None:
        self.table = table
        self.expected = np.zeros((len(table.label), k))
        self.rows = np.zeros(k)
        self.class_balance = balance.copy()
        self.log_weight = np.zeros((len(table.label), k))
        self.log_prior = np.zeros(k)

    @classmethod
    def zero(cls, table: vote_columns.Table, k: int, balance: Floats | None) -> _State:
        """Return a state of which only the class balance is known."""
        return cls(table, k, np.full(k, 1 / k) if balance is None else balance)

    def arrays(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """What the kernels take."""
        return self.expected, self.rows, self.class_balance, self.log_weight, self.log_prior

    def weigh(self, options: _cpu.DawidSkeneOptions, threads: int) -> None:
        """Set the evidence."""
        table = self.table
        _cpu.weigh_confusions(table.indptr, table.label, options, *self.arrays(), threads)

    def wider(self, table: vote_columns.Table) -> _State:
        """Return the same for more columns, which nobody voted."""
        k = len(self.rows)
        larger = _State(table, k, self.class_balance)
        place = np.searchsorted(table.lf * k + table.label, self.table.lf * k + self.table.label)
        larger.expected[place] = self.expected
        larger.rows[:] = self.rows
        return larger

    def seeing(self, L: LabelMatrix, threads: int) -> _State:
        """Return a state with columns for every vote of ``L``."""
        table = vote_columns.joined(self.table, L, threads)
        return self if table is self.table else self.wider(table)
