"""What a fitted model holds votes to mean, and the class probabilities that follow."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import coverset._cpu as _cpu

Floats = NDArray[np.float64]

_EVEN = np.empty(0)


class Evidence(NamedTuple):
    """What a fitted model holds votes to mean."""

    column: NDArray[np.int32]  # of each vote
    log_weight: Floats  # (columns, k)
    prior: Floats  # (k,): log probabilities before the votes of a row
    without_votes: Floats  # (k,): probabilities of a row without votes
    weight: Floats = _EVEN  # (columns,): how much of a vote counts; empty: 1
    row_correlation: float = 0.0  # votes of a row repeat each other


def posterior(indptr: NDArray[np.int64], evidence: Evidence, threads: int) -> NDArray[np.float32]:
    """Return class probabilities by evidence that is not scaled.

    ``without_votes`` is for rows without votes only: it breaks no ties of others.
    """
    k = len(evidence.prior)
    proba = np.empty((len(indptr) - 1, k), dtype=np.float32)
    weights = evidence.log_weight, _EVEN, evidence.prior, 0.0, np.full(k, 1 / k)
    _cpu.predict_proba(indptr, evidence.column, *weights, proba, threads)
    proba[np.diff(indptr) == 0] = evidence.without_votes
    return proba
