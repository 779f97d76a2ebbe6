"""lf_summary: what each labeling function did, against the reference and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coverset as cs
import reference
import strategies

EXAMPLE = [[0, 1], [0, -1], [-1, -1], [1, 1]]
SNORKEL_COLUMNS = ["j", "Polarity", "Coverage", "Overlaps", "Conflicts"]
SNORKEL_GOLD_COLUMNS = ["Correct", "Incorrect", "Emp. Acc."]


def exact(fractions):
    """Return float64 shares; one division of two integers is correctly rounded."""
    return np.array([f.numerator / f.denominator for f in fractions], np.float64)


def assert_summary(summary, want, with_gold):
    assert summary.polarity == tuple(want["polarity"])
    assert summary.votes.tolist() == want["votes"]
    for name in ("coverage", "overlaps", "conflicts"):
        got = getattr(summary, name)
        assert got.dtype == np.float64
        assert got.tolist() == exact(want[name]).tolist(), name
    if not with_gold:
        assert (summary.correct, summary.incorrect, summary.accuracy) == (None, None, None)
        return
    assert summary.correct.tolist() == want["correct"]
    assert summary.incorrect.tolist() == want["incorrect"]
    assert summary.accuracy.tolist() == exact(want["accuracy"]).tolist()


@given(
    strategies.dense(cardinality=3),
    st.data(),
    st.sampled_from([1, 2, 7]),
    st.sampled_from(["i1", "i4", ">i8"]),
)
def test_summary_matches_reference(matrix, data, threads, dtype):
    cells, k = matrix
    L = cs.LabelMatrix.from_dense(cells, k)
    gold = data.draw(
        st.none() | st.lists(st.integers(-1, k - 1), min_size=len(cells), max_size=len(cells))
    )
    y = None if gold is None else np.array(gold, dtype)
    summary = cs.lf_summary(L, y, n_threads=threads)
    assert_summary(summary, reference.lf_summary(cells, k, gold), y is not None)
    assert summary.names == tuple(str(lf) for lf in range(L.n_lfs))
    assert summary.class_names == ("0", "1", "2")


def test_summary_of_snorkels_example():
    cells = [[-1, 0, 0], [-1, -1, -1], [1, 0, -1], [-1, 0, -1], [0, 0, 0]]
    summary = cs.lf_summary(cs.LabelMatrix.from_dense(cells), y=[0, 0, 1, 0, 1])
    assert summary.polarity == ((0, 1), (0,), (0,))
    assert summary.coverage.tolist() == [0.4, 0.8, 0.4]
    assert summary.overlaps.tolist() == [0.4, 0.6, 0.4]
    assert summary.conflicts.tolist() == [0.2, 0.2, 0.0]
    assert summary.correct.tolist() == [1, 2, 1]
    assert summary.incorrect.tolist() == [1, 2, 1]
    assert summary.accuracy.tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_many_blocks_of_rows_are_summed_on_any_threads(threads):
    rng = np.random.default_rng(50_000)
    cells = np.where(rng.random((50_000, 4)) < 0.5, rng.integers(0, 3, (50_000, 4)), -1)
    y = rng.integers(-1, 3, 50_000)
    summary = cs.lf_summary(cs.LabelMatrix.from_dense(cells, 3), y, n_threads=threads)
    voted, several = cells >= 0, (cells >= 0).sum(axis=1) > 1
    highest, lowest = cells.max(axis=1), np.where(voted, cells, 9).min(axis=1)
    counts = summary.votes.T.tolist()
    assert counts == [(cells == c).sum(axis=0).tolist() for c in range(3)]
    assert summary.overlaps.tolist() == (voted[several].sum(axis=0) / 50_000).tolist()
    assert summary.conflicts.tolist() == (voted[highest != lowest].sum(axis=0) / 50_000).tolist()
    assert summary.correct.tolist() == (voted & (cells == y[:, None])).sum(axis=0).tolist()


def test_rows_with_unknown_gold_count_neither_way():
    summary = cs.lf_summary(cs.LabelMatrix.from_dense(EXAMPLE), y=[-1, 0, 1, -1])
    assert summary.correct.tolist() == [1, 0]
    assert summary.incorrect.tolist() == [0, 0]
    assert summary.accuracy.tolist() == [1.0, 0.0]


def test_agreeing_lfs_overlap_without_conflict():
    summary = cs.lf_summary(cs.LabelMatrix.from_dense([[1, 1, -1]]))
    assert summary.overlaps.tolist() == [1, 1, 0]
    assert summary.conflicts.tolist() == [0, 0, 0]


def test_polarity_is_what_was_voted_not_what_was_declared():
    L = cs.LabelMatrix.from_dense([[1, -1]], polarity=[(0, 1), (0,)])
    assert cs.lf_summary(L).polarity == ((1,), ())


@pytest.mark.parametrize("shape", [(0, 0), (0, 2), (2, 0), (2, 2)])
def test_matrices_without_votes_have_zero_shares(shape):
    summary = cs.lf_summary(cs.LabelMatrix.from_dense(np.full(shape, -1)), y=[-1] * shape[0])
    assert_summary(summary, reference.lf_summary(np.full(shape, -1), 2), with_gold=True)
    assert summary.to_pandas().shape == (shape[1], 10)
    assert len(str(summary).splitlines()) == shape[1] + 1


def test_table_with_gold():
    L = cs.LabelMatrix.from_dense(EXAMPLE, lf_names=["a", "b"])
    table = """\
   j  Polarity  Coverage  Overlaps  Conflicts  Correct  Incorrect  Emp. Acc.  Votes 0  Votes 1
a  0    [0, 1]    0.7500    0.5000     0.2500        3          0     1.0000        2        1
b  1       [1]    0.5000    0.5000     0.2500        1          1     0.5000        0        2"""
    assert str(cs.lf_summary(L, y=[0, 0, 1, 1])) == table
    assert repr(cs.lf_summary(L, y=[0, 0, 1, 1])) == table


def test_table_with_long_names_and_without_gold():
    L = cs.LabelMatrix.from_dense(
        EXAMPLE, lf_names=["a rather long name", "b"], class_names=["ham", "a long class"]
    )
    assert str(cs.lf_summary(L)) == (
        "                    j  Polarity  Coverage  Overlaps  Conflicts"
        "  Votes ham  Votes a long class\n"
        "a rather long name  0    [0, 1]    0.7500    0.5000     0.2500"
        "          2                   1\n"
        "b                   1       [1]    0.5000    0.5000     0.2500"
        "          0                   2"
    )


def test_to_pandas_has_snorkels_columns_then_votes():
    L = cs.LabelMatrix.from_dense(EXAMPLE, lf_names=["a", "b"], class_names=["ham", "spam"])
    votes = ["Votes ham", "Votes spam"]
    assert list(cs.lf_summary(L).to_pandas()) == SNORKEL_COLUMNS + votes
    frame = cs.lf_summary(L, y=[0, 0, 1, 1]).to_pandas()
    assert list(frame) == SNORKEL_COLUMNS + SNORKEL_GOLD_COLUMNS + votes
    assert frame.index.tolist() == ["a", "b"]
    assert {name: dtype.kind for name, dtype in frame.dtypes.items()} == {
        "j": "i",
        "Polarity": "O",
        "Coverage": "f",
        "Overlaps": "f",
        "Conflicts": "f",
        "Correct": "i",
        "Incorrect": "i",
        "Emp. Acc.": "f",
        "Votes ham": "i",
        "Votes spam": "i",
    }
    assert frame.loc["b"].tolist() == [1, [1], 0.5, 0.5, 0.25, 1, 1, 0.5, 0, 2]
    assert frame["Polarity"].tolist() == [[0, 1], [1]]
    assert frame["j"].tolist() == [0, 1]


def test_names_of_lfs_without_names_are_their_numbers():
    frame = cs.lf_summary(cs.LabelMatrix.from_dense(EXAMPLE)).to_pandas()
    assert frame.index.tolist() == ["0", "1"]
    assert list(frame)[-2:] == ["Votes 0", "Votes 1"]


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        ([0, 1], ValueError, "y must have one entry a row: 4 rows, got 2 entries"),
        ([0] * 5, ValueError, "y must have one entry a row: 4 rows, got 5 entries"),
        ([0, 1, 2, 3], ValueError, r"y\[2\] must be in -1\.\.1, got 2"),
        ([0, -2, 0, -3], ValueError, r"y\[1\] must be in -1\.\.1, got -2"),
        ([0, 2**32, 0, 0], ValueError, rf"y\[1\] must be in -1\.\.1, got {2**32}"),
        (np.array([0, 0, 0, 2**64 - 1], "u8"), ValueError, rf"y\[3\] .*, got {2**64 - 1}"),
        ([[0], [1], [0], [1]], ValueError, r"y must have 1 dimension, got shape \(4, 1\)"),
        ([0.0, 1.0, 0.0, 1.0], TypeError, "y must hold integers, got dtype float64"),
        (["a"] * 4, TypeError, "y must hold integers, got dtype"),
    ],
)
def test_gold_that_does_not_fit(y, error, message):
    with pytest.raises(error, match=message):
        cs.lf_summary(cs.LabelMatrix.from_dense(EXAMPLE), y)


def test_thread_count_must_be_positive():
    with pytest.raises(ValueError, match="n_threads must be at least 1, got 0"):
        cs.lf_summary(cs.LabelMatrix.from_dense(EXAMPLE), n_threads=0)


def test_only_label_matrices_are_summed_up():
    with pytest.raises(TypeError, match="LabelMatrix"):
        cs.lf_summary(np.array(EXAMPLE))
