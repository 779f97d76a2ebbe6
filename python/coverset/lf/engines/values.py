"""Passes over whole values: numbers located among ranges, strings looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import coverset._cpu as _cpu
from coverset.lf.engines.passes import (
    Declarative,
    Member,
    Part,
    Pass,
    RuleBook,
    Running,
    expanded,
    named,
)
from coverset.lf.engines.ranges import Range
from coverset.lf.tables.blocks import Block


class NumberPass(Pass):
    """Functions over the numbers of one column: each number is located once for all of them."""

    def compile(self, members: Sequence[Member], rules: RuleBook) -> list[list[int]]:
        """Give each function a rule a label; ranges wait for the column's type."""
        self.column = members[0].lf.columns[0]
        self._tables: dict[tuple[np.dtype[Any], str | None], tuple[Any, Any, Any]] = {}
        return [[rules.add(m, label) for label in _outcomes(m.lf)] for m in members]

    def run(self, block: Block, running: Running, n_threads: int) -> list[Part]:
        """Locate the numbers of a block."""
        with running.timed(self.members):
            numbers = named(self.members, block.numbers, self.column)
            kind = numbers.dtype, numbers.unit
            try:
                if kind not in self._tables:
                    self._tables[kind] = self._table(*kind, numbers.values.dtype)
            except TypeError:
                if numbers.valid.any():  # else they are nulls, which have no type
                    raise
                return []
            bits = numbers.validity
            part = Part(
                *_cpu.match_numbers(
                    numbers.values, bits.bits, bits.offset, *self._tables[kind], n_threads
                )
            )
            count_unmapped(self, part, numbers, running)
        return [part]

    def _table(
        self, dtype: np.dtype[Any], unit: str | None, stored: np.dtype[Any]
    ) -> tuple[Any, Any, Any]:
        low, high, rules = [], [], []
        for member, own in zip(self.members, self.rules_of, strict=True):
            lf: Any = member.lf
            label_rules = dict(zip(_outcomes(lf), own, strict=True))
            for (bottom, top), label in named([member], _labeled_ranges, lf, dtype, unit):
                low.append(bottom)
                high.append(top)
                rules.append(label_rules[label])
        return (
            np.array(low, dtype=stored),
            np.array(high, dtype=stored),
            np.array(rules, dtype=np.int32),
        )


def _labeled_ranges(lf: Any, dtype: np.dtype[Any], unit: str | None) -> list[tuple[Range, int]]:
    try:
        return list(lf.ranges(dtype, unit))
    except TypeError as error:
        msg = f"column {lf.columns[0]!r}: {error}"
        raise TypeError(msg) from None


class StringPass(Pass):
    """Functions over whole strings of one column: each is looked up once for all of them."""

    def compile(self, members: Sequence[Member], rules: RuleBook) -> list[list[int]]:
        """Put all strings into one table."""
        self.column = members[0].lf.columns[0]
        fired: dict[str, list[int]] = {}
        others: list[int] = []
        compiled, wanted = [], []
        for member in members:
            own = {label: rules.add(member, label) for label in _outcomes(member.lf)}
            compiled.append(list(own.values()))
            answers, rest = member.lf.answers()  # type: ignore[attr-defined]
            wanted.append((own, answers, rest))
            fired.update((string, []) for string in answers if string not in fired)
        for own, answers, rest in wanted:
            if rest is not None:
                others.append(own[rest])
            for string in answers if rest is None else fired:
                fired[string].append(own[answers.get(string, rest)])
        self._table = _cpu.StringTable(
            [string.encode() for string in fired], list(fired.values()), others
        )
        return compiled

    def run(self, block: Block, running: Running, n_threads: int) -> list[Part]:
        """Look up the strings of a block."""
        with running.timed(self.members):
            text = named(self.members, block.text, self.column)
            part = Part(*_cpu.match_strings(self._table, text.native, n_threads))
            if text.codes is not None:
                part = expanded(part, text, n_threads)
            count_unmapped(self, part, text, running)
        return [part]


def _outcomes(lf: Any) -> tuple[int, ...]:
    """Return the labels that a function may give, -1 included where it is an answer."""
    outcomes: tuple[int, ...] = lf.outcomes
    return outcomes


def count_unmapped(whole: Pass, part: Part, column: Any, running: Running) -> None:
    """Count, for functions that map answers, the rows whose answer is not mapped."""
    for member, own in zip(whole.members, whole.rules_of, strict=True):
        if getattr(member.lf, "maps_answers", False):
            mapped = int(np.count_nonzero(np.isin(part.rules, own)))
            running.unmapped[member.slot] += int(np.count_nonzero(column.valid)) - mapped


class Valued(Declarative):
    """A function of one column's values, numbers or strings."""

    outcomes: tuple[int, ...]
    maps_answers = False

    def __init__(
        self, column: str, outcomes: tuple[int, ...], name: str | None, default: str
    ) -> None:
        super().__init__(name, default, tuple(sorted(set(outcomes) - {-1})))
        self.columns = (column,)
        self.outcomes = outcomes

    def ranges(self, dtype: np.dtype[Any], unit: str | None) -> list[tuple[Range, int]]:
        """Return ranges of numbers and the label given there."""
        raise NotImplementedError

    def answers(self) -> tuple[Mapping[str, int], int | None]:
        """Return the label of each string, and that of every other; None is an abstain."""
        raise NotImplementedError
