"""scikit-activeml's ``CoreSet`` query strategy by coverset."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coverset.coreset import k_center


class CoreSet:
    """Query the samples that are farthest from those labeled.

    Ties go to the lower row, so that ``random_state`` is taken and not needed; without a label the
    first candidate is queried first. Features are computed with as float32, of which a copy is made
    if they are not.

    Examples
    --------
    >>> import numpy as np
    >>> from coverset.compat.skactiveml import CoreSet
    >>> X, y = np.array([[0.0], [1.0], [8.0], [9.0]]), np.array([0, np.nan, np.nan, np.nan])
    >>> CoreSet().query(X, y, batch_size=2)
    array([3, 1])
    """

    def __init__(
        self,
        metric: str = "euclidean",
        metric_dict: dict[str, Any] | None = None,
        missing_label: Any = np.nan,
        random_state: Any = None,
    ) -> None:
        self.metric = metric
        self.metric_dict = metric_dict
        self.missing_label = missing_label
        self.random_state = random_state

    def query(
        self,
        X: ArrayLike,
        y: ArrayLike,
        candidates: ArrayLike | None = None,
        batch_size: int = 1,
        return_utilities: bool = False,
    ) -> Any:
        """Return the rows to label: of X, or of ``candidates`` if those are samples."""
        rows, labels = np.ascontiguousarray(X, dtype=np.float32), np.asarray(y)
        labeled = np.flatnonzero(~self._missing(labels))
        if candidates is None:
            pool, offset = np.setdiff1d(np.arange(len(rows)), labeled), 0
        elif np.ndim(candidates) == 1:
            pool, offset = np.asarray(candidates, dtype=np.int64), 0
        else:
            extra = np.ascontiguousarray(candidates, dtype=np.float32)
            pool, offset = np.arange(len(extra)) + len(rows), len(rows)
            rows = np.concatenate([rows, extra])
        known = np.setdiff1d(labeled, pool)
        used = np.concatenate([known, pool])
        some = np.ascontiguousarray(rows[used])
        initial = np.arange(len(known)) if len(known) else None
        k = min(batch_size, len(pool))
        taken = used[k_center(some, k, metric=self.metric, initial=initial).indices]
        if not return_utilities:
            return taken - offset
        size = len(rows) - offset
        return taken - offset, self._utilities(rows, known, pool, taken, offset, size)

    def _missing(self, y: NDArray[Any]) -> NDArray[np.bool_]:
        if isinstance(self.missing_label, float) and np.isnan(self.missing_label):
            return np.isnan(y.astype(np.float64))
        return np.array([label == self.missing_label for label in y], dtype=bool)

    def _utilities(
        self,
        rows: NDArray[np.float32],
        known: NDArray[np.int64],
        pool: NDArray[np.int64],
        taken: NDArray[np.int64],
        offset: int,
        size: int,
    ) -> NDArray[np.float64]:
        """Return distances to the nearest center before each query; NaN for what is none."""
        points = rows.astype(np.float64)
        if self.metric == "cosine":
            points /= np.linalg.norm(points, axis=1, keepdims=True)
        utilities = np.full((len(taken), size), np.nan)
        nearest = np.full(len(pool), np.inf)
        for row in known:
            nearest = np.minimum(nearest, np.linalg.norm(points[pool] - points[row], axis=1))
        for step, row in enumerate(taken):
            utilities[step, pool - offset] = nearest
            utilities[step, taken[:step] - offset] = np.nan
            nearest = np.minimum(nearest, np.linalg.norm(points[pool] - points[row], axis=1))
        return utilities
