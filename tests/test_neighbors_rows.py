"""Rows as queries, by their numbers: themselves left out, among all rows or among few."""

import numpy as np
import pytest

import coverset as cs
import neighbors_reference as reference
from coverset._not_fitted import NotFittedError
from neighbors_examples import every_kind, every_metric, normal, same_bits, stored

ASKED = np.array([5, 0, 1799, 5, 17, *range(700, 840)])


def tied(n, d):
    X = normal(n, d)
    X[::9] = X[0]
    return X


def others(X, rows, k, metric, allowed=None):
    """Return the reference's k nearest of each row but itself."""
    free = np.arange(len(X)) != rows[:, None]
    return reference.nearest(
        reference.distances(X, X[rows], metric),
        k,
        metric,
        free if allowed is None else free & allowed,
    )


@every_kind
@every_metric
def test_neighbors_of_rows_are_those_of_the_reference(simd_level, metric, kind):
    data, X = stored(tied(1800, 21), kind)
    index = cs.FlatIndex(metric).fit(data)
    for some in (ASKED, ASKED[:2]):
        for n_threads in (1, 3):
            found = index.search_rows(some, 12, n_threads=n_threads)
            same_bits(found, others(X, some, 12, metric))


@pytest.mark.parametrize("metric", [*reference.METRICS, "euclidean"])
def test_neighbors_of_rows_are_rows_of_the_graph(metric):
    X = tied(1500, 9)
    graph = cs.knn_graph(X, 7, metric)
    for parts in (X, [X[:3], X[3:800], X[800:]]):
        found = cs.FlatIndex(metric).fit(parts).search_rows(np.arange(1500)[::-1], 7)
        same_bits(found, [part[::-1] for part in graph])


@every_metric
@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_rows_that_are_excluded_are_no_neighbors(simd_level, metric, share):
    """Where most are, the others are gathered from a list."""
    X = tied(2500, 33)
    out = np.random.default_rng(3).random(2500) < share
    out[[1, 2, 3, 4]] = False, True, False, False
    index = cs.FlatIndex(metric).fit(X)
    rows = np.arange(0, 2500, 13)
    for some in (rows, rows[:3]):
        same_bits(index.search_rows(some, 20, exclude=out), others(X, some, 20, metric, ~out))
        want = reference.nearest(reference.distances(X, X[some], metric), 20, metric, ~out)
        same_bits(index.search(X[some], 20, exclude=out), want)
    radius = float(want[0][0, 5])
    near = reference.within(reference.distances(X, X[rows], metric), radius, metric, ~out)
    found = index.search_radius(X[rows], radius, exclude=out)
    for part, wanted in zip(found, near, strict=True):
        np.testing.assert_array_equal(part, wanted)


def test_no_row_is_left_where_all_are_excluded():
    X = normal(300, 4)
    found = cs.FlatIndex().fit(X).search_rows([3, 4], 2, exclude=np.ones(300, dtype=bool))
    assert (found.indices == -1).all()
    assert np.isinf(found.distances).all()


def test_equal_rows_are_neighbors_of_each_other():
    index = cs.FlatIndex().fit(np.zeros((4, 3), dtype=np.float32))
    assert index.search_rows([2, 0], 3).indices.tolist() == [[0, 1, 3], [1, 2, 3]]


def test_no_row_may_be_asked_for():
    found = cs.FlatIndex().fit(normal(5, 2)).search_rows(np.empty(0, dtype=np.int32), 2)
    assert found.indices.shape == found.distances.shape == (0, 2)


@pytest.mark.parametrize(
    ("ids", "k", "error", "message"),
    [
        ([0, 9], 2, ValueError, r"ids must hold rows in 0\.\.8, entry 1 is 9"),
        ([-1], 2, ValueError, r"ids must hold rows in 0\.\.8, entry 0 is -1"),
        ([0.5], 2, TypeError, "ids must"),
        ([[0]], 2, ValueError, "ids must"),
        ([0], 9, ValueError, r"k must be in 1\.\.8, got 9"),
        ([0], 0, ValueError, r"k must be in 1\.\.8, got 0"),
    ],
)
def test_refuses(ids, k, error, message):
    with pytest.raises(error, match=message):
        cs.FlatIndex().fit(normal(9, 2)).search_rows(ids, k)


def test_one_row_has_no_others():
    index = cs.FlatIndex().fit(normal(1, 2))
    with pytest.raises(ValueError, match="X must have at least two rows to search for others"):
        index.search_rows([0], 1)
    with pytest.raises(NotFittedError, match="call fit first"):
        cs.FlatIndex().search_rows([0], 1)
