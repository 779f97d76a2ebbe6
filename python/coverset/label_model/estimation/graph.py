"""Which labeling functions depend on each other directly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coverset import _arguments as arguments
from coverset import _plots
from coverset.label_matrix import LabelMatrix
from coverset.label_matrix.matrix import matrix_argument
from coverset.label_model.estimation import columns
from coverset.label_model.estimation.clusters import connected
from coverset.label_model.estimation.dependencies import Dependent

if TYPE_CHECKING:
    from coverset.label_model.models.anchored import LabelModel

Floats = NDArray[np.float64]

L1, LEAST = 0.05, 0.1  # what learn_dependencies takes by default


class DependencyGraph(NamedTuple):
    """Pairs of labeling functions that depend on each other, the strongest first."""

    pairs: NDArray[np.int64]  # (p, 2): LFs, the lower one first
    strengths: Floats  # (p,): a partial correlation, or an agreement beyond chance
    n_lfs: int
    lf_names: tuple[str, ...] | None = None

    def components(self) -> list[tuple[int, ...]]:
        """Return the groups of LFs that a chain of pairs connects."""
        lowest = connected(self.n_lfs, self.pairs[:, 0], self.pairs[:, 1])
        groups = (np.flatnonzero(lowest == j) for j in np.unique(lowest))
        return [tuple(group.tolist()) for group in groups if len(group) > 1]

    def to_pairs(self, n: int | None = None) -> list[tuple[int, int]]:
        """Return the ``n`` strongest pairs, or all: what ``LabelModel(dependencies=...)`` takes."""
        return [(int(a), int(b)) for a, b in self.pairs[:n]]

    def plot(self, ax: Any = None) -> Any:
        """Draw the LFs that depend on another on a circle; needs matplotlib. Return the axes."""
        ax = _plots.axes(ax)
        lfs = np.unique(self.pairs)
        angle = 2 * np.pi * np.arange(len(lfs)) / max(len(lfs), 1)
        place = {int(j): (np.cos(a), np.sin(a)) for j, a in zip(lfs, angle, strict=True)}
        for (a, b), strength in zip(self.pairs.tolist(), self.strengths.tolist(), strict=True):
            xs, ys = zip(place[a], place[b], strict=True)
            color = "tab:blue" if strength > 0 else "tab:red"
            ax.plot(xs, ys, color=color, linewidth=4 * abs(strength), zorder=1)
        for j, (x, y) in place.items():
            name = str(j) if self.lf_names is None else self.lf_names[j]
            ax.scatter([x], [y], color="black", s=16, zorder=2)
            ax.annotate(name, (1.08 * x, 1.08 * y), ha="center", va="center", fontsize=8)
        ax.set_aspect("equal")
        ax.set_axis_off()
        ax.margins(0.2)
        return ax


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
        from coverset.label_model.models.anchored import LabelModel

        model = LabelModel().fit(matrix, n_threads=n_threads)
    model._fitted_for(matrix)
    grouped = columns.group(matrix, None, threads)
    return grown_graph(grouped, model, penalty, smallest, threads)


def grown_graph(
    grouped: columns.Grouped,
    model: LabelModel,
    l1: float,
    least: float,
    threads: int,
    family: NDArray[np.int64] | None = None,
) -> DependencyGraph:
    """Return the graph of distinct rows, by a model's posterior; in families, where given."""
    matrix, fitted = grouped.matrix, model._fitted
    table, state = columns.extend(fitted.table, fitted.state, matrix, threads)
    # votes that are taken to repeat each other leave classes undecided, which looks like dependence
    decided = model._decided(matrix, threads).astype(np.float64)
    state = columns.believing(state, table, grouped, decided, threads)
    dependent = Dependent(grouped, table, None, threads)
    found = [*dependent.direct(state, l1, threads), *dependent.beyond_chance(state)]
    if family is not None:  # what LFs of other families explain is explained, but no pair
        found = [pair for pair in found if family[pair[0]] == family[pair[1]]]
    kept = [(a, b, s) for a, b, s in found if abs(s) >= least and s != 0.0]
    kept.sort(key=lambda pair: (-abs(pair[2]), pair[0], pair[1]))
    pairs = np.array([pair[:2] for pair in kept], dtype=np.int64).reshape(-1, 2)
    strengths = np.array([pair[2] for pair in kept], dtype=np.float64)
    return DependencyGraph(pairs, strengths, matrix.n_lfs, matrix.lf_names)
