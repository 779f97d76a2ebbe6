"""Core-sets of classes: each class has rows of its own, and is covered by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
from coverset._progress import Progress, report
from coverset._rows import StoredRows
from coverset.coreset.core_set import CoreSet
from coverset.coreset.traversal import NO_RADII, NO_ROWS, added


class _Part(NamedTuple):
    """A group's rows, those taken of them, and its radius with its initial rows alone."""

    own: NDArray[np.int64]
    indices: NDArray[np.int64]
    radii: NDArray[np.float32]
    before: np.float32
    stats: dict[str, int]


def k_center_of_groups(
    rows: StoredRows,
    k: int | Mapping[int, int],
    groups: ArrayLike,
    initial: NDArray[np.int64],
    weights: NDArray[np.float32],
    traverse: Callable[..., tuple[CoreSet, np.float32]],
    stop: float,
    progress: Progress,
) -> CoreSet:
    """Cover each group by itself, and put the rows in one order: the largest radius comes next."""
    labels = arguments.integer_array("groups", groups)
    n = len(rows.data)
    if len(labels) != n:
        msg = f"groups must have one entry a row: {n} rows, got {len(labels)} entries"
        raise ValueError(msg)
    names, of_row = np.unique(labels, return_inverse=True)
    given = np.bincount(of_row[initial], minlength=len(names))
    free = np.bincount(of_row, minlength=len(names)) - given
    budgets = _budgets(k, names, free)
    rows_of = np.split(np.argsort(of_row, kind="stable"), np.cumsum(free + given)[:-1])
    with report(progress, int(budgets.sum()), "k_center") as advance:
        parts = []
        for group, budget in enumerate(budgets):
            own = rows_of[group]
            some = StoredRows(
                rows.data[own], rows.kind, rows.scale[own] if len(rows.scale) else rows.scale
            )
            weight = weights[own] if len(weights) else weights
            centers = np.searchsorted(own, np.sort(initial[of_row[initial] == group]))
            first = int(np.argmax(weight)) if len(weight) else 0
            if free[group] == 0:
                parts.append(_Part(own, NO_ROWS, NO_RADII, np.float32(0), {}))
                continue
            shown = {"advance": advance} if progress and budget else {}
            found, before = traverse(
                some, max(int(budget), 1), first, centers, weight, stop, **shown
            )
            before = before if len(centers) else np.float32(np.inf)
            taken = slice(min(int(budget), len(found)))
            parts.append(_Part(own, found.indices[taken], found.radii[taken], before, found.stats))
    return _in_one_order(parts)


def _budgets(k: Any, names: NDArray[Any], free: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many rows to take of each group."""
    if isinstance(k, Mapping):
        known = {int(name): i for i, name in enumerate(names)}
        budgets = np.zeros(len(names), dtype=np.int64)
        for name, budget in k.items():
            if name not in known:
                msg = f"k must have groups that occur, got group {name!r}"
                raise ValueError(msg)
            group = known[name]
            budgets[group] = arguments.whole_number(f"k[{name}]", budget, 0, int(free[group]))
        if not budgets.any():
            msg = "k must take at least one row, got none"
            raise ValueError(msg)
        return budgets
    left = arguments.whole_number("k", k, 1, int(free.sum()))
    budgets = np.zeros(len(names), dtype=np.int64)
    while left:  # evenly; what a small group cannot take goes to the others
        open_groups = np.flatnonzero(budgets < free)
        share = max(left // len(open_groups), 1)
        taken = np.minimum(free[open_groups] - budgets[open_groups], share)
        if share == 1 and left < len(open_groups):
            taken[left:] = 0
        budgets[open_groups] += taken
        left -= int(taken.sum())
    return budgets


def _in_one_order(parts: list[_Part]) -> CoreSet:
    """Merge traversals: next comes the group whose radius is largest; ties to the lower group."""
    now = np.array([part.before for part in parts], dtype=np.float32)
    taken = np.zeros(len(parts), dtype=np.int64)
    lengths = np.array([len(part.indices) for part in parts])
    indices = np.empty(int(lengths.sum()), dtype=np.int64)
    radii = np.empty(len(indices), dtype=np.float32)
    for i in range(len(indices)):
        group = int(np.argmax(np.where(taken < lengths, now, -1)))
        part, at = parts[group], taken[group]
        indices[i], now[group] = part.own[part.indices[at]], part.radii[at]
        taken[group] += 1
        radii[i] = now.max()
    stats: dict[str, int] = {}
    for part in parts:
        stats = added(stats, part.stats) if part.stats else stats
    return CoreSet(indices, radii, None, stats)
