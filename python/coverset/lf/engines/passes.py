"""Passes: what runs the labeling functions of one kind over a block, all of a column together."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

import coverset._cpu as _cpu
from coverset.lf.base import LabelingFunction
from coverset.lf.tables.blocks import Block
from coverset.lf.tables.columns import Text

RowNumbers = NDArray[np.int32]
_NO_LABELS = np.empty(0, dtype=np.int16)
NO_ROWS: RowNumbers = np.empty(0, dtype=np.int32)


class Member(NamedTuple):
    """A labeling function in a plan."""

    slot: int  # its place: the user's functions first, then the parts of combinations
    name: str
    lf: LabelingFunction


class Part(NamedTuple):
    """Hits of some rules on a block: rows ascend, counted from the block's first."""

    rows: RowNumbers
    rules: NDArray[np.int32]
    labels: NDArray[np.int16] = _NO_LABELS  # by hit; empty: those of the rules


class RuleBook:
    """The rules of a plan: each stands for a labeling function and the label that it gives."""

    def __init__(self) -> None:
        self._slots: list[int] = []
        self._labels: list[int] = []

    def add(self, member: Member, label: int) -> int:
        """Return a new rule; one with label -1 is no vote."""
        self._slots.append(member.slot)
        self._labels.append(label)
        return len(self._slots) - 1

    def votes(self, rules: Sequence[int]) -> list[int]:
        """Return those of the rules that are votes."""
        return [rule for rule in rules if self._labels[rule] >= 0]

    def arrays(self, n_functions: int) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
        """Return function and label of each rule; parts of combinations do not vote."""
        slots = np.array(self._slots, dtype=np.int32)
        labels = np.array(self._labels, dtype=np.int16)
        labels[slots >= n_functions] = -1
        return slots, labels


# searches strings in worker processes: the places of those in which the member is found
Elsewhere = Callable[[Member, list[str | None], str], NDArray[np.int64]]


class Running:
    """A run of a plan: what its functions did, by slot, and where else they may search.

    Passes never change after they were compiled, so that several threads may run one plan.
    """

    def __init__(self, slots: int, elsewhere: Elsewhere | None) -> None:
        self.elsewhere = elsewhere
        self.errors = [0] * slots
        self.first_errors: list[str | None] = [None] * slots
        self.unmapped = [0] * slots
        self.seconds = [0.0] * slots

    @contextmanager
    def timed(self, members: Sequence[Member]) -> Iterator[None]:
        """Add the time spent within, in equal parts."""
        started = time.perf_counter()
        yield
        spent = (time.perf_counter() - started) / max(1, len(members))
        for member in members:
            self.seconds[member.slot] += spent


class Pass(ABC):
    """Functions that run as one over a block; compiled once a plan."""

    def __init__(self, members: Sequence[Member], rules: RuleBook) -> None:
        self.members = members
        self.rules_of = self.compile(members, rules)
        self.votes_of = [rules.votes(own) for own in self.rules_of]

    @abstractmethod
    def compile(self, members: Sequence[Member], rules: RuleBook) -> Any:
        """Make the tables of the kernel; return the rules of each member."""

    @abstractmethod
    def run(self, block: Block, running: Running, n_threads: int) -> list[Part]:
        """Return the hits on a block."""


class Declarative(LabelingFunction):
    """A function that a pass runs, together with others of its kind."""

    pass_type: ClassVar[type[Pass]]

    @property
    def shares(self) -> Hashable:
        """Functions of one pass type that share this run as one."""
        return self.columns


def constant_part(rows: NDArray[Any], rule: int) -> Part:
    """Return the hits of one rule."""
    return Part(rows.astype(np.int32, copy=False), np.full(len(rows), rule, dtype=np.int32))


def expanded(part: Part, text: Text, n_threads: int) -> Part:
    """Give the hits on distinct strings to the rows that hold them."""
    assert text.codes is not None
    return Part(*_cpu.expand_hits(part.rows, part.rules, text.codes, len(text), n_threads))


def named(members: Sequence[Member], call: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Call, and put the labeling functions' names before what it raises."""
    try:
        return call(*args, **options)
    except (TypeError, ValueError) as error:
        first = ", ".join(repr(m.name) for m in members[:3]) + ", ..." * (len(members) > 3)
        kind = TypeError if isinstance(error, TypeError) else ValueError
        msg = f"labeling function {first}: {error}"
        raise kind(msg) from (error.__cause__ or error)
