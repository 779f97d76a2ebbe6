"""Voters that learn next to nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from coverset.compat.snorkel.labeling.model.base import BaseLabeler, Floats


class RandomVoter(BaseLabeler):
    """Random probabilities."""

    def predict_proba(self, L: NDArray[Any]) -> Floats:
        """Return random rows that sum to 1."""
        rows = np.random.rand(L.shape[0], self.cardinality)  # noqa: NPY002 - as scripts seed it
        probs: Floats = rows / rows.sum(axis=1, keepdims=True)
        return probs


class MajorityClassVoter(BaseLabeler):
    """The most common class, whatever the votes."""

    balance: NDArray[Any]

    def fit(self, balance: NDArray[Any], *args: Any, **kwargs: Any) -> None:
        """Note the class balance."""
        self.balance = np.asarray(balance)

    def predict_proba(self, L: NDArray[Any]) -> Floats:
        """Return uniform probabilities over the most common classes."""
        most: NDArray[np.bool_] = np.equal(self.balance, self.balance.max())
        return np.tile(most / most.sum(), (L.shape[0], 1))


class MajorityLabelVoter(BaseLabeler):
    """The classes with the most votes of each row; all of them where there is no vote."""

    def predict_proba(self, L: NDArray[Any]) -> Floats:
        """Return uniform probabilities over the classes with the most votes."""
        if L.size and L.max() >= self.cardinality:
            msg = f"votes must be below the cardinality {self.cardinality}, got {L.max()}"
            raise IndexError(msg)
        counts = np.stack([np.equal(L, y).sum(axis=1) for y in range(self.cardinality)], axis=1)
        most: NDArray[np.bool_] = np.equal(counts, counts.max(axis=1, keepdims=True))
        probs: Floats = most / most.sum(axis=1, keepdims=True)
        return probs
