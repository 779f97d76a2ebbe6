"""anomalib's ``KCenterGreedy`` by coverset: the same signatures, exact on the embedding itself."""

from __future__ import annotations

from typing import Any

import numpy as np

import coverset._arguments as arguments
from coverset.coreset import k_center


class KCenterGreedy:
    """Core-set of an embedding, such as PatchCore's memory bank.

    Rows are compared as they are; no random projection is made, and the first row is row 0, so that
    the same rows come back every time.

    Parameters
    ----------
    embedding : (n, d) float32 tensor or array
        On the CPU.
    sampling_ratio : float
        Share of the rows to take, in 0..1; one row at least.

    Examples
    --------
    >>> import numpy as np
    >>> from coverset.compat.anomalib import KCenterGreedy
    >>> sampler = KCenterGreedy(np.float32([[0], [1], [8], [9]]), sampling_ratio=0.5)
    >>> sampler.select_coreset_idxs()
    [0, 3]
    """

    def __init__(self, embedding: Any, sampling_ratio: float) -> None:
        ratio = arguments.real_number("sampling_ratio", sampling_ratio, 0.0, 1.0)
        self.embedding = embedding
        self.n_observations = int(embedding.shape[0])
        self.coreset_size = max(int(self.n_observations * ratio), 1)

    def select_coreset_idxs(self, selected_idxs: list[int] | None = None) -> list[int]:
        """Return the rows taken; ``selected_idxs`` are centers already."""
        initial = np.asarray(selected_idxs) if selected_idxs else None
        taken: list[int] = k_center(
            self.embedding, self.coreset_size, initial=initial
        ).indices.tolist()
        return taken

    def sample_coreset(self, selected_idxs: list[int] | None = None) -> Any:
        """Return the embedding's rows that were taken."""
        return self.embedding[self.select_coreset_idxs(selected_idxs)]
