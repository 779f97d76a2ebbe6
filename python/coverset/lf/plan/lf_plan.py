"""Plans: labeling functions compiled into passes, so that each column is read once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import coverset._cpu as _cpu
import coverset._tables as _tables
import coverset.label_matrix.construct as construct
from coverset.lf.base import BlockVotes, LabelingFunction
from coverset.lf.engines.passes import Declarative, Member, Part, Pass, RuleBook, Running, named
from coverset.lf.kinds.combinations import Combination, Truth
from coverset.lf.kinds.functions import RowFunction, adopted
from coverset.lf.kinds.nulls import NullTest
from coverset.lf.plan.report import ApplyReport
from coverset.lf.tables import table
from coverset.lf.tables.blocks import Block
from coverset.lf.workers.pool import WorkerError, WorkerPool

# rows of a block where no Python function needs them as objects
_WIDE_ROWS = 1 << 24
_SHOWN_ROWS = 1 << 20  # so that progress is seen


class LFPlan:
    """Labeling functions compiled to run together, as :func:`coverset.apply` does; reusable.

    A plan does not change after it is made, but for ``report``: several threads may run it at once.

    Functions of one kind over one column share a pass, which reads the column once. Printing a plan
    shows what runs each function, and after a run what each did.

    Parameters
    ----------
    lfs : sequence of LabelingFunction
        Snorkel's own labeling functions are taken as they are.

    Attributes
    ----------
    names : tuple of str
        One a function: given names as they are, repeated defaults with ``_2``, ``_3``, ...
    report : ApplyReport or None
        Of the last run.

    Raises
    ------
    ValueError
        If there is no function, or two have one given name.
    TypeError
        If an element is no labeling function.

    Examples
    --------
    >>> import coverset as cs
    >>> plan = cs.LFPlan([cs.lf.keywords("text", ["free"], 1), cs.lf.regex("text", "win|prize", 1)])
    >>> print(plan)
                         runs    columns  labels
    keywords_text_free   native  text     1
    regex_text_win|prize native  text     1
    >>> cs.apply(plan, {"text": ["win a free phone", "hello"]}).to_dense().tolist()
    [[1, 1], [-1, -1]]
    """

    def __init__(self, lfs: Sequence[LabelingFunction]) -> None:
        self.lfs = [_adopted(i, lf) for i, lf in enumerate(lfs)]
        if not self.lfs:
            msg = "lfs must hold at least one labeling function, got none"
            raise ValueError(msg)
        self.names = unique_names(self.lfs)
        self.report: ApplyReport | None = None
        self._members = [Member(i, name, lf) for i, (name, lf) in enumerate(self._all_named())]
        self._parts_of = self._slots_of_parts()
        self._trees = [self._tree(slot) for slot in range(len(self.lfs))]
        rules = RuleBook()
        self._passes = self._compile(rules)
        self._opaque = [m for m in self._members if not isinstance(m.lf, Declarative | Combination)]
        self._own_rules = {m.slot: rules.add(m, -1) for m in self._opaque}
        self._combinations = {
            m.slot: rules.add(m, m.lf.label)
            for m in self._members[: len(self.lfs)]
            if isinstance(m.lf, Combination)
        }
        self._rules = rules.arrays(len(self.lfs))

    def __str__(self) -> str:
        """Return an aligned table, and that of the last run."""
        rows = [("", "runs", "columns", "labels")]
        for name, lf in zip(self.names, self.lfs, strict=True):
            labels = "any" if lf.labels is None else ", ".join(map(str, lf.labels))
            rows.append((name, lf.engine, ", ".join(lf.columns) or "any", labels))
        whole = _tables.aligned(rows)
        return whole if self.report is None else f"{whole}\n\n{self.report}"

    def __len__(self) -> int:
        """Return the number of functions."""
        return len(self.lfs)

    def _all_named(self) -> list[tuple[str, LabelingFunction]]:
        found = list(zip(self.names, self.lfs, strict=True))
        for name, lf in found:  # grows: parts of parts follow
            found += [(f"{name}: {part.name}", part) for part in lf.parts]
        return found

    def _slots_of_parts(self) -> dict[int, list[int]]:
        """By slot: where its parts stand; parts follow in the order in which _all_named adds."""
        slots, following = {}, len(self.lfs)
        for member in self._members:
            slots[member.slot] = list(range(following, following + len(member.lf.parts)))
            following += len(member.lf.parts)
        return slots

    def _tree(self, slot: int) -> list[int]:
        """Return a function's slot, those of its parts, of their parts, and so on."""
        return [slot, *(below for part in self._parts_of[slot] for below in self._tree(part))]

    def _compile(self, rules: RuleBook) -> list[Pass]:
        shared: dict[Any, list[Member]] = {}
        for member in self._members:
            if isinstance(member.lf, Declarative):
                key = (member.lf.pass_type, member.lf.shares)
                shared.setdefault(key, []).append(member)
        return [pass_type(members, rules) for (pass_type, _), members in shared.items()]

    def wanted(self) -> list[str] | None:
        """Return the columns that are read; None where a row function may read any."""
        if any(isinstance(m.lf, RowFunction) for m in self._members):
            return None
        return sorted({column for lf in self.lfs for column in lf.columns})

    def block_rows(self, *, shown: bool) -> int:
        """Return how many rows a block has: fewer where Python functions see them as objects."""
        if self._opaque:
            return table.BLOCK_ROWS
        return _SHOWN_ROWS if shown else _WIDE_ROWS

    def check_columns(self, source: table.Table) -> None:
        """Raise unless the table has every column that a function names."""
        readers: dict[str, list[Member]] = {}
        for member in self._members[: len(self.lfs)]:
            for column in member.lf.columns:
                readers.setdefault(column, []).append(member)
        for column, members in readers.items():
            named(members, source.require, column)

    def in_workers(self) -> list[Member]:
        """Return the functions that worker processes can run."""
        return [m for m in self._members if m.lf.engine == "python"]

    def start(self, pool: WorkerPool | None, on_error: str) -> _Run:
        """Begin a run over a table."""
        return _Run(self, pool, on_error)


class _Run(Running):
    """A plan on its way through a table."""

    def __init__(self, plan: LFPlan, pool: WorkerPool | None, on_error: str) -> None:
        self._plan = plan
        self._pool = pool
        self._on_error = on_error
        super().__init__(len(plan._members), self._search_in_workers if pool else None)
        self._votes = np.zeros(len(plan), dtype=np.int64)
        self._n_rows = 0
        self._started = time.perf_counter()
        self._in_workers = {m.slot: i for i, m in enumerate(plan.in_workers())} if pool else {}

    def votes(self, block: Block, cardinality: int | None, n_threads: int) -> construct.Votes:
        """Return the votes on one block, as rows of a label matrix."""
        plan = self._plan
        parts: list[Part] = []
        fired: dict[int, list[NDArray[Any]]] = {}  # by slot: rows of parts of combinations
        for whole in plan._passes:
            found = whole.run(block, self, n_threads)
            parts += found
            for member, own in zip(whole.members, whole.votes_of, strict=True):
                if member.slot >= len(plan):
                    fired[member.slot] = [p.rows[np.isin(p.rules, own)] for p in found]
        for member, given in self._opaque_votes(block, n_threads):
            most = cardinality if member.slot < len(plan) else None
            votes = named([member], within, given, block.n, most, block.start, self._on_error)
            self.errors[member.slot] += votes.errors
            self.first_errors[member.slot] = self.first_errors[member.slot] or votes.first_error
            rows = votes.rows.astype(np.int32)
            fired[member.slot] = [rows]
            rules = np.full(len(rows), plan._own_rules[member.slot], dtype=np.int32)
            if member.slot < len(plan):
                parts.append(Part(rows, rules, votes.labels))
        parts += self._combined(block, fired)
        self._n_rows += block.n
        made = construct.Votes(*_cpu.assemble_votes(block.n, parts, *plan._rules, n_threads))
        self._votes += np.bincount(made.lfs, minlength=len(plan))
        return made

    def _opaque_votes(self, block: Block, n_threads: int) -> list[tuple[Member, BlockVotes]]:
        """Call the Python functions, in worker processes if there are any."""
        found = []
        rest = [m for m in self._plan._opaque if m.slot not in self._in_workers]
        away = [m for m in self._plan._opaque if m.slot in self._in_workers]
        if away and self._pool is not None:
            places = [self._in_workers[m.slot] for m in away]
            with self.timed(away):
                votes = self._from_workers(block, places)
            found += list(zip(away, votes, strict=True))
        for member in rest:
            with self.timed([member]):
                options = {"on_error": self._on_error, "n_threads": n_threads}
                found.append((member, named([member], member.lf.vote, block, **options)))
        return found

    def _search_in_workers(
        self, member: Member, strings: list[str | None], column: str
    ) -> NDArray[np.int64]:
        """Return the places of the strings in which a regex is found."""
        candidates = next(table.open_table({column: strings}, rows=max(1, len(strings))).blocks)
        place = self._in_workers[member.slot]
        return self._from_workers(candidates, [place])[0].rows

    def _from_workers(self, block: Block, places: list[int]) -> list[BlockVotes]:
        assert self._pool is not None
        try:
            return self._pool.votes(block, self._on_error, places)
        except WorkerError as error:
            name = self._plan.in_workers()[error.lf].name
            msg = f"labeling function {name!r}: {error}"
            raise ValueError(msg) from None

    def _combined(self, block: Block, fired: dict[int, list[NDArray[Any]]]) -> list[Part]:
        plan = self._plan

        def truth(slot: int) -> Truth:
            member = plan._members[slot]
            if isinstance(member.lf, Combination):
                return member.lf.combine([truth(part) for part in plan._parts_of[slot]])
            fires = np.zeros(block.n, dtype=bool)
            for rows in fired[slot]:
                fires[rows] = True
            fails = ~fires
            if isinstance(member.lf, Declarative) and not isinstance(member.lf, NullTest):
                for column in member.lf.columns:
                    fails &= block.valid(column)
            return Truth(fires, fails)

        parts = []
        for slot, rule in plan._combinations.items():
            with self.timed([plan._members[slot]]):
                rows = np.flatnonzero(truth(slot).fires).astype(np.int32)
                parts.append(Part(rows, np.full(len(rows), rule, dtype=np.int32)))
        return parts

    def report(self) -> ApplyReport:
        """Return what each function did, its parts included; the plan keeps it."""
        plan, m = self._plan, len(self._plan)
        engines = [
            "workers" if member.slot in self._in_workers else member.lf.engine
            for member in plan._members[:m]
        ]

        def whole(values: list[Any]) -> list[Any]:
            return [sum(values[part] for part in tree) for tree in plan._trees]

        def first(tree: list[int]) -> str | None:
            return next((self.first_errors[part] for part in tree if self.first_errors[part]), None)

        report = plan.report = ApplyReport(
            plan.names,
            engines,
            self._votes.tolist(),
            whole(self.errors),
            [first(tree) for tree in plan._trees] if any(self.first_errors) else [None] * m,
            whole(self.seconds),
            whole(self.unmapped),
            self._n_rows,
            time.perf_counter() - self._started,
        )
        return report


def _adopted(i: int, lf: Any) -> LabelingFunction:
    if isinstance(lf, LabelingFunction):
        return lf
    found: LabelingFunction | None = adopted(lf)
    if found is None:
        msg = f"lfs[{i}] must be a labeling function, got {lf!r}"
        raise TypeError(msg)
    return found


def unique_names(lfs: Sequence[LabelingFunction]) -> tuple[str, ...]:
    """Return one name for each function: given ones as they are, repeated defaults get _2, _3."""
    taken: set[str] = set()
    for lf in lfs:
        if lf.named and lf.name in taken:
            msg = f"names of labeling functions must be unique, got {lf.name!r} twice"
            raise ValueError(msg)
        if lf.named:
            taken.add(lf.name)
    names = []
    for lf in lfs:
        name, repeat = lf.name, 1
        while not lf.named and name in taken:
            repeat += 1
            name = f"{lf.name}_{repeat}"
        taken.add(name)
        names.append(name)
    return tuple(names)


def _check_form(part: BlockVotes, n: int) -> None:
    """Raise unless a function's votes, perhaps of a class of the user's, may go to the kernels."""
    rows, labels = part.rows, part.labels
    if rows.dtype != np.int64 or labels.dtype != np.int16 or rows.shape != labels.shape:
        msg = f"vote must return (n,) int64 rows and int16 labels, got {rows.dtype}, {labels.dtype}"
        raise TypeError(msg)
    if not len(rows):
        return
    if rows.min() < 0 or rows.max() >= n or labels.min() < 0:
        msg = f"vote must return rows in 0..{n - 1} and labels of at least 0"
        raise ValueError(msg)
    if (np.diff(rows) <= 0).any():
        msg = f"vote must return ascending rows, got {rows[1 + np.argmax(np.diff(rows) <= 0)]} late"
        raise ValueError(msg)


def within(
    part: BlockVotes, n: int, cardinality: int | None, start: int, on_error: str
) -> BlockVotes:
    """Return the votes whose label is a class; others are errors."""
    _check_form(part, n)
    if cardinality is None:
        cardinality = _cpu.MOST_CLASSES
    if not len(part.labels) or part.labels.max() < cardinality:
        return part
    inside = part.labels < cardinality
    at = int(np.argmin(inside))
    row, label = start + int(part.rows[at]), int(part.labels[at])
    msg = f"row {row}: the label must be in 0..{cardinality - 1}, got {label}"
    if on_error == "raise":
        raise ValueError(msg)
    errors = part.errors + int(np.count_nonzero(~inside))
    return BlockVotes(part.rows[inside], part.labels[inside], errors, part.first_error or msg)
