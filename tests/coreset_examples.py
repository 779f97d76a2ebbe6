"""Rows that core-sets are tried on, and how they are compared."""

from __future__ import annotations

import contextlib
import functools
from unittest import mock

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import coverset as cs
import neighbors_reference as reference
from coreset_reference import farthest_first
from coverset import _cpu
from neighbors_examples import normal, stored

METRICS = ("euclidean", "cosine")
every_metric = pytest.mark.parametrize("metric", METRICS)


def same(found, want):
    indices, radii = want
    assert (found.indices.dtype, found.radii.dtype) == (np.int64, np.float32)
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_array_equal(found.radii.view(np.int32), radii.view(np.int32))


@contextlib.contextmanager
def measured(strategy):
    """Refresh rows by that strategy, whatever pays: whole, projection or eager."""
    with mock.patch.object(_cpu, "k_center", functools.partial(_cpu.k_center, strategy=strategy)):
        yield


def check(X, wide, k, n_threads=None, **options):
    want = farthest_first(wide, k, **options)
    for strategy in ("best", "projection"):
        with measured(strategy):
            same(cs.k_center(X, k, n_threads=n_threads, **options), want)


def quantized(X, kind):
    """Return rows of a kind, int8 as ``quantize`` makes it, and the float32 they stand for."""
    if kind != "int8":
        return stored(X, kind)
    rows = cs.quantize(X)
    return rows, reference.widened(rows.data, rows.scale)


def clustered(n, d):
    centers = normal(7, d, 2) * np.float32(20)
    return centers[np.random.default_rng(n).integers(0, 7, n)] + normal(n, d, 3)


def grid(n, d):
    return np.random.default_rng([n, d]).integers(-2, 3, (n, d)).astype(np.float32)


def repeated(n, d):
    return normal(max(n // 10, 1), d)[np.random.default_rng(n).integers(0, max(n // 10, 1), n)]


def any_length(n, d):
    lengths = 10 ** np.random.default_rng(n).uniform(-18, 17, (n, 1))
    return normal(n, d) * lengths.astype(np.float32)


DATA = {
    "normal": normal,
    "clustered": clustered,
    "grid": grid,
    "repeated": repeated,
    "any length": any_length,
    "huge": lambda n, d: normal(n, d) * np.float32(1e17),
    "tiny": lambda n, d: normal(n, d) * np.float32(1e-19),
}
every_data = pytest.mark.parametrize("name", sorted(DATA))


def data(name, n, d, metric="euclidean"):
    X = DATA[name](n, d).astype(np.float32)
    if metric == "cosine":
        X[~X.any(axis=1), 0] = 1
    return X


LINE = np.float32([[0], [1], [10], [4], [12]])


def answer(*arguments, **options):
    found = cs.k_center(*arguments, **options)
    return found.indices.tolist(), found.radii.tolist()


def around_middles(n, d, clusters, seed=0):
    rng = np.random.default_rng(seed)
    middles = rng.standard_normal((clusters, d)) * 6
    return (middles[rng.integers(clusters, size=n)] + rng.standard_normal((n, d))).astype("f4")


def radius_of(X, rows, n_outliers=0):
    nearest = np.sort(cdist(X.astype("f8"), X[rows].astype("f8")).min(axis=1))
    return nearest[len(nearest) - 1 - n_outliers]


SETS = {
    "normal": lambda: normal(3000, 40),
    "clusters": lambda: around_middles(3000, 24, 30),
    "duplicates": lambda: normal(60, 5)[np.random.default_rng(0).integers(60, size=2500)],
    "grid": lambda: np.stack(np.meshgrid(*[np.arange(7)] * 4), -1).reshape(-1, 4).astype("f4"),
}
