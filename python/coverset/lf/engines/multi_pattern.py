"""All patterns of a column at once on Hyperscan or Vectorscan, where either is installed.

It only says which rows may match, so that what it reports decides nothing: the pattern's own
engine searches those rows. Patterns come in RE2's syntax as :mod:`coverset.lf.engines.re2` writes
it, which spells out classes and folded letters and so means the same here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import coverset._cpu as _cpu
from coverset.lf.engines import hyperscan_package
from coverset.lf.tables.columns import Text

_PROBE_BYTES = 1 << 16  # of text that tells how many matches there are
_Rows = NDArray[np.int32]


class SystemEngine:
    """The shared library of the system, called natively."""

    most_matches = 0.2  # a byte: with more, telling each costs more than scanning rows singly

    @staticmethod
    def installed() -> bool:
        """Return whether the library is there."""
        return _cpu.PatternDatabase.available()

    @staticmethod
    def compile(patterns: Sequence[str], *, once: bool) -> Any:
        """Return a database, or None where the engine refuses the patterns."""
        try:
            return _cpu.PatternDatabase(patterns, once)
        except ValueError:
            return None

    @staticmethod
    def scan(
        database: Any, size: int, text: Text, rows: _Rows, *, as_lines: bool, n_threads: int
    ) -> tuple[list[_Rows], int]:
        """Return the candidates of each of ``size`` patterns, and the number of matches."""
        (found, kinds), matches = _cpu.find_patterns(
            database, text.native, rows, as_lines, n_threads
        )
        order = np.argsort(kinds, kind="stable")
        ends = np.searchsorted(kinds[order], np.arange(1, size))
        return np.split(found[order], ends), matches


ENGINES: tuple[Any, ...] = (SystemEngine, hyperscan_package.PackageEngine)


def installed() -> Any:
    """Return the engine that is there, or None."""
    return next((engine for engine in ENGINES if engine.installed()), None)


class MultiPattern:
    """The patterns that the engine takes; ``taken`` are their places.

    Most are looked for in many rows at once, set apart by newlines: a match may then span rows,
    which costs a candidate, but none is lost. Where that does not hold (anchors, empty matches), or
    where matches are too many to be told one by one, rows are scanned singly.
    """

    def __init__(self, patterns: Sequence[str], engine: Any) -> None:
        self._engine = engine
        anchored = [r"\A" in pattern or r"\z" in pattern for pattern in patterns]
        in_lines = [
            not a and engine.compile([p], once=False)
            for a, p in zip(anchored, patterns, strict=True)
        ]
        alone = [engine.compile([p], once=True) for p in patterns]
        self.taken = [i for i, one in enumerate(alone) if one]
        every = [patterns[i] for i in self.taken]
        places = range(len(every))
        self._lines = [k for k in places if in_lines[self.taken[k]]]
        self._rows = [k for k in places if not in_lines[self.taken[k]]]
        self._databases = {
            (as_lines, tuple(some)): engine.compile([every[k] for k in some], once=not as_lines)
            for as_lines, some in ((True, self._lines), (False, self._rows), (False, places))
            if some
        }

    def candidates(self, text: Text, n_threads: int) -> list[_Rows]:
        """Return the rows in which each taken pattern may be found; text must be UTF-8."""
        rows = np.flatnonzero(text.validity.mask).astype(np.int32)
        n_probe = _PROBE_BYTES // text.mean_bytes + 1
        probe, rest = rows[:n_probe], rows[n_probe:]
        found, matches = self._find(self._lines, text, probe, True, n_threads)
        if matches <= self._engine.most_matches * (len(probe) * text.mean_bytes):
            found |= self._find(self._rows, text, probe, False, n_threads)[0]
            others, _ = self._find(self._lines, text, rest, True, n_threads)
            others |= self._find(self._rows, text, rest, False, n_threads)[0]
        else:
            found, others = {}, self._find(range(len(self.taken)), text, rows, False, n_threads)[0]
        parts = [part for part in (found, others) if part]
        return [np.concatenate([part[k] for part in parts]) for k in range(len(self.taken))]

    def _find(
        self, places: Sequence[int], text: Text, rows: _Rows, as_lines: bool, n_threads: int
    ) -> tuple[dict[int, _Rows], int]:
        """Return candidates by place, and the number of matches."""
        if not places:
            return {}, 0
        database = self._databases[as_lines, tuple(places)]
        found, matches = self._engine.scan(
            database, len(places), text, rows, as_lines=as_lines, n_threads=n_threads
        )
        return dict(zip(places, found, strict=True)), matches
