"""Models that learn from sums: from streams and from shards, as from all rows at once."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

import coverset._arguments as arguments
from coverset.label_matrix import LabelMatrix
from coverset.label_matrix.matrix import matrix_argument
from coverset.label_model.models.base import BaseLabelModel


class StreamedModel(BaseLabelModel):
    """``fit``, ``partial_fit`` and ``merge`` over one kind of statistics."""

    _fewest_lfs: ClassVar[int] = 0

    def _check_names(self, L: LabelMatrix) -> None:
        """Check parameters that name LFs."""

    @abstractmethod
    def _learn(self, statistics: Any, checked: Any, threads: int) -> dict[str, Any]:
        """Return the learned attributes."""

    def fit(
        self, L: LabelMatrix, y: ArrayLike | None = None, *, n_threads: int | None = None
    ) -> Self:
        """Learn from votes, and from gold where it is known, and return self.

        Parameters
        ----------
        L : LabelMatrix
        y : (n,) integers, optional
            Gold classes, -1 where unknown.
        n_threads : int, optional
            By default the CPUs this process may use.

        Raises
        ------
        ValueError
            If a parameter is out of range, or ``y`` has another length or an unknown class.
            The model stays as it was.
        """
        return self._absorb(None, L, y, n_threads)

    def partial_fit(
        self, L: LabelMatrix, y: ArrayLike | None = None, *, n_threads: int | None = None
    ) -> Self:
        """Learn from these rows and all before, and return self.

        The same as ``fit`` on all rows at once, whatever the parts; the class says whether their
        order shows in the rounding.

        Raises
        ------
        ValueError
            As ``fit``, if ``L`` has another cardinality or number of LFs, and for a model that was
            loaded from a file without statistics.
        """
        if self.__sklearn_is_fitted__():
            self._require_statistics()
            self._fitted_for(L)
        return self._absorb(self._statistics, L, y, n_threads)

    def merge(self, other: Self, *, n_threads: int | None = None) -> Self:
        """Learn from the rows of both models, and return self; ``other`` is left as it is.

        Raises
        ------
        NotFittedError
            If one of them is not fitted.
        TypeError
            If ``other`` is another kind of model.
        ValueError
            If they differ in parameters, cardinality or number of LFs, or one was loaded from a
            file without statistics.
        """
        if type(other) is not type(self):
            msg = f"other must be a {type(self).__name__}, got {type(other).__name__}"
            raise TypeError(msg)
        for model in (self, other):
            model._require_fitted()
            model._require_statistics()
        for name, mine in self.get_params().items():
            theirs = getattr(other, name)
            if not np.array_equal(np.asarray(mine, object), np.asarray(theirs, object)):
                msg = f"other must have the same {name}, {mine!r}, got {theirs!r}"
                raise ValueError(msg)
        self._require_same_shape(other)
        threads = arguments.threads(n_threads)
        return self._set(self._statistics.plus(other._statistics, threads), threads)

    def _require_statistics(self) -> None:
        if self._statistics is None:
            msg = (
                f"this {type(self).__name__} was loaded, and holds no statistics to add to: "
                "fit it again, and save it with statistics=True"
                if not hasattr(self, "solver_") or self.solver_ != "rows"
                else "a model that learned by rows holds no statistics to add to"
            )
            raise ValueError(msg)

    def _absorb(
        self, before: Any, L: LabelMatrix, y: ArrayLike | None, n_threads: int | None
    ) -> Self:
        matrix = matrix_argument(L)
        threads = arguments.threads(n_threads)
        if matrix.n_lfs < self._fewest_lfs:
            name = type(self).__name__
            msg = f"L must have at least {self._fewest_lfs} LFs for {name}, got {matrix.n_lfs}"
            raise ValueError(msg)
        self._check(matrix.cardinality)
        self._check_names(matrix)
        if y is not None:
            arguments.gold_labels(y, len(matrix), matrix.cardinality)
        statistics = self._statistics_type.of(matrix, y, threads)
        if before is not None:
            statistics = before.plus(statistics, threads)
        return self._set(statistics, threads)

    def _set(self, statistics: Any, threads: int) -> Self:
        n_lfs, cardinality = statistics.shape
        learned = self._learn(statistics, self._check(cardinality), threads)
        return self._become(learned, statistics, n_lfs, cardinality)

    def _become(self, learned: dict[str, Any], statistics: Any, m: int, k: int) -> Self:
        """Take over what was learned."""
        vars(self).update(learned)
        self._statistics = statistics
        self.cardinality_, self.n_lfs_ = k, m
        return self
