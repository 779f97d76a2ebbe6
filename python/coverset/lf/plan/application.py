"""Applying labeling functions to a table."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, Literal, overload

import numpy as np

import coverset._arguments as arguments
import coverset._cpu as _cpu
import coverset._progress as _progress
import coverset.label_matrix.construct as construct
from coverset.label_matrix import LabelMatrix
from coverset.lf.base import LabelingFunction
from coverset.lf.plan.lf_plan import LFPlan
from coverset.lf.plan.report import ApplyReport
from coverset.lf.tables import table
from coverset.lf.workers.pool import WorkerPool


@overload
def apply(
    lfs: Sequence[LabelingFunction] | LFPlan,
    data: Any,
    *,
    cardinality: int | None = None,
    class_names: Sequence[str] | None = None,
    n_threads: int | None = None,
    n_workers: int | None = None,
    on_error: str = "raise",
    progress: _progress.Progress = False,
    return_report: Literal[False] = False,
) -> LabelMatrix: ...


@overload
def apply(
    lfs: Sequence[LabelingFunction] | LFPlan,
    data: Any,
    *,
    cardinality: int | None = None,
    class_names: Sequence[str] | None = None,
    n_threads: int | None = None,
    n_workers: int | None = None,
    on_error: str = "raise",
    progress: _progress.Progress = False,
    return_report: Literal[True],
) -> tuple[LabelMatrix, ApplyReport]: ...


def apply(
    lfs: Sequence[LabelingFunction] | LFPlan,
    data: Any,
    *,
    cardinality: int | None = None,
    class_names: Sequence[str] | None = None,
    n_threads: int | None = None,
    n_workers: int | None = None,
    on_error: str = "raise",
    progress: _progress.Progress = False,
    return_report: bool = False,
) -> LabelMatrix | tuple[LabelMatrix, ApplyReport]:
    """Apply labeling functions to the rows of a table.

    The functions are compiled into a plan (:class:`LFPlan`) that reads each column once. Rows keep
    their order, nulls abstain, and the table is read in blocks, so that a dataset or a stream may
    be larger than memory. The votes are never dense: beyond the table, a run takes at most 24 bytes
    a vote (rows that an engine must search for a regex, and hits of combinations' parts, counted as
    votes), 16 a row and 64 MiB a thread.

    Parameters
    ----------
    lfs : sequence of LabelingFunction, or LFPlan
        Snorkel's own labeling functions are taken as they are.
    data : table
        A pandas or polars data frame; a pyarrow Table, RecordBatch, RecordBatchReader or Dataset;
        anything with the Arrow stream interface; a dict of arrays (NumPy, CPU torch tensors and
        other ``__dlpack__`` arrays are read in place, lists are converted; a SciPy sparse matrix is
        a column of features, an (n, d) array one of embeddings); or a list of objects, whose
        attributes or items are the columns.
    cardinality : int, optional
        Number of classes; by default that of ``class_names``, else the largest label declared or
        voted, + 1, at least 2.
    class_names : sequence of str, optional
        Kept with the votes.
    n_threads : int, optional
        By default the CPUs this process may use.
    n_workers : int, optional
        Processes that run the Python functions of rows, and the patterns that only Python's ``re``
        can search; 0 is this process, the default unless a function has a time-out, which needs a
        process to stop. They are spawned, so functions must be importable (or cloudpickle
        installed), and a script that asks for them needs ``if __name__ == "__main__":``.
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
    plan = lfs if isinstance(lfs, LFPlan) else LFPlan(list(lfs))
    if cardinality is None and class_names is not None:
        cardinality = len(class_names)
    if cardinality is not None:
        cardinality = arguments.whole_number("cardinality", cardinality, 1, _cpu.MOST_CLASSES)
    _check_declared(plan, cardinality)
    source = table.open_table(data, plan.wanted(), plan.block_rows(shown=bool(progress)))
    plan.check_columns(source)
    parts = []
    with (
        _workers(plan, n_workers) as pool,
        _progress.report(progress, source.n, "apply") as advance,
    ):
        run = plan.start(pool, on_error)
        for block in source.blocks:
            parts.append(run.votes(block, cardinality, threads))
            advance(block.n)
    if not parts:
        empty = np.empty(0, dtype=np.int64)
        parts = [
            construct.Votes(np.zeros(1, dtype=np.int64), empty.astype("i4"), empty.astype("i2"))
        ]
    whole = construct.stack_rows(parts)
    report = run.report()
    declared = max((max(lf.labels) for lf in plan.lfs if lf.labels), default=1)
    k = cardinality or max(2, declared + 1, 1 + int(whole.labels.max(initial=0)))
    polarity = [lf.labels for lf in plan.lfs]
    L = LabelMatrix._of(whole, len(plan), k, plan.names, class_names, polarity, checked=True)
    return (L, report) if return_report else L


def _workers(plan: LFPlan, n_workers: int | None) -> Any:
    """Return a pool for the functions that it can run, to be entered; None is this process."""
    members = plan.in_workers()
    timed = any(getattr(member.lf, "timeout", None) is not None for member in members)
    least = 1 if timed else 0
    n = least if n_workers is None else arguments.whole_number("n_workers", n_workers, 0, 1024)
    if timed and n == 0:
        msg = "n_workers must be at least 1 where a labeling function has a time-out, got 0"
        raise ValueError(msg)
    return WorkerPool([m.lf for m in members], n) if members and n else nullcontext()


def _check_declared(plan: LFPlan, cardinality: int | None) -> None:
    for lf, name in zip(plan.lfs, plan.names, strict=True):
        if cardinality is not None and lf.labels and max(lf.labels) >= cardinality:
            rule, got = f"label must be in 0..{cardinality - 1}", max(lf.labels)
            msg = f"labeling function {name!r}: {rule}, got {got}"
            raise ValueError(msg)
