"""The Python package ``hyperscan``, where the system has no library of its own."""

from __future__ import annotations

import importlib.util
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

import coverset._cpu as _cpu
from coverset.lf.tables.columns import Text

_SLICE_BYTES = 1 << 20  # of text scanned by one call
_Rows = NDArray[np.int32]


class PackageEngine:
    """The package holds the GIL while it scans, and calls back for each match."""

    most_matches = 0.02  # a byte: with more, telling each costs more than scanning rows singly

    @staticmethod
    def installed() -> bool:
        """Return whether the package is there."""
        return importlib.util.find_spec("hyperscan") is not None

    @staticmethod
    def compile(patterns: Sequence[str], *, once: bool) -> Any:
        """Return a database, or None; ``once``: each is told once a row, and may match nothing."""
        import hyperscan

        flags = hyperscan.HS_FLAG_UTF8
        if once:
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

    @staticmethod
    def scan(
        database: Any, size: int, text: Text, rows: _Rows, *, as_lines: bool, n_threads: int
    ) -> tuple[list[_Rows], int]:
        """Return the candidates of each of ``size`` patterns, and the number of matches."""
        import hyperscan

        step = max(1, _SLICE_BYTES // text.mean_bytes)
        slices = [rows[start : start + step] for start in range(0, len(rows), step)]
        scratches = [hyperscan.Scratch(database) for _ in range(max(1, n_threads))]
        read = _read_lines if as_lines else _read_rows

        def scan(some: _Rows) -> tuple[list[_Rows], int]:
            own = scratches.pop()
            try:
                return read(database, size, text, some, own)
            finally:
                scratches.append(own)

        if len(scratches) == 1 or len(slices) < 2:
            parts = list(map(scan, slices))
        else:
            with ThreadPoolExecutor(len(scratches)) as pool:
                parts = list(pool.map(scan, slices))
        if not parts:
            return [rows[:0]] * size, 0
        found = [np.concatenate(one) for one in zip(*(p for p, _ in parts), strict=True)]
        return found, sum(matches for _, matches in parts)


def _read_lines(
    database: Any, size: int, text: Text, rows: _Rows, scratch: Any
) -> tuple[list[_Rows], int]:
    """Scan rows as lines of one string."""
    offsets, data = _cpu.take_text(text.native, rows, True)
    ends: list[int] = []
    patterns: list[int] = []
    add_end, add_pattern = ends.append, patterns.append

    def on_match(pattern: int, _start: int, end: int, _flags: int, _context: None) -> None:
        add_end(end)
        add_pattern(pattern)

    database.scan(data.tobytes(), on_match, scratch=scratch)
    kinds, found = np.array(patterns, dtype=np.int64), []
    for kind in range(size):
        at = np.array(ends, dtype=np.int64)[kinds == kind]
        # a match that ends where a row begins may be of the row before, or of nothing in it
        last, next_ = (np.searchsorted(offsets, at, side=side) - 1 for side in ("left", "right"))
        lines = np.unique(np.concatenate([last, next_]))
        found.append(rows[lines[(lines >= 0) & (lines < len(rows))]])
    return found, len(ends)


def _read_rows(
    database: Any, size: int, text: Text, rows: _Rows, scratch: Any
) -> tuple[list[_Rows], int]:
    """Scan rows one by one."""
    copied = text.take(rows)
    data, ends = copied.buffers[0].tobytes(), copied.index.tolist()
    strings = [data[a:b] for a, b in pairwise(ends)]
    hits: list[list[int]] = [[] for _ in range(size)]
    adders = [one.append for one in hits]

    def on_match(pattern: int, _start: int, _end: int, _flags: int, row: int) -> None:
        adders[pattern](row)

    calls = map(database.scan, strings, repeat(on_match), repeat(0), rows.tolist(), repeat(scratch))
    deque(calls, maxlen=0)
    return [np.array(one, dtype=np.int32) for one in hits], 0
