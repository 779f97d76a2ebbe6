"""Majority vote: the thing to beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
import coverset._cpu as _cpu
from coverset.label_matrix import LabelMatrix
from coverset.label_matrix.matrix import matrix_argument
from coverset.label_model.estimation.encoding import Arrays
from coverset.label_model.models.base import BaseLabelModel


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

    _magic: ClassVar[str] = "coverset.majority_vote"

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed

    def _check(self, k: int) -> int:
        return arguments.whole_number("seed", self.seed, 0)

    def _restore(self, arrays: Arrays, parts: Mapping[str, Any]) -> None:
        """There is nothing that was learned."""

    def fit(
        self, L: LabelMatrix, y: ArrayLike | None = None, *, n_threads: int | None = None
    ) -> Self:
        """Note the shape of ``L``; there is nothing to learn. ``y`` is ignored."""
        arguments.threads(n_threads)
        matrix = matrix_argument(L)
        self.cardinality_ = matrix.cardinality
        self.n_lfs_ = matrix.n_lfs
        return self

    def partial_fit(
        self, L: LabelMatrix, y: ArrayLike | None = None, *, n_threads: int | None = None
    ) -> Self:
        """Check that ``L`` fits what was seen before; there is nothing to learn."""
        if self.__sklearn_is_fitted__():
            self._fitted_for(L)
        return self.fit(L, y, n_threads=n_threads)

    def merge(self, other: MajorityVote) -> Self:
        """Check that both are fitted on votes of one shape; there is nothing to add.

        Raises
        ------
        NotFittedError, ValueError
            If one is not fitted; if they differ in cardinality or number of LFs.
        """
        self._require_fitted()
        other._require_fitted()
        self._require_same_shape(other)
        return self

    def _proba(self, L: LabelMatrix, threads: int) -> NDArray[np.float32]:
        proba = np.empty((len(L), L.cardinality), dtype=np.float32)
        _cpu.vote_fractions(L.indptr, L.lfs, L.labels, L.cardinality, proba, threads)
        return proba
