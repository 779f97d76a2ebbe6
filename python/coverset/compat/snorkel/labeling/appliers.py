"""Appliers with Snorkel's signatures: data points in, a dense int64 label matrix out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import coverset._progress as _progress


class ApplierMetadata(NamedTuple):
    """What went wrong: exceptions by labeling function."""

    faults: dict[str, int]


class _Applier:
    """Calls every labeling function on every data point."""

    def __init__(self, lfs: Sequence[Any]) -> None:
        self._lfs = list(lfs)
        names = [lf.name for lf in self._lfs]
        for name in names:
            if names.count(name) > 1:
                msg = f"Operator names not unique: {names.count(name)} operators with name {name}"
                raise ValueError(msg)

    def __repr__(self) -> str:
        return f"{type(self).__name__}, LFs: {[lf.name for lf in self._lfs]}"

    def _apply(
        self, points: Iterable[Any], size: int | None, options: tuple[bool, bool, bool]
    ) -> Any:
        progress_bar, fault_tolerant, return_meta = options
        faults: dict[str, int] = defaultdict(int)
        rows = [
            [_vote(lf, x, faults if fault_tolerant else None) for lf in self._lfs]
            for x in _shown(points, size, progress_bar)
        ]
        votes: NDArray[np.int64] = np.array(rows, dtype=np.int64).reshape(-1, len(self._lfs))
        return (votes, ApplierMetadata(faults)) if return_meta else votes


def _vote(lf: Any, x: Any, faults: dict[str, int] | None) -> int:
    """Return a vote, or -1; with ``faults``, exceptions are counted there and abstain."""
    if faults is None:
        label = lf(x)
    else:
        try:
            label = lf(x)
        except Exception:  # whatever the function raises
            faults[lf.name] += 1
            return -1
    return int(label) if label >= 0 else -1


def _shown(points: Iterable[Any], size: int | None, progress_bar: bool) -> Iterator[Any]:
    if progress_bar and _progress.installed():
        with _progress.report(True, size, "apply") as advance:
            for x in points:
                yield x
                advance(1)
        return
    yield from points


class LFApplier(_Applier):
    """Applies labeling functions to any iterable of data points."""

    def apply(
        self,
        data_points: Iterable[Any],
        progress_bar: bool = True,
        fault_tolerant: bool = False,
        return_meta: bool = False,
    ) -> Any:
        """Return the label matrix (n, m), and with ``return_meta`` an :class:`ApplierMetadata`."""
        size = len(data_points) if isinstance(data_points, Sized) else None
        return self._apply(data_points, size, (progress_bar, fault_tolerant, return_meta))


class PandasLFApplier(_Applier):
    """Applies labeling functions to the rows of a data frame."""

    def apply(
        self,
        df: Any,
        progress_bar: bool = True,
        fault_tolerant: bool = False,
        return_meta: bool = False,
    ) -> Any:
        """Return the label matrix (n, m), and with ``return_meta`` an :class:`ApplierMetadata`."""
        rows = (row for _, row in df.iterrows())
        return self._apply(rows, len(df), (progress_bar, fault_tolerant, return_meta))
