"""What kernels count for label models, against the slow and obvious sum."""

from __future__ import annotations

import numpy as np
import pytest

import coverset as cs
from coverset import _cpu
from coverset.label_matrix.construct import Votes, votes_for
from coverset.label_model.estimation.clusters import average_linkage
from coverset.label_model.estimation.statistics import both_ways

NONE = np.empty(0, dtype=np.int64)


def votes_of(seed: int, n: int = 300, m: int = 9, k: int = 4):
    rng = np.random.default_rng([seed, n, m, k])
    dense = np.where(rng.random((n, m)) < rng.uniform(0.05, 0.8), rng.integers(0, k, (n, m)), -1)
    return dense, cs.LabelMatrix.from_dense(dense, cardinality=k), rng


def columns_of(dense, k):
    """Return the (LF, label) pairs with votes, where those of each LF begin, and each vote's."""
    pairs = [(j, y) for j in range(dense.shape[1]) for y in range(k) if (dense[:, j] == y).any()]
    indptr = np.searchsorted([j for j, _ in pairs], np.arange(dense.shape[1] + 1)).astype(np.int64)
    rows = [[pairs.index((j, y)) for j, y in enumerate(row) if y >= 0] for row in dense.tolist()]
    flat = np.array([c for row in rows for c in row], dtype=np.int32)
    return pairs, indptr, np.array([y for _, y in pairs], dtype=np.int16), flat


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_weighed_labels_are_sums_of_weights(seed, threads):
    dense, L, rng = votes_of(seed, n=70_000 * (seed == 0) + 300)
    weight = rng.integers(1, 9, len(L)).astype(np.float64)
    counts = np.empty((L.n_lfs, 4), dtype=np.int64)
    _cpu.weigh_labels(L.indptr, L.lfs, L.labels, weight, 4, counts, threads)
    want = [[weight[dense[:, j] == y].sum() for y in range(4)] for j in range(L.n_lfs)]
    np.testing.assert_array_equal(counts, want)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_masses_are_added_in_the_order_of_the_rows(k, threads):
    dense, L, rng = votes_of(k, n=2000)
    pairs, _, _, column = columns_of(dense, 4)
    mass = rng.random((len(L), k)) * 10.0 ** rng.integers(-9, 9, (len(L), 1))
    sums = np.empty((len(pairs), k))
    _cpu.add_by_column(L.indptr, column, mass, k, sums, threads)
    want = np.zeros_like(sums)
    for row, first, last in zip(mass, L.indptr[:-1], L.indptr[1:], strict=True):
        for c in column[first:last]:
            want[c] += row
    np.testing.assert_array_equal(sums, want)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(("even", "correlation"), [(True, 0.0), (True, 0.1), (False, 0.1)])
def test_evidence_of_votes_is_scaled_by_row(even, correlation, threads):
    dense, L, rng = votes_of(7, n=500)
    pairs, _, _, column = columns_of(dense, 4)
    log_weight, prior = rng.normal(size=(len(pairs), 3)), np.zeros(3)
    weight = np.ones(len(pairs)) if even else rng.random(len(pairs))
    evidence = np.empty((L.nnz, 3))
    weights = log_weight, weight, prior, correlation
    _cpu.explain_votes(L.indptr, column, *weights, evidence, threads)
    for row in range(len(L)):
        own = slice(L.indptr[row], L.indptr[row + 1])
        counted = 0.0
        for c in column[own]:
            counted += weight[c]
        scale = 1 / (1 + correlation * max(counted - 1, 0))
        np.testing.assert_array_equal(evidence[own], log_weight[column[own]] * scale)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_outcomes_are_numbers_in_mixed_base(seed, threads):
    dense, L, rng = votes_of(seed, m=8)
    components = [(6, 1, 3), (0, 4), (7,), (5,)]  # LF 2 is in none
    seen = [sorted(rng.choice(4, rng.integers(1, 5), replace=False).tolist()) for _ in range(8)]
    component, added = np.full(8, -1), np.zeros((8, 4), dtype=np.int64)
    start = [0]
    for number, lfs in enumerate(components):
        stride = 1
        for lf in lfs[::-1]:
            component[lf] = number
            added[lf, seen[lf]] = stride * np.arange(1, len(seen[lf]) + 1)
            stride *= len(seen[lf]) + 1
        start.append(start[-1] + stride)
    places = component, added, np.array(start[:-1])
    indptr = np.empty(len(L) + 1, dtype=np.int64)
    _cpu.size_outcomes(L.indptr, L.lfs, L.labels, *places, indptr, threads)
    outcome = np.empty(indptr[-1], dtype=np.int64)
    _cpu.fill_outcomes(L.indptr, L.lfs, L.labels, *places, indptr, outcome, threads)
    for row, first, last in zip(dense, indptr[:-1], indptr[1:], strict=True):
        want = []
        for number, lfs in enumerate(components):
            digit = [1 + seen[j].index(row[j]) if row[j] in seen[j] else 0 for j in lfs]
            sizes = [len(seen[j]) + 1 for j in lfs]
            own = int(np.ravel_multi_index(digit, sizes))
            want += [start[number] + own] if own else []
        assert outcome[first:last].tolist() == want


def overlaps_of(dense, pairs, weight):
    """Return all pairs of columns with common rows, and the weight of these."""
    on = [dense[:, j] == y for j, y in pairs]
    found = [
        (a, b, weight[on[a] & on[b]].sum())
        for a in range(len(pairs))
        for b in range(a + 1, len(pairs))
        if (on[a] & on[b]).any()
    ]
    first, second, rows = (np.array(x) for x in zip(*found, strict=True))
    indptr = np.searchsorted(first, np.arange(len(pairs) + 1)).astype(np.int64)
    return found, (indptr, second.astype(np.int32), rows.astype(np.float64))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("families", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_dependent_pairs_are_of_one_kind_and_family(seed, families, threads):
    dense, L, rng = votes_of(seed, n=80, m=12)
    pairs, indptr, label, _ = columns_of(dense, 4)
    annotator = rng.integers(0, 2, L.n_lfs).astype(np.uint8)
    family = rng.integers(0, 3, L.n_lfs)
    found, overlaps = overlaps_of(dense, pairs, np.ones(len(L)))
    kinds = indptr, label, annotator, family if families else NONE
    unipolar, annotators = _cpu.dependent_pairs(*overlaps, *kinds, threads)
    alone, together = [], {}
    for a, b, rows in found:
        (i, x), (j, y) = pairs[a], pairs[b]
        if annotator[i] != annotator[j] or (families and family[i] != family[j]):
            continue
        if annotator[i]:
            key = int(indptr[i]), int(indptr[j])
            before = together.get(key, (0, 0))
            together[key] = before[0] + rows, before[1] + rows * (x == y)
        elif x == y:
            alone.append((a, b, rows))
    assert list(zip(*(part.tolist() for part in unipolar[:3]), strict=True)) == alone
    got = list(zip(*(part.tolist() for part in annotators), strict=True))
    assert got == [(*key, *sums) for key, sums in sorted(together.items())]


def two_lanes(a, b):
    """Return the inner product as its contract orders the additions."""
    lanes, places = [0.0, 0.0], list(range(len(a)))
    ordered: list[int] = []
    while len(places) >= 8:
        eight, places = places[:8], places[8:]
        ordered += [i for at in (6, 4, 2, 0) for i in eight[at : at + 2]]
    for i in ordered + places:
        lanes[i % 2] += a[i] * b[i]
    return lanes[0] + lanes[1]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("width", [1, 2, 3, 7, 8, 9, 16, 21, 40])
def test_products_of_pairs(width, threads):
    rng = np.random.default_rng(width)
    left, right = rng.random((30, width)), rng.random((30, width))
    first, second = rng.integers(0, 30, 400), rng.integers(0, 30, 400)
    products = np.empty(400)
    _cpu.multiply_pairs(left, right, first, second, width, products, threads)
    want = [
        two_lanes(left[a].tolist(), right[b].tolist()) for a, b in zip(first, second, strict=True)
    ]
    assert products.tolist() == want
    np.testing.assert_allclose(products, np.einsum("ij,ij->i", left[first], right[second]))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("k", [2, 4, 9])
def test_products_of_annotators_are_over_common_labels(k, threads):
    dense, _, rng = votes_of(k, n=12, m=10, k=k)
    pairs, indptr, label, _ = columns_of(dense, k)
    left, right = rng.random((len(pairs), k)), rng.random((len(pairs), k))
    voting = np.flatnonzero(np.diff(indptr) > 0)
    a, b = (some.ravel() for some in np.meshgrid(voting, voting))
    products = np.empty(len(a))
    lfs = indptr[a], indptr[b], indptr, label
    _cpu.multiply_annotators(left, right, *lfs, k, products, threads)
    want = []
    for i, j in zip(a.tolist(), b.tolist(), strict=True):
        common = [y for y in range(k) if (i, y) in pairs and (j, y) in pairs]
        total = 0.0
        for y in common:
            rows = left[pairs.index((i, y))], right[pairs.index((j, y))]
            total += two_lanes(*(row.tolist() for row in rows))
        want.append(total)
    assert products.tolist() == want


@pytest.mark.parametrize("seed", range(4))
def test_pairs_both_ways_round(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 40))
    first, second = np.nonzero(np.triu(rng.random((size, size)) < rng.random(), 1))
    half = np.searchsorted(first, np.arange(size + 1)).astype(np.int64)
    indptr, other, entry = both_ways(half, second.astype(np.int32))
    want = sorted(
        (int(x), int(y), e)
        for e, (a, b) in enumerate(zip(first, second, strict=True))
        for x, y in ((a, b), (b, a))
    )
    rows = np.repeat(np.arange(size), np.diff(indptr))
    assert list(zip(rows.tolist(), other.tolist(), entry.tolist(), strict=True)) == want


def slow_linkage(similarity, least):
    """Look through the whole table for each merge; the first of equals is taken."""
    cluster, sizes = np.arange(len(similarity)), np.ones(len(similarity))
    similarity = similarity.copy()
    np.fill_diagonal(similarity, -np.inf)
    while True:
        i, j = divmod(int(similarity.argmax()), len(similarity))
        if not similarity[i, j] >= least:
            return cluster
        mean = (sizes[i] * similarity[i] + sizes[j] * similarity[j]) / (sizes[i] + sizes[j])
        similarity[i] = similarity[:, i] = mean
        similarity[i, i] = similarity[j] = similarity[:, j] = -np.inf
        sizes[i] += sizes[j]
        cluster[cluster == j] = i


@pytest.mark.parametrize("levels", [2, 5, 1000, 10**9])  # few: nearly all similarities are equal
@pytest.mark.parametrize("seed", range(6))
def test_clusters_are_merged_as_by_looking_through_the_table(seed, levels):
    rng = np.random.default_rng([seed, levels])
    size = int(rng.integers(2, 60))
    similarity = rng.integers(1, levels + 1, (size, size)) / levels * rng.uniform(0.5, 1)
    similarity = np.maximum(np.triu(similarity, 1), np.triu(similarity, 1).T)
    for least in (0.1, 0.4, 0.8):
        cluster = np.empty(size, dtype=np.int64)
        _cpu.merge_nearest_clusters(similarity.copy(), least, cluster, 1)
        np.testing.assert_array_equal(cluster, slow_linkage(similarity, least))


def test_one_thing_is_a_cluster_of_its_own():
    cluster = np.full(1, 9)
    _cpu.merge_nearest_clusters(np.zeros((1, 1)), 0.0, cluster, 1)
    assert cluster.tolist() == [0]
    assert average_linkage(3, NONE, NONE, np.empty(0), 0.5, 1).tolist() == [0, 1, 2]


@pytest.mark.parametrize("seed", range(3))
def test_votes_for_a_label(seed):
    dense, L, _ = votes_of(seed)
    for label in range(4):
        found = votes_for(Votes(L.indptr, L.lfs, L.labels), label)
        assert (found.labels == 1).all()
        own = [np.flatnonzero(row == label).tolist() for row in dense]
        assert [part.tolist() for part in np.split(found.lfs, found.indptr[1:-1])] == own
