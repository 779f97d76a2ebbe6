"""Rows without votes: every model learns nothing from them, unless it counts abstains or has gold.

What a model says of such a row depends on no row: it is one vector of class probabilities, which
models keep as ``without_votes``, made by one of these rules. ``predict`` lets such rows abstain
where ties do. ``MajorityVote``, which knows nothing, is uniform.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from coverset.label_model.estimation.vote_columns import Settings

Floats = NDArray[np.float64]

_SMALLEST = 1e-6  # an all-annotators share may be 0 for a class that nobody voted for


def by_balance(class_balance: Floats) -> Floats:
    """Return the class balance, made to sum to 1."""
    balance: Floats = class_balance / class_balance.sum()
    return balance


def by_log_prior(log_prior: Floats) -> Floats:
    """Return the softmax of a prior that holds what abstains say."""
    return by_balance(np.exp(log_prior - log_prior.max()))


def by_share(share: Floats, rho: float, settings: Settings, class_balance: Floats) -> Floats:
    """Return the votes' share of each class, as far as the votes' agreement says to rely on it."""
    k = len(share)
    if settings.balance_given:
        return class_balance.copy()
    trust = 1.0 if settings.annotator_share == 1.0 else rho
    likely = trust * share + (1 - trust) / k
    first, second = np.sort(likely)[::-1][:2] if k > 1 else (1.0, 0.0)
    if settings.annotator_share < 0.5 and first < 1.5 * second:
        return np.full(k, 1 / k)
    return by_balance(np.maximum(likely, _SMALLEST))
