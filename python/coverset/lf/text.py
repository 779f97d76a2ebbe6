"""The pass over a text column: one scan for the literals of all its functions, then the regexes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coverset import _cpu
from coverset.lf import alphabet
from coverset.lf.columns import Text
from coverset.lf.passes import NO_ROWS, Member, Part, Pass, RuleBook, Tally, constant_part, named
from coverset.lf.table import Block

if TYPE_CHECKING:
    from coverset.lf.literals import Literal

# searches strings in worker processes: the places of those in which the member is found
Elsewhere = Callable[[Member, list[str | None], str], NDArray[np.int64]]


class _Scan:
    """The literals of some functions, and the rules that they fire."""

    def __init__(self, letters: alphabet.Alphabet) -> None:
        self._letters = letters
        self._literals: list[tuple[bytes, int, bool, bool, bool]] = []
        self._min_counts: list[int] = []
        self._rules: list[int] = []

    def add(self, literals: Sequence[Literal], rule: int, min_count: int = 1) -> None:
        """Let ``rule`` fire where ``min_count`` of the literals occur."""
        for text, fold, start, end in literals:
            self._literals.append((text, len(self._rules), fold, start, end))
        self._rules.append(rule)
        self._min_counts.append(min_count)

    def compile(self) -> None:
        """Build the native scanner."""
        self._scanner = _cpu.LiteralScanner(self._literals, self._min_counts, *self._letters)
        self._rule_of = np.array(self._rules, dtype=np.int32)
        self._literals.clear()

    def run(self, text: Text, n_threads: int) -> Part:
        """Return the hits on a column."""
        rows, rules = _cpu.scan_literals(self._scanner, text.native, n_threads)
        return Part(rows, self._rule_of[rules])


class TextPass(Pass):
    """Keywords and regexes of one column."""

    def compile(self, members: Sequence[Member], rules: RuleBook) -> list[list[int]]:
        """Put every literal into one scan, by alphabet."""
        self.column = members[0].lf.columns[0]
        self.elsewhere: Elsewhere | None = None
        self._decoded = False  # whether some function reads characters, not bytes
        self._searched: list[tuple[Member, int, int | None]] = []  # rule, and that of candidates
        scans: dict[tuple[bool, bool], _Scan] = {}
        compiled = []
        for member in members:
            lf: Any = member.lf
            rule = rules.add(member, lf.label)
            compiled.append([rule])
            self._decoded |= lf.characters
            if lf.engine == "native":
                kind = (lf.unicode, lf.unicode and not lf.case_sensitive)
                if kind not in scans:
                    scans[kind] = _Scan(alphabet.of(*kind))
                scans[kind].add(lf.literals(), rule, lf.min_count)
                continue
            candidates = None
            if lf.literals():
                candidates = rules.add(member, -1)
                kind = (False, False)
                scans.setdefault(kind, _Scan(alphabet.ASCII)).add(lf.literals(), candidates)
            self._searched.append((member, rule, candidates))
        self._scans = list(scans.values())
        for scan in self._scans:
            scan.compile()
        return compiled

    def run(self, block: Block, tally: Tally, n_threads: int) -> list[Part]:
        """Scan the column once, then search the rows that can match."""
        with tally.timed(self.members):
            text = named(self.members, block.text, self.column)
            if self._decoded:
                readers = [m for m in self.members if m.lf.characters]  # type: ignore[attr-defined]
                named(readers, self._check, text, block.start, n_threads)
            parts = [scan.run(text, n_threads) for scan in self._scans]
        if self._searched:
            parts += self._search(text, parts, tally, n_threads)
        if text.codes is None:
            return parts
        return [expanded(part, text, n_threads) for part in parts]

    def _check(self, text: Text, start: int, n_threads: int) -> None:
        bad = _cpu.find_invalid_utf8(text.native, n_threads)
        if bad >= 0:
            at = f"row {start + bad}" if text.codes is None else f"distinct value {bad}"
            msg = f"column {self.column!r}: text must be valid UTF-8, {at} is not"
            raise ValueError(msg)

    def _search(self, text: Text, parts: list[Part], tally: Tally, n_threads: int) -> list[Part]:
        """Run each regex on its candidates; those on RE2 side by side."""
        candidates = _by_rule(parts, [c for _, _, c in self._searched if c is not None])

        def search(searched: tuple[Member, int, int | None]) -> Part:
            member, rule, candidate = searched
            lf: Any = member.lf
            started = time.perf_counter()
            rows = None if candidate is None else candidates[candidate]
            if lf.engine == "python" and self.elsewhere is not None:
                found = self._search_elsewhere(member, text, rows)
            else:
                found = lf.find(text, rows)
            tally.seconds[member.slot] += time.perf_counter() - started
            return constant_part(found, rule)

        side_by_side = [s for s in self._searched if s[0].lf.engine == "re2"]
        n_threads = n_threads or _cpu.available_threads()
        if n_threads == 1 or len(side_by_side) < 2:
            return [search(searched) for searched in self._searched]
        others = [s for s in self._searched if s[0].lf.engine != "re2"]
        with ThreadPoolExecutor(n_threads) as pool:
            running = [pool.submit(search, searched) for searched in side_by_side]
            try:
                found = [search(searched) for searched in others]
                return found + [future.result() for future in running]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _search_elsewhere(
        self, member: Member, text: Text, rows: NDArray[np.int32] | None
    ) -> NDArray[np.int32]:
        assert self.elsewhere is not None
        if rows is None:
            rows = np.flatnonzero(text.validity.mask).astype(np.int32)
        if not len(rows):
            return rows
        return rows[self.elsewhere(member, text.take(rows).strings(), self.column)]


def _by_rule(parts: list[Part], rules: list[int]) -> dict[int, NDArray[np.int32]]:
    """Return the rows of each of ``rules``, ascending."""
    found = dict.fromkeys(rules, NO_ROWS)
    if not rules:
        return found
    for part in parts:
        wanted = np.isin(part.rules, rules, kind="table")
        rows, kinds = part.rows[wanted], part.rules[wanted]
        order = np.argsort(kinds, kind="stable")
        rows, kinds = rows[order], kinds[order]
        starts = np.flatnonzero(np.diff(kinds, prepend=-1))
        if not len(starts):
            continue
        groups = np.split(rows, starts[1:])
        for group, rule in zip(groups, kinds[starts].tolist(), strict=True):
            found[rule] = group
    return found


def expanded(part: Part, text: Text, n_threads: int) -> Part:
    """Give the hits on distinct strings to the rows that hold them."""
    assert text.codes is not None
    return Part(*_cpu.expand_hits(part.rows, part.rules, text.codes, len(text), n_threads))
