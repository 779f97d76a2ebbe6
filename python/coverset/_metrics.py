"""The names of metrics, and what they mean to each capability.

================== ============================ ============================= ====================
metric             neighbors                    core-sets                     ``lf.similar``
================== ============================ ============================= ====================
``sqeuclidean``    sum of squared differences
``euclidean``      its square root              its square root               its square root,
                                                                              at most a threshold
``cosine``         1 - cosine                   Euclidean distance of rows    the cosine itself,
                                                divided by their length       at least a threshold
``inner_product``  the inner product, of which
                   more is nearer
================== ============================ ============================= ====================

Square roots are the float32 nearest to that of the canonical squared distance, which decides:
rows are in its order, ties included, where two roots round to the same number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import coverset._arguments as arguments

_TAKEN = {
    "neighbors": ("sqeuclidean", "euclidean", "cosine", "inner_product"),
    "neighbors.transformer": ("euclidean", "sqeuclidean", "cosine"),
    "coreset": ("euclidean", "cosine"),
    "lf.similar": ("cosine", "euclidean"),
}


def checked(capability: str, metric: Any) -> str:
    """Return ``metric`` if the capability takes it, or raise listing those it takes."""
    return arguments.one_of("metric", metric, _TAKEN[capability])


def measured(metric: str) -> str:
    """Return the metric that kernels of neighbors measure: squares in place of their roots."""
    return "sqeuclidean" if metric == "euclidean" else metric


def take_roots(metric: str, measured_values: NDArray[np.float32]) -> None:
    """Turn what was measured, in place, into what ``metric`` returns."""
    if metric == "euclidean":
        np.sqrt(measured_values, out=measured_values)


def largest_square(
    radius: float, root: Callable[[NDArray[np.float32]], NDArray[np.float32]] = np.sqrt
) -> float:
    """Return the largest float32 whose root is at most ``radius``; -1 if there is none."""
    if radius < 0:
        return -1.0
    with np.errstate(over="ignore"):
        limit = np.float32(radius)
    below, above = -1, 0x7F800001  # as bits, which rise with the square; those of infinity fit
    while above - below > 1:
        middle = (below + above) // 2
        if root(np.array([middle], dtype=np.int32).view(np.float32))[0] <= limit:
            below = middle
        else:
            above = middle
    return float(np.array([below], dtype=np.int32).view(np.float32)[0]) if below >= 0 else -1.0
