"""PatchCore's samplers by coverset: ``run(features)`` returns a share of the features."""

from __future__ import annotations

from typing import Any

import numpy as np

import coverset._arguments as arguments
from coverset.coreset import k_center


class GreedyCoresetSampler:
    """Farthest-first core-set of features, exact.

    ``device`` and ``dimension_to_project_features_to`` are taken and not needed: features stay on
    the CPU and are compared as they are, without a projection.

    Examples
    --------
    >>> import numpy as np
    >>> from coverset.compat.patchcore import GreedyCoresetSampler
    >>> GreedyCoresetSampler(0.5).run(np.float32([[0], [1], [8], [9]])).ravel()
    array([0., 9.], dtype=float32)
    """

    def __init__(
        self, percentage: float, device: Any = None, dimension_to_project_features_to: int = 128
    ) -> None:
        self.percentage = arguments.real_number("percentage", percentage, 0.0, 1.0)
        self.device = device
        self.dimension_to_project_features_to = dimension_to_project_features_to

    def run(self, features: Any) -> Any:
        """Return the rows of ``features`` (n, d), tensor or array, that were taken."""
        if self.percentage == 1.0:
            return features
        rows = features if isinstance(features, np.ndarray) else features.detach().cpu()
        k = max(int(len(rows) * self.percentage), 1)
        return features[k_center(rows, k).indices]


class ApproximateGreedyCoresetSampler(GreedyCoresetSampler):
    """The same: the exact core-set needs no approximation."""

    def __init__(
        self,
        percentage: float,
        device: Any = None,
        number_of_starting_points: int = 10,
        dimension_to_project_features_to: int = 128,
    ) -> None:
        super().__init__(percentage, device, dimension_to_project_features_to)
        self.number_of_starting_points = number_of_starting_points
