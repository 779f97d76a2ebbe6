"""The references against answers worked by hand: who tests the tests."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import coverset as cs
import reference

# Snorkel's LFAnalysis examples: rows are items, columns LFs.
SNORKEL = np.array([[-1, 0, 0], [-1, -1, -1], [1, 0, -1], [-1, 0, -1], [0, 0, 0]])


def test_dense_to_csr_lists_votes_row_by_row():
    indptr, lfs, labels = reference.dense_to_csr([[-1, 2, 0], [-1, -1, -1], [1, -1, -1]])
    assert indptr.tolist() == [0, 2, 2, 3]
    assert lfs.tolist() == [1, 2, 0]
    assert labels.tolist() == [2, 0, 1]


def test_csr_to_dense_takes_rows_in_any_order():
    dense = reference.csr_to_dense([0, 2, 2, 3], [2, 1, 0], [0, 2, 1], 3)
    assert dense.tolist() == [[-1, 2, 0], [-1, -1, -1], [1, -1, -1]]


def test_csr_and_dense_undo_each_other():
    dense = np.random.default_rng([7, 5]).integers(-1, 3, (7, 5))
    assert np.array_equal(reference.csr_to_dense(*reference.dense_to_csr(dense), 5), dense)


def test_triplets_under_each_policy():
    # LF 0 on row 0: 1, 0, 1 (majority 1, last 1); LF 1 on row 0: 0, 1 (tie; last 1);
    # LF 0 on row 1: 2, 2, 0 (majority 2, last 0)
    answers = [0, 0, 0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 0, 0, 0, 0], [1, 0, 0, 1, 1, 2, 2, 0]
    dense, counts = reference.triplets_to_dense(*answers, (2, 2), "majority")
    assert dense.tolist() == [[1, -1], [2, -1]]
    assert counts == (5, 3, 1)
    dense, counts = reference.triplets_to_dense(*answers, (2, 2), "last")
    assert dense.tolist() == [[1, 1], [0, -1]]
    assert counts == (5, 3, 0)
    with pytest.raises(ValueError, match="row 0 holds 3 answers of LF 0"):
        reference.triplets_to_dense(*answers, (2, 2), "error")


@pytest.mark.parametrize(
    ("labels", "want"),
    [([4], 4), ([1, 1], 1), ([0, 1], -1), ([2, 0, 2, 1], 2), ([0, 0, 1, 1, 2], -1)],
)
def test_most_common_abstains_on_ties(labels, want):
    assert reference.most_common(labels) == want


def test_rows_and_columns_are_taken_in_the_given_order():
    dense = np.array([[0, 1], [-1, 2], [3, -1]])
    assert reference.select_rows(dense, [-1, 0, 0]).tolist() == [[3, -1], [0, 1], [0, 1]]
    assert reference.select_rows(dense, []).shape == (0, 2)
    assert reference.select_lfs(dense, [1, 0]).tolist() == [[1, 0], [2, -1], [-1, 3]]
    assert reference.select_lfs(dense, []).shape == (3, 0)


def test_concat_stacks_rows_and_hstack_stacks_columns():
    a, b = np.array([[0, 1]]), np.array([[2, -1]])
    assert reference.concat([a, b]).tolist() == [[0, 1], [2, -1]]
    assert reference.hstack([a, b]).tolist() == [[0, 1, 2, -1]]


def test_lf_summary_of_snorkels_example():
    got = reference.lf_summary(SNORKEL, 2, y=[0, 0, 1, 0, 1])
    assert got["polarity"] == [(0, 1), (0,), (0,)]
    assert got["coverage"] == [Fraction(2, 5), Fraction(4, 5), Fraction(2, 5)]
    assert got["overlaps"] == [Fraction(2, 5), Fraction(3, 5), Fraction(2, 5)]
    assert got["conflicts"] == [Fraction(1, 5), Fraction(1, 5), 0]
    assert got["correct"] == [1, 2, 1]
    assert got["incorrect"] == [1, 2, 1]
    assert got["accuracy"] == [Fraction(1, 2)] * 3
    assert got["votes"] == [[1, 1], [4, 0], [2, 0]]


def test_lf_summary_leaves_unknown_gold_out():
    got = reference.lf_summary(np.array([[0], [1], [1]]), 2, y=[-1, 1, -1])
    assert (got["correct"], got["incorrect"], got["accuracy"]) == ([1], [0], [1])
    got = reference.lf_summary(np.array([[0]]), 2, y=[-1])
    assert (got["correct"], got["incorrect"], got["accuracy"]) == ([0], [0], [0])


def test_vote_fractions_are_uniform_without_votes():
    got = reference.vote_fractions(np.array([[0, 1, 1], [-1, -1, -1], [2, -1, -1]]), 3)
    np.testing.assert_allclose(got, [[1 / 3, 2 / 3, 0], [1 / 3, 1 / 3, 1 / 3], [0, 0, 1]])


def test_alpha_of_krippendorffs_published_example():
    coders = ["*****34121133*3", "1*213343*******", "**21344*21133*4"]
    by_coder = [[-1 if c == "*" else int(c) for c in row] for row in coders]
    assert [len(row) for row in by_coder] == [15, 15, 15]
    assert reference.krippendorff_alpha(np.array(by_coder).T) == pytest.approx(0.691, abs=5e-4)


def test_alpha_is_one_for_agreement_and_negative_for_disagreement():
    assert reference.krippendorff_alpha([[0, 0], [1, 1], [1, -1]]) == 1.0
    # four values, all pairs differ: observed 4, expected 2 * 2 * 2 / 3
    assert reference.krippendorff_alpha([[0, 1], [1, 0]]) == pytest.approx(1 - 3 * 4 / 8)


def test_alpha_is_undefined_when_nothing_could_disagree():
    assert np.isnan(reference.krippendorff_alpha([[0, 0], [0, -1]]))
    assert np.isnan(reference.krippendorff_alpha([[-1, 1], [0, -1]]))


def test_assert_holds_accepts_the_matrix_itself():
    reference.assert_holds(cs.LabelMatrix.from_dense(SNORKEL), SNORKEL, 2)


@pytest.mark.parametrize(
    ("row", "lf", "label"), [(0, 1, 1), (1, 0, 0), (4, 2, -1)], ids=["label", "extra", "missing"]
)
def test_assert_holds_fails_on_one_wrong_cell(row, lf, label):
    wrong = SNORKEL.copy()
    wrong[row, lf] = label
    with pytest.raises(AssertionError):
        reference.assert_holds(cs.LabelMatrix.from_dense(wrong), SNORKEL, 2)


def test_assert_holds_fails_on_another_shape_or_cardinality():
    L = cs.LabelMatrix.from_dense(SNORKEL)
    with pytest.raises(AssertionError):
        reference.assert_holds(L, SNORKEL, 3)
    with pytest.raises(AssertionError):
        reference.assert_holds(L, SNORKEL[:, :2], 2)


def test_assert_holds_fails_on_writeable_arrays():
    class Loose:
        shape, cardinality = SNORKEL.shape, 2
        indptr, lfs, labels = reference.dense_to_csr(SNORKEL)

    with pytest.raises(AssertionError, match="writeable"):
        reference.assert_holds(Loose, SNORKEL, 2)
