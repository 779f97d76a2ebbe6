"""k-center over rows that are seen once: doubling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coverset._progress import Progress, report
from coverset._rows import Rows, check_rows, float_rows, stored_rows
from coverset.coreset.core_set import CoreSet
from coverset.coreset.traversal import NO_ROWS, added, radii_above, traverse

_SPARE = 4  # rows that are kept for each that is asked for
_EVERY = slice(None)


class _Doubling:
    """At most ``most`` rows of those seen, and how far from them any is: ``cover``.

    Rows farther than ``level`` from those kept are added while there is room. Where there is none,
    the level at least doubles, and the rows kept are thinned to it, but for half of ``most``. More
    than half of ``most`` rows lie ``level`` apart then, so that no so few centers have half that
    radius; and ``cover`` is at most 2 ``level``.
    """

    def __init__(self, most: int, threads: int) -> None:
        self._most, self._threads = most, threads
        self.kept: NDArray[np.float32] | None = None
        self.numbers = np.empty(0, dtype=np.int64)
        self.level = self.cover = 0.0
        self.seen = 0
        self.stats: dict[str, int] = {}

    def add(self, rows: NDArray[np.float32]) -> None:
        """See rows."""
        numbers = np.arange(self.seen, self.seen + len(rows))
        self.seen += len(rows)
        old = 0 if self.kept is None else len(self.kept)
        if self.kept is not None:
            rows = np.concatenate([self.kept, rows])
            numbers = np.concatenate([self.numbers, numbers])
        if old:  # those that are not covered yet, if there is room
            room = self._most - old
            some = min(max(room, 1), len(rows) - old)
            found = self._run(rows, some, np.arange(old), self.level)
            if len(found) <= room and (not len(found) or found.radii[-1] <= self.level):
                self._keep(rows, numbers, np.concatenate([np.arange(old), found.indices]))
                self.cover = max(self.cover, self.level)
                return
        found = self._run(rows, min(self._most, len(rows)))
        self.level = max(2 * self.level, float(found.radii[-1]))
        enough = int(np.argmax(found.radii <= self.level)) + 1
        kept = found.indices[: max(enough, self._most // 2)]
        self.cover += float(found.radii[len(kept) - 1])
        self._keep(rows, numbers, kept)

    def _keep(
        self, rows: NDArray[np.float32], numbers: NDArray[np.int64], which: NDArray[np.int64]
    ) -> None:
        self.kept, self.numbers = rows[which], numbers[which]

    def _run(
        self,
        rows: NDArray[np.float32],
        k: int,
        initial: NDArray[np.int64] = NO_ROWS,
        stop: float = -1.0,
    ) -> CoreSet:
        found = traverse(
            stored_rows("X", rows), k, initial=initial, stop=stop, threads=self._threads
        )
        self.stats = added(self.stats, found.stats)
        return found


def k_center_of_stream(
    blocks: Iterator[NDArray[Any] | Rows],
    k: int,
    unit: bool,
    threads: int,
    progress: Progress = False,
) -> CoreSet:
    """Keep 4 k rows by doubling, and take k of them; radii are upper bounds."""
    state = _Doubling(_SPARE * k, threads)
    with report(progress, None, "k_center") as advance:
        for number, block in enumerate(blocks):
            name = f"block {number} of X"
            rows = stored_rows(name, block)
            if state.kept is not None and rows.data.shape[1] != state.kept.shape[1]:
                msg = f"{name} must have {state.kept.shape[1]} columns, as those before, "
                raise ValueError(f"{msg}got {rows.data.shape[1]}")
            check_rows(name, rows, "cosine" if unit else "sqeuclidean", threads)
            if len(rows.data):
                state.add(float_rows(rows, _EVERY, threads, unit=unit))
            advance(len(rows.data))
    if state.kept is None or state.seen < k:
        msg = f"k must be in 1..{state.seen}, the rows of X, got {k}"
        raise ValueError(msg)
    found = traverse(stored_rows("X", state.kept), k, threads=threads)
    radii = radii_above(found.radii, state.cover, state.kept.shape[1])
    return CoreSet(
        *(state.numbers[found.indices], radii, None, state.stats), state.kept[found.indices]
    )
