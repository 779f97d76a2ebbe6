"""What labeling functions did, under Snorkel's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coverset.label_matrix import LabelMatrix, LFSummary, lf_summary

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


class LFAnalysis:
    """Coverage, overlaps, conflicts and accuracies of a dense label matrix.

    Parameters
    ----------
    L : (n, m) integers
        -1 is an abstain.
    lfs : sequence of labeling functions, optional
        Name the rows of the summary.

    Raises
    ------
    ValueError
        If there are not as many ``lfs`` as columns.
    """

    def __init__(self, L: NDArray[Any], lfs: Sequence[Any] | None = None) -> None:
        if not isinstance(L, np.ndarray):
            msg = f"L must be an array, got {type(L).__name__}"
            raise TypeError(msg)
        if lfs is not None and len(lfs) != L.shape[1]:
            msg = (
                f"Number of LFs ({len(lfs)}) and number of LF matrix columns ({L.shape[1]}) "
                "are different"
            )
            raise ValueError(msg)
        self.L = L
        self._names = None if lfs is None else [lf.name for lf in lfs]

    def _summary(self, Y: NDArray[Any] | None = None) -> LFSummary:
        labels = [self.L] if Y is None else [self.L, Y]
        k = max(2, *(int(part.max(initial=-1)) + 1 for part in labels))
        return lf_summary(LabelMatrix.from_dense(self.L, k), Y)

    def label_coverage(self) -> float:
        """Share of rows with a vote."""
        return float(np.mean((self.L >= 0).any(axis=1)))

    def label_overlap(self) -> float:
        """Share of rows with two votes or more."""
        return float(np.mean((self.L >= 0).sum(axis=1) > 1))

    def label_conflict(self) -> float:
        """Share of rows with two different votes."""
        voted = self.L >= 0
        high = np.where(voted, self.L, -1).max(axis=1, initial=-1)
        low = np.where(voted, self.L, high[:, None]).min(axis=1, initial=np.iinfo(np.int64).max)
        return float(np.mean(low < high))

    def lf_polarities(self) -> list[list[int]]:
        """Classes that each LF votes for."""
        return [np.unique(column[column >= 0]).tolist() for column in self.L.T]

    def lf_coverages(self) -> Floats:
        """Share of rows with each LF's vote."""
        return self._summary().coverage

    def lf_overlaps(self, normalize_by_coverage: bool = False) -> Floats:
        """Share of rows with each LF's vote and another's; or of its votes."""
        summary = self._summary()
        return (
            _over(summary.overlaps, summary.coverage)
            if normalize_by_coverage
            else (summary.overlaps)
        )

    def lf_conflicts(self, normalize_by_overlaps: bool = False) -> Floats:
        """Share of rows where another LF votes differently; or of its overlaps."""
        summary = self._summary()
        return (
            _over(summary.conflicts, summary.overlaps)
            if normalize_by_overlaps
            else (summary.conflicts)
        )

    def lf_empirical_accuracies(self, Y: NDArray[Any]) -> Floats:
        """Share of each LF's votes that equal gold; 0 for an LF without votes."""
        summary = self._summary(gold := _gold(Y, len(self.L)))
        assert summary.correct is not None
        votes = (self.L >= 0).sum(axis=0) if len(gold) else np.zeros(self.L.shape[1])
        return _over(summary.correct.astype(np.float64), votes.astype(np.float64))

    def lf_empirical_probs(self, Y: NDArray[Any], k: int) -> Floats:
        """(m, k + 1, k): probability of an abstain and of each vote, given gold."""
        gold = _gold(Y, len(self.L))
        probs = np.zeros((self.L.shape[1], k + 1, k))
        for y in range(k):
            of_class = self.L[gold == y]
            for vote in range(-1, k):
                counts = (of_class == vote).sum(axis=0).astype(np.float64)
                probs[:, vote + 1, y] = counts / len(of_class) if len(of_class) else np.nan
        return probs

    def lf_summary(self, Y: NDArray[Any] | None = None, est_weights: Any = None) -> pd.DataFrame:
        """Return Snorkel's table: one row for each LF."""
        import pandas as pd

        gold = None if Y is None else _gold(Y, len(self.L))
        summary = self._summary(gold)
        columns: dict[str, Any] = {}
        if self._names is not None:
            columns["j"] = list(range(self.L.shape[1]))
        columns["Polarity"] = self.lf_polarities()
        columns["Coverage"] = summary.coverage
        columns["Overlaps"] = summary.overlaps
        columns["Conflicts"] = summary.conflicts
        if gold is not None:
            columns["Correct"] = summary.correct
            columns["Incorrect"] = summary.incorrect
            columns["Emp. Acc."] = self.lf_empirical_accuracies(gold)
        if est_weights is not None:
            columns["Learned Weight"] = est_weights
        return pd.DataFrame(columns, index=self._names)


def _over(part: Floats, whole: Floats) -> Floats:
    """Return the quotient, 0 where there is nothing."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _gold(Y: Any, n: int) -> NDArray[np.int64]:
    """Return (n,) whole numbers."""
    given = np.asarray(Y)
    flat = given.reshape(-1)
    whole = flat.astype(np.int64)
    if (whole != flat).any():
        msg = "Input contains at least one non-integer value."
        raise ValueError(msg)
    if len(whole) != n:
        msg = f"Y must have one entry for each of {n} rows, got shape {given.shape}"
        raise ValueError(msg)
    return whole


def filter_unlabeled_dataframe(
    X: pd.DataFrame, y: NDArray[Any], L: NDArray[Any]
) -> tuple[pd.DataFrame, NDArray[Any]]:
    """Return the rows of ``X`` and ``y`` that have a vote in ``L``."""
    mask = (L != -1).any(axis=1)
    return X.iloc[mask], y[mask]
