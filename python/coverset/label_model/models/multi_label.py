"""Rows that may have several labels: one model for each class, over one matrix."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
from coverset._not_fitted import NotFittedError
from coverset.label_matrix import LabelMatrix
from coverset.label_matrix.construct import Votes, votes_for
from coverset.label_matrix.matrix import matrix_argument
from coverset.label_model.models.anchored import LabelModel
from coverset.label_model.models.base import BaseLabelModel


class MultiLabelModel:
    """Fit a two-class model for each class.

    A vote for a class says that it applies, and nothing of any other: in the view of class y, votes
    for y are votes for 1, and votes for another class are abstains, not negatives.

    Parameters
    ----------
    model : label model, optional
        Its parameters are those of each class's model; by default a :class:`LabelModel`.
    seed : int
        Of each model.

    Attributes
    ----------
    models_ : list of label models
        One for each class.
    cardinality_, n_lfs_ : int

    Examples
    --------
    >>> import coverset as cs
    >>> L = cs.LabelMatrix.from_dense([[0, 1, 0], [0, -1, 0], [-1, 1, -1], [-1, -1, -1]])
    >>> cs.MultiLabelModel().fit(L).predict(L)
    array([[ True,  True],
           [ True, False],
           [False,  True],
           [False, False]])
    """

    cardinality_: int
    n_lfs_: int
    models_: list[Any]

    def __init__(self, model: BaseLabelModel | None = None, *, seed: int = 0) -> None:
        self.model = model
        self.seed = seed

    def views(self, L: LabelMatrix) -> list[LabelMatrix]:
        """Return a two-class matrix for each class: its votes as 1, all others abstaining."""
        matrix = matrix_argument(L)
        votes = Votes(matrix.indptr, matrix.lfs, matrix.labels)
        return [
            LabelMatrix.from_csr(
                *votes_for(votes, y), n_lfs=matrix.n_lfs, cardinality=2, lf_names=matrix.lf_names
            )
            for y in range(matrix.cardinality)
        ]

    def fit(
        self, L: LabelMatrix, Y: ArrayLike | None = None, *, n_threads: int | None = None
    ) -> Self:
        """Learn each class's model.

        Parameters
        ----------
        L : LabelMatrix
        Y : (n, k) integers, optional
            Gold: 1 where a class applies, 0 where not, -1 where unknown.

        Raises
        ------
        TypeError
            If ``model`` is no label model.
        ValueError
            If ``Y`` has another shape or other values, or as the model's ``fit``.
        """
        matrix = matrix_argument(L)
        template = LabelModel() if self.model is None else self.model
        if not isinstance(template, BaseLabelModel):
            msg = f"model must be a label model, got {type(template).__name__}"
            raise TypeError(msg)
        seed = arguments.whole_number("seed", self.seed, 0, 2**63 - 1)
        gold = None if Y is None else _gold(Y, len(matrix), matrix.cardinality)
        options = {} if type(template).__name__ == "MajorityVote" else {"n_threads": n_threads}
        models = []
        for y, view in enumerate(self.views(matrix)):
            model = type(template)(**{**template.get_params(), "seed": seed})
            models.append(model.fit(view, None if gold is None else gold[:, y], **options))
        self.models_ = models
        self.cardinality_, self.n_lfs_ = matrix.cardinality, matrix.n_lfs
        return self

    def _views_of(self, L: LabelMatrix) -> list[LabelMatrix]:
        if not hasattr(self, "models_"):
            msg = "this MultiLabelModel is not fitted yet; call fit first"
            raise NotFittedError(msg)
        matrix = matrix_argument(L)
        if (matrix.cardinality, matrix.n_lfs) != (self.cardinality_, self.n_lfs_):
            msg = (
                f"L must have cardinality {self.cardinality_} and number of LFs {self.n_lfs_}, "
                f"got {matrix.cardinality} and {matrix.n_lfs}"
            )
            raise ValueError(msg)
        return self.views(matrix)

    def predict_proba(self, L: LabelMatrix, *, n_threads: int | None = None) -> NDArray[np.float32]:
        """Return the probability that each class applies, (n, k) float32; rows need not sum to 1.

        Raises
        ------
        NotFittedError, ValueError
            Before ``fit``; for another cardinality or number of LFs.
        """
        views = self._views_of(L)
        proba = np.empty((len(L), self.cardinality_), dtype=np.float32)
        for y, (model, view) in enumerate(zip(self.models_, views, strict=True)):
            proba[:, y] = model.predict_proba(view, n_threads=n_threads)[:, 1]
        return proba

    def predict(
        self, L: LabelMatrix, threshold: float = 0.5, *, n_threads: int | None = None
    ) -> NDArray[np.bool_]:
        """Return which classes apply, (n, k) bool: those with a probability above ``threshold``.

        Raises
        ------
        NotFittedError, ValueError
            As ``predict_proba``; for a threshold outside 0..1.
        """
        least = arguments.real_number("threshold", threshold, 0.0, 1.0)
        applies: NDArray[np.bool_] = self.predict_proba(L, n_threads=n_threads) > least
        return applies


def _gold(Y: ArrayLike, n: int, k: int) -> NDArray[np.int64]:
    given = np.asarray(Y)
    if given.shape != (n, k):
        msg = f"Y must have shape ({n}, {k}), got {given.shape}"
        raise ValueError(msg)
    if given.dtype.kind not in "iub":
        msg = f"Y must hold whole numbers, got dtype {given.dtype}"
        raise ValueError(msg)
    bad = np.argwhere(~np.isin(given, (-1, 0, 1)))
    if len(bad):
        i, j = bad[0].tolist()
        msg = f"Y[{i}, {j}] must be in -1..1, got {given[i, j]}"
        raise ValueError(msg)
    return given.astype(np.int64)
