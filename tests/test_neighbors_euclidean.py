"""Euclidean neighbors: the rows of squared distances, at the roots of their distances."""

from __future__ import annotations

import numpy as np
import pytest

import coverset as cs
from coverset import _metrics
from coverset.neighbors import graph as graphs
from coverset.neighbors.transformer import KNeighborsTransformer
from neighbors_examples import every_kind, normal, same_bits, same_lists, stored

# Squares 1 + i 2^-23 of whole numbers of steps: two or three of them have the same root.
CLOSE = np.sqrt(np.float64(1) + np.arange(400)[::-1, None] * 2.0**-23)


def rooted(found):
    return found._replace(distances=np.sqrt(found.distances))


def test_roots_are_the_nearest_float32():
    squares = np.float32([0, 1, 2, 3, 1e-45, 1e-38, 3e38, np.inf])
    with np.errstate(over="ignore"):
        want = np.sqrt(squares.astype(np.float64)).astype(np.float32)
    got = squares.copy()
    _metrics.take_roots("euclidean", got)
    np.testing.assert_array_equal(got, want)
    for other in ("sqeuclidean", "cosine", "inner_product"):
        _metrics.take_roots(other, squares)
    np.testing.assert_array_equal(squares[1:4], [1, 2, 3])


@pytest.mark.parametrize("radius", [
    0, 1e-45, 1e-23, 1e-19, 0.1, 1, 1 + 2**-23, 1 + 2**-22, 2**0.5, 3, 1e10, 1.8446742e19, 3e38,
])  # fmt: skip
def test_the_largest_square_is_the_last_whose_root_is_within(radius):
    square = np.float32(_metrics.largest_square(radius))
    assert np.sqrt(square) <= np.float32(radius)
    after = (square.view(np.int32) + 1).view(np.float32)
    assert np.sqrt(after) > np.float32(radius)


def test_squares_of_no_and_every_radius():
    assert _metrics.largest_square(-1e-30) == _metrics.largest_square(-np.inf) == -1.0
    assert _metrics.largest_square(np.inf) == np.inf


@every_kind
def test_searches_give_the_rows_of_squared_distances_at_their_roots(simd_level, kind):
    (X, _), (Q, _) = stored(normal(700, 20), kind), stored(normal(70, 20, 1), kind)
    index, squared = cs.FlatIndex("euclidean").fit(X), cs.FlatIndex().fit(X)
    exclude = np.arange(700) % 3 == 0
    for options in ({}, {"exclude": exclude}):
        want = rooted(squared.search(Q, 9, **options))
        same_bits(index.search(Q, 9, **options), want)
        same_bits(cs.knn(X, Q, 9, "euclidean", **options), want)
        within = rooted(squared.search_radius(Q, 5.5**2, **options))
        same_lists(index.search_radius(Q, 5.5, **options), within)
    same_bits(cs.knn_graph(X, 5, "euclidean"), rooted(cs.knn_graph(X, 5)))


def test_where_no_row_is_left_the_distance_is_infinite():
    found = cs.knn(normal(3, 2), normal(1, 2), 3, "euclidean", exclude=np.array([1, 0, 1], bool))
    assert found.indices.tolist() == [[1, -1, -1]]
    assert found.distances[0, 1:].tolist() == [np.inf, np.inf]


def test_parts_and_blocks_are_put_together_by_the_squares():
    X = CLOSE.astype(np.float32)
    Q = np.zeros((3, 1), np.float32)
    want = rooted(cs.knn(X, Q, 400))
    same = want.distances[0, 1:] == want.distances[0, :-1]
    assert same.any()  # roots that are equal, of squares that are not
    parts = [X[:100], X[100:101], X[101:]]
    same_bits(cs.knn(X, Q, 400, "euclidean"), want)
    same_bits(cs.knn(parts, Q, 400, "euclidean"), want)
    same_bits(cs.knn(iter(parts), Q, 400, "euclidean"), want)
    same_bits(cs.knn_graph(parts, 9, "euclidean"), rooted(cs.knn_graph(X, 9)))
    same_lists(
        cs.FlatIndex("euclidean").fit(parts).search_radius(Q, 2.0),
        rooted(cs.FlatIndex().fit(X).search_radius(Q, 4.0)),
    )


def test_a_radius_includes_every_row_at_just_that_distance():
    X = np.concatenate([CLOSE.astype(np.float32), normal(300, 1)])
    Q = np.zeros((1, 1), np.float32)
    index = cs.FlatIndex("euclidean").fit(X)
    distances = np.sqrt((X * X)[:, 0])
    for radius in np.unique(distances)[::7]:
        for limit in (radius, np.nextafter(radius, np.float32(0))):
            found = index.search_radius(Q, limit)
            assert sorted(found.indices) == np.flatnonzero(distances <= limit).tolist()
    for none in (-1e-30, -np.inf):
        assert len(index.search_radius(Q, none).indices) == 0
    assert len(index.search_radius(Q, np.inf).indices) == len(X)
    assert index.search_radius(X[5:6], 0).indices.tolist() == np.flatnonzero(X[5] == X).tolist()


def test_a_graph_on_disk_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(graphs, "_BLOCK", 64)
    X = normal(300, 5)
    want = rooted(cs.knn_graph(X, 6))

    def stop(rows, _):
        if rows == 128:
            raise KeyboardInterrupt

    for rows in (X, [X[:100], X[100:]]):
        path = tmp_path / str(len(rows))
        with pytest.raises(KeyboardInterrupt):
            cs.knn_graph(rows, 6, "euclidean", path=path, progress=stop if rows is X else stop_at)
        same_bits(cs.knn_graph(rows, 6, "euclidean", path=path), want)
        same_bits(cs.knn_graph(rows, 6, "euclidean", path=path), want)
    with pytest.raises(ValueError, match="path must be free or hold this graph"):
        cs.knn_graph(X, 6, path=tmp_path / "300")


def stop_at(rows, _):
    if rows == 164:  # the second block of the second part
        raise KeyboardInterrupt


def test_the_transformer_takes_roots_in_double_precision():
    X = normal(50, 3)
    graph = KNeighborsTransformer(n_neighbors=4, metric="euclidean").fit_transform(X)
    found = cs.knn(X, X, 5)
    np.testing.assert_array_equal(graph.data, np.sqrt(found.distances.ravel().astype(float)))
    np.testing.assert_array_equal(graph.indices, found.indices.ravel())
