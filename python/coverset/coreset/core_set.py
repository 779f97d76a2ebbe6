"""What a selection of rows is, and how well it covers the rest."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import coverset._plots as _plots


class _Stats(dict[str, int]):
    """Counts of work; the name that one of them had before still reads it."""

    def __missing__(self, name: str) -> int:
        if name != "prefix":
            raise KeyError(name)
        msg = 'stats["prefix"] is now stats["projection"]; the old name will go with version 0.3'
        warnings.warn(msg, FutureWarning, stacklevel=2)
        return self["projection"]


@dataclass(frozen=True)
class CoreSet:
    """Rows in the order they were taken, and the covering radius after each.

    Attributes
    ----------
    indices : (k,) int64
        Rows taken; fewer than asked for where ``stop_radius`` was reached.
    radii : (k,) float32
        ``radii[i]`` is the largest distance of any row to the nearest of the first i + 1 taken
        (and of ``initial``); never increasing. With ``weights``, the largest weight times
        distance; with ``n_outliers``, that many of the farthest rows are ignored.
    assignment : (n,) int64, optional
        The center nearest to each row, by its row in X.
    stats : dict
        What it took: canonical ``distances``, ``products`` (pairs of a row and a center that were
        multiplied), ``coordinates`` subtracted or multiplied, ``bytes`` of rows read,
        ``refreshes``, the times that rows were chosen and refreshed together, and
        ``projection``, the dimensions of the low-dimensional projection that was multiplied first;
        0 for whole rows.
    rows : (k, d) float32, optional
        The rows themselves, where they came from a stream.
    """

    indices: NDArray[np.int64]
    radii: NDArray[np.float32]
    assignment: NDArray[np.int64] | None = None
    stats: dict[str, int] = field(default_factory=dict)
    rows: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "stats", _Stats(self.stats))

    def __len__(self) -> int:
        return len(self.indices)

    def plot(self) -> Any:
        """Draw the covering radius against the number of rows taken; needs matplotlib.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        plt = _plots.pyplot()
        figure, axes = plt.subplots(layout="constrained")
        taken = np.arange(1, len(self.indices) + 1)
        axes.plot(taken, self.radii, drawstyle="steps-post", color="tab:blue")
        axes.set_xscale("log" if len(taken) > 20 else "linear")
        axes.set_ylim(bottom=0)
        axes.set_xlabel("rows taken")
        axes.set_ylabel("covering radius")
        axes.set_title(
            f"{len(taken):,} rows, radius {self.radii[-1]:.4g}" if len(taken) else "empty"
        )
        return figure
