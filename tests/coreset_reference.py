"""k-center greedy in NumPy: all canonical distances to each center, then the farthest row."""

from __future__ import annotations

import itertools

import numpy as np

import neighbors_reference as reference


def unit_rows(wide):
    near = reference.near_one(wide)
    return near / reference.norms(reference.in_groups(near))[:, None]


def farthest_first(
    wide,
    k,
    *,
    start=None,
    initial=(),
    metric="euclidean",
    weights=None,
    n_outliers=0,
    stop_radius=None,
):
    """Return (indices, radii) of float32 rows, each distance measured."""
    rows = unit_rows(wide) if metric == "cosine" else wide
    columns = reference.in_groups(rows)
    nearest, free = np.full(len(rows), np.inf, np.float32), np.ones(len(rows), bool)
    factor, power = np.ones(len(rows), np.float32), 1.0
    if weights is not None:
        narrow = np.asarray(weights).astype(np.float32)
        if narrow.any():
            power = 2.0 ** int(np.frexp(narrow.max())[1])
        scaled = (narrow.astype(np.float64) / power).astype(np.float32)
        factor = scaled * scaled
        start = int(np.argmax(narrow)) if start is None else start

    def take(row):
        free[row] = False
        with np.errstate(over="ignore", under="ignore"):
            distances = reference.squared_distances(columns, rows[row])
        np.minimum(nearest, distances, out=nearest)

    def farthest():
        """Return the row that comes next, and the radius: none and 0 if outliers are left."""
        bounds, left = factor * nearest, np.flatnonzero(free)
        if len(left) <= n_outliers:
            return None, np.float32(0)
        row = left[np.argsort(-bounds[left], kind="stable")[n_outliers]]
        return row, np.float32(float(np.sqrt(bounds[row])) * power)

    def covered(radius):
        return stop_radius is not None and float(radius) <= stop_radius

    for row in initial:
        take(row)
    if len(initial):
        row, radius = farthest()
        if covered(radius):
            return np.empty(0, np.int64), np.empty(0, np.float32)
    else:
        row = 0 if start is None else start
    indices, radii = [], []
    while len(indices) < k:
        take(row)
        indices.append(row)
        row, radius = farthest()
        radii.append(radius)
        if covered(radius):
            break
    return np.array(indices, np.int64), np.array(radii, np.float32)


def even_budgets(k, free):
    """Deal k rows out one at a time, from the lowest class on, to classes with rows left."""
    budgets, names = dict.fromkeys(free, 0), itertools.cycle(sorted(free))
    while sum(budgets.values()) < k:
        name = next(names)
        budgets[name] += budgets[name] < free[name]
    return budgets


def class_traversals(wide, k, groups, initial=(), weights=None, **options):
    """Return the traversal of each class that rows are taken of, in rows of the whole."""
    groups, initial = np.asarray(groups), np.asarray(initial, np.int64)
    names = np.unique(groups).tolist()
    if not isinstance(k, dict):
        given = groups[initial]
        k = even_budgets(k, {c: int((groups == c).sum() - (given == c).sum()) for c in names})
    parts = []
    for name in (name for name in names if k.get(name, 0)):
        own = np.flatnonzero(groups == name)
        centers = np.searchsorted(own, initial[groups[initial] == name])
        some = None if weights is None else np.asarray(weights)[own]
        indices, radii = farthest_first(
            wide[own], k[name], initial=centers, weights=some, **options
        )
        parts.append((own[indices], radii))
    return parts


def farthest_first_of_classes(wide, k, groups, **options):
    """Return (indices, radii) of the merged order: the class of the largest radius comes next."""
    parts = class_traversals(wide, k, groups, **options)
    now, used = [np.inf] * len(parts), [0] * len(parts)
    indices, radii = [], []
    for _ in range(sum(len(rows) for rows, _ in parts)):
        c = max(
            (c for c in range(len(parts)) if used[c] < len(parts[c][0])), key=lambda c: (now[c], -c)
        )
        indices.append(parts[c][0][used[c]])
        now[c] = parts[c][1][used[c]]
        used[c] += 1
        radii.append(max(now))
    return np.array(indices, np.int64), np.array(radii, np.float32)


def nearest_centers(wide, centers, metric="euclidean"):
    rows = unit_rows(wide) if metric == "cosine" else wide
    return centers[np.argmin(reference.distances(rows, rows[centers], "sqeuclidean"), axis=0)]
