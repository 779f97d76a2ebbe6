"""LabelMatrix: names, polarity, taking rows and LFs, putting matrices together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coverset as cs
import reference
import strategies
from examples import EXAMPLE, FACTS, bytes_of

LabelMatrix = cs.LabelMatrix


# names and polarity


@pytest.mark.parametrize("argument", ["lf_names", "class_names"])
@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        (["a", "b"], ValueError, "must have one name for each of 3 .*, got 2"),
        (["a", "b", "a"], ValueError, "must be unique, got 'a' twice"),
        (["a", "b", 3], TypeError, "must hold strings, got 3"),
        ("abc", TypeError, "must be a sequence of 3 names, got the string 'abc'"),
    ],
)
def test_names_are_unique_strings_one_each(argument, names, error, message):
    with pytest.raises(error, match=f"{argument} {message}"):
        LabelMatrix.from_dense(EXAMPLE, **{argument: names})


@pytest.mark.parametrize("names", [["a", "b", "c"], ("a", "b", "c"), np.array(["a", "b", "c"])])
def test_names_are_kept_as_a_tuple(names):
    L = LabelMatrix.from_dense(EXAMPLE, lf_names=names, class_names=names)
    assert L.lf_names == L.class_names == ("a", "b", "c")


def test_declared_polarity_is_kept_sorted():
    L = LabelMatrix.from_dense(EXAMPLE, polarity=[{1, 0}, None, [2, 2]])
    assert L.polarity == ((0, 1), None, (2,))
    assert LabelMatrix.from_dense(EXAMPLE).polarity is None


def test_polarity_of_an_lf_that_never_votes_may_be_empty():
    assert LabelMatrix.from_dense([[0, -1]], polarity=[None, ()]).polarity == (None, ())
    with pytest.raises(ValueError, match=r"LF 1 .* polarity \(\), got 0"):
        LabelMatrix.from_dense([[0, 0]], polarity=[None, ()])


@pytest.mark.parametrize(
    ("polarity", "message"),
    [
        ([(0, 1), (1,), (2,)], r"LF 1 must vote within its declared polarity \(1,\), got 0"),
        ([(0, 1), None], "polarity must have one entry for each of 3 LFs, got 2"),
        ([(3,), None, None], r"polarity\[0\] must be in 0\.\.2, got 3"),
        ([None, (-1,), None], r"polarity\[1\] must be in 0\.\.2, got -1"),
    ],
)
def test_polarity_that_does_not_hold(polarity, message):
    with pytest.raises(ValueError, match=message):
        LabelMatrix.from_dense(EXAMPLE, polarity=polarity)
    with pytest.raises(ValueError, match=message):
        LabelMatrix.from_csr(
            *reference.dense_to_csr(EXAMPLE), n_lfs=3, cardinality=3, polarity=polarity
        )


# rows


@given(strategies.label_matrices(), st.data())
def test_slices_match_python(L, data):
    rows = data.draw(st.slices(len(L)))
    want = reference.select_rows(L.to_dense(), range(len(L))[rows])
    got = L[rows]
    reference.assert_holds(got, want, L.cardinality)
    assert got.lf_names == L.lf_names
    assert got.class_names == L.class_names
    assert got.polarity == L.polarity


@pytest.mark.parametrize(
    "rows", [np.s_[:], np.s_[2:1], np.s_[-99:99], np.s_[99:], np.s_[::-3], np.s_[4:4], np.s_[:-1:2]]
)
def test_slices_out_of_range_are_cut(rows):
    L = LabelMatrix.from_dense(EXAMPLE)
    reference.assert_holds(L[rows], np.array(EXAMPLE)[rows], 3)


def test_slices_of_step_one_share_votes_and_others_copy():
    L = LabelMatrix.from_dense(EXAMPLE)
    assert np.shares_memory(L[2:].lfs, L.lfs)
    assert np.shares_memory(L[2:].labels, L.labels)
    assert not np.shares_memory(L[::-1].lfs, L.lfs)
    assert not np.shares_memory(L[[2, 3]].labels, L.labels)


@given(strategies.dense(), st.data(), st.sampled_from(["i1", "i8", ">i4", "u2", "u8", "list"]))
def test_row_numbers_match_reference(matrix, data, dtype):
    cells, k = matrix
    n = len(cells)
    low = 0 if "u" in dtype else -n
    rows = data.draw(st.lists(st.integers(low, n - 1), max_size=9)) if n else []
    given_rows = rows if dtype == "list" else np.array(rows, dtype)
    got = LabelMatrix.from_dense(cells, k)[given_rows]
    reference.assert_holds(got, reference.select_rows(cells, rows), k)


@given(strategies.dense(), st.data())
def test_masks_match_reference(matrix, data):
    cells, k = matrix
    mask = data.draw(st.lists(st.booleans(), min_size=len(cells), max_size=len(cells)))
    L = LabelMatrix.from_dense(cells, k)
    want = reference.select_rows(cells, np.flatnonzero(mask))
    reference.assert_holds(L[np.array(mask, bool)], want, k)
    reference.assert_holds(L[mask], want, k)


@pytest.mark.parametrize("row", [0, 3, -1, -4, np.int8(2), np.uint64(2), np.array(1)])
def test_one_row_is_a_matrix_of_one_row(row):
    got = LabelMatrix.from_dense(EXAMPLE)[row]
    reference.assert_holds(got, np.array(EXAMPLE)[[int(row)]], 3)


def test_many_rows_match_reference(large):
    rows = np.random.default_rng(0).integers(-len(large), len(large), 30_000)
    assert np.array_equal(large[rows].to_dense(), large.to_dense()[rows])
    assert np.array_equal(large[::-3].to_dense(), large.to_dense()[::-3])


def test_narrow_negative_row_numbers_reach_back_from_the_end():
    L = LabelMatrix.from_dense(np.arange(300)[:, None])
    assert L[np.array([-1, -128, 127], np.int8)].labels.tolist() == [299, 172, 127]


def test_selected_rows_outlive_the_matrix():
    L = LabelMatrix.from_dense(EXAMPLE)
    part = L[2:]
    del L
    reference.assert_holds(part, EXAMPLE[2:], 3)


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        (4, IndexError, r"must be in -4\.\.3, got 4"),
        (-5, IndexError, r"must be in -4\.\.3, got -5"),
        ([0, 9, 10], IndexError, r"rows\[1\] must be in -4\.\.3, got 9"),
        (np.array([2**64 - 1], np.uint64), IndexError, rf"rows\[0\] .*, got {2**64 - 1}"),
        (2**62, IndexError, f"got {2**62}"),
        ([True, False], IndexError, r"mask must have one entry a row, \(4,\), got shape \(2,\)"),
        ([True] * 5, IndexError, r"mask must have one entry a row, \(4,\), got shape \(5,\)"),
        (np.ones((4, 3), bool), IndexError, r"\(4,\), got shape \(4, 3\)"),
        ([[0, 1]], IndexError, r"rows must have one dimension, got shape \(1, 2\)"),
        ([0.0], TypeError, "rows must be integers, a boolean mask or a slice, got dtype float64"),
        (1.0, TypeError, "got dtype float64"),
        (None, TypeError, "got dtype object"),
        ("0", TypeError, "got dtype"),
        (slice(0.5), TypeError, "slice"),
        (slice(None, None, 0), ValueError, "step"),
    ],
)
def test_rows_that_cannot_be_taken(rows, error, message):
    with pytest.raises(error, match=message):
        LabelMatrix.from_dense(EXAMPLE)[rows]


def test_a_matrix_iterates_over_its_rows():
    L = LabelMatrix.from_dense(EXAMPLE)
    assert len(L) == 4
    assert [row.to_dense().tolist()[0] for row in L] == EXAMPLE


# LFs


@given(strategies.label_matrices(), st.data())
def test_select_lfs_matches_reference(L, data):
    m = L.n_lfs
    ids = data.draw(st.lists(st.integers(-m, m - 1), unique_by=lambda i: i % m)) if m else []
    got = L.select_lfs(ids)
    reference.assert_holds(got, reference.select_lfs(L.to_dense(), ids), L.cardinality)
    assert got.class_names == L.class_names
    assert got.polarity == (L.polarity and tuple(L.polarity[i] for i in ids))
    if L.lf_names is not None:
        assert got.lf_names == tuple(L.lf_names[i] for i in ids)
        assert L.select_lfs([L.lf_names[i] for i in ids]) == got


def test_select_lfs_takes_arrays_and_mixes_ids_and_names():
    L = LabelMatrix.from_dense(EXAMPLE, lf_names=["a", "b", "c"])
    assert L.select_lfs(np.array([2, 0], np.uint8)) == L.select_lfs(["c", 0])
    assert L.select_lfs(np.array(["c", "a"])) == L.select_lfs(("c", "a"))


def test_select_lfs_keeps_rows_without_votes():
    assert LabelMatrix.from_dense(EXAMPLE).select_lfs([1]).covered.tolist() == [0, 0, 1, 1]


def test_select_lfs_of_many_rows(large):
    ids = [8, 0, 3]
    assert np.array_equal(large.select_lfs(ids).to_dense(), large.to_dense()[:, ids])


@pytest.mark.parametrize(
    ("lfs", "message"),
    [
        ([3], r"lfs must be in -3\.\.2, got 3"),
        ([0, -4], r"lfs must be in -3\.\.2, got -4"),
        ([2**70], f"got {2**70}"),
        ([0, 1, 0], "lfs must be distinct, got LF 0 twice"),
        ([0, -3], "lfs must be distinct, got LF 0 twice"),
        (["a", 0], "lfs must be distinct, got LF 0 twice"),
        (["a", "z"], "lfs must name LFs of this matrix, got 'z'"),
    ],
)
def test_select_lfs_rejects(lfs, message):
    with pytest.raises(ValueError, match=message):
        LabelMatrix.from_dense(EXAMPLE, lf_names=["a", "b", "c"]).select_lfs(lfs)


def test_select_lfs_by_name_needs_names():
    with pytest.raises(ValueError, match="must name LFs of this matrix, got 'a'"):
        LabelMatrix.from_dense(EXAMPLE).select_lfs(["a"])


def test_select_lfs_takes_no_floats():
    with pytest.raises(TypeError):
        LabelMatrix.from_dense(EXAMPLE).select_lfs([0.0])


# concat and hstack


@given(st.data())
def test_concat_matches_reference(data):
    m = data.draw(st.integers(0, 4))
    parts = data.draw(st.lists(strategies.dense(max_rows=4, cardinality=3), min_size=1, max_size=4))
    parts = [np.resize(cells, (len(cells), m)) for cells, _ in parts]
    L = LabelMatrix.concat([LabelMatrix.from_dense(cells, 3) for cells in parts])
    reference.assert_holds(L, reference.concat(parts), 3)


@given(st.data())
def test_hstack_matches_reference(data):
    n = data.draw(st.integers(0, 4))
    parts = data.draw(st.lists(strategies.dense(max_lfs=4, cardinality=3), min_size=1, max_size=4))
    parts = [np.resize(cells, (n, cells.shape[1])) for cells, _ in parts]
    L = LabelMatrix.hstack([LabelMatrix.from_dense(cells, 3) for cells in parts])
    reference.assert_holds(L, reference.hstack(parts), 3)


def test_parts_of_a_large_matrix_make_it_again(large):
    assert LabelMatrix.concat([large[:7], large[7:7], large[7:30_001], large[30_001:]]) == large
    assert LabelMatrix.hstack([large.select_lfs(range(4)), large.select_lfs(range(4, 9))]) == large


def test_concat_keeps_names_and_polarity():
    L = LabelMatrix.from_dense(EXAMPLE, **FACTS)
    both = LabelMatrix.concat((L[:1], L[1:]))
    assert both == L
    reference.assert_holds(both, EXAMPLE, 3)


@pytest.mark.parametrize(
    ("fact", "other"),
    [
        ("n_lfs", LabelMatrix.from_dense([[0, 1]], 3)),
        ("cardinality", LabelMatrix.from_dense(EXAMPLE, 4)),
        ("lf_names", LabelMatrix.from_dense(EXAMPLE, lf_names=["a", "b", "d"])),
        ("class_names", LabelMatrix.from_dense(EXAMPLE, class_names=["x", "y", "z"])),
        ("polarity", LabelMatrix.from_dense(EXAMPLE, polarity=[None, (0, 1), None])),
    ],
)
def test_concat_needs_the_same_lfs(fact, other):
    L = LabelMatrix.from_dense(EXAMPLE)
    with pytest.raises(ValueError, match=f"{fact} must be the same: matrix 0 has .*, matrix 2 has"):
        LabelMatrix.concat([L, L, other])


def test_hstack_keeps_names_where_every_matrix_has_them():
    L = LabelMatrix.from_dense(EXAMPLE, **FACTS)
    ab, c = L.select_lfs([0, 1]), L.select_lfs([2])
    assert LabelMatrix.hstack([ab, c]) == L
    unnamed = LabelMatrix.from_dense(np.array(EXAMPLE)[:, 2:], class_names=FACTS["class_names"])
    mixed = LabelMatrix.hstack([ab, unnamed])
    assert mixed.lf_names is None
    assert mixed.class_names == ("ham", "spam", "eggs")
    assert mixed.polarity == ((0, 1), None, None)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (LabelMatrix.from_dense([[0]], 3), "number of rows must be the same: matrix 0 has 4"),
        (LabelMatrix.from_dense(EXAMPLE, 4), "cardinality must be .* 0 has 3, matrix 1 has 4"),
        (LabelMatrix.from_dense(EXAMPLE, class_names=["x", "y", "z"]), "class_names must be the"),
        (LabelMatrix.from_dense(EXAMPLE, lf_names=["x", "y", "a"]), "unique, got 'a' twice"),
    ],
)
def test_hstack_rejects(other, message):
    L = LabelMatrix.from_dense(EXAMPLE, lf_names=["a", "b", "c"])
    with pytest.raises(ValueError, match=message):
        LabelMatrix.hstack([L, other])


def test_hstack_rejects_more_lfs_than_ids():
    half = LabelMatrix.from_csr([0, 1], [5], [0], n_lfs=2**30, cardinality=2)
    with pytest.raises(ValueError, match="2147483647"):
        LabelMatrix.hstack([half, half])


@pytest.mark.parametrize("stack", [LabelMatrix.concat, LabelMatrix.hstack])
def test_stacking_nothing_is_an_error(stack):
    with pytest.raises(ValueError, match="needs at least one label matrix, got none"):
        stack([])


@pytest.mark.parametrize("stack", [LabelMatrix.concat, LabelMatrix.hstack])
def test_stacking_leaves_its_parts_alone(stack):
    L = LabelMatrix.from_dense(EXAMPLE)
    before = bytes_of(L)
    assert not np.shares_memory(stack([L, L]).lfs, L.lfs)
    assert bytes_of(L) == before
