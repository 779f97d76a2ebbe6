"""All patterns of a column at once on Vectorscan or Hyperscan, where its package is installed.

It only says which rows may match, so that what it reports decides nothing: the pattern's own
engine searches those rows. Patterns come in RE2's syntax as :mod:`coverset.lf.re2` writes it, which
spells out classes and folded letters and so means the same here.
"""

from __future__ import annotations

import importlib.util
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coverset import _cpu
from coverset.lf.columns import Text

_SLICE_BYTES = 1 << 20  # of text scanned by one call
_MOST_MATCHES = 0.02  # a byte: with more, telling each costs more than scanning rows singly


def installed() -> bool:
    """Return whether the Python package ``hyperscan`` is there."""
    return importlib.util.find_spec("hyperscan") is not None


class MultiPattern:
    """The patterns that the engine takes; ``taken`` are their places.

    Most are looked for in many rows at once, set apart by newlines: a match may then span rows,
    which costs a candidate, but none is lost. Where that does not hold (anchors, empty matches), or
    where matches are too many to be told one by one, rows are scanned singly.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        anchored = [r"\A" in pattern or r"\z" in pattern for pattern in patterns]
        in_lines = [not a and self._compiled([p]) for a, p in zip(anchored, patterns, strict=True)]
        alone = [self._compiled([p], single=True) for p in patterns]
        self.taken = [i for i, one in enumerate(alone) if one]
        self._lines = [k for k, i in enumerate(self.taken) if in_lines[i]]
        self._rows = [k for k, i in enumerate(self.taken) if not in_lines[i]]
        every = [patterns[i] for i in self.taken]
        self._of_lines = self._compiled([every[k] for k in self._lines])
        self._of_rows = self._compiled([every[k] for k in self._rows], single=True)
        self._of_all = self._compiled(every, single=True)

    @staticmethod
    def _compiled(patterns: Sequence[str], *, single: bool = False) -> Any:
        """Return a database; ``single``: each pattern is told once, and may match nothing."""
        import hyperscan

        if not patterns:
            return None
        flags = hyperscan.HS_FLAG_UTF8
        if single:
            flags |= hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_ALLOWEMPTY
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        try:
            database.compile(
                expressions=[pattern.encode() for pattern in patterns],
                ids=list(range(len(patterns))),
                elements=len(patterns),
                flags=[flags] * len(patterns),
            )
        except hyperscan.error:
            return None
        return database

    def candidates(self, text: Text, n_threads: int) -> list[NDArray[np.int32]]:
        """Return the rows in which each taken pattern may be found; text must be UTF-8."""
        rows = np.flatnonzero(text.validity.mask).astype(np.int32)
        step = max(1, _SLICE_BYTES // text.mean_bytes)
        probe, rest = rows[: step // 16 + 1], rows[step // 16 + 1 :]
        scratches = [self._scratches() for _ in range(max(1, n_threads))]
        found, few = self._scan(text, probe, scratches[0], few=True)
        slices = [rest[start : start + step] for start in range(0, len(rest), step)]

        def scan(some: NDArray[np.int32]) -> list[NDArray[np.int32]]:
            own = scratches.pop()
            try:
                return self._scan(text, some, own, few=few)[0]
            finally:
                scratches.append(own)

        if len(scratches) == 1 or len(slices) < 2:
            parts = [found, *map(scan, slices)]
        else:
            with ThreadPoolExecutor(len(scratches)) as pool:
                parts = [found, *pool.map(scan, slices)]
        return [np.concatenate(of_pattern) for of_pattern in zip(*parts, strict=True)]

    def _scratches(self) -> dict[Any, Any]:
        """Return the memory that one thread scans with, by database."""
        import hyperscan

        databases = (self._of_lines, self._of_rows, self._of_all)
        return {database: hyperscan.Scratch(database) for database in databases if database}

    def _scan(
        self, text: Text, rows: NDArray[np.int32], scratches: dict[Any, Any], *, few: bool
    ) -> tuple[list[NDArray[np.int32]], bool]:
        """Return the candidates among ``rows``, and whether matches of lines were few."""
        if not few:
            every = range(len(self.taken))
            by_place = self._scan_rows(self._of_all, every, text, rows, scratches)
            return [by_place[k] for k in every], False
        by_place, few = self._scan_lines(text, rows, scratches)
        by_place |= self._scan_rows(self._of_rows, self._rows, text, rows, scratches)
        return [by_place[k] for k in range(len(self.taken))], few

    def _scan_lines(
        self, text: Text, rows: NDArray[np.int32], scratches: dict[Any, Any]
    ) -> tuple[dict[int, NDArray[np.int32]], bool]:
        """Scan rows as lines; return candidates by place, and whether matches were few."""
        if self._of_lines is None:
            return {}, True
        offsets, data = _cpu.take_text(text.native, rows, True)
        ends: list[int] = []
        patterns: list[int] = []
        add_end, add_pattern = ends.append, patterns.append

        def on_match(pattern: int, _start: int, end: int, _flags: int, _context: None) -> None:
            add_end(end)
            add_pattern(pattern)

        self._of_lines.scan(data.tobytes(), on_match, scratch=scratches[self._of_lines])
        kinds, found = np.array(patterns, dtype=np.int64), {}
        for kind, k in enumerate(self._lines):
            at = np.array(ends, dtype=np.int64)[kinds == kind]
            # a match that ends where a row begins may be of the row before, or of nothing in it
            last, next_ = (
                np.searchsorted(offsets, at, side=side) - 1 for side in ("left", "right")
            )
            lines = np.unique(np.concatenate([last, next_]))
            found[k] = rows[lines[(lines >= 0) & (lines < len(rows))]]
        return found, len(ends) <= _MOST_MATCHES * len(data)

    @staticmethod
    def _scan_rows(
        database: Any,
        places: Sequence[int],
        text: Text,
        rows: NDArray[np.int32],
        scratches: dict[Any, Any],
    ) -> dict[int, NDArray[np.int32]]:
        """Scan rows one by one; return candidates by place."""
        if database is None:
            return {}
        copied = text.take(rows)
        data, ends = copied.buffers[0].tobytes(), copied.index.tolist()
        strings = [data[a:b] for a, b in pairwise(ends)]
        hits: list[list[int]] = [[] for _ in places]
        adders = [one.append for one in hits]

        def on_match(pattern: int, _start: int, _end: int, _flags: int, row: int) -> None:
            adders[pattern](row)

        scratch = repeat(scratches[database])
        calls = map(database.scan, strings, repeat(on_match), repeat(0), rows.tolist(), scratch)
        deque(calls, maxlen=0)
        return {k: np.array(one, dtype=np.int32) for k, one in zip(places, hits, strict=True)}
