"""Choose between label models by a few labeled rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
from coverset.label_matrix import LabelMatrix
from coverset.label_matrix.matrix import matrix_argument
from coverset.label_model.models.base import BaseLabelModel

_LEAST = 1e-6  # a probability of 0 costs as much as this one


class Choice(NamedTuple):
    """The model that was chosen, fitted with the labels, and what each candidate lost."""

    model: Any
    chosen: int
    log_losses: NDArray[np.float64]  # (candidates,): mean over the labeled rows
    standard_errors: NDArray[np.float64]  # (candidates,): of the difference to the first one


def choose_label_model(
    candidates: Sequence[BaseLabelModel],
    L: LabelMatrix,
    y: ArrayLike,
    *,
    n_threads: int | None = None,
) -> Choice:
    """Choose between label models, or their parameters, by a few labeled rows.

    Each candidate is fitted on all votes without the labels, and scored by the mean log loss of
    its probabilities on the labeled rows. The first candidate stands unless another one is better
    by more than a standard error of the paired difference, so that a small sample does not choose
    by chance. The chosen one is fitted again with the labels. Candidates themselves are not
    changed.

    Parameters
    ----------
    candidates : sequence of label models
        Unfitted, what you would use without labels first.
    L : LabelMatrix
    y : (n,) integers
        Class of each row, -1 where unknown; at least two are known.
    n_threads : int, optional
        By default the CPUs this process may use.

    Returns
    -------
    Choice
        ``model``, ``chosen``, ``log_losses``, ``standard_errors``.

    Raises
    ------
    TypeError
        If a candidate is no label model.
    ValueError
        If there is no candidate, or ``y`` has fewer than two labels or is not of the rows of ``L``.

    Notes
    -----
    One fit and one prediction a candidate. The rule of one standard error is that of Breiman et
    al. (Classification and Regression Trees, 1984, section 3.4.3), with the first candidate in the
    place of the simplest.

    Examples
    --------
    >>> import coverset as cs
    >>> L = cs.LabelMatrix.from_dense([[1, 1, 0], [0, 0, 1], [1, 1, 0], [0, 0, 1], [1, 0, 0]] * 9)
    >>> y = [1, 0, 1, 0] + [-1] * 41
    >>> choice = cs.choose_label_model([cs.MajorityVote(), cs.LabelModel()], L, y)
    >>> choice.chosen, choice.model.predict(L[:3])
    (1, array([1, 0, 1], dtype=int16))
    """
    matrix = matrix_argument(L)
    models = list(candidates)
    if not models:
        msg = "candidates must have at least one label model, got none"
        raise ValueError(msg)
    for i, model in enumerate(models):
        if not isinstance(model, BaseLabelModel):
            msg = f"candidates[{i}] must be a label model, got {model!r}"
            raise TypeError(msg)
    gold = arguments.gold_labels(y, len(matrix), matrix.cardinality)
    known = np.flatnonzero(gold >= 0)
    if len(known) < 2:
        msg = f"y must have at least two labels that are not -1, got {len(known)}"
        raise ValueError(msg)
    losses = np.empty((len(models), len(known)))
    rows, right = matrix[known], gold[known].astype(np.int64)
    for i, model in enumerate(models):
        fresh = _unfitted(model).fit(matrix, n_threads=n_threads)
        proba = fresh.predict_proba(rows, n_threads=n_threads)[np.arange(len(known)), right]
        losses[i] = -np.log(np.maximum(proba.astype(np.float64), _LEAST))
    beyond = losses - losses[0]
    errors = beyond.std(axis=1, ddof=1) / np.sqrt(len(known))
    better = beyond.mean(axis=1) < -errors
    mean = losses.mean(axis=1)
    chosen = int(np.where(better, mean, np.inf).argmin()) if better.any() else 0
    model = _unfitted(models[chosen]).fit(matrix, gold, n_threads=n_threads)
    return Choice(model, chosen, mean, errors)


def _unfitted(model: BaseLabelModel) -> Any:
    return type(model)(**model.get_params())
