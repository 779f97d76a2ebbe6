"""Majority vote: the thing to beat."""

from __future__ import annotations

import os
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
import coverset._cpu as _cpu
import coverset._files as _files
from coverset.label_matrix import LabelMatrix
from coverset.label_matrix.matrix import matrix_argument
from coverset.label_model.models.base import BaseLabelModel

_MAGIC = "coverset.majority_vote"
_VERSION = 1


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

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to one checked JSON file, in one step.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        """
        self._require_fitted()
        facts = {"seed": int(self.seed), "cardinality": self.cardinality_, "n_lfs": self.n_lfs_}
        _files.write_json(path, _MAGIC, _VERSION, facts)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> MajorityVote:
        """Read a model written by :meth:`save`.

        Raises
        ------
        ValueError
            If the file is damaged, of another kind, or of another version.
        """
        facts = _files.read_json(path, _MAGIC, _VERSION)
        try:
            model = cls(seed=arguments.whole_number("seed", facts["seed"], 0))
            model.cardinality_ = arguments.whole_number(
                "cardinality", facts["cardinality"], 1, _cpu.MOST_CLASSES
            )
            model.n_lfs_ = arguments.whole_number("n_lfs", facts["n_lfs"], 0)
        except (KeyError, TypeError, ValueError) as error:
            msg = f"{os.fspath(path)} does not hold a valid majority vote: {error!r}"
            raise ValueError(msg) from None
        return model
