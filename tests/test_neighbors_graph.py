"""Graphs, whose rows share products: against the reference, at the ends of blocks, on real rows."""

import functools

import numpy as np
import pytest

import coverset as cs
import neighbors_reference as reference
from neighbors_examples import normal, same_bits

every_metric = pytest.mark.parametrize("metric", reference.METRICS)


def reference_graph(X, k, metric):
    """Return the k nearest other rows: the reference's order without the row itself."""
    distances = reference.distances(X, X, metric)
    order = np.argsort(-distances if metric == "inner_product" else distances, 1, kind="stable")
    others = order[order != np.arange(len(X))[:, None]].reshape(len(X), -1)[:, :k]
    return cs.Neighbors(np.take_along_axis(distances, others, 1), others)


@functools.cache
def rows_with_ties(n, metric):
    X = normal(n, 19)
    X[::7] = X[0]
    return X, reference_graph(X, 9, metric)


@functools.cache
def rows_alike(spoilt):
    X = normal(3000, 20)
    if spoilt == "one large column":
        X[:, 3] = np.round(X[:, 3]) * np.float32(1e3)
    elif spoilt == "norms apart":
        X *= np.exp(normal(3000, 1, 3) * np.float32(9))
    else:
        X = X * np.float32(1e-3) + np.float32(70)
    return X, reference_graph(X, 6, "sqeuclidean")


@every_metric
@pytest.mark.parametrize("n", [1023, 1025, 2210])
def test_blocks_of_rows_share_products_exactly(simd_level, metric, n):
    X, want = rows_with_ties(n, metric)
    for n_threads in (1, 2, 7):
        same_bits(cs.knn_graph(X, 9, metric, n_threads=n_threads), want)


@every_metric
@pytest.mark.parametrize("k", [1, 300, 1299])
def test_lists_that_fill_slowly_are_exact(metric, k):
    X = normal(1300, 5)
    same_bits(cs.knn_graph(X, k, metric), reference_graph(X, k, metric))


@pytest.mark.parametrize("spoilt", ["one large column", "norms apart", "far from the origin"])
def test_rows_that_few_bits_cannot_tell_apart(simd_level, spoilt):
    X, want = rows_alike(spoilt)
    same_bits(cs.knn_graph(X, 6), want)


def test_searches_go_on_with_more_bits(simd_level):
    X, Q = normal(8000, 700), normal(300, 700, 1)
    X[:, 3] = np.round(X[:, 3]) * np.float32(1e3)
    Q[:, 3] = np.round(Q[:, 3]) * np.float32(1e3)
    found = cs.knn(X, Q, 6, n_threads=1)
    some = slice(None, None, 30)
    want = reference.nearest(reference.distances(X, Q[some], "sqeuclidean"), 6, "sqeuclidean")
    same_bits(cs.Neighbors(found.distances[some], found.indices[some]), want)


@pytest.mark.slow
def test_the_graph_of_all_digits_is_exact(test_data):
    # Squared distances of pixels are whole numbers; those of near rows are exact in float32.
    pixels = np.load(test_data / "embeddings" / "mnist.npz")["X"]
    n, k = len(pixels), 30
    X = pixels.astype(np.float64)
    squares = (X * X).sum(1)
    found = cs.knn_graph(X.astype(np.float32), k)
    for first in range(0, n, 1000):
        rows = slice(first, min(first + 1000, n))
        gaps = squares[rows, None] + squares - 2 * X[rows] @ X.T
        gaps[np.arange(len(gaps)), np.arange(first, first + len(gaps))] = np.inf
        keys = np.sort(np.partition(gaps * 2**16 + np.arange(n), k - 1, axis=1)[:, :k], axis=1)
        assert np.array_equal(found.indices[rows], keys % 2**16)
        assert np.array_equal(found.distances[rows], keys // 2**16)
    assert found.distances.max() < 2**24
