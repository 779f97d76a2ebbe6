"""Majority vote: the thing to beat."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coverset import _cpu
from coverset.label_matrix import LabelMatrix
from coverset.label_matrix.matrix import matrix_argument
from coverset.label_model.base import BaseLabelModel


class MajorityVote(BaseLabelModel):
    """Every vote counts the same.

    ``predict_proba`` is the share of a row's votes for each class: ties stay ties, and a row
    without votes is uniform. One pass over the votes.

    Parameters
    ----------
    seed : int
        For ``predict(..., tie_break_policy="random")``.

    Examples
    --------
    >>> import coverset as cs
    >>> L = cs.LabelMatrix.from_dense([[1, 1, 0], [0, 1, -1], [-1, -1, -1]])
    >>> model = cs.MajorityVote().fit(L)
    >>> model.predict(L), model.predict(L, "lowest")
    (array([ 1, -1, -1], dtype=int16), array([1, 0, 0], dtype=int16))
    """

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, L: LabelMatrix, y: ArrayLike | None = None) -> Self:
        """Note the shape of ``L``; there is nothing to learn. ``y`` is ignored."""
        matrix = matrix_argument(L)
        self.cardinality_ = matrix.cardinality
        self.n_lfs_ = matrix.n_lfs
        return self

    def _proba(self, L: LabelMatrix, threads: int) -> NDArray[np.float32]:
        proba = np.empty((len(L), L.cardinality), dtype=np.float32)
        _cpu.vote_fractions(L.indptr, L.lfs, L.labels, L.cardinality, proba, threads)
        return proba
