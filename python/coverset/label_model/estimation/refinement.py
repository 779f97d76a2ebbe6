"""Votes that hardly repeat: learned on a sample of rows, then refined by all of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import coverset._cpu as _cpu
from coverset.label_matrix import LabelMatrix
from coverset.label_model.estimation import vote_columns

SAMPLE_ROWS = 1 << 17


def sampled(
    L: LabelMatrix, gold: NDArray[np.int16] | None
) -> tuple[LabelMatrix, NDArray[np.int16] | None]:
    """Return rows at equal distances, and their gold."""
    chosen = np.linspace(0, len(L) - 1, min(SAMPLE_ROWS, len(L))).astype(np.int64)
    return L[chosen], None if gold is None else gold[chosen]


def repeat(grouped: vote_columns.Grouped, n: int) -> bool:
    """Return whether at least half of ``n`` rows are no new ones."""
    return grouped.n_patterns <= n // 2


def refine(
    fitted: vote_columns.Fitted,
    L: LabelMatrix,
    gold: NDArray[np.int16] | None,
    n_sample: int,
    threads: int,
) -> vote_columns.Fitted:
    """Return what one pass over all rows makes of a fit to a sample of them."""
    counts = vote_columns.observe_rows(L, threads)
    table, state = vote_columns.extend(fitted.table, fitted.state, L, threads)
    votes = np.zeros((L.n_lfs, L.cardinality), dtype=np.int64)
    votes[counts.lf, counts.label] = counts.votes
    table = table._replace(votes=votes[table.lf, table.label])
    column_of = np.full(L.n_lfs * L.cardinality, -1, dtype=np.int32)
    column_of[table.lf * L.cardinality + table.label] = np.arange(len(table.label))
    scale = len(L) / max(n_sample, 1)
    state = vote_columns.State(
        state.expected * scale, state.log_weight.copy(), state.class_balance.copy(),
        state.believed.copy(), state.believed_rows.copy(),
    )  # fmt: skip
    known = np.empty(0, dtype=np.int16) if gold is None else gold
    votes_of_rows = L.indptr, L.lfs, L.labels, column_of, known
    options, before = fitted.settings.options(), float(n_sample)
    _cpu.refine_by_rows(*votes_of_rows, *table.arrays(), options, before, *state, threads)
    return fitted._replace(table=table, state=state)
