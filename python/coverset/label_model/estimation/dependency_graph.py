"""Which labeling functions depend on each other directly."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import coverset._plots as _plots
from coverset.label_model.estimation import vote_columns
from coverset.label_model.estimation.anchored import weighed
from coverset.label_model.estimation.clusters import connected
from coverset.label_model.estimation.dependencies import Dependent

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


def grown_graph(
    grouped: vote_columns.Grouped,
    fitted: vote_columns.Fitted,
    l1: float,
    least: float,
    threads: int,
    family: NDArray[np.int64] | None = None,
) -> DependencyGraph:
    """Return the graph of distinct rows, by a fit's posterior; in families, where given."""
    matrix = grouped.matrix
    table, state = vote_columns.extend(fitted.table, fitted.state, matrix, threads)
    # votes that are taken to repeat each other leave classes undecided, which looks like dependence
    decided = weighed(fitted, matrix, threads).undivided(matrix, threads).astype(np.float64)
    state = vote_columns.believing(state, table, grouped, decided, threads)
    dependent = Dependent(grouped, table, None, threads)
    found = [*dependent.direct(state, l1, threads), *dependent.beyond_chance(state)]
    if family is not None:  # what LFs of other families explain is explained, but no pair
        found = [pair for pair in found if family[pair[0]] == family[pair[1]]]
    kept = [(a, b, s) for a, b, s in found if abs(s) >= least and s != 0.0]
    kept.sort(key=lambda pair: (-abs(pair[2]), pair[0], pair[1]))
    pairs = np.array([pair[:2] for pair in kept], dtype=np.int64).reshape(-1, 2)
    strengths = np.array([pair[2] for pair in kept], dtype=np.float64)
    return DependencyGraph(pairs, strengths, matrix.n_lfs, matrix.lf_names)
