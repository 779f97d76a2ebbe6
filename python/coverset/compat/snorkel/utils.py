"""Probabilities to predictions and back, as in ``snorkel.utils``."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


def probs_to_preds(
    probs: NDArray[Any], tie_break_policy: str = "random", tol: float = 1e-5
) -> NDArray[np.int64]:
    """Return the most probable class of each row.

    ``tie_break_policy`` is ``"abstain"`` (-1), ``"random"`` (by a hash of the row's number) or
    ``"true-random"``.
    """
    if probs.shape[1] <= 1:
        msg = (
            "probs must have probabilities for at least 2 classes. "
            f"Instead, got {probs.shape[1]} classes."
        )
        raise ValueError(msg)
    tied = probs.max(axis=1, keepdims=True) - probs < tol
    preds: NDArray[np.int64] = tied.argmax(axis=1).astype(np.int64)
    for row in np.flatnonzero(tied.sum(axis=1) != 1):
        preds[row] = _broken(np.flatnonzero(tied[row]), int(row), tie_break_policy)
    return preds


def _broken(classes: NDArray[np.int64], row: int, policy: str) -> int:
    if policy == "abstain":
        return -1
    if policy == "random":
        digest = hashlib.sha1(str(row).encode(), usedforsecurity=False).hexdigest()
        return int(classes[int(digest, 16) % len(classes)])
    if policy == "true-random":
        return int(np.random.choice(classes))  # noqa: NPY002 - as scripts seed it
    msg = f"tie_break_policy={policy} policy not recognized."
    raise ValueError(msg)


def preds_to_probs(preds: NDArray[Any], num_classes: int) -> NDArray[np.float64]:
    """Return one-hot rows."""
    flat = np.asarray(preds).reshape(-1)
    if (flat < 0).any():
        msg = "Could not convert abstained vote to probability"
        raise ValueError(msg)
    one_hot: NDArray[np.float64] = np.eye(num_classes)[flat.astype(np.int64)]
    return one_hot
