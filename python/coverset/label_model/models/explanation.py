"""Why a row got its probabilities: what each vote adds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import coverset._cpu as _cpu
from coverset.label_matrix import LabelMatrix
from coverset.label_model.estimation import vote_columns
from coverset.label_model.estimation.evidence import Evidence

Floats = NDArray[np.float64]


class Explanation(NamedTuple):
    """What each vote adds to the log probability of each class.

    The softmax of a row's ``prior`` and the sum of its votes' ``evidence`` is what
    ``predict_proba`` gives.
    """

    rows: NDArray[np.int64]  # (votes,): ascending
    lfs: NDArray[np.int32]
    labels: NDArray[np.int16]
    evidence: Floats  # (votes, k)
    prior: Floats  # (n, k)

    def of_row(self, row: int) -> list[tuple[int, int, Floats]]:
        """Return (LF, label, evidence) of each vote of a row; IndexError if there is none such."""
        if not 0 <= row < len(self.prior):
            msg = f"row must be in 0..{len(self.prior) - 1}, got {row}"
            raise IndexError(msg)
        first, last = np.searchsorted(self.rows, [row, row + 1])
        return [
            (int(self.lfs[e]), int(self.labels[e]), self.evidence[e]) for e in range(first, last)
        ]


def explanation(L: LabelMatrix, evidence: Evidence, threads: int) -> Explanation:
    """Lay out the evidence of each vote of ``L``."""
    added = np.empty((L.nnz, len(evidence.prior)))
    weights = evidence.log_weight, evidence.weight, evidence.prior, evidence.row_correlation
    _cpu.explain_votes(L.indptr, evidence.column, *weights, added, threads)
    prior = np.tile(evidence.prior, (len(L), 1))
    prior[~L.covered] = np.log(evidence.without_votes)
    return Explanation(vote_columns.row_of_entry(L.indptr), L.lfs, L.labels, added, prior)
