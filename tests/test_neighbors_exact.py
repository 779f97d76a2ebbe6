"""Exact neighbors against the NumPy reference: every index, and every bit of every distance."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import coverset as cs
import neighbors_reference as reference
from coverset import _cpu
from examples import THREADS, trying
from neighbors_examples import (
    FEW,
    KINDS,
    MANY,
    METRICS,
    check,
    every_kind,
    every_metric,
    hard_cases,
    normal,
    same_bits,
    same_lists,
    stored,
)

# --- the reference itself -----------------------------------------------------------------------


def one_inner_product(a, b):
    lanes = [np.float32(0)] * 16
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        lanes[i % 16] = lanes[i % 16] + x * y
    for half in (8, 4, 2, 1):
        lanes = [lanes[i] + lanes[i + half] for i in range(half)]
    return lanes[0]


def one_distance(a, b, metric):
    if metric == "inner_product":
        return one_inner_product(a, b)
    if metric == "sqeuclidean":
        difference = [x - y for x, y in zip(a, b, strict=True)]
        return one_inner_product(difference, difference)
    a, b = ([np.ldexp(x, -int(np.floor(np.log2(np.abs(v).max())))) for x in v] for v in (a, b))
    lengths = np.sqrt(one_inner_product(a, a)) * np.sqrt(one_inner_product(b, b))
    return np.float32(1) - one_inner_product(a, b) / lengths


@every_metric
def test_reference_is_the_canonical_sum_pair_by_pair(metric):
    for d in (1, 2, 15, 16, 17, 33, 100):
        X, Q = normal(7, d), normal(3, d, 1) * np.float32(5)
        one_by_one = [[one_distance(x, q, metric) for x in X] for q in Q]
        with trying(d=d):
            assert {type(value) for row in one_by_one for value in row} == {np.float32}
            got = reference.distances(X, Q, metric)
            assert got.tobytes() == np.array(one_by_one, np.float32).tobytes()


@every_metric
def test_reference_is_near_double_precision(metric):
    X, Q = normal(50, 200), normal(9, 200, 1)
    exact, sizes = reference.distances64(X, Q, metric)
    assert (np.abs(reference.distances(X, Q, metric) - exact) < 20 * 2.0**-24 * sizes).all()


def test_reference_adds_lanes_in_the_stated_order():
    ones, X = np.ones((1, 32), np.float32), np.zeros((1, 32), np.float32)
    X[0, [0, 16]] = 2**24, 1  # one lane: 2^24 + 1 is rounded to 2^24
    assert reference.distances(X, ones, "inner_product")[0, 0] == 2**24
    X[0, [1, 17]] = 1  # another lane: 2, and 2^24 + 2 is exact
    assert reference.distances(X, ones, "inner_product")[0, 0] == 2**24 + 2


def test_reference_cosine_knows_rows_of_any_length():
    X = np.array([[3e-45, 0], [1e-20, 0], [0, 3], [-(2.0**62), 0]], np.float32)
    got = reference.distances(X, np.array([[1e-40, 0]], np.float32), "cosine")
    assert got.tolist() == [[0, 0, 1, 2]]


def test_reference_gives_ties_to_the_lower_row():
    dist = np.array([[1, 0, 1, 0, 2]], np.float32)
    assert reference.nearest(dist, 4, "sqeuclidean")[1].tolist() == [[1, 3, 0, 2]]
    assert reference.nearest(dist, 4, "inner_product")[1].tolist() == [[4, 0, 2, 1]]
    allowed = np.array([True, False, True, False, False])
    found, indices = reference.nearest(dist, 3, "inner_product", allowed)
    assert indices.tolist() == [[0, 2, -1]]
    assert found.tolist() == [[1, 1, -np.inf]]


def test_reference_within_keeps_the_boundary():
    dist = np.array([[1, 0, 1], [5, 4, 3]], np.float32)
    indptr, found, indices = reference.within(dist, 1, "sqeuclidean")
    assert (indptr.tolist(), found.tolist(), indices.tolist()) == ([0, 3, 3], [0, 1, 1], [1, 0, 2])
    indptr, found, indices = reference.within(dist, 4, "inner_product")
    assert (indptr.tolist(), found.tolist(), indices.tolist()) == ([0, 0, 2], [5, 4], [0, 1])


def test_reference_widens_stored_rows():
    bits = np.array([[0x3F80, 0xC000, 0x3EAB]], np.uint16)
    assert reference.widened(bits).tolist() == [[1, -2, 0.333984375]]
    X = normal(20, 3)
    assert (np.abs(reference.widened(reference.narrowed(X)) / X - 1) < 2.0**-7).all()
    scale = np.array([0.1, 3], np.float32)
    wide = reference.widened(np.array([[3], [-128]], np.int8), scale)
    assert wide.tolist() == [[np.float32(3) * np.float32(0.1)], [-384]]


# --- small searches -----------------------------------------------------------------------------

POOLS = {
    "integers": [-2, -1, 0, 1, 2],
    "tenths": np.arange(-10, 11) / 10,
    "signs": [-1, 1],
    "scales": [0, 1e-30, -1e-20, 1e-3, 1, -1, 1e9, 1e18],
    "near one": [1, 1 + 2.0**-23, 1 - 2.0**-24, 1 + 2.0**-22],
}


@st.composite
def searches(draw, kinds=KINDS):
    """A small search with many ties: what to search, its float32, k, metric, what is allowed."""
    metric, pool = draw(st.sampled_from(METRICS)), draw(st.sampled_from(sorted(POOLS)))
    kind = draw(st.sampled_from([k for k in kinds if pool != "scales" or k != "float16"]))
    n, d, q = (draw(st.integers(1, most)) for most in (60, 40, 20))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X, Q = (rng.choice(POOLS[pool], (rows, d)).astype(np.float32) for rows in (n, q))
    if draw(st.booleans()):
        X = X[rng.integers(0, n, n)]  # rows again and again
    if draw(st.booleans()):
        Q = X[rng.integers(0, n, q)]
    if metric == "cosine":
        for rows in (X, Q):
            rows[~rows.any(axis=1), 0] = 1
    exclude = rng.random(n) < draw(st.sampled_from([0.2, 0.9])) if draw(st.booleans()) else None
    return stored(X, kind), stored(Q, kind), draw(st.integers(1, n)), metric, exclude


@settings(max_examples=400)
@given(searches(), st.sampled_from([None, *THREADS]))
def test_small_searches_equal_the_reference(search, n_threads):
    (X, wide), (Q, wide_q), k, metric, exclude = search
    dist = reference.distances(wide, wide_q, metric)
    allowed = None if exclude is None else ~exclude
    found = cs.knn(X, Q, k=k, metric=metric, exclude=exclude, n_threads=n_threads)
    same_bits(found, reference.nearest(dist, k, metric, allowed))


@settings(max_examples=200)
@given(searches(), st.data())
def test_small_radius_searches_equal_the_reference(search, data):
    (X, wide), (Q, wide_q), _, metric, exclude = search
    dist = reference.distances(wide, wide_q, metric)
    radius = data.draw(st.sampled_from(sorted(set(dist.ravel().tolist()))))
    allowed = None if exclude is None else ~exclude
    found = cs.FlatIndex(metric=metric).fit(X).search_radius(Q, radius, exclude=exclude)
    same_lists(found, reference.within(dist, radius, metric, allowed))


@settings(max_examples=100)
@given(searches(), st.data())
def test_small_graphs_equal_the_reference(search, data):
    (X, wide), _, _, metric, _ = search
    n = len(wide)
    if n < 2:
        return
    k = data.draw(st.integers(1, n - 1))
    dist = reference.distances(wide, wide, metric)
    want = reference.nearest(dist, k, metric, reference.all_but_itself(n))
    same_bits(cs.knn_graph(X, k=k, metric=metric), want)


# --- larger searches ----------------------------------------------------------------------------


@every_metric
@pytest.mark.parametrize("d", [1, 3, 17, 128, 257, 1000])
def test_every_width_and_batch_equals_the_reference(metric, d):
    check(normal(3000, d), normal(130, d, 1), metric, batches=FEW + MANY)


@every_metric
def test_every_width_around_a_group_equals_the_reference(metric):
    for d in (*range(1, 36), 47, 48, 49, 63, 64, 65):
        with trying(d=d):
            check(normal(150, d), normal(33, d, 1), metric, ks=(1, 7), batches=(2, 33))


@every_metric
def test_every_number_of_rows_around_a_block_equals_the_reference(metric):
    Q = normal(33, 20, 1)
    for n in (*range(1, 36), 63, 64, 65, 127, 128, 129, 255, 256, 257, 1023, 1025):
        with trying(n=n):
            check(normal(n, 20), Q, metric, ks=(1, min(n, 9), n), batches=(2, 33))


@every_metric
def test_every_number_of_queries_equals_the_reference(metric):
    check(normal(200, 18), normal(140, 18, 1), metric, ks=(6,), batches=range(1, 141))


@every_metric
@pytest.mark.parametrize("n_threads", [1, 7])
def test_many_rows_equal_the_reference(metric, n_threads):
    check(normal(70_001, 3), normal(20, 3, 1), metric, (10,), (1, 20), n_threads=n_threads)


@every_metric
def test_many_queries_equal_the_reference(metric):
    check(normal(400, 5), normal(3000, 5, 1), metric, ks=(5,), batches=(511, 512, 513, 3000))


@every_metric
@pytest.mark.parametrize(("n", "d"), [(300, 4099), (40, 70_000)])
def test_very_wide_rows_equal_the_reference(metric, n, d):
    check(normal(n, d), normal(20, d, 1), metric, ks=(1, 20), batches=(2, 20))


@every_metric
def test_more_neighbors_than_two_thousand_equal_the_reference(metric):
    check(normal(5000, 6), normal(20, 6, 1), metric, ks=(2048, 2049, 4999), batches=(2, 20))


@every_metric
def test_all_rows_sorted_equal_the_reference(metric):
    check(normal(1200, 40), normal(70, 40, 1), metric, ks=(600, 1199, 1200))


@every_metric
@pytest.mark.parametrize("step", [1, -1])
def test_rows_in_order_of_their_distance_equal_the_reference(metric, step):
    X, Q = normal(3000, 24), np.tile(normal(1, 24, 1), (70, 1))
    X = X[reference.order(reference.distances(X, Q[:1], metric)[0], metric)][::step]
    check(np.ascontiguousarray(X), Q, metric)


# --- rows that are hard on fast arithmetic ------------------------------------------------------


HARD = (
    "every row 50 times",
    "every row 50 times, shuffled",
    "one row and noise",
    "one long row and noise",
    "huge and tiny rows",
    "huge and tiny coordinates",
    "tiny rows",
    "rows whose squares vanish",
    "rows around the smallest square",
    "subnormal coordinates",
    "huge rows",
    "integers past 2^24",
    "signed integers past 2^24",
    "five off the center",
    "a thousand off the center",
    "one constant column",
    "all rows equal",
    "signs",
    "half the rows tiny",
    "one direction, any length",
    "opposite halves",
    "one row is long",
)


def test_every_hard_case_is_run():
    assert tuple(hard_cases()) == HARD


@every_metric
@pytest.mark.parametrize("name", HARD)
def test_hard_rows_equal_the_reference(name, metric):
    X, Q = hard_cases()[name]
    check(X, Q, metric, ks=(1, 10, 120))


@every_metric
@pytest.mark.parametrize("name", ["huge and tiny rows", "one row is long", "tiny rows"])
def test_queries_of_another_length_equal_the_reference(name, metric):
    X = hard_cases()[name][0]
    Q = normal(70, X.shape[1], 3)
    for scale in (1e-20, 1e-3, 1, 1e17):
        check(X, Q * np.float32(scale), metric, ks=(10,))


@pytest.mark.parametrize("metric", ["sqeuclidean", "inner_product"])
def test_subnormal_rows_equal_the_reference(simd_level, metric):
    X = normal(800, 50) * np.float32(1e-40)
    check(X, X[:70], metric, ks=(10,))


@every_metric
@pytest.mark.parametrize("noise", [0, 1e-7])
def test_inner_products_that_cancel_equal_the_reference(metric, noise):
    halves, query = normal(3000, 50), np.hstack([normal(70, 50, 1)] * 2)
    X = np.hstack([halves, -halves]) + np.float32(noise) * normal(3000, 100, 2)
    check(X, query, metric, ks=(1, 40))


@every_metric
def test_twenty_thousand_rows_that_are_nearly_equal(metric):
    X = normal(1, 40) + np.float32(1e-7) * normal(20_000, 40, 1)
    check(X, X[5000:5070], metric, ks=(1, 100))


@every_metric
def test_squared_distances_past_the_largest_float_are_infinite(metric):
    rng = np.random.default_rng(11)
    X = np.zeros((400, 30), np.float32)  # opposite rows are 2^128 apart, others 2^127
    X[np.arange(400), rng.integers(0, 30, 400)] = rng.choice([-(2.0**63), 2.0**63], 400)
    if metric == "sqeuclidean":
        assert np.isinf(reference.distances(X, X[:1], metric)).any()
    check(X, X[:70], metric, ks=(1, 10, 400))


@every_metric
def test_rows_just_inside_the_limit_of_length_equal_the_reference(metric):
    one = normal(1, 30)
    one *= np.float32(2.0**63 * (1 - 1e-6)) / np.float32(np.linalg.norm(one))
    X = np.vstack([one, -one] * 200) * (1 - np.float32(1e-6) * np.arange(400)[:, None])
    check(X.astype(np.float32), X[:70].astype(np.float32), metric, ks=(1, 10, 400))


@every_metric
def test_one_row_equals_the_reference(metric):
    check(normal(1, 20), normal(70, 20, 1), metric, ks=(1,))


@every_metric
def test_rows_at_the_limit_of_length_are_searched(metric):
    X = np.array([[2.0**63], [2.0**62], [-(2.0**62)], [1]], np.float32)  # norms of 2^126, ...
    check(X, X[:3], metric, ks=(1, 4), batches=(1, 3))
    check(X, np.tile(X, (20, 1)), metric, ks=(1, 4), batches=(80,))


def test_zero_rows_are_rows_of_squared_distance_and_inner_product():
    X = np.vstack([np.zeros((500, 8), np.float32), normal(500, 8)])
    for metric in ("sqeuclidean", "inner_product"):
        check(X, np.ascontiguousarray(X[465:535]), metric)


# --- double precision ---------------------------------------------------------------------------


@every_metric
@pytest.mark.parametrize(("d", "center"), [(16, 0), (16, 5), (300, 0), (300, 1)])
def test_rows_differ_from_double_precision_only_where_it_is_a_near_tie(metric, d, center):
    X, Q = (part + np.float32(center) for part in (normal(3000, d), normal(100, d, 1)))
    exact, sizes = reference.distances64(X, Q, metric)
    indices = cs.knn(X, Q, 100, metric).indices
    closer = (d / 16 + 8) * 2.0**-23
    if metric == "cosine":
        closer *= 2  # both lengths are rounded too
    for found, row, size in zip(indices, exact, sizes, strict=True):
        best = reference.order(row, metric)[:100]
        apart = np.abs(row[found] - row[best])
        assert (apart <= closer * np.maximum(size[found], size[best])).all()
        swapped = found != best
        assert swapped.mean() < 0.2


# --- bytes --------------------------------------------------------------------------------------


@functools.cache
def rows_with_copies(metric, d):
    """Rows, some of them twice, queries, their neighbors, a radius and what lies within it."""
    X, Q = normal(2500, d), normal(150, d, 1)
    X[1000:1500] = X[:500]
    dist = reference.distances(X, Q, metric)
    radius = float(np.quantile(dist, 0.02, method="nearest"))
    lists = reference.within(dist[:40], radius, metric)
    return X, Q, reference.nearest(dist, 30, metric), radius, lists


@every_metric
@pytest.mark.parametrize("d", [7, 100, 133])
def test_every_level_and_thread_count_equals_the_reference(simd_level, metric, d):
    assert _cpu.simd_level() == simd_level
    X, Q, want, radius, lists = rows_with_copies(metric, d)
    index = cs.FlatIndex(metric=metric).fit(X)
    for n_threads in THREADS:
        for batch in (1, 5, 150):
            found = index.search(Q[:batch], 30, n_threads=n_threads)
            same_bits(found, [part[:batch] for part in want])
        same_lists(index.search_radius(Q[:40], radius, n_threads=n_threads), lists)


@every_kind
@every_metric
def test_every_level_reads_every_kind(simd_level, kind, metric):
    (X, wide), (Q, wide_q) = stored(normal(300, 45), kind), stored(normal(70, 45, 1), kind)
    dist = reference.distances(wide, wide_q, metric)
    same_bits(cs.knn(X, Q, 20, metric), reference.nearest(dist, 20, metric))


@pytest.mark.parametrize(
    "name", ["huge and tiny coordinates", "subnormal coordinates", "tiny rows"]
)
@every_metric
def test_every_level_equals_the_reference_on_hard_rows(simd_level, name, metric):
    X, Q = hard_cases()[name]
    check(X[:600], Q, metric, ks=(10,))


@pytest.mark.parametrize("name", ["one row and noise", "a thousand off the center"])
def test_threads_agree_where_everything_is_near(name):
    X, Q = hard_cases()[name]
    for metric in METRICS:
        one, *others = (cs.knn(X, Q, 50, metric, n_threads=count) for count in THREADS)
        for other in others:
            same_bits(other, (one.distances, one.indices))


def test_a_query_does_not_depend_on_the_others():
    X, Q = normal(2000, 50), normal(130, 50, 1)
    for metric in METRICS:
        index = cs.FlatIndex(metric=metric).fit(X)
        whole = index.search(Q, 10)
        for rows in (slice(0, 1), slice(17, 20), slice(60, 130)):
            part = index.search(Q[rows], 10)
            same_bits(part, (whole.distances[rows], whole.indices[rows]))


# --- real data ----------------------------------------------------------------------------------


@every_metric
def test_letters_equal_the_reference(test_data, metric):
    X = np.load(test_data / "embeddings" / "letter.npz")["X"]
    Q = X[np.random.default_rng(0).choice(len(X), 300, replace=False)]
    check(X, Q, metric, ks=(50,), batches=(3, 300))


@every_metric
def test_digits_equal_the_reference(test_data, metric):
    X = np.load(test_data / "embeddings" / "mnist.npz")["X"][:3200].astype(np.float32)
    X /= np.float32(255)
    check(X[:3000], X[3000:], metric, ks=(50,), batches=(3, 200))
