"""LabelMatrix: dense matrices in and out, equality, immutability, by the docstrings."""

from __future__ import annotations

import copy
import itertools
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coverset as cs
import reference
import strategies
from examples import EXAMPLE, FACTS, THREADS, bytes_of, csr_arrays, random_dense, trying

LabelMatrix = cs.LabelMatrix


# from_dense


@given(strategies.dense(), st.sampled_from(strategies.SIGNED), st.sampled_from(THREADS))
def test_from_dense_matches_reference(simd_level, matrix, dtype, threads):
    cells, k = matrix
    if k > np.iinfo(dtype).max:
        cells, k = np.minimum(cells, 127), 128
    L = LabelMatrix.from_dense(cells.astype(dtype), k, n_threads=threads)
    reference.assert_holds(L, cells, k)


@given(strategies.dense(low=0), st.sampled_from(strategies.UNSIGNED))
def test_unsigned_integers_never_abstain(matrix, dtype):
    cells, _ = matrix
    cells = np.minimum(cells, min(np.iinfo(dtype).max, 32766))
    L = LabelMatrix.from_dense(cells.astype(dtype))
    reference.assert_holds(L, cells, max(2, cells.max(initial=-1) + 1))


@pytest.mark.parametrize(("dtype", "largest"), [("u1", 255), ("u2", 32766), ("i1", 127)])
def test_largest_label_of_a_dtype_is_a_label(simd_level, dtype, largest):
    cells = np.full((2, 70), largest, dtype)
    reference.assert_holds(LabelMatrix.from_dense(cells), cells.astype(int), largest + 1)


@pytest.mark.parametrize("layout", strategies.LAYOUTS)
@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", ">i4", "u1", "u8", ">u2"])
def test_memory_layout_does_not_matter(layout, dtype):
    cells = random_dense(11, 70, 3)
    if "u" in dtype:
        cells = cells + 1
    array = strategies.LAYOUTS[layout](cells.astype(dtype))
    before = array.tobytes()
    reference.assert_holds(LabelMatrix.from_dense(array, 4), cells, 4)
    assert array.tobytes() == before


def test_one_row_seen_many_times_is_read_through_its_zero_stride():
    row = np.array([1, -1, 0])
    L = LabelMatrix.from_dense(np.broadcast_to(row, (5, 3)))
    reference.assert_holds(L, np.tile(row, (5, 1)), 2)


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8"])
def test_every_width_around_a_vector_register_matches_reference(simd_level, dtype):
    for m in (*range(1, 35), 63, 64, 65, 127, 128, 129, 130, 255, 256, 257):
        cells = random_dense(6, m, 5)
        cells[0], cells[1] = -1, 4
        with trying(m=m):
            L = LabelMatrix.from_dense(cells.astype(dtype), 5)
            reference.assert_holds(L, cells, 5)
            assert np.array_equal(L.to_dense(), cells)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("dtype", ["i1", "i8"])
def test_blocks_give_the_same_bytes_on_any_threads_and_level(simd_level, threads, dtype):
    cells = random_dense(9_000, 65, 7)
    L = LabelMatrix.from_dense(cells.astype(dtype), n_threads=threads)
    rows, lfs = np.nonzero(cells >= 0)
    assert L.lfs.tobytes() == lfs.astype(np.int32).tobytes()
    assert L.labels.tobytes() == cells[rows, lfs].astype(np.int16).tobytes()
    ends = np.cumsum([0, *(cells >= 0).sum(axis=1)])
    assert L.indptr.tobytes() == ends.astype(np.int64).tobytes()
    assert np.array_equal(L.to_dense(n_threads=threads), cells)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (1, 1), (3, 130)])
def test_matrices_without_votes(simd_level, shape):
    cells = np.full(shape, -1)
    L = LabelMatrix.from_dense(cells)
    reference.assert_holds(L, cells, 2)
    assert L.to_dense().shape == shape
    assert L.covered.tolist() == [False] * shape[0]


def test_lists_are_taken():
    reference.assert_holds(LabelMatrix.from_dense(EXAMPLE), EXAMPLE, 3)
    assert LabelMatrix.from_dense([[], []]).shape == (2, 0)


@pytest.mark.parametrize(
    ("cells", "k"), [([[-1, 0]], 2), ([[1, 1]], 2), ([[2, -1]], 3), ([[32766]], 32767)]
)
def test_cardinality_is_the_largest_label_plus_one_and_at_least_two(cells, k):
    assert LabelMatrix.from_dense(cells).cardinality == k


def test_cardinality_may_be_one_and_a_numpy_integer():
    L = LabelMatrix.from_dense([[0, -1]], np.int8(1))
    assert L.cardinality == 1
    assert type(L.cardinality) is int


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8"])
def test_from_dense_names_the_first_bad_entry(simd_level, dtype):
    for column, value in itertools.product((0, 15, 63, 64, 69), (-2, 3, 100, -128)):
        cells = np.zeros((5, 70), dtype)
        cells[2, column] = value
        cells[3:] = 99
        message = rf"\[2, {column}\] .* in 0\.\.2, got {value}$"
        with trying(column=column, value=value), pytest.raises(ValueError, match=message):
            LabelMatrix.from_dense(cells, 3)


@pytest.mark.parametrize(
    "value", [2**8, 2**16, 2**32, 2**32 + 1, 2**63 - 1, -(2**32), -(2**63), 2**31, 32767, 65535]
)
def test_labels_are_not_cut_to_a_narrower_type(simd_level, value):
    cells = np.zeros((2, 9), np.int64)
    cells[1, 4] = value
    with pytest.raises(ValueError, match=rf"\[1, 4\] .*, got {value}$"):
        LabelMatrix.from_dense(cells, 2)
    if not 0 <= value < 32767:
        with pytest.raises(ValueError, match=rf"\[1, 4\] .* in 0\.\.32766, got {value}$"):
            LabelMatrix.from_dense(cells)


@pytest.mark.parametrize(
    ("dtype", "value"), [("u1", 200), ("u2", 65535), ("u4", 2**32 - 1), ("u8", 2**63 - 1)]
)
def test_unsigned_labels_out_of_range_are_named(dtype, value):
    cells = np.array([[0, 1, 1], [0, 0, value]], dtype)
    with pytest.raises(ValueError, match=rf"\[1, 2\] .*, got {value}$"):
        LabelMatrix.from_dense(cells, 2)


@pytest.mark.parametrize("value", [2**63, 2**64 - 1])
def test_unsigned_labels_beyond_int64_are_named_by_row_and_column(value):
    cells = np.array([[0, 1, 1], [0, 0, value]], np.uint64)
    with pytest.raises(ValueError, match=rf"\[1, 2\] .*, got {value}$"):
        LabelMatrix.from_dense(cells, 2)


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8"])
def test_entries_below_minus_one_are_refused_whatever_the_cardinality(simd_level, dtype):
    entries = ((3, -2), (66, -5), (69, -128))
    for k, (column, value) in itertools.product((None, 32767, 251, 129, 1), entries):
        cells = np.full((3, 70), -1, dtype)
        cells[1, column] = value
        message = rf"\[1, {column}\] .*, got {value}$"
        with trying(k=k, column=column, value=value), pytest.raises(ValueError, match=message):
            LabelMatrix.from_dense(cells, k)


@pytest.mark.parametrize("threads", THREADS)
def test_first_bad_entry_is_the_same_on_any_threads(threads):
    cells = np.zeros((20_000, 65), np.int8)
    cells[[7_001, 12_345, 19_999], [3, 2, 1]] = -5
    with pytest.raises(ValueError, match=r"\[7001, 3\] .*, got -5$"):
        LabelMatrix.from_dense(cells, 2, n_threads=threads)


@pytest.mark.parametrize("cells", [[[0.0]], [[True]], [["a"]], [[None]], [[0.5, np.nan]]])
def test_from_dense_takes_integers_only(cells):
    with pytest.raises(TypeError, match="must hold integers, got dtype"):
        LabelMatrix.from_dense(cells)


@pytest.mark.parametrize("cells", [[], [0, 1], [[[0]]], 3])
def test_from_dense_takes_two_dimensions_only(cells):
    with pytest.raises(ValueError, match=r"must have 2 dimensions, got shape \("):
        LabelMatrix.from_dense(cells)


@pytest.mark.parametrize("k", [0, -1, 32768, 2**40])
def test_cardinality_out_of_range(k):
    with pytest.raises(ValueError, match=rf"cardinality must be in 1\.\.32767, got {k}"):
        LabelMatrix.from_dense([[0]], k)
    with pytest.raises(ValueError, match=rf"cardinality must be in 1\.\.32767, got {k}"):
        LabelMatrix.from_csr([0], [], [], n_lfs=1, cardinality=k)
    with pytest.raises(ValueError, match=rf"cardinality must be in 1\.\.32767, got {k}"):
        LabelMatrix.from_triplets([], [], [], cardinality=k)


def test_cardinality_must_be_whole():
    with pytest.raises(TypeError, match=r"cardinality must be a whole number, got 2\.5"):
        LabelMatrix.from_dense([[0]], 2.5)


@pytest.mark.parametrize("threads", [0, -1, 2**31, 2**70])
def test_thread_count_out_of_range(threads):
    with pytest.raises(ValueError, match=f"n_threads must be .*, got {threads}"):
        LabelMatrix.from_dense([[0]], n_threads=threads)


def test_more_threads_than_rows_are_harmless():
    reference.assert_holds(LabelMatrix.from_dense(EXAMPLE, n_threads=1000), EXAMPLE, 3)


# other forms, equality, repr, immutability


@given(strategies.dense())
def test_covered_rows_have_a_vote(matrix):
    cells, k = matrix
    covered = LabelMatrix.from_dense(cells, k).covered
    assert covered.dtype == bool
    assert covered.tolist() == (cells >= 0).any(axis=1).tolist()


@given(strategies.dense(), st.sampled_from(THREADS))
def test_to_dense_returns_what_was_given(matrix, threads):
    cells, k = matrix
    dense = LabelMatrix.from_dense(cells, k).to_dense(n_threads=threads)
    assert dense.dtype == np.int16
    assert dense.flags.c_contiguous
    assert dense.flags.writeable
    assert np.array_equal(dense, cells)


@given(strategies.dense())
def test_to_scipy_holds_label_plus_one(matrix):
    cells, k = matrix
    S = LabelMatrix.from_dense(cells, k).to_scipy()
    assert S.format == "csr"
    assert S.dtype == np.int16
    assert S.shape == cells.shape
    assert np.array_equal(S.toarray(), cells + 1)


def test_largest_label_survives_to_scipy():
    assert LabelMatrix.from_dense([[32766]]).to_scipy().toarray().tolist() == [[32767]]


def test_to_scipy_shares_lfs():
    L = LabelMatrix.from_dense(EXAMPLE)
    assert np.shares_memory(L.to_scipy().indices, L.lfs)


def test_to_scipy_cannot_change_the_votes():
    L = LabelMatrix.from_dense(EXAMPLE)
    S = L.to_scipy()
    S.data[:] = 7
    assert not S.indices.flags.writeable
    reference.assert_holds(L, EXAMPLE, 3)


def test_equal_matrices():
    L = LabelMatrix.from_dense(EXAMPLE, **FACTS)
    csr = reference.dense_to_csr(EXAMPLE)
    same = LabelMatrix.from_csr(*csr, n_lfs=3, cardinality=3, **FACTS)
    assert same == L
    assert (same != L) is False


@pytest.mark.parametrize(
    "other",
    [
        LabelMatrix.from_dense([[1, -1, 2], *EXAMPLE[1:]], 3, **FACTS),
        LabelMatrix.from_dense([[-1, 0, 2], *EXAMPLE[1:]], 3, **FACTS),
        LabelMatrix.from_dense([EXAMPLE[i] for i in (1, 0, 2, 3)], 3, **FACTS),
        LabelMatrix.from_dense([*EXAMPLE, [-1, -1, -1]], 3, **FACTS),
        LabelMatrix.from_dense(EXAMPLE, 3, **FACTS | {"lf_names": None}),
        LabelMatrix.from_dense(EXAMPLE, 3, **FACTS | {"class_names": ["x", "y", "z"]}),
        LabelMatrix.from_dense(EXAMPLE, 3, **FACTS | {"polarity": None}),
        LabelMatrix.from_dense(EXAMPLE, 4, **FACTS | {"class_names": None}),
        None,
        EXAMPLE,
    ],
    ids=[
        "label",
        "lf",
        "rows",
        "shape",
        "lf_names",
        "class_names",
        "polarity",
        "k",
        "None",
        "list",
    ],
)
def test_unequal_matrices(other):
    L = LabelMatrix.from_dense(EXAMPLE, **FACTS)
    assert other != L
    assert (other == L) is False


def test_cardinality_alone_makes_matrices_unequal():
    assert LabelMatrix.from_dense(EXAMPLE, 3) != LabelMatrix.from_dense(EXAMPLE, 4)


@pytest.mark.parametrize(
    ("L", "text"),
    [
        (
            LabelMatrix.from_dense(EXAMPLE),
            "LabelMatrix(4 rows x 3 LFs, cardinality 3, 6 votes, 75.0% of rows covered)",
        ),
        (
            LabelMatrix.from_dense(np.zeros((1234, 1), int)),
            "LabelMatrix(1,234 rows x 1 LFs, cardinality 2, 1,234 votes, 100.0% of rows covered)",
        ),
        (
            LabelMatrix.from_dense(np.empty((0, 2), int)),
            "LabelMatrix(0 rows x 2 LFs, cardinality 2, 0 votes, 0% of rows covered)",
        ),
    ],
)
def test_repr(L, text):
    assert repr(L) == text


def test_shape_and_counts_are_python_numbers():
    L = LabelMatrix.from_dense(EXAMPLE)
    assert (L.shape, L.nnz, L.n_lfs, len(L)) == ((4, 3), 6, 3, 4)
    assert [type(v) for v in (*L.shape, L.nnz, L.n_lfs, L.cardinality)] == [int] * 5


def test_a_label_matrix_cannot_be_made_directly():
    with pytest.raises(TypeError, match="make a LabelMatrix with from_dense, from_csr"):
        LabelMatrix()


def test_a_label_matrix_is_not_hashable():
    with pytest.raises(TypeError, match="unhashable"):
        hash(LabelMatrix.from_dense(EXAMPLE))


@pytest.mark.parametrize("name", ["indptr", "lfs", "labels"])
def test_arrays_cannot_be_written(name):
    array = getattr(LabelMatrix.from_dense(EXAMPLE), name)
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 0


@pytest.mark.parametrize(
    "name",
    ["indptr", "lfs", "labels", "n_lfs", "cardinality", "lf_names", "class_names", "polarity"],
)
def test_attributes_cannot_be_replaced(name):
    L = LabelMatrix.from_dense(EXAMPLE)
    with pytest.raises(AttributeError):
        setattr(L, name, getattr(L[:1], name))


def test_changing_the_source_later_does_not_change_the_votes():
    cells = np.array(EXAMPLE, np.int16)
    csr = csr_arrays()
    L, M = LabelMatrix.from_dense(cells), LabelMatrix.from_csr(*csr, n_lfs=3, cardinality=2)
    before = bytes_of(M)
    cells[:] = -1
    for array in csr:
        array[:] = 0
    reference.assert_holds(L, EXAMPLE, 3)
    assert bytes_of(M) == before


@pytest.mark.parametrize(
    "through",
    [lambda L: pickle.loads(pickle.dumps(L)), copy.deepcopy, copy.copy],
    ids=["pickle", "deepcopy", "copy"],
)
def test_copies_are_equal_and_as_immutable(through):
    L = LabelMatrix.from_dense(EXAMPLE, **FACTS)
    other = through(L)
    assert other == L
    reference.assert_holds(other, EXAMPLE, 3)


def test_messages_of_errors_stay_on_one_line():
    with pytest.raises(ValueError, match="lfs") as caught:
        LabelMatrix.from_csr([0, 1], [9], [0], n_lfs=3, cardinality=2)
    assert re.fullmatch(r"[^\n]{1,120}", str(caught.value))


def test_more_lfs_than_ids_are_refused():
    with pytest.raises(ValueError, match=rf"L.shape\[1\] must be in 0..{2**31 - 1}, got {2**31}"):
        LabelMatrix.from_dense(np.empty((0, 2**31), np.int8))
