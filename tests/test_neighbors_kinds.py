"""Exact neighbors of rows of every storage type, and of rows in parts."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import coverset as cs
import neighbors_reference as reference
from examples import THREADS
from neighbors_examples import (
    KINDS,
    METRICS,
    check,
    every_kind,
    every_metric,
    normal,
    same_bits,
    same_lists,
    spoilt,
    stored,
)

# --- kinds of rows ------------------------------------------------------------------------------


@every_kind
@every_metric
@pytest.mark.parametrize("d", [5, 100])
def test_every_kind_equals_the_reference_on_its_stored_values(kind, metric, d):
    (X, wide), (Q, wide_q) = stored(normal(1500, d), kind), stored(normal(70, d, 1), kind)
    dist = reference.distances(wide, wide_q, metric)
    for batch in (3, 70):
        part = Q[:batch] if isinstance(Q, np.ndarray) else stored(normal(70, d, 1)[:batch], kind)[0]
        for k in (1, 10, 100):
            found = cs.knn(X, part, k=k, metric=metric)
            same_bits(found, reference.nearest(dist[:batch], k, metric))


@pytest.mark.parametrize("kind_q", KINDS)
@every_kind
def test_rows_and_queries_may_be_of_different_kinds(kind, kind_q):
    (X, wide), (Q, wide_q) = stored(normal(300, 21), kind), stored(normal(30, 21, 1), kind_q)
    for metric in METRICS:
        want = reference.nearest(reference.distances(wide, wide_q, metric), 20, metric)
        same_bits(cs.knn(X, Q, k=20, metric=metric), want)


@every_metric
def test_every_float16_and_bfloat16_is_read_exactly(metric):
    bits = np.arange(2**16, dtype=np.uint16)
    half = bits.view(np.float16)
    sizes = np.abs(reference.widened(bits))
    brain = bits[(sizes <= 2.0**63) & ((metric != "cosine") | (sizes >= 2.0**-126))]
    half = half[np.isfinite(half) & ((metric != "cosine") | (half != 0))]
    Q = np.array([[1], [0.3]], np.float32)
    for numbers in (half, brain):
        data = numbers.reshape(-1, 1)
        wide = reference.widened(data)
        dist = reference.distances(wide, Q, metric)
        found = cs.knn(cs.Rows(data), Q, k=len(wide), metric=metric)
        same_bits(found, reference.nearest(dist, len(wide), metric))


def test_scaled_int8_is_rounded_once():
    data = np.tile(np.arange(-128, 128).astype(np.int8)[:, None], (40, 1))
    scale = np.random.default_rng(0).random(len(data), dtype=np.float32) + np.float32(1e-3)
    wide = reference.widened(data, scale)
    dist = reference.distances(wide, np.ones((1, 1), np.float32), "inner_product")
    found = cs.knn(cs.Rows(data, scale), np.ones((1, 1), np.float32), 10_000, "inner_product")
    same_bits(found, reference.nearest(dist, 10_000, "inner_product"))


@every_metric
@pytest.mark.parametrize("d", [31, 140_000])  # 140,000 * 127^2 is more than an int32 holds
def test_int8_at_its_ends_equals_the_reference(metric, d):
    rng = np.random.default_rng(d)
    data = rng.choice(np.int8([-128, 127]), (24, d))
    data[::4], data[1::4] = -128, 127
    scale = rng.choice(np.float32([1e-20, -0.3, 1, 1e12]), 24)
    X, wide, Q = cs.Rows(data, scale), reference.widened(data, scale), slice(4, 16)
    dist = reference.distances(wide, wide[Q], metric)
    for queries in (wide[Q], cs.Rows(data[Q], scale[Q])):
        found = cs.knn(X, queries, 24, metric)
        same_bits(found, reference.nearest(dist, 24, metric))


def test_quantize_is_within_half_a_step():
    X = normal(200, 30) * np.float32([[1e-3], [1], [1e3], [1e15]] * 50)
    rows = cs.quantize(X)
    wide = reference.widened(rows.data, rows.scale)
    assert (rows.data.dtype, rows.scale.dtype) == (np.int8, np.float32)
    steps = np.abs(X).max(axis=1, keepdims=True) / 127
    assert (np.abs(wide - X) <= steps * (0.5 + 1e-4)).all()
    dist = reference.distances(wide, X[:70], "cosine")
    same_bits(cs.knn(rows, X[:70], 12, "cosine"), reference.nearest(dist, 12, "cosine"))


@pytest.mark.parametrize("kind", ["float32", "float16"])
@every_metric
def test_rows_may_lie_apart(kind, metric):
    X, Q = normal(1200, 40).astype(kind), normal(140, 40, 1).astype(kind)
    for rows, queries in (
        (X[:, :23], Q[:, :23]),
        (X[::2], Q[::2]),
        (X[::3, 5:30], Q[::2, 5:30]),
        (X[7:, 1:2], Q[1:, 1:2]),
    ):
        wide, wide_q = reference.widened(rows), reference.widened(queries)
        dist = reference.distances(wide, wide_q, metric)
        for batch in (3, 70):
            found = cs.knn(rows, queries[:batch], 10, metric)
            same_bits(found, reference.nearest(dist[:batch], 10, metric))


def test_rows_of_bfloat16_and_int8_may_lie_apart():
    X, Q = normal(600, 40), normal(70, 23, 1)
    cut = reference.narrowed(X)[::2, :23]
    scale = np.random.default_rng(1).random(300, dtype=np.float32)
    whole = np.rint(X * 30).astype(np.int8)[::2, :23]
    for rows, wide in (
        (cs.Rows(cut), reference.widened(cut)),
        (cs.Rows(whole, scale), reference.widened(whole, scale)),
    ):
        want = reference.nearest(reference.distances(wide, Q, "sqeuclidean"), 10, "sqeuclidean")
        same_bits(cs.knn(rows, Q, 10), want)


@every_metric
def test_axes_of_length_one_have_no_stride(metric):
    X, Q = normal(100, 12), normal(3, 12, 1)
    one = Q[1][None]
    assert one.flags.c_contiguous
    assert one.strides == (0, 4)  # of no meaning: there is no second row
    same_bits(cs.knn(X, one, 5, metric), cs.knn(X, Q[1:2], 5, metric))
    column = X[:, 0].copy()[:, None]
    assert column.flags.c_contiguous
    assert column.strides == (4, 0)
    whole = column.reshape(-1).reshape(100, 1)
    same_bits(cs.knn(column, column, 5, metric), cs.knn(whole, whole, 5, metric))
    same_bits(cs.knn(X[::-1][:1], Q, 1, metric), cs.knn(X[99:], Q, 1, metric))


def test_files_mapped_to_memory_are_searched(tmp_path):
    X, Q = normal(900, 12), normal(70, 12, 1)
    X.tofile(tmp_path / "rows")
    mapped = np.memmap(tmp_path / "rows", np.float32, "r", shape=X.shape)
    want = reference.nearest(reference.distances(X, Q, "sqeuclidean"), 10, "sqeuclidean")
    same_bits(cs.knn(mapped, Q, 10), want)
    same_bits(cs.FlatIndex().fit(mapped).search(Q, 10), want)


def test_read_only_rows_are_searched_and_nothing_is_written():
    X, Q = normal(300, 12), normal(70, 12, 1)
    before = X.tobytes(), Q.tobytes()
    X.flags.writeable = Q.flags.writeable = False
    for metric in METRICS:
        check(X, Q, metric, ks=(5,))
    assert (X.tobytes(), Q.tobytes()) == before


def test_nothing_is_read_outside_the_rows():
    script = """
import ctypes, mmap, os
import numpy as np
import coverset as cs
from coverset import _cpu

protect = ctypes.CDLL(None, use_errno=True).mprotect
page = mmap.PAGESIZE

def fenced(array, at_end):
    pages = -(-array.nbytes // page)
    room = mmap.mmap(-1, (pages + 2) * page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(room))
    for fence in (start, start + (pages + 1) * page):
        assert protect(ctypes.c_void_p(fence), ctypes.c_size_t(page), 0) == 0
    offset = (pages + 1) * page - array.nbytes if at_end else page
    out = np.frombuffer(room, array.dtype, array.size, offset).reshape(array.shape)
    out[...] = array
    return out

rng = np.random.default_rng(0)
for level in _cpu.simd_levels():
    _cpu.force_simd_level(level)
    for d in (1, 4, 7, 16, 17, 31, 100):
        for n, q in ((1, 1), (5, 3), (83, 2), (83, 37)):
            whole, asked = (rng.integers(1, 9, (rows, d)) for rows in (n, q))
            for at_end in (False, True):
                Q = fenced(asked.astype(np.float32), at_end)
                excluded = fenced(np.zeros(n, bool), at_end)
                scale = fenced(np.ones(n, np.float32), at_end)
                for X in (
                    fenced(whole.astype(np.float32), at_end),
                    fenced(whole.astype(np.float16), at_end),
                    cs.Rows(fenced(whole.astype(np.uint16) + 16256, at_end)),
                    cs.Rows(fenced(whole.astype(np.int8), at_end), scale),
                ):
                    for metric in ("sqeuclidean", "cosine", "inner_product"):
                        index = cs.FlatIndex(metric).fit(X)
                        index.search(Q, 1, exclude=excluded)
                        index.search_radius(Q, 1.0, exclude=excluded)
                    cs.knn(np.ones((3, d), np.float32), X, 2)
                cs.quantize(Q)
os._exit(0)  # memory behind fences is not given back
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.returncode, done.stderr)


# --- rows in parts ------------------------------------------------------------------------------


@every_metric
@pytest.mark.parametrize("sizes", [[1, 1], [700, 1, 2, 900], [5] * 60, [0, 40, 0, 1000, 0]])
def test_parts_of_every_kind_are_one_set_of_rows(metric, sizes):
    X = normal(40, 21)[np.random.default_rng(2).integers(0, 40, sum(sizes))]  # ties across parts
    Q, n = X[:70], len(X)
    cuts = np.cumsum(sizes)[:-1]
    kinds = [KINDS[i % 4] for i in range(len(sizes))]
    parts, wide = zip(*map(stored, np.split(X, cuts), kinds), strict=True)
    whole, k = np.vstack(wide), min(60, n)
    exclude = np.random.default_rng(5).random(n) < 0.4
    dist = reference.distances(whole, Q, metric)
    index = cs.FlatIndex(metric=metric).fit(list(parts))
    radius = float(np.quantile(dist, 0.3, method="nearest"))
    for allowed in (None, ~exclude):
        options = {"exclude": None if allowed is None else exclude}
        want = reference.nearest(dist, k, metric, allowed)
        for n_threads in THREADS:
            same_bits(index.search(Q, k, n_threads=n_threads, **options), want)
        same_bits(index.search(Q[:2], k, **options), [part[:2] for part in want])
        lists = reference.within(dist, radius, metric, allowed)
        same_lists(index.search_radius(Q, radius, **options), lists)
    dist = reference.distances(whole, whole, metric)
    want = reference.nearest(dist, min(9, n - 1), metric, reference.all_but_itself(n))
    same_bits(cs.knn_graph(parts, k=min(9, n - 1), metric=metric), want)


def test_a_bad_part_is_named():
    X = normal(20, 6)
    for bad, error, message in (
        (spoilt(X, 3, np.nan, 0), ValueError, r"X\[1\] must be finite, row 3 has nan in column 0"),
        (X.astype(np.float64), TypeError, r"X\[1\] must be float32.*, got float64"),
        (X[:, :5], ValueError, r"X\[1\] must have 6 columns, as X\[0\], got 5"),
        (X[0], ValueError, r"X\[1\] must have 2 dimensions"),
    ):
        with pytest.raises(error, match=message):
            cs.FlatIndex().fit([X, bad, X])
    for nothing in ([], [X[:0]]):
        with pytest.raises(ValueError, match="X must have at least one row"):
            cs.FlatIndex().fit(nothing)
