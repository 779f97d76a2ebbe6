"""Exact neighbors in NumPy: the canonical distance of every pair, then a stable sort.

Slow and plain. Rows lie as columns, (groups of 16 coordinates, lane, row), so that one NumPy call
does one float32 operation of one lane for every row.
"""

from __future__ import annotations

import numpy as np

METRICS = ("sqeuclidean", "cosine", "inner_product")
LANES = 16


def widened(data, scale=None):
    """Return stored rows as float32: uint16 is bfloat16, int8 is times the scale of its row."""
    data = np.asarray(data)
    if data.dtype == np.uint16:
        return (data.astype(np.uint32) << 16).view(np.float32)
    wide = data.astype(np.float32)
    return wide if scale is None else wide * scale[:, None]


def narrowed(X):
    """Return float32 rows as bfloat16 (uint16), cut rather than rounded."""
    return (np.ascontiguousarray(X).view(np.uint32) >> 16).astype(np.uint16)


def in_groups(X):
    """Return (n, d) rows as (groups, 16, n), the last group filled up with zeros."""
    n, d = X.shape
    padded = np.zeros((-(-d // LANES) * LANES, n), np.float32)
    padded[:d] = X.T
    return padded.reshape(-1, LANES, n)


def summed(groups, terms):
    """Sum one term a group lane by lane, then halve the lanes until one is left."""
    lanes = np.zeros(groups.shape[1:], np.float32)
    for group in range(len(groups)):
        lanes += terms(group)
    for half in (8, 4, 2, 1):
        lanes = lanes[:half] + lanes[half : 2 * half]
    return lanes[0]


def inner_products(groups, query):
    q = in_groups(query[None])
    return summed(groups, lambda g: groups[g] * q[g])


def squared_distances(groups, query):
    q = in_groups(query[None])

    def squares(g):
        difference = groups[g] - q[g]
        return difference * difference

    return summed(groups, squares)


def norms(groups):
    return np.sqrt(summed(groups, lambda g: groups[g] * groups[g]))


def near_one(X):
    """Scale each row by the power of two that brings its largest absolute value into [1, 2)."""
    exponents = np.frexp(np.abs(X).max(axis=1))[1] - 1
    wide = X.astype(np.float64) * np.exp2(-exponents.astype(np.float64))[:, None]
    return wide.astype(np.float32)


def distances(X, Q, metric):
    """Return the (q, n) canonical float32 distances of float32 rows."""
    out = np.empty((len(Q), len(X)), np.float32)
    with np.errstate(under="ignore", over="ignore"):
        if metric == "cosine":
            groups, Q = in_groups(near_one(X)), near_one(Q)
            of_rows, of_queries = norms(groups), norms(in_groups(Q))
            for i, query in enumerate(Q):
                out[i] = np.float32(1) - inner_products(groups, query) / (of_rows * of_queries[i])
            return out
        groups = in_groups(X)
        one = inner_products if metric == "inner_product" else squared_distances
        for i, query in enumerate(Q):
            out[i] = one(groups, query)
    return out


def order(row, metric):
    """Return rows from nearest to farthest; equal distances in the order of their rows."""
    return np.argsort(-row if metric == "inner_product" else row, kind="stable")


def nearest(dist, k, metric, allowed=None):
    """Return (distances, indices) of the k nearest; ``allowed`` is (n,) or (q, n) bool."""
    allowed = np.broadcast_to(True if allowed is None else allowed, dist.shape)
    found = np.full((len(dist), k), -np.inf if metric == "inner_product" else np.inf, np.float32)
    indices = np.full((len(dist), k), -1, np.int64)
    for i, row in enumerate(dist):
        rows = order(row, metric)
        rows = rows[allowed[i, rows]][:k]
        found[i, : len(rows)] = row[rows]
        indices[i, : len(rows)] = rows
    return found, indices


def within(dist, radius, metric, allowed=None):
    """Return (indptr, distances, indices) of every row no farther than ``radius``."""
    near = dist >= radius if metric == "inner_product" else dist <= radius
    if allowed is not None:
        near = near & allowed
    lists = []
    for i, row in enumerate(dist):
        rows = order(row, metric)
        lists.append(rows[near[i, rows]])
    indptr = np.concatenate([[0], np.cumsum([len(rows) for rows in lists])]).astype(np.int64)
    found = [row[rows] for row, rows in zip(dist, lists, strict=True)]
    empty = np.empty(0)
    return (
        indptr,
        np.concatenate([empty, *found]).astype(np.float32),
        np.concatenate([empty, *lists]).astype(np.int64),
    )


def all_but_itself(n):
    return ~np.eye(n, dtype=bool)


def distances64(X, Q, metric):
    """Return (q, n) distances in double precision, and the size that float32 errors scale with."""
    X, Q = X.astype(np.float64), Q.astype(np.float64)
    products = Q @ X.T
    sizes = np.linalg.norm(Q, axis=1)[:, None] * np.linalg.norm(X, axis=1)
    if metric == "inner_product":
        return products, sizes
    if metric == "cosine":
        return 1 - products / sizes, np.ones_like(sizes)
    squares = np.array([((X - q) ** 2).sum(axis=1) for q in Q]).reshape(products.shape)
    return squares, squares
