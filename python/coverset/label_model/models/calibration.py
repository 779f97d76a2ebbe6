"""How often a model is right where it is so sure."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import coverset._plots as _plots

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Calibration(NamedTuple):
    """How often a model is right where it is so sure, by bins of its confidence."""

    edges: Floats  # (bins + 1,)
    counts: Ints  # (bins,)
    confidence: Floats  # (bins,): mean probability of the predicted class; NaN where empty
    accuracy: Floats  # (bins,): share right
    error: float  # mean distance of the two, by rows

    def plot(self, ax: Any = None) -> Any:
        """Draw accuracy over confidence; needs matplotlib. Return the axes."""
        ax = _plots.axes(ax)
        some = self.counts > 0
        low = float(self.edges[0])
        ax.plot([low, 1], [low, 1], color="#bbb", linewidth=1)
        sizes = 20 + 180 * self.counts[some] / self.counts.max()
        ax.scatter(self.confidence[some], self.accuracy[some], s=sizes, color="#7aa6d6")
        ax.set_xlabel("confidence")
        ax.set_ylabel("share right")
        ax.set_title(f"calibration error {self.error:.3f}")
        return ax


def calibration(proba: Floats, gold: NDArray[np.int16], bins: int) -> Calibration:
    """Compare the confidence of rows with their gold."""
    k = proba.shape[1]
    sure = proba.max(axis=1)
    right = proba.argmax(axis=1) == gold
    edges = np.linspace(1 / k, 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, sure, side="right") - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins).astype(np.int64)
    sums = (np.bincount(place, weights=w, minlength=bins) for w in (sure, right.astype(float)))
    means = [np.divide(s, counts, out=np.full(bins, np.nan), where=counts > 0) for s in sums]
    apart = np.nansum(counts * np.abs(means[0] - means[1])) / counts.sum()
    return Calibration(edges, counts, means[0], means[1], float(apart))
