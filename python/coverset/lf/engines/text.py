"""The pass over a text column: one scan for the literals of all its functions, then the regexes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

import coverset._cpu as _cpu
from coverset.lf.engines import alphabet, multi_pattern
from coverset.lf.engines.literals import Literal
from coverset.lf.engines.multi_pattern import MultiPattern
from coverset.lf.engines.passes import (
    NO_ROWS,
    Elsewhere,
    Member,
    Part,
    Pass,
    RuleBook,
    Running,
    constant_part,
    expanded,
    named,
)
from coverset.lf.tables.blocks import Block
from coverset.lf.tables.columns import Text


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


class _Searched:
    """A regex that an engine searches, on candidate rows where there are such."""

    def __init__(self, member: Member, rule: int) -> None:
        self.member = member
        self.rule = rule
        self.candidates: list[int] = []  # rules that all fire on each row that can match
        self.in_multi = False  # whether the multi-pattern engine finds its candidates


class TextPass(Pass):
    """Keywords and regexes of one column."""

    def compile(self, members: Sequence[Member], rules: RuleBook) -> list[list[int]]:
        """Put every literal into one scan, by alphabet."""
        self.column = members[0].lf.columns[0]
        self._decoded = False  # whether some function reads characters, not bytes
        self._searched: list[_Searched] = []
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
            self._searched.append(_Searched(member, rule))
        self._multi = self._multi_pattern()
        for searched in self._searched:
            for some in searched.member.lf.required if not searched.in_multi else ():  # type: ignore[attr-defined]
                searched.candidates.append(rules.add(searched.member, -1))
                scan = scans.setdefault((False, False), _Scan(alphabet.ASCII))
                scan.add(some, searched.candidates[-1])
        self._scans = list(scans.values())
        for scan in self._scans:
            scan.compile()
        return compiled

    def _multi_pattern(self) -> MultiPattern | None:
        """Put the patterns without rare literals into one database, where there is an engine."""
        common = [
            searched
            for searched in self._searched
            if searched.member.lf.engine == "re2" and not searched.member.lf.has_rare_literals  # type: ignore[attr-defined]
        ]
        engine = multi_pattern.installed() if common else None
        if engine is None:
            return None
        multi = MultiPattern([s.member.lf.translated for s in common], engine)  # type: ignore[attr-defined]
        for i in multi.taken:
            common[i].in_multi = True
        return multi if multi.taken else None

    def run(self, block: Block, running: Running, n_threads: int) -> list[Part]:
        """Scan the column once, then search the rows that can match."""
        with running.timed(self.members):
            text = named(self.members, block.text, self.column)
            if self._decoded:
                readers = [m for m in self.members if m.lf.characters]  # type: ignore[attr-defined]
                named(readers, self._check, text, block.start, n_threads)
            parts = [scan.run(text, n_threads) for scan in self._scans]
        if self._searched:
            parts += self._search(text, parts, running, n_threads)
        if text.codes is None:
            return parts
        return [expanded(part, text, n_threads) for part in parts]

    def _check(self, text: Text, start: int, n_threads: int) -> None:
        bad = _cpu.find_invalid_utf8(text.native, n_threads)
        if bad >= 0 and text.codes is not None:  # a value that no row may have
            used = np.unique(text.codes[text.codes >= 0])
            bad = _cpu.find_invalid_utf8(text.take(used).native, n_threads)
            bad = np.flatnonzero(text.codes == used[bad])[0] if bad >= 0 else bad
        if bad >= 0:
            msg = f"column {self.column!r}: text must be valid UTF-8, row {start + bad} is not"
            raise ValueError(msg)

    def _search(
        self, text: Text, parts: list[Part], running: Running, n_threads: int
    ) -> list[Part]:
        """Run each regex on its candidates; those on RE2 side by side."""
        n_threads = n_threads or _cpu.available_threads()
        by_rule = _by_rule(parts, [rule for s in self._searched for rule in s.candidates])
        in_multi = [s.member for s in self._searched if s.in_multi]
        if self._multi is not None:
            with running.timed(in_multi):
                found_there = self._multi.candidates(text, n_threads)
            by_slot = {m.slot: rows for m, rows in zip(in_multi, found_there, strict=True)}

        def search(searched: _Searched) -> Part:
            member = searched.member
            lf: Any = member.lf
            started = time.perf_counter()
            rows = None
            if searched.in_multi:
                rows = by_slot[member.slot]
            elif searched.candidates:
                rows = reduce(_common, (by_rule[rule] for rule in searched.candidates))
            if lf.engine == "python" and running.elsewhere is not None:
                found = self._search_elsewhere(running.elsewhere, member, text, rows)
            else:
                found = lf.find(text, rows)
            running.seconds[member.slot] += time.perf_counter() - started
            return constant_part(found, searched.rule)

        side_by_side = [s for s in self._searched if s.member.lf.engine == "re2"]
        if n_threads == 1 or len(side_by_side) < 2:
            return [search(searched) for searched in self._searched]
        others = [s for s in self._searched if s.member.lf.engine != "re2"]
        with ThreadPoolExecutor(n_threads) as pool:
            futures = [pool.submit(search, searched) for searched in side_by_side]
            try:
                found = [search(searched) for searched in others]
                return found + [future.result() for future in futures]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _search_elsewhere(
        self, elsewhere: Elsewhere, member: Member, text: Text, rows: NDArray[np.int32] | None
    ) -> NDArray[np.int32]:
        if rows is None:
            rows = np.flatnonzero(text.validity.mask).astype(np.int32)
        if not len(rows):
            return rows
        return rows[elsewhere(member, text.take(rows).strings(), self.column)]


def _common(first: NDArray[np.int32], second: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.intersect1d(first, second, assume_unique=True)


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
