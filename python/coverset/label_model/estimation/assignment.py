"""The best one-to-one assignment (Kuhn 1955), by shortest augmenting paths."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best_assignment(profit: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the column of each row that together have the most profit; O(k^3)."""
    cost, k = -profit, len(profit)
    row_price, column_price = np.zeros(k + 1), np.zeros(k + 1)
    row_of = np.zeros(k + 1, dtype=np.int64)  # of each column, from 1; 0: none
    for row in range(1, k + 1):
        row_of[0], column = row, 0
        least, before = np.full(k + 1, np.inf), np.zeros(k + 1, dtype=np.int64)
        done = np.zeros(k + 1, dtype=bool)
        while row_of[column]:
            done[column] = True
            at = row_of[column]
            rest = np.flatnonzero(~done[1:]) + 1
            reduced = cost[at - 1, rest - 1] - row_price[at] - column_price[rest]
            nearer = reduced < least[rest]
            least[rest[nearer]], before[rest[nearer]] = reduced[nearer], column
            column = int(rest[least[rest].argmin()])
            step = least[column]
            row_price[row_of[done]] += step
            column_price[done] -= step
            least[rest] -= step
        while column:
            row_of[column] = row_of[before[column]]
            column = int(before[column])
    result = np.empty(k, dtype=np.int64)
    result[row_of[1:] - 1] = np.arange(k)
    return result
