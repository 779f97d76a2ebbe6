"""What tests of nearest neighbors compare with the reference, and how."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import coverset as cs
import neighbors_reference as reference

METRICS = reference.METRICS
FEW, MANY = (1, 2, 3, 4, 5), (17, 64, 65, 130)  # queries: small and large batches differ in path
every_metric = pytest.mark.parametrize("metric", METRICS)


def same_bits(found, want):
    distances, indices = want
    assert found.distances.dtype == np.float32
    assert found.indices.dtype == np.int64
    assert found.distances.shape == found.indices.shape == indices.shape
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_array_equal(found.distances.view(np.int32), distances.view(np.int32))


def same_lists(found, want):
    indptr, distances, indices = want
    assert (found.indptr.dtype, found.indices.dtype) == (np.int64, np.int64)
    assert found.distances.dtype == np.float32
    np.testing.assert_array_equal(found.indptr, indptr)
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_array_equal(found.distances.view(np.int32), distances.view(np.int32))


def check(X, Q, metric, ks=(1, 10, 100), batches=(3, 70), **options):
    """Compare searches of the first queries with the reference: every k, every batch."""
    dist = reference.distances(X, Q, metric)
    want = reference.nearest(dist, max(ks), metric)
    for batch in batches:
        for k in ks:
            found = cs.knn(X, Q[:batch], k=k, metric=metric, **options)
            same_bits(found, [part[:batch, :k].copy() for part in want])


def normal(n, d, *seed):
    return np.random.default_rng([n, d, *seed]).standard_normal((n, d), dtype=np.float32)


def stored(X, kind):
    """Return rows as a search takes them, and the float32 that they stand for."""
    if kind == "float32":
        return X, X
    if kind == "float16":
        half = X.astype(np.float16)
        return half, reference.widened(half)
    if kind == "bfloat16":
        cut = reference.narrowed(X)
        return cs.Rows(cut), reference.widened(cut)
    scale = (np.abs(X).max(axis=1) / np.float32(127)).astype(np.float32)
    scale[scale == 0] = 1
    data = np.rint(X / scale[:, None]).astype(np.int8)
    return cs.Rows(data, scale), reference.widened(data, scale)


KINDS = ("float32", "float16", "bfloat16", "int8")
every_kind = pytest.mark.parametrize("kind", KINDS)


def spoilt(X, row, value, column=slice(None)):
    X = X.copy()
    X[row, column] = value
    return X


@cache
def hard_cases():
    """Rows and queries by name; every metric allows them all."""
    rng = np.random.default_rng(7)
    scales = rng.choice(np.float32([1e-20, 1, 1e18]), (3000, 1))
    integers = rng.integers(0, 256, (3000, 1000)).astype(np.float32)
    one = normal(1, 100)
    signs = rng.choice(np.float32([-1, 1]), (3000, 40))
    cases = {
        "every row 50 times": np.repeat(normal(60, 64), 50, axis=0),
        "every row 50 times, shuffled": rng.permutation(np.repeat(normal(60, 64), 50, axis=0)),
        "one row and noise": one + np.float32(1e-7) * normal(4000, 100, 1),
        "one long row and noise": np.float32(300) * one + np.float32(1e-4) * normal(4000, 100, 1),
        "huge and tiny rows": normal(3000, 17) * scales,
        "huge and tiny coordinates": normal(3000, 17)
        * rng.choice(np.float32([1e-20, 1, 1e18]), (3000, 17)),
        "tiny rows": normal(3000, 50) * np.float32(1e-20),
        "rows whose squares vanish": normal(3000, 50) * np.float32(1e-23),
        "rows around the smallest square": normal(3000, 20)
        * (10 ** rng.uniform(-24, -17, (3000, 1))).astype(np.float32),
        "subnormal coordinates": np.hstack([normal(3000, 50) * 1e-40, np.full((3000, 1), 1e-37)]),
        "huge rows": normal(3000, 17) * np.float32(1e18),
        "integers past 2^24": integers,
        "signed integers past 2^24": integers - np.float32(128),
        "five off the center": normal(3000, 100) + np.float32(5),
        "a thousand off the center": normal(3000, 100) + np.float32(1000),
        "one constant column": np.hstack([normal(3000, 9), np.full((3000, 1), 1e6, np.float32)]),
        "all rows equal": np.tile(normal(1, 33), (3000, 1)),
        "signs": signs,
        "half the rows tiny": np.where(rng.random((3000, 1)) < 0.5, np.float32(1e-30), signs),
        "one direction, any length": one
        * (10 ** rng.uniform(-15, 15, (3000, 1))).astype(np.float32),
        "opposite halves": np.hstack([normal(3000, 48), -normal(3000, 48)]),
        "one row is long": np.vstack([normal(2999, 30), 1e17 * normal(1, 30)]),
    }
    return {name: (X.astype(np.float32), hard_queries(X)) for name, X in cases.items()}


def hard_queries(X):
    """Return 70 queries that are rows: the last, many drawn at random, the first."""
    rng = np.random.default_rng(len(X))
    return np.vstack([X[-2:], X[rng.integers(0, len(X), 67)], X[:1]]).astype(np.float32)
