"""The label model of Snorkel and MeTaL: moments of the votes, matched by gradient descent."""

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
from coverset.label_model.estimation.evidence import Evidence, posterior
from coverset.label_model.estimation.moments import MomentProblem, smallest_probability
from coverset.label_model.estimation.statistics import PairStatistics
from coverset.label_model.models.base import balance_argument
from coverset.label_model.models.storage import restored_columns
from coverset.label_model.models.streamed import StreamedModel

Floats = NDArray[np.float64]

_LARGEST = 1e150  # of a parameter: beyond, its products overflow


class MomentModel(StreamedModel):
    """Match how often votes occur alone and in pairs (Ratner et al. 2019).

    Minimizes the loss of Snorkel's ``LabelModel``, exactly, without anything dense. With ``O`` the
    share of rows with each pair of votes, ``mu`` the probability of each vote in each class and
    ``P`` the class balance,

        |O - mu P mu'|^2 off the blocks of each LF + |mu p - diag O|^2 + |l2 (mu - start)|^2

    The same votes give the same bytes on any thread count and SIMD level, in any order of the
    rows, and however they are divided over ``partial_fit`` and ``merge``.

    Parameters
    ----------
    class_balance : (k,) floats, optional
        Probability of each class; uniform by default.
    prec_init : float or (m,) floats
        How often an LF's votes are right, to start from; in 0..1.
    n_steps : int
        Steps along the gradient, each over all votes.
    lr : float
        Length of a step.
    momentum : float
        Of the steps, in 0..1.
    l2 : float
        Ties ``mu`` to its start, and decays it.
    seed : int
        Scales the start; draws of ``tie_break_policy="random"``.

    Attributes
    ----------
    cardinality_, n_lfs_ : int
    class_balance_ : (k,) float64
    conditional_probabilities_ : (m, k, k) float64
        ``[j, l, y]``: probability that LF j votes l in class y; kept from 0 and 1.
    loss_ : float
        After the last step.
    n_steps_ : int

    Notes
    -----
    Counting pairs costs O(sum of squared votes of the distinct rows), a step O(pairs of votes x k +
    m k^2) and 8 bytes for each vote seen and class.

    Examples
    --------
    >>> import coverset as cs
    >>> L = cs.LabelMatrix.from_dense([[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 1, 0], [0, 1, 1]])
    >>> cs.MomentModel().fit(L).predict(L)
    array([0, 1, 0, 1, 1], dtype=int16)
    """

    _statistics_type: ClassVar[Any] = PairStatistics
    _magic: ClassVar[str] = "coverset.moment_model"
    _facts: ClassVar[Mapping[str, type]] = {"n_steps_": int, "loss_": float, "_n_rows": int}
    _fewest_lfs: ClassVar[int] = 3
    _table: vote_columns.Table
    _mu: Floats  # (columns, k)
    _n_rows: int

    def __init__(
        self,
        *,
        class_balance: ArrayLike | None = None,
        prec_init: ArrayLike = 0.7,
        n_steps: int = 100,
        lr: float = 0.01,
        momentum: float = 0.9,
        l2: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.class_balance = class_balance
        self.prec_init = prec_init
        self.n_steps = n_steps
        self.lr = lr
        self.momentum = momentum
        self.l2 = l2
        self.seed = seed

    def _check(self, k: int) -> tuple[Floats, float]:
        """Return the class balance and the scale of the start."""
        arguments.whole_number("n_steps", self.n_steps, 0, 2**31 - 1)
        arguments.real_number("lr", self.lr, 0.0, 1e300)
        arguments.real_number("momentum", self.momentum, 0.0, 1.0)
        arguments.real_number("l2", self.l2, 0.0, 1e100)
        seed = arguments.whole_number("seed", self.seed, 0, 2**63 - 1)
        self._precision(None)
        balance = balance_argument(self.class_balance, k)
        scale = float(np.random.default_rng(seed).random())
        return np.full(k, 1 / k) if balance is None else balance, scale

    def _precision(self, m: int | None) -> Floats:
        """Return prec_init for each LF; ``m`` None: of any number of LFs."""
        try:
            precision = np.array(self.prec_init, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            msg = f"prec_init must be a number or one for each LF, got {self.prec_init!r}"
            raise ValueError(msg) from None
        if precision.ndim > 1 or (m is not None and precision.ndim and len(precision) != m):
            wanted = "each LF" if m is None else f"each of {m} LFs"
            msg = f"prec_init must be a number or one for {wanted}, got shape {precision.shape}"
            raise ValueError(msg)
        if not ((precision >= 0) & (precision <= 1)).all():
            msg = f"prec_init must be in 0..1, got {self.prec_init!r}"
            raise ValueError(msg)
        return precision if m is None else np.broadcast_to(precision, (m,))

    def _learn(self, statistics: Any, checked: Any, threads: int) -> dict[str, Any]:
        balance, scale = checked
        m = statistics.shape[0]
        problem = MomentProblem(statistics, balance, self._precision(m))
        mu = scale * problem.start
        rates = np.full(self.n_steps, float(self.lr))
        moved = problem.descend(mu, rates, self.l2, threads, momentum=self.momentum)
        if not moved or np.abs(mu).max(initial=0.0) > _LARGEST:
            msg = f"lr must be smaller: the steps diverged, got lr={self.lr!r}"
            raise ValueError(msg)
        loss = problem.loss(mu, self.l2, threads)
        mu = problem.in_order(mu)
        n = max(statistics.n, 1)
        return {
            "_table": problem.table,
            "_mu": np.clip(mu, smallest_probability(n), 1 - smallest_probability(n)),
            "_n_rows": n,
            "class_balance_": balance,
            "loss_": float(loss),
            "n_steps_": int(self.n_steps),
        }

    def loss(self, mu: ArrayLike, *, n_threads: int | None = None) -> float:
        """Return the loss of any parameters, for the votes seen.

        Parameters
        ----------
        mu : (m * k, k) floats
            Row ``j * k + l``: probability that LF j votes l, in each class.

        Raises
        ------
        NotFittedError, ValueError
            Before ``fit``; after ``load`` of a file without statistics; for another shape, or
            numbers that are not finite.
        """
        self._require_fitted()
        self._require_statistics()
        m, k = self.n_lfs_, self.cardinality_
        given = np.ascontiguousarray(mu, dtype=np.float64)
        if given.shape != (m * k, k) or not np.isfinite(given).all():
            msg = f"mu must be finite, of shape ({m * k}, {k}), got shape {given.shape}"
            raise ValueError(msg)
        problem = MomentProblem(
            self._statistics, self.class_balance_, self._precision(m), vote_columns.every(m, k)
        )
        return problem.loss(given, self.l2, arguments.threads(n_threads))

    @property
    def conditional_probabilities_(self) -> Floats:
        """(m, k, k) float64: probability that LF j votes l in class y; made on request."""
        self._require_fitted()
        m, k = self.n_lfs_, self.cardinality_
        whole = np.full((m * k, k), smallest_probability(self._n_rows))
        whole[self._table.lf * k + self._table.label] = self._mu
        return whole.reshape(m, k, k)

    def _evidence(self, L: LabelMatrix, threads: int) -> Evidence:
        k = self.cardinality_
        table, mu = vote_columns.joined(self._table, L, threads), self._mu
        if table is not self._table:
            mu = np.full((len(table.label), k), smallest_probability(self._n_rows))
            old = self._table.lf * k + self._table.label
            mu[np.searchsorted(table.lf * k + table.label, old)] = self._mu
        column, balance = vote_columns.find(L, table, threads), self.class_balance_
        without_votes = rows_without_votes.by_balance(balance)
        return Evidence(column, _cpu.logs(mu), _cpu.logs(balance), without_votes)

    def _proba(self, L: LabelMatrix, threads: int) -> NDArray[np.float32]:
        return posterior(L.indptr, self._evidence(L, threads), threads)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {
            "indptr": self._table.indptr,
            "label": self._table.label,
            "mu": self._mu,
            "balance": self.class_balance_,
        }

    def _restore(self, arrays: Arrays, parts: Mapping[str, Any]) -> None:
        m, k = self.n_lfs_, self.cardinality_
        arguments.count("_n_rows", self._n_rows)
        self._table = restored_columns(arrays, m, k)
        self._mu = arrays.numbers("mu", (len(self._table.label), k), 1e-30, 1.0)
        self.class_balance_ = arrays.numbers("balance", (k,), 1e-300, 1.0)
