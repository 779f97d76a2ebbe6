"""k-center greedy in NumPy: all canonical distances to each centre, then the farthest row."""

from __future__ import annotations

import numpy as np

import neighbors_reference as reference


def unit_rows(X):
    """Return rows divided by their canonical length, after an exact scaling."""
    largest = np.abs(X).max(axis=1)
    X = X * np.ldexp(np.float32(1), -np.floor(np.log2(largest)).astype(np.int32))[:, None]
    squares = np.array([reference.inner_products(reference.in_groups(x[None]), x)[0] for x in X])
    return X / np.sqrt(squares)[:, None]


def squared_distances(X, row):
    return reference.distances(X, X[row : row + 1], "sqeuclidean")[0]


def k_center(X, k, start=0, initial=(), weights=None, n_outliers=0, stop_radius=None):
    """Return (indices, radii, keys at the end) of farthest-first traversal in float32."""
    n = len(X)
    weights = np.ones(n, np.float32) if weights is None else np.asarray(weights, np.float32)
    power = np.float32(2.0 ** np.frexp(weights.max())[1]) if weights.max() > 0 else np.float32(1)
    squares = (weights / power) * (weights / power)
    nearest, taken = np.full(n, np.inf, np.float32), np.zeros(n, bool)
    indices, radii = [], []

    def add(row):
        taken[row] = True
        np.minimum(nearest, squared_distances(X, row), out=nearest)

    def farthest():
        keys = np.where(taken, np.float32(-1), squares * nearest)
        order = np.argsort(-keys, kind="stable")
        row = order[n_outliers] if n_outliers < n - taken.sum() else None
        return row, np.float32(0) if row is None else keys[row]

    for row in initial:
        add(row)
    row = start if not len(initial) else farthest()[0]
    covered = len(initial) and stop_radius is not None
    if covered and np.sqrt(farthest()[1]) * power <= np.float32(stop_radius):
        return np.array([], np.int64), np.array([], np.float32)
    while len(indices) < k:
        add(row)
        indices.append(row)
        row, key = farthest()
        radii.append(np.sqrt(key) * power)
        if stop_radius is not None and radii[-1] <= np.float32(stop_radius):
            break
    return np.array(indices), np.array(radii, np.float32)
