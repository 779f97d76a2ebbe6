"""All patterns of a column at once on Vectorscan or Hyperscan, where its package is installed.

It only says which rows may match, so that what it reports decides nothing: the pattern's own
engine searches those rows. Patterns come in RE2's syntax as :mod:`coverset.lf.re2` writes it, which
spells out classes and folded letters and so means the same here.
"""

from __future__ import annotations

import importlib.util
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import pairwise, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coverset.lf.columns import Text

_SLICE_BYTES = 1 << 22  # of text between two looks at signals


def installed() -> bool:
    """Return whether the Python package ``hyperscan`` is there."""
    return importlib.util.find_spec("hyperscan") is not None


class MultiPattern:
    """A database of the patterns that the engine takes; ``taken`` are their places."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self.taken = [i for i, pattern in enumerate(patterns) if self._compiled([pattern])]
        self._database = self._compiled([patterns[i] for i in self.taken])

    @staticmethod
    def _compiled(patterns: Sequence[str]) -> Any:
        import hyperscan

        if not patterns:
            return None
        flags = hyperscan.HS_FLAG_UTF8 | hyperscan.HS_FLAG_SINGLEMATCH
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        try:
            database.compile(
                expressions=[pattern.encode() for pattern in patterns],
                ids=list(range(len(patterns))),
                elements=len(patterns),
                flags=[flags | hyperscan.HS_FLAG_ALLOWEMPTY] * len(patterns),
            )
        except hyperscan.error:
            return None
        database.scratch = hyperscan.Scratch(database)
        return database

    def candidates(self, text: Text) -> list[NDArray[np.int32]]:
        """Return the rows in which each taken pattern may be found; text must be UTF-8."""
        found: list[list[int]] = [[] for _ in self.taken]
        adders = [rows.append for rows in found]

        def on_match(pattern: int, _start: int, _end: int, _flags: int, row: int) -> None:
            adders[pattern](row)

        for rows, strings in _slices(text):
            calls = map(self._database.scan, strings, repeat(on_match), repeat(0), rows)
            deque(calls, maxlen=0)
        return [np.array(rows, dtype=np.int32) for rows in found]


def _slices(text: Text) -> Iterator[tuple[list[int], list[bytes]]]:
    """Yield rows that are not null, and their bytes, some at a time."""
    rows = np.flatnonzero(text.validity.mask).astype(np.int32)
    step = max(1, _SLICE_BYTES // text.mean_bytes)
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        copied = text.take(some)
        data, ends = copied.buffers[0].tobytes(), copied.index.tolist()
        strings = [data[a:b] for a, b in pairwise(ends)]
        yield some.tolist(), strings
