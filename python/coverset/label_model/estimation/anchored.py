"""The anchored label model: its fit to distinct rows, and what it holds votes to mean."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import coverset._cpu as _cpu
from coverset.label_matrix import LabelMatrix
from coverset.label_model.estimation import dependencies, rows_without_votes, vote_columns
from coverset.label_model.estimation.evidence import Evidence

Floats = NDArray[np.float64]

_ROW_CORRELATION = 0.1
_ROUNDS = 2  # of weights by the posterior


class Fitter:
    """Fits the same rows with one set of column weights after another."""

    def __init__(
        self,
        grouped: vote_columns.Grouped,
        options: _cpu.FitOptions,
        balance: NDArray[np.float64] | None,
        agreement: tuple[float, NDArray[np.float64]],
        threads: int,
    ) -> None:
        self._grouped, self._options, self._balance = grouped, options, balance
        self._agreement, self._k, self._threads = agreement, len(agreement[1]), threads

    def fit(
        self, table: vote_columns.Table, weights: dependencies.Weights | None
    ) -> tuple[vote_columns.Fitted, float, int]:
        """Return what was learned, the votes' agreement and the number of passes."""
        grouped, options, balance, k = self._grouped, self._options, self._balance, self._k
        alpha, share = self._agreement
        if weights is not None and (weights.weight != 1.0).any():
            table = table._replace(**weights._asdict())
            alpha, share = vote_columns.agreement(grouped, table, k, self._threads, weights.cluster)
        rho = 0.0 if np.isnan(alpha) else min(max(alpha, 0.0), 0.95)
        settings = vote_columns.Settings(
            anchor=options.anchor,
            row_correlation=_ROW_CORRELATION,
            kappa=min(max((1 - rho) / rho, 0.5), 50.0) if rho else 50.0,
            annotator_share=vote_columns.annotator_share(table),
            balance_given=balance is not None,
        )
        for name, value in settings._asdict().items():
            setattr(options, name, value)
        state = vote_columns.State.zero(table, np.full(k, 1 / k) if balance is None else balance)
        passes, _ = _cpu.fit_label_model(
            *(*grouped.arrays(table, self._threads), *table.arrays()),
            *(options, *state, self._threads),
        )
        balance = state.class_balance
        without_votes = rows_without_votes.by_share(share, rho, settings, balance)
        return vote_columns.Fitted(table, state, settings, without_votes), float(alpha), int(passes)

    def fit_dependent(
        self, table: vote_columns.Table, family: NDArray[np.int64] | None
    ) -> tuple[vote_columns.Fitted, float, int]:
        """Fit, let votes that repeat each other count less, and fit again, in turn."""
        dependent = dependencies.Dependent(self._grouped, table, family, self._threads)
        weights = dependent.by_votes()
        fitted = self.fit(table, weights)
        for _ in range(_ROUNDS):
            found = dependent.by_posterior(fitted[0].state)
            if (found.weight == weights.weight).all():
                break
            weights = found
            fitted = self.fit(table, weights)
        return fitted


class Weighed(NamedTuple):
    """The evidence of votes in a fitted model."""

    table: vote_columns.Table
    state: vote_columns.State
    column: NDArray[np.int32]  # of each vote
    log_prior: Floats  # (k,)
    fitted: vote_columns.Fitted

    def posterior(self, L: LabelMatrix, threads: int) -> NDArray[np.float32]:
        """Return class probabilities of the votes."""
        return self._posterior(L, self.fitted.settings.row_correlation, threads)

    def undivided(self, L: LabelMatrix, threads: int) -> NDArray[np.float32]:
        """Return probabilities in which the evidence of a row's votes is not divided."""
        return self._posterior(L, 0.0, threads)

    def evidence(self) -> Evidence:
        """Return what the votes mean."""
        without_votes, correlation = self.fitted.without_votes, self.fitted.settings.row_correlation
        prior = self.log_prior + _cpu.TIE_BREAKER * np.log(without_votes)
        counted = self.table.weight, correlation
        return Evidence(self.column, self.state.log_weight, prior, without_votes, *counted)

    def _posterior(self, L: LabelMatrix, correlation: float, threads: int) -> NDArray[np.float32]:
        proba = np.empty((len(L), self.fitted.cardinality), dtype=np.float32)
        _cpu.predict_proba(
            *(L.indptr, self.column, self.state.log_weight, self.table.weight, self.log_prior),
            *(correlation, self.fitted.without_votes, proba, threads),
        )
        return proba


def weighed(fitted: vote_columns.Fitted, L: LabelMatrix, threads: int) -> Weighed:
    """Return the evidence of the votes of ``L``, with columns for those that no fit saw."""
    if (L.cardinality, L.n_lfs) != (fitted.cardinality, fitted.n_lfs):
        msg = "cardinality_ and n_lfs_ must be as fit set them"
        raise ValueError(msg)
    options = fitted.settings.options()
    table, state = fitted.table, fitted.state
    column = vote_columns.find(L, table, threads)
    if len(column) and column.min() < 0:
        table, state = vote_columns.extend(table, state, L, threads)
        _cpu.weigh_columns(*table.arrays(), options, *state, threads)
        column = vote_columns.find(L, table, threads)
    log_prior = np.empty(fitted.cardinality)
    _cpu.class_log_prior(options, state.class_balance, log_prior)
    return Weighed(table, state, column, log_prior, fitted)
