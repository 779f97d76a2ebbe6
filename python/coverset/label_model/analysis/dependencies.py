"""Which labeling functions depend on each other, learned from their votes."""

from __future__ import annotations

import numpy as np

import coverset._arguments as arguments
from coverset.label_matrix import LabelMatrix
from coverset.label_matrix.matrix import matrix_argument
from coverset.label_model.estimation import vote_columns
from coverset.label_model.estimation.dependency_graph import L1, LEAST, DependencyGraph, grown_graph
from coverset.label_model.models.anchored import LabelModel


def learn_dependencies(
    L: LabelMatrix,
    *,
    model: LabelModel | None = None,
    l1: float = L1,
    least: float = LEAST,
    n_threads: int | None = None,
) -> DependencyGraph:
    """Find which labeling functions (LFs) depend on each other, beyond the class.

    The expected covariance of votes given the class follows from how often votes occur together and
    from a model's posterior. For unipolar LFs of one class, each is regressed on all others with an
    l1 penalty (the node-wise pseudo-likelihood of Bach et al. 2017, in its quadratic form, which
    needs these statistics only), so that what two LFs owe to a third is no pair. Annotators are
    compared on the rows that both labeled.

    Parameters
    ----------
    L : LabelMatrix
    model : LabelModel, optional
        Fitted on votes of these LFs; by default one is fitted here.
    l1 : float
        Weight of the penalty; 0 is none.
    least : float
        Pairs of smaller strength are left out.
    n_threads : int, optional
        By default the CPUs this process may use.

    Returns
    -------
    DependencyGraph
        Pairs by descending strength: for unipolar LFs the geometric mean of the two coefficients
        (a partial correlation), for annotators how much more they agree than their confusions say.

    Raises
    ------
    NotFittedError
        If ``model`` is not fitted.
    ValueError
        If ``model`` is of other LFs, or ``l1`` or ``least`` is negative.

    Notes
    -----
    O(sum of squared votes of the distinct rows) once, then O(c^3) a sweep for a class with c LFs.

    Examples
    --------
    >>> import coverset as cs, numpy as np
    >>> rng = np.random.default_rng(0)
    >>> y, own = rng.integers(0, 2, (2000, 1)), np.array([0, 0, 0, 1, 1, 1])
    >>> fires = rng.random((2000, 6)) < np.where(y == own, 0.6, 0.1)
    >>> fires[:, 5] = np.where(rng.random(2000) < 0.7, fires[:, 4], fires[:, 5])
    >>> L = cs.LabelMatrix.from_dense(np.where(fires, own, -1))
    >>> cs.learn_dependencies(L).to_pairs()
    [(4, 5)]
    """
    matrix = matrix_argument(L)
    penalty = arguments.real_number("l1", l1, 0.0, np.inf)
    smallest = arguments.real_number("least", least, 0.0, np.inf)
    threads = arguments.threads(n_threads)
    if model is None:
        model = LabelModel().fit(matrix, n_threads=n_threads)
    model._fitted_for(matrix)
    grouped = vote_columns.group(matrix, None, threads)
    return grown_graph(grouped, model._fitted, penalty, smallest, threads)
