"""Applying labeling functions to a table."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from coverset import _arguments as arguments
from coverset import _cpu, _progress, _tables
from coverset.label_matrix import LabelMatrix, construct
from coverset.lf import table, words
from coverset.lf.base import BlockVotes, LabelingFunction
from coverset.lf.functions import RowFunction


@dataclass
class ApplyReport:
    """What each labeling function did during :func:`coverset.apply`; prints as a table."""

    names: tuple[str, ...]
    engines: list[str]  # "native", "re2", "batch" or "python"
    votes: list[int]
    errors: list[int]  # rows that abstained because the function raised
    first_errors: list[str | None]
    seconds: list[float]  # keyword functions of one column share one pass: time by equal parts
    n_rows: int = 0
    elapsed: float = 0.0

    def __str__(self) -> str:
        """Return an aligned table."""
        rows = [("", "engine", "votes", "errors", "seconds")]
        for i, name in enumerate(self.names):
            rows.append(
                (
                    name,
                    self.engines[i],
                    f"{self.votes[i]:,}",
                    f"{self.errors[i]:,}",
                    f"{self.seconds[i]:.3f}",
                )
            )
        failed = [f"{n}: {e}" for n, e in zip(self.names, self.first_errors, strict=True) if e]
        total = f"{self.n_rows:,} rows in {self.elapsed:.3f} s"
        return "\n".join([_tables.aligned(rows), *failed, total])


class _Group(NamedTuple):
    """The keyword functions of one column."""

    ids: NDArray[np.int32]  # their places among all functions
    labels: NDArray[np.int16]
    members: list[words.Keywords]
    automaton: _cpu.KeywordAutomaton


class _Triplets(NamedTuple):
    """Votes of some functions on one block, in any order."""

    rows: NDArray[np.int64]
    lfs: NDArray[np.int32]
    labels: NDArray[np.int16]


class _Plan:
    """The labeling functions of one call, the keyword functions of a column taken together."""

    def __init__(self, lfs: Sequence[LabelingFunction], names: Sequence[str]) -> None:
        self.lfs = lfs
        self.names = names
        columns: dict[str, list[tuple[int, words.Keywords]]] = {}
        for i, lf in enumerate(lfs):
            if isinstance(lf, words.Keywords):
                columns.setdefault(lf.column, []).append((i, lf))
        self._groups = []
        for placed in columns.values():
            members = [lf for _, lf in placed]
            ids = np.array([i for i, _ in placed], dtype=np.int32)
            labels = np.array([lf.label for lf in members], dtype=np.int16)
            self._groups.append(_Group(ids, labels, members, words.automaton(members)))
        self._alone = [i for i, lf in enumerate(lfs) if not isinstance(lf, words.Keywords)]

    def wanted(self) -> list[str] | None:
        """Return the columns that are read; None where a row function may read any."""
        if any(isinstance(lf, RowFunction) for lf in self.lfs):
            return None
        return sorted({column for lf in self.lfs for column in lf.columns})

    def check_columns(self, source: table.Table) -> None:
        """Raise unless the table has every column that a function names."""
        readers: dict[str, list[str]] = {}
        for lf, name in zip(self.lfs, self.names, strict=True):
            for column in lf.columns:
                readers.setdefault(column, []).append(name)
        for column, names in readers.items():
            _named(names, source.require, column)

    def run(
        self,
        block: table.Block,
        report: ApplyReport,
        cardinality: int | None,
        on_error: str,
        n_threads: int,
    ) -> construct.Votes:
        """Return the votes of one block and add to the report."""
        parts = [self._run_group(group, block, report, n_threads) for group in self._groups]
        for i in self._alone:
            lf, name = self.lfs[i], [self.names[i]]
            started = time.perf_counter()
            votes = _named(name, lf.vote, block, on_error=on_error, n_threads=n_threads)
            votes = _named(name, _within, votes, block.n, cardinality, block.start, on_error)
            report.seconds[i] += time.perf_counter() - started
            report.votes[i] += len(votes.rows)
            report.errors[i] += votes.errors
            report.first_errors[i] = report.first_errors[i] or votes.first_error
            lfs = np.full(len(votes.rows), i, dtype=np.int32)
            parts.append(_Triplets(votes.rows, lfs, votes.labels))
        report.n_rows += block.n
        return _assemble(parts, block.n, n_threads)

    def _run_group(
        self, group: _Group, block: table.Block, report: ApplyReport, n_threads: int
    ) -> _Triplets:
        started = time.perf_counter()
        names = [self.names[i] for i in group.ids]
        hits = _named(names, words.scan, group.automaton, group.members, block, n_threads)
        counts = np.bincount(hits.members, minlength=len(group.ids))
        spent = (time.perf_counter() - started) / len(group.ids)
        for i, count in zip(group.ids.tolist(), counts.tolist(), strict=True):
            report.votes[i] += count
            report.seconds[i] += spent
        return _Triplets(hits.rows, group.ids[hits.members], group.labels[hits.members])


def _named(names: Sequence[str], call: Any, *args: Any, **named: Any) -> Any:
    """Call, and put the labeling functions' names before what it raises."""
    try:
        return call(*args, **named)
    except (TypeError, ValueError) as error:
        first = ", ".join(map(repr, names[:3])) + ", ..." * (len(names) > 3)
        kind = TypeError if isinstance(error, TypeError) else ValueError
        msg = f"labeling function {first}: {error}"
        raise kind(msg) from (error.__cause__ or error)


def _assemble(parts: Sequence[_Triplets], n: int, n_threads: int) -> construct.Votes:
    rows, lfs, labels = (
        np.concatenate(arrays) if len(arrays) > 1 else arrays[0]
        for arrays in zip(*parts, strict=True)
    )
    indptr = np.empty(n + 1, dtype=np.int64)
    out = construct.Votes(indptr, np.empty_like(lfs), np.empty_like(labels))
    _cpu.from_triplets(rows, lfs, labels, "error", *out, n_threads)
    return out


def unique_names(lfs: Sequence[LabelingFunction]) -> tuple[str, ...]:
    """Return one name for each function: given ones as they are, repeated defaults get _2, _3."""
    given = [lf.name for lf in lfs if lf.named]
    for name in given:
        if given.count(name) > 1:
            msg = f"names of labeling functions must be unique, got {name!r} twice"
            raise ValueError(msg)
    taken, names = set(given), []
    for lf in lfs:
        name, repeat = lf.name, 1
        while not lf.named and name in taken:
            repeat += 1
            name = f"{lf.name}_{repeat}"
        taken.add(name)
        names.append(name)
    return tuple(names)


@overload
def apply(
    lfs: Sequence[LabelingFunction],
    data: Any,
    *,
    cardinality: int | None = None,
    class_names: Sequence[str] | None = None,
    n_threads: int | None = None,
    on_error: str = "raise",
    progress: _progress.Progress = False,
    return_report: Literal[False] = False,
) -> LabelMatrix: ...


@overload
def apply(
    lfs: Sequence[LabelingFunction],
    data: Any,
    *,
    cardinality: int | None = None,
    class_names: Sequence[str] | None = None,
    n_threads: int | None = None,
    on_error: str = "raise",
    progress: _progress.Progress = False,
    return_report: Literal[True],
) -> tuple[LabelMatrix, ApplyReport]: ...


def apply(
    lfs: Sequence[LabelingFunction],
    data: Any,
    *,
    cardinality: int | None = None,
    class_names: Sequence[str] | None = None,
    n_threads: int | None = None,
    on_error: str = "raise",
    progress: _progress.Progress = False,
    return_report: bool = False,
) -> LabelMatrix | tuple[LabelMatrix, ApplyReport]:
    """Apply labeling functions to the rows of a table.

    Rows keep their order, nulls abstain, and the table is read in blocks, so that a dataset or a
    stream may be larger than memory. The votes are never dense.

    Parameters
    ----------
    lfs : sequence of LabelingFunction
    data : table
        A pandas or polars data frame; a pyarrow Table, RecordBatch, RecordBatchReader or Dataset;
        anything with the Arrow stream interface; a dict of arrays (NumPy, CPU torch tensors and
        other ``__dlpack__`` arrays are read in place, lists are converted); or a list of objects,
        whose attributes or items are the columns.
    cardinality : int, optional
        Number of classes; by default that of ``class_names``, else the largest label declared or
        voted, + 1, at least 2.
    class_names : sequence of str, optional
        Kept with the votes.
    n_threads : int, optional
        By default the CPUs this process may use.
    on_error : {"raise", "abstain"}
        What happens when a Python function raises, or returns no class: an error that names the
        function, the row and its value; or an abstain, counted in the report.
    progress : bool or callable
        True shows a bar (needs tqdm); a callable gets ``(rows done, rows or None)``.
    return_report : bool
        Return ``(L, report)``.

    Returns
    -------
    LabelMatrix, or (LabelMatrix, ApplyReport)
        With the functions' names, and their polarity where it is declared.

    Raises
    ------
    ValueError
        For an unknown column, invalid UTF-8, two functions of one given name, a label outside
        ``0..cardinality - 1``, or a function that raises under ``on_error="raise"``.
    TypeError
        For data or columns of a kind that cannot be read.

    Examples
    --------
    >>> import coverset as cs
    >>> lfs = [cs.lf.keywords("text", ["free"], label=1), cs.lf.compare("n_words", "<", 3, label=0)]
    >>> L = cs.apply(lfs, {"text": ["free money now", "hi"], "n_words": [3, 1]})
    >>> L.to_dense().tolist(), L.lf_names
    ([[1, -1], [-1, 0]], ('keywords_text_free', 'compare_n_words_lt_3'))
    """
    arguments.one_of("on_error", on_error, ("raise", "abstain"))
    threads = arguments.threads(n_threads)
    lfs = list(lfs)
    if not lfs:
        msg = "lfs must hold at least one labeling function, got none"
        raise ValueError(msg)
    for i, lf in enumerate(lfs):
        if not isinstance(lf, LabelingFunction):
            msg = f"lfs[{i}] must be a labeling function, got {lf!r}"
            raise TypeError(msg)
    names = unique_names(lfs)
    if cardinality is None and class_names is not None:
        cardinality = len(class_names)
    if cardinality is not None:
        cardinality = arguments.whole_number("cardinality", cardinality, 1, _cpu.MOST_CLASSES)
    _check_declared(lfs, names, cardinality)
    plan = _Plan(lfs, names)
    m = len(lfs)
    report = ApplyReport(names, [""] * m, [0] * m, [0] * m, [None] * m, [0.0] * m)
    started = time.perf_counter()
    source = table.open_table(data, plan.wanted())
    plan.check_columns(source)
    parts = []
    with _progress.report(progress, source.n, "apply") as advance:
        for block in source.blocks:
            votes = plan.run(block, report, cardinality, on_error, threads)
            parts.append(votes)
            advance(block.n)
    if not parts:
        empty = np.empty(0, dtype=np.int64)
        parts = [
            construct.Votes(np.zeros(1, dtype=np.int64), empty.astype("i4"), empty.astype("i2"))
        ]
    whole = construct.stack_rows(parts)
    report.engines = [lf.engine for lf in lfs]
    report.elapsed = time.perf_counter() - started
    declared = max((max(lf.labels) for lf in lfs if lf.labels), default=1)
    k = cardinality or max(2, declared + 1, 1 + int(whole.labels.max(initial=0)))
    L = LabelMatrix._of(whole, m, k, names, class_names, [lf.labels for lf in lfs], checked=True)
    return (L, report) if return_report else L


def _check_declared(
    lfs: Sequence[LabelingFunction], names: Sequence[str], cardinality: int | None
) -> None:
    for lf, name in zip(lfs, names, strict=True):
        if cardinality is not None and lf.labels and max(lf.labels) >= cardinality:
            rule, got = f"label must be in 0..{cardinality - 1}", max(lf.labels)
            msg = f"labeling function {name!r}: {rule}, got {got}"
            raise ValueError(msg)


def _check_form(part: BlockVotes, n: int) -> None:
    """Raise unless a function's votes, perhaps of a class of the user's, may go to the kernels."""
    rows, labels = part.rows, part.labels
    if rows.dtype != np.int64 or labels.dtype != np.int16 or rows.shape != labels.shape:
        msg = f"vote must return (n,) int64 rows and int16 labels, got {rows.dtype}, {labels.dtype}"
        raise TypeError(msg)
    if len(rows) and (rows.min() < 0 or rows.max() >= n or labels.min() < 0):
        msg = f"vote must return rows in 0..{n - 1} and labels of at least 0"
        raise ValueError(msg)


def _within(
    part: BlockVotes, n: int, cardinality: int | None, start: int, on_error: str
) -> BlockVotes:
    """Return the votes whose label is a class; others are errors."""
    _check_form(part, n)
    if cardinality is None or not len(part.labels) or part.labels.max() < cardinality:
        return part
    inside = part.labels < cardinality
    at = int(np.argmin(inside))
    row, label = start + int(part.rows[at]), int(part.labels[at])
    msg = f"row {row}: the label must be in 0..{cardinality - 1}, got {label}"
    if on_error == "raise":
        raise ValueError(msg)
    errors = part.errors + int(np.count_nonzero(~inside))
    return BlockVotes(part.rows[inside], part.labels[inside], errors, part.first_error or msg)
