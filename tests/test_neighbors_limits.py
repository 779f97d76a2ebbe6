"""Excluded rows, radius, graphs, and the index as an object."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import coverset as cs
import neighbors_reference as reference
from examples import THREADS
from neighbors_examples import (
    METRICS,
    every_kind,
    every_metric,
    hard_cases,
    normal,
    same_bits,
    same_lists,
    stored,
)

# --- rows that are no neighbors -----------------------------------------------------------------


@every_metric
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
@pytest.mark.parametrize("d", [4, 100])
def test_excluded_rows_are_no_neighbors(metric, share, d):
    X, Q = normal(3000, d), normal(70, d, 1)
    exclude = np.random.default_rng(3).random(3000) < share
    dist = reference.distances(X, Q, metric)
    index = cs.FlatIndex(metric=metric).fit(X)
    for batch in (3, 70):
        for k in (1, 100):
            found = index.search(Q[:batch], k, exclude=exclude)
            same_bits(found, reference.nearest(dist[:batch], k, metric, ~exclude))


@every_metric
@pytest.mark.parametrize("left", [[], [1, 700, 999]])
def test_too_few_rows_are_filled_up(metric, left):
    X, Q = normal(1000, 20), normal(70, 20, 1)
    exclude = np.ones(1000, bool)
    exclude[left] = False
    want = reference.nearest(reference.distances(X, Q, metric), 5, metric, ~exclude)
    assert (want[1][:, len(left) :] == -1).all()
    for batch in (1, 70):
        found = cs.knn(X, Q[:batch], 5, metric, exclude=exclude)
        same_bits(found, [part[:batch] for part in want])


@every_metric
def test_nearest_rows_excluded_one_after_the_other(metric):
    X, Q = normal(400, 6), normal(1, 6, 1)
    order = reference.order(reference.distances(X, Q, metric)[0], metric)
    exclude = np.zeros(400, bool)
    index = cs.FlatIndex(metric=metric).fit(X)
    for row in order[:50]:
        assert index.search(Q, 1, exclude=exclude).indices[0, 0] == row
        exclude[row] = True


# --- radius -------------------------------------------------------------------------------------


@every_metric
@pytest.mark.parametrize("d", [2, 100])
def test_radius_keeps_rows_at_exactly_that_distance(metric, d):
    X, Q = normal(2000, d), normal(70, d, 1)
    dist = reference.distances(X, Q, metric)
    index = cs.FlatIndex(metric=metric).fit(X)
    for rank in (0, 5, 300, 1999):
        at = dist[1, reference.order(dist[1], metric)[rank]]
        for radius in (at, np.nextafter(at, np.float32(9e9)), np.nextafter(at, np.float32(-9e9))):
            for batch in (2, 70):
                found = index.search_radius(Q[:batch], float(radius))
                same_lists(found, reference.within(dist[:batch], radius, metric))


def test_radius_of_zero_finds_every_copy():
    X = np.repeat(normal(60, 64), 50, axis=0)
    index = cs.FlatIndex().fit(X)
    for batch in (2, 60):
        found = index.search_radius(X[::50][:batch], 0)
        assert found.indptr.tolist() == list(range(0, 50 * batch + 1, 50))
        assert found.indices.tolist() == list(range(50 * batch))
        assert not found.distances.any()


def test_radius_below_zero_finds_nothing():
    X = np.zeros((10, 3), np.float32)
    for radius in (-1e-45, -1, -np.inf):
        found = cs.FlatIndex().fit(X).search_radius(X[:4], radius)
        assert found.indptr.tolist() == [0] * 5
    assert cs.FlatIndex().fit(X).search_radius(X[:4], -0.0).indptr[-1] == 40


@every_metric
@pytest.mark.parametrize("batch", [2, 70])
def test_radius_may_take_every_row(metric, batch):
    X, Q = normal(700, 8), normal(batch, 8, 1)
    dist = reference.distances(X, Q, metric)
    radius = -np.inf if metric == "inner_product" else np.inf
    index = cs.FlatIndex(metric=metric).fit(X)
    same_lists(index.search_radius(Q, radius), reference.within(dist, radius, metric))


@pytest.mark.parametrize("radius", [0.1, 1 + 2.0**-25, 1 - 2.0**-26])
def test_radius_is_rounded_to_float32(radius):
    X = np.float32([[0], [0.1], [1], [2]])
    found = cs.FlatIndex("inner_product").fit(X).search_radius(np.float32([[1]]), radius)
    want = np.flatnonzero(X[:, 0] >= np.float32(radius))[::-1]
    assert found.indices.tolist() == want.tolist()


def test_radius_past_the_largest_float_takes_every_row():
    X = normal(9, 2)
    assert cs.FlatIndex().fit(X).search_radius(X[:2], 1e300).indptr.tolist() == [0, 9, 18]
    assert cs.FlatIndex().fit(X).search_radius(X[:2], -1e300).indptr.tolist() == [0, 0, 0]


def test_radius_of_an_inner_product_may_be_negative():
    X, Q = normal(500, 10), normal(70, 10, 1)
    dist = reference.distances(X, Q, "inner_product")
    index = cs.FlatIndex(metric="inner_product").fit(X)
    for radius in (-1.5, 0, 2.25):
        same_lists(index.search_radius(Q, radius), reference.within(dist, radius, "inner_product"))


@every_metric
def test_excluded_rows_are_not_within_a_radius(metric):
    X, Q = normal(2000, 30), normal(70, 30, 1)
    dist = reference.distances(X, Q, metric)
    radius = float(np.median(dist))
    exclude = np.random.default_rng(4).random(2000) < 0.5
    index = cs.FlatIndex(metric=metric).fit(X)
    found = index.search_radius(Q, radius, exclude=exclude)
    same_lists(found, reference.within(dist, radius, metric, ~exclude))
    nothing = index.search_radius(Q, radius, exclude=np.ones(2000, bool))
    assert nothing.indptr.tolist() == [0] * 71
    assert len(nothing.indices) == len(nothing.distances) == 0


@pytest.mark.parametrize("name", ["huge and tiny rows", "one row and noise", "integers past 2^24"])
@every_metric
def test_radius_on_hard_rows_equals_the_reference(name, metric):
    X, Q = hard_cases()[name]
    dist = reference.distances(X, Q, metric)
    index = cs.FlatIndex(metric=metric).fit(X)
    for share in (0.01, 0.5):
        radius = float(np.quantile(dist, share, method="nearest"))
        same_lists(index.search_radius(Q, radius), reference.within(dist, radius, metric))


# --- graph --------------------------------------------------------------------------------------


@every_metric
@pytest.mark.parametrize(
    "X",
    [
        normal(1100, 20),
        np.repeat(normal(20, 30), 50, axis=0),
        np.tile(normal(1, 5), (400, 1)),
        normal(101, 3),
    ],
    ids=["rows", "copies", "one row", "101 rows"],
)
def test_graph_is_the_search_without_itself(X, metric):
    dist = reference.distances(X, X, metric)
    want = reference.nearest(dist, 100, metric, reference.all_but_itself(len(X)))
    same_bits(cs.knn_graph(X, metric=metric), want)
    for n_threads in THREADS:
        found = cs.knn_graph(X, k=7, metric=metric, n_threads=n_threads)
        same_bits(found, [part[:, :7].copy() for part in want])


@every_kind
def test_graph_of_every_kind_is_the_search_without_itself(kind):
    X, wide = stored(normal(500, 40), kind)
    dist = reference.distances(wide, wide, "sqeuclidean")
    want = reference.nearest(dist, 10, "sqeuclidean", reference.all_but_itself(500))
    same_bits(cs.knn_graph(X, k=10), want)


# --- the index ----------------------------------------------------------------------------------


def test_index_searches_as_the_function_does():
    X, Q = normal(300, 9), normal(20, 9, 1)
    for metric in METRICS:
        index = cs.FlatIndex(metric=metric)
        assert index.fit(X) is index
        one = cs.knn(X, Q, 15, metric)
        for _ in range(2):
            same_bits(index.search(Q, 15), (one.distances, one.indices))


def test_defaults_are_the_hundred_nearest_by_squared_distance():
    X, Q = normal(150, 9), normal(5, 9, 1)
    want = reference.nearest(reference.distances(X, Q, "sqeuclidean"), 100, "sqeuclidean")
    same_bits(cs.knn(X, Q), want)
    same_bits(cs.FlatIndex().fit(X).search(Q, 100), want)


def test_fitting_again_forgets_the_first_rows():
    index = cs.FlatIndex().fit(normal(300, 9))
    X, Q = normal(40, 5), normal(4, 5, 1)
    want = reference.nearest(reference.distances(X, Q, "sqeuclidean"), 7, "sqeuclidean")
    same_bits(index.fit(X).search(Q, 7), want)


@every_kind
def test_index_keeps_its_rows(kind):
    index = cs.FlatIndex().fit(stored(normal(5000, 9), kind)[0])  # nobody else holds them
    gc.collect()
    other = [normal(5000, 9, seed) for seed in range(5)]  # where freed memory would go
    wide, Q = stored(normal(5000, 9), kind)[1], other[0][:20]
    want = reference.nearest(reference.distances(wide, Q, "sqeuclidean"), 7, "sqeuclidean")
    same_bits(index.search(Q, 7), want)


def test_results_are_pairs_and_triples():
    X = np.float32([[0], [3], [1]])
    distances, indices = cs.knn(X, X[:1], 2)
    assert isinstance(cs.knn(X, X, 1), cs.Neighbors)
    assert (distances.tolist(), indices.tolist()) == ([[0, 1]], [[0, 2]])
    found = cs.FlatIndex().fit(X).search_radius(X[:1], 4)
    assert isinstance(found, cs.NeighborsWithin)
    indptr, distances, indices = found
    assert (indptr.tolist(), distances.tolist(), indices.tolist()) == ([0, 2], [0, 1], [0, 2])


@every_kind
def test_no_queries_find_nothing(kind):
    X = stored(normal(50, 9), kind)[0]
    nothing = np.empty((0, 9), np.float32)
    Q = cs.Rows(nothing.astype(np.int8), nothing[:, 0]) if kind == "int8" else nothing
    for metric in METRICS:
        index = cs.FlatIndex(metric=metric).fit(X)
        found = index.search(Q, 4)
        assert found.distances.shape == found.indices.shape == (0, 4)
        assert (found.distances.dtype, found.indices.dtype) == (np.float32, np.int64)
        found = index.search_radius(Q, 1.0)
        assert found.indptr.tolist() == [0]
        assert len(found.indices) == 0
