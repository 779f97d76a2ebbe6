"""LabelMatrix from CSR arrays and from loose answers: what is kept, shared and refused."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coverset as cs
import reference
import strategies
from examples import EXAMPLE, THREADS, bytes_of, csr_arrays, frozen

LabelMatrix = cs.LabelMatrix


# from_csr


@given(strategies.dense(), st.data(), st.sampled_from(strategies.SIGNED + strategies.UNSIGNED))
def test_from_csr_takes_any_integer_dtype_and_sorts_rows(matrix, data, dtype):
    cells, k = matrix
    indptr, lfs, labels = reference.dense_to_csr(cells)
    order = np.arange(len(lfs))
    for begin, end in pairwise(indptr):
        order[begin:end] = data.draw(st.permutations(range(begin, end)))
    if max(indptr[-1], labels.max(initial=0)) > np.iinfo(dtype).max:
        dtype = "i8"
    arrays = [a.astype(dtype) for a in (indptr, lfs[order], labels[order])]
    L = LabelMatrix.from_csr(*arrays, n_lfs=cells.shape[1], cardinality=k)
    reference.assert_holds(L, cells, k)


@pytest.mark.parametrize("threads", THREADS)
def test_unsorted_rows_get_sorted_on_any_threads(large, threads):
    backwards = np.concatenate(
        [np.arange(end, begin, -1) - 1 for begin, end in pairwise(large.indptr)]
    )
    lfs, labels = large.lfs[backwards], large.labels[backwards]
    kept = lfs.copy()
    L = LabelMatrix.from_csr(large.indptr, lfs, labels, n_lfs=9, cardinality=4, n_threads=threads)
    assert bytes_of(L) == bytes_of(large)
    assert np.array_equal(lfs, kept)


def test_unsorted_read_only_rows_are_sorted_in_a_copy():
    lfs, labels = frozen([2, 0], np.int32), frozen([1, 0], np.int16)
    L = LabelMatrix.from_csr([0, 2], lfs, labels, n_lfs=3, cardinality=2)
    assert L.to_dense().tolist() == [[0, -1, 1]]
    assert lfs.tolist() == [2, 0]


def shared(L, arrays):
    return [
        np.shares_memory(getattr(L, name), given)
        for name, given in zip(("indptr", "lfs", "labels"), arrays, strict=True)
    ]


@pytest.mark.parametrize(
    ("make", "copy", "want"),
    [
        (frozen, None, True),
        (frozen, False, True),
        (frozen, True, False),
        (np.array, None, False),
        (np.array, False, True),
        (np.array, True, False),
    ],
)
def test_from_csr_shares_as_asked(make, copy, want):
    arrays = csr_arrays(make)
    L = LabelMatrix.from_csr(*arrays, n_lfs=3, cardinality=2, copy=copy)
    assert shared(L, arrays) == [want] * 3
    assert [array.flags.writeable for array in arrays] == [make is np.array] * 3
    assert not any(a.flags.writeable for a in (L.indptr, L.lfs, L.labels))


def test_read_only_views_of_read_only_arrays_are_shared():
    arrays = [array[:] for array in csr_arrays(frozen)]
    assert shared(LabelMatrix.from_csr(*arrays, n_lfs=3, cardinality=2), arrays) == [True] * 3


def test_read_only_bytes_are_shared():
    arrays = [np.frombuffer(a.tobytes(), a.dtype) for a in csr_arrays()]
    assert shared(LabelMatrix.from_csr(*arrays, n_lfs=3, cardinality=2), arrays) == [True] * 3


def read_only_view(array):
    view = array[:]
    view.flags.writeable = False
    return view


def read_only_strided(array):
    return np.lib.stride_tricks.as_strided(array, writeable=False)


def read_only_bytearray(array):
    view = np.frombuffer(bytearray(array.tobytes()), array.dtype)
    view.flags.writeable = False
    return view


@pytest.mark.parametrize("hide", [read_only_view, read_only_strided, read_only_bytearray])
def test_read_only_views_of_writable_memory_are_not_shared(hide):
    owners = csr_arrays()
    arrays = [hide(array) for array in owners]
    L = LabelMatrix.from_csr(*arrays, n_lfs=3, cardinality=2)
    assert shared(L, arrays) == [False] * 3


@pytest.mark.parametrize("name", ["indptr", "lfs", "labels"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda a: a.astype(np.int8),
        lambda a: a.astype(a.dtype.newbyteorder(">")),
        lambda a: np.repeat(a, 2)[::2],
        lambda a: a.tolist(),
    ],
    ids=["dtype", "byte order", "stride", "list"],
)
def test_copy_false_raises_where_a_copy_is_needed(name, spoil):
    arrays = dict(zip(("indptr", "lfs", "labels"), csr_arrays(), strict=True))
    arrays[name] = spoil(arrays[name])
    with pytest.raises(ValueError, match=f"copy=False: {name} must be"):
        LabelMatrix.from_csr(**arrays, n_lfs=3, cardinality=2, copy=False)
    arrays_held = LabelMatrix.from_csr(**arrays, n_lfs=3, cardinality=2)
    assert arrays_held.to_dense().tolist() == [[1, -1, -1], [0, -1, 1]]


def test_copy_false_raises_for_unsorted_rows_and_leaves_them():
    indptr, lfs, labels = csr_arrays()
    lfs[1:] = [2, 0]
    with pytest.raises(ValueError, match="copy=False: LF ids must ascend within each row"):
        LabelMatrix.from_csr(indptr, lfs, labels, n_lfs=3, cardinality=2, copy=False)
    assert lfs.tolist() == [0, 2, 0]


HUGE = 2**64 - 1
MALFORMED = {
    "indptr empty": ([], [], [], "indptr .* got 0 entries"),
    "indptr starts late": ([1, 2], [0, 0], [0, 0], r"indptr\[0\] must be 0, got 1"),
    "indptr starts below 0": ([-1, 2], [0, 1], [0, 0], r"indptr\[0\] must be .*, got -1"),
    "indptr falls": (
        [0, 2, 1, 3],
        [0, 1, 2],
        [0, 0, 0],
        r"indptr\[1\] = 2, indptr\[2\] = 1",
    ),
    "indptr ends early": (
        [0, 1],
        [0, 1],
        [0, 0],
        r"indptr\[1\] must be the number of votes, 2, got 1",
    ),
    "indptr ends late": (
        [0, 9],
        [0, 1],
        [0, 0],
        r"indptr\[1\] must be the number of votes, 2, got 9",
    ),
    "indptr of a matrix without rows": (
        [0],
        [0],
        [0],
        r"indptr\[0\] must be the number of votes, 1, got 0",
    ),
    "indptr far away": ([0, 2**62, 1], [0], [0], rf"indptr\[1\] = {2**62}, indptr\[2\] = 1"),
    "LF id too large": ([0, 1, 2], [0, 3], [0, 0], r"lfs\[1\] .*must be in 0\.\.2, got 3"),
    "LF id negative": ([0, 1, 2], [0, -1], [0, 0], r"lfs\[1\] .*must be in 0\.\.2, got -1"),
    "LF id wraps": ([0, 1, 2], [0, 2**32], [0, 0], rf"lfs\[1\] .*0\.\.2, got {2**32}"),
    "label too large": ([0, 1, 2], [0, 0], [1, 2], r"labels\[1\] .*must be in 0\.\.1, got 2"),
    "label abstains": ([0, 1, 2], [0, 0], [1, -1], r"labels\[1\] .*must be in 0\.\.1, got -1"),
    "label wraps": ([0, 1, 2], [0, 0], [1, 65536], r"labels\[1\] .*0\.\.1, got 65536"),
    "LF twice, sorted": ([0, 1, 4], [0, 0, 1, 1], [0] * 4, "row 1 holds LF 1 twice"),
    "LF twice, unsorted": ([0, 1, 4], [0, 2, 1, 2], [0] * 4, "row 1 holds LF 2 twice"),
    "fewer labels": ([0, 2], [0, 1], [0], "lfs and labels must be of one length, got 2 and 1"),
    "more labels": ([0, 1], [0], [0, 1], "lfs and labels must be of one length, got 1 and 2"),
    "indptr two-dimensional": ([[0, 1]], [0], [0], r"indptr must have 1 dimension, got .*\(1, 2\)"),
    "lfs two-dimensional": ([0, 1], [[0]], [0], r"lfs must have 1 dimension, got shape \(1, 1\)"),
    "labels a scalar": ([0, 1], [0], 0, r"labels must have 1 dimension, got shape \(\)"),
    "indptr huge": (
        np.array([0, HUGE], "u8"),
        [0],
        [0],
        rf"indptr\[1\] must be .*, got {HUGE}",
    ),
    "LF id huge": ([0, 1], np.array([HUGE], "u8"), [0], rf"lfs\[0\] must be .*, got {HUGE}"),
    "label huge": ([0, 1], [0], np.array([2**63], ">u8"), rf"labels\[0\] must .*, got {2**63}"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_from_csr_names_what_is_malformed(case):
    indptr, lfs, labels, message = MALFORMED[case]
    with pytest.raises(ValueError, match=message):
        LabelMatrix.from_csr(indptr, lfs, labels, n_lfs=3, cardinality=2)


@pytest.mark.parametrize("case", [c for c in MALFORMED if "wraps" not in c and "huge" not in c])
@pytest.mark.parametrize("copy", [None, True, False])
def test_shared_arrays_are_checked_just_the_same(case, copy):
    *arrays, message = MALFORMED[case]
    exact = [np.array(a, t) for a, t in zip(arrays, ("i8", "i4", "i2"), strict=True)]
    with pytest.raises(ValueError, match=message):
        LabelMatrix.from_csr(*exact, n_lfs=3, cardinality=2, copy=copy)


@pytest.mark.parametrize("name", ["indptr", "lfs", "labels"])
@pytest.mark.parametrize("dtype", ["f8", "?", "O", "U1"])
def test_from_csr_takes_integers_only(name, dtype):
    arrays = dict(zip(("indptr", "lfs", "labels"), csr_arrays(), strict=True))
    arrays[name] = arrays[name].astype(dtype)
    with pytest.raises(TypeError, match=f"{name} must hold integers, got dtype"):
        LabelMatrix.from_csr(**arrays, n_lfs=3, cardinality=2)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize(
    ("name", "value"), [("indptr", -1), ("lfs", 9), ("lfs", -1), ("labels", 4), ("labels", -1)]
)
def test_first_malformed_position_is_the_same_on_any_threads(large, threads, name, value):
    arrays = {a: getattr(large, a).copy() for a in ("indptr", "lfs", "labels")}
    first, second = len(arrays[name]) // 2 + 17, len(arrays[name]) - 2
    arrays[name][[first, second]] = value
    with pytest.raises(ValueError, match=rf"{name}\[{first}\].*{value}"):
        LabelMatrix.from_csr(**arrays, n_lfs=9, cardinality=4, n_threads=threads)


@given(st.data())
def test_any_numbers_as_csr_are_an_error_or_a_matrix(data):
    few = st.integers(-2, 4)
    indptr, lfs, labels = (data.draw(st.lists(few, max_size=5)) for _ in range(3))
    n_lfs = data.draw(st.integers(0, 3))
    well_formed = (
        len(indptr) > 0
        and indptr[0] == 0
        and indptr == sorted(indptr)
        and indptr[-1] == len(lfs) == len(labels)
        and all(0 <= lf < n_lfs for lf in lfs)
        and all(0 <= label < 2 for label in labels)
        and all(max(Counter(lfs[a:b]).values(), default=0) <= 1 for a, b in pairwise(indptr))
    )
    if well_formed:
        L = LabelMatrix.from_csr(indptr, lfs, labels, n_lfs=n_lfs, cardinality=2)
        reference.assert_holds(L, reference.csr_to_dense(indptr, lfs, labels, n_lfs), 2)
    else:
        with pytest.raises(ValueError, match=r"indptr|lfs|labels|LF"):
            LabelMatrix.from_csr(indptr, lfs, labels, n_lfs=n_lfs, cardinality=2)


@pytest.mark.parametrize("n_lfs", [-1, 2**31])
def test_number_of_lfs_out_of_range(n_lfs):
    with pytest.raises(ValueError, match=rf"n_lfs must be in 0\.\.2147483647, got {n_lfs}"):
        LabelMatrix.from_csr([0], [], [], n_lfs=n_lfs, cardinality=2)


def test_the_largest_lf_id():
    last = 2**31 - 2
    L = LabelMatrix.from_csr([0, 1], [last], [0], n_lfs=last + 1, cardinality=2)
    assert (L.shape, L.lfs.tolist()) == ((1, last + 1), [last])


# from_triplets


@pytest.mark.parametrize("policy", ["majority", "last"])
@given(answers=strategies.triplets(), dtype=st.sampled_from(["i1", "u1", "i4", "u8", ">i8"]))
def test_from_triplets_matches_reference(policy, answers, dtype):
    rows, lfs, labels, shape, k = answers
    arrays = [np.array(values, dtype) for values in (rows, lfs, labels)]
    L = LabelMatrix.from_triplets(*arrays, shape=shape, cardinality=k, duplicates=policy)
    dense, counts = reference.triplets_to_dense(rows, lfs, labels, shape, policy)
    reference.assert_holds(L, dense, k)
    assert L.duplicates == counts


@given(strategies.triplets(max_answers=6))
def test_repeats_are_an_error_by_default(answers):
    rows, lfs, labels, shape, k = answers
    repeats = {pair: c for pair, c in Counter(zip(rows, lfs, strict=True)).items() if c > 1}
    if not repeats:
        dense, counts = reference.triplets_to_dense(rows, lfs, labels, shape)
        L = LabelMatrix.from_triplets(rows, lfs, labels, shape=shape, cardinality=k)
        reference.assert_holds(L, dense, k)
        assert L.duplicates == counts == (0, 0, 0)
        return
    row, lf = min(repeats)
    with pytest.raises(ValueError, match=f"row {row} holds {repeats[row, lf]} answers of LF {lf}"):
        LabelMatrix.from_triplets(rows, lfs, labels, shape=shape, cardinality=k)


def test_ties_abstain_under_majority():
    L = LabelMatrix.from_triplets([0, 0], [0, 0], [0, 1], duplicates="majority")
    assert L.to_dense().tolist() == [[-1]]
    assert L.nnz == 0
    assert L.duplicates == (1, 1, 1)
    assert L.duplicates._fields == ("repeated", "conflicting", "abstained")


def test_agreeing_repeats_do_not_conflict():
    L = LabelMatrix.from_triplets([0, 0, 0], [0, 0, 0], [1, 1, 1], duplicates="majority")
    assert (L.to_dense().tolist(), L.duplicates) == ([[1]], (2, 0, 0))


@pytest.mark.parametrize("threads", THREADS)
def test_last_means_last_in_the_order_given(threads):
    rng = np.random.default_rng(threads)
    rows, lfs, labels = (rng.integers(0, top, 60_000) for top in (9_000, 3, 50))
    last = np.full((9_000, 3), -1)
    for row, lf, label in zip(rows, lfs, labels, strict=True):
        last[row, lf] = label
    L = LabelMatrix.from_triplets(
        rows, lfs, labels, shape=last.shape, duplicates="last", n_threads=threads
    )
    assert np.array_equal(L.to_dense(), last)


@pytest.mark.parametrize("policy", ["majority", "last"])
def test_many_answers_of_one_lf_on_one_row(policy):
    labels = [*range(100)] * 3 + [42]
    L = LabelMatrix.from_triplets([0] * 301, [0] * 301, labels, duplicates=policy)
    assert (L.to_dense().tolist(), L.duplicates) == ([[42]], (300, 1, 0))


def test_shape_and_cardinality_are_inferred():
    L = LabelMatrix.from_triplets([4, 0], [1, 6], [0, 3])
    assert (L.shape, L.cardinality) == ((5, 7), 4)
    assert LabelMatrix.from_triplets([0], [0], [0]).cardinality == 2
    assert LabelMatrix.from_triplets([0], [0], [32766]).cardinality == 32767


def test_no_answers():
    L = LabelMatrix.from_triplets([], [], [])
    assert (L.shape, L.nnz, L.cardinality, L.duplicates) == ((0, 0), 0, 2, (0, 0, 0))
    reference.assert_holds(
        LabelMatrix.from_triplets([], [], [], shape=(2, 3)), np.full((2, 3), -1), 2
    )


def test_numpy_numbers_are_taken_for_shape_and_cardinality():
    L = LabelMatrix.from_triplets(
        [1], [0], [0], shape=np.array([2, 3], np.uint8), cardinality=np.int64(2)
    )
    assert L.shape == (2, 3)
    assert [type(v) for v in (*L.shape, L.cardinality)] == [int] * 3


def test_only_from_triplets_reports_duplicates():
    assert LabelMatrix.from_dense(EXAMPLE).duplicates is None


@pytest.mark.parametrize(
    ("name", "value", "high"), [("rows", 2, 1), ("rows", -1, 1), ("lfs", 3, 2), ("labels", 2, 1)]
)
def test_triplets_out_of_range_are_named_by_position(name, value, high):
    answers = {"rows": [0, 1, 1], "lfs": [0, 1, 2], "labels": [0, 1, 1]}
    answers[name][1] = answers[name][2] = value
    with pytest.raises(ValueError, match=rf"{name}\[1\] must be in 0\.\.{high}, got {value}"):
        LabelMatrix.from_triplets(**answers, shape=(2, 3), cardinality=2)


@pytest.mark.parametrize(
    ("name", "value"),
    [("rows", -1), ("lfs", -1), ("labels", -1), ("labels", 32767), ("labels", 2**40)],
)
def test_triplets_out_of_any_range_are_named_when_nothing_is_given(name, value):
    answers = {"rows": [0, 1, 1], "lfs": [0, 1, 2], "labels": [0, 1, 1]}
    answers[name][1] = value
    with pytest.raises(ValueError, match=rf"{name}\[1\] must be in .*, got {value}"):
        LabelMatrix.from_triplets(**answers)


@pytest.mark.parametrize("name", ["rows", "lfs", "labels"])
@pytest.mark.parametrize("value", [2**63, 2**64 - 1])
@pytest.mark.parametrize("shape", [None, (2, 3)])
def test_triplets_beyond_int64_are_a_value_error(name, value, shape):
    answers = {n: np.array([0, 1], np.uint64) for n in ("rows", "lfs", "labels")}
    answers[name][1] = value
    with pytest.raises(ValueError, match=r"must be (in|at)"):
        LabelMatrix.from_triplets(**answers, shape=shape)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": [0]}, r"rows, lfs and labels must be of one length, got \(1, 2, 2\)"),
        ({"labels": [0, 1, 1]}, r"must be of one length, got \(2, 2, 3\)"),
        ({"lfs": [[0, 1]]}, r"lfs must have 1 dimension, got shape \(1, 2\)"),
        (
            {"duplicates": "first"},
            "duplicates must be one of 'error', 'majority', 'last', got 'first'",
        ),
        ({"shape": (-1, 2)}, r"shape\[0\] must be at least 0, got -1"),
        ({"shape": (2, 2**31)}, r"shape\[1\] must be in 0\.\.2147483647, got 2147483648"),
    ],
)
def test_from_triplets_rejects(change, message):
    arguments = {"rows": [0, 1], "lfs": [0, 1], "labels": [0, 1]} | change
    with pytest.raises(ValueError, match=message):
        LabelMatrix.from_triplets(**arguments)


@pytest.mark.parametrize("name", ["rows", "lfs", "labels"])
def test_from_triplets_takes_integers_only(name):
    arguments = {"rows": [0], "lfs": [0], "labels": [0]} | {name: [0.0]}
    with pytest.raises(TypeError, match=f"{name} must hold integers, got dtype float64"):
        LabelMatrix.from_triplets(**arguments)
