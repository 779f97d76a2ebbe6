"""Review of a label model: which rows to look at, buckets, calibration, what it changed."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import coverset as cs
from coverset._not_fitted import NotFittedError
from label_model_examples import matrix, problems
from label_model_reference import planted_votes

KINDS = ("silent", "conflict", "low_margin")
MODELS = [cs.MajorityVote, cs.LabelModel, cs.DawidSkene, cs.MomentModel, cs.TripletModel]
SMALL = [[0, 1, -1], [0, 0, 1], [1, 1, 1], [-1, -1, -1]]


@st.composite
def reviews(draw):
    """Votes, a fitted model of any kind, and gold for some rows."""
    p, make = draw(problems()), draw(st.sampled_from(MODELS))
    L = np.pad(p.L, ((0, 0), (0, max(3 - p.L.shape[1], 0))), constant_values=-1)
    y = draw(hnp.arrays(np.int64, len(L), elements=st.integers(-1, p.k - 1)))
    model = make().fit(matrix(L, p.k))
    return SimpleNamespace(L=L, k=p.k, y=y, model=model, matrix=matrix(L, p.k))


# --- rows to look at ----------------------------------------------------------------------------


def entropy(row):
    """-sum_l f_l log f_l over the labels that occur, f_l their share of the row's votes.

    Counts ascend, and the sum is rounded, so that rows of equal entropy are equal here.
    """
    _, counts = np.unique(row[row >= 0], return_counts=True)
    f = np.sort(counts) / counts.sum()
    return round(float(-(f * np.log(f)).sum()), 9)


def margin(p):
    """Difference of the two largest probabilities, float32 values taken in float64."""
    second, first = sorted(p.tolist())[-2:]
    return first - second


def suggested(L, proba, kind, n, y=None):
    """Every row for itself; sorting is stable, so that ties go to the lower row."""
    known = [False] * len(L) if y is None else [gold >= 0 for gold in y]
    rows = [i for i in range(len(L)) if not known[i]]
    votes = {i: {label for label in L[i].tolist() if label >= 0} for i in rows}
    if kind == "silent":
        return [i for i in rows if not votes[i]][:n]
    if kind == "conflict":
        rows = [i for i in rows if len(votes[i]) > 1]
        return sorted(rows, key=lambda i: -entropy(L[i]))[:n]
    return sorted((i for i in rows if votes[i]), key=lambda i: margin(proba[i]))[:n]


@given(reviews(), st.integers(1, 60), st.booleans())
def test_suggests_what_the_reference_does(p, n, with_gold):
    y = p.y if with_gold else None
    proba = p.model.predict_proba(p.matrix)
    for kind in KINDS:
        rows = cs.suggest_rows(p.matrix, p.model, kind, n, y=y)
        assert rows.dtype == np.int64
        assert rows.tolist() == suggested(p.L, proba, kind, n, y)
        if kind != "low_margin":
            np.testing.assert_array_equal(cs.suggest_rows(p.matrix, None, kind, n, y=y), rows)


@given(hnp.arrays(np.int64, (30, 9), elements=st.integers(-1, 2)), st.integers(1, 30))
def test_conflicts_of_many_votes_come_most_disagreement_first(L, n):
    rows = cs.suggest_rows(matrix(L, 3), None, "conflict", n)
    assert rows.tolist() == suggested(L, None, "conflict", n)


def test_worked_by_hand_conflicts():
    L = [
        [0, 0, 0, 1],  # 0: 1/4 against 3/4
        [0, 0, 1, 1],  # 1: halves
        [2, 2, 2, 2],  # 2: none
        [0, 1, 2, -1],  # 3: thirds, the most
        [-1, 2, -1, 0],  # 4: halves
        [2, 1, 1, 1],  # 5: 1/4 against 3/4
        [0, 0, 1, 2],  # 6: 1/2, 1/4, 1/4
        [-1, -1, -1, -1],  # 7: none
        [1, -1, -1, -1],  # 8: none
    ]
    assert cs.suggest_rows(matrix(L), None, "conflict").tolist() == [3, 6, 1, 4, 0, 5]
    assert cs.suggest_rows(matrix(L), None, "conflict", 3).tolist() == [3, 6, 1]
    gold = [-1, 1, -1, 2, -1, -1, -1, -1, -1]
    assert cs.suggest_rows(matrix(L), None, "conflict", 3, y=gold).tolist() == [6, 4, 0]


def test_disagreement_is_entropy():
    # 7, 1, 1, 1 of ten: .940; halves: .693, though the chance that two votes differ is larger
    L = [[0, 1] * 5, [0, 0, 0, 0, 0, 0, 0, 1, 2, 3]]
    assert cs.suggest_rows(matrix(L), None, "conflict").tolist() == [1, 0]


def test_names_of_classes_break_no_ties():
    # each row has 1, 2 and 3 votes for some class: sums in another order may differ in a last bit
    orders = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    L = [[a, b, b, c, c, c] for a, b, c in orders * 3]
    assert cs.suggest_rows(matrix(L), None, "conflict", 18).tolist() == list(range(18))


def test_worked_by_hand_silent():
    L = [[-1, -1], [0, -1], [-1, -1], [-1, 1], [-1, -1]]
    assert cs.suggest_rows(matrix(L), None, "silent").tolist() == [0, 2, 4]
    assert cs.suggest_rows(matrix(L), None, "silent", 2).tolist() == [0, 2]
    assert cs.suggest_rows(matrix(L), None, "silent", y=[0, -1, -1, 1, 1]).tolist() == [2]


def test_worked_by_hand_low_margin():
    L = matrix([[0, 0, 0, 1], [1, 1, 0, 0], [1, 1, 1, 1], [-1] * 4, [1, 0, 0, 0], [0, 1, -1, -1]])
    model = cs.MajorityVote().fit(L)
    assert cs.suggest_rows(L, model, "low_margin").tolist() == [1, 5, 0, 4, 2]
    gold = np.array([-1, 0, -1, -1, -1, -1])
    assert cs.suggest_rows(L, model, "low_margin", 2, y=gold).tolist() == [5, 0]


def test_margins_are_between_the_two_most_probable_classes():
    # 2/5, 2/5, 1/5 ties; 3/5, 1/5, 1/5 and 3/5, 2/5, 0 differ in the second class alone
    L = matrix([[0, 0, 0, 1, 2], [0, 0, 0, 1, 1], [0, 0, 1, 1, 2]])
    model = cs.MajorityVote().fit(L)
    assert cs.suggest_rows(L, model, "low_margin").tolist() == [2, 1, 0]


def test_ten_rows_by_default():
    L, _ = planted_votes(400, [0.6, 0.7, 0.8], coverage=0.5)
    for kind in KINDS:
        rows = cs.suggest_rows(matrix(L), cs.LabelModel().fit(matrix(L)), kind)
        assert rows.shape == (10,)


def test_no_rows_to_suggest():
    L = matrix([[0, 0], [1, 1]])
    model = cs.LabelModel().fit(L)
    for some in (L, L[:0]):
        for kind in ("silent", "conflict"):
            rows = cs.suggest_rows(some, model, kind)
            assert (rows.shape, rows.dtype) == ((0,), np.int64)
    assert cs.suggest_rows(L, model, "low_margin", y=[0, 1]).tolist() == []
    assert cs.suggest_rows(L[:0], model, "low_margin", y=[]).tolist() == []


def test_several_blocks(large):
    proba = cs.MajorityVote().fit(large).predict_proba(large)
    model, L = cs.MajorityVote().fit(large), large.to_dense()
    y = np.where(np.arange(len(L)) % 3 == 0, -1, 1)
    for kind in ("silent", "low_margin"):
        rows = cs.suggest_rows(large, model, kind, 500, y=y)
        assert rows.tolist() == suggested(L, proba, kind, 500, y)


def test_suggest_rows_rejects():
    L = matrix(SMALL)
    model = cs.LabelModel().fit(L)
    with pytest.raises(ValueError, match=r"kind must be one of .*got 'loud'"):
        cs.suggest_rows(L, model, "loud")
    with pytest.raises(ValueError, match=r"low_margin needs a model"):
        cs.suggest_rows(L, None, "low_margin")
    for n in (0, -3):
        with pytest.raises(ValueError, match=r"n must be"):
            cs.suggest_rows(L, model, "silent", n)
    for n in (2.5, "3", None):
        with pytest.raises((TypeError, ValueError), match=r"n must be"):
            cs.suggest_rows(L, model, "silent", n)
    with pytest.raises(ValueError, match=r"y must have one entry a row"):
        cs.suggest_rows(L, model, "silent", y=[0, 1])
    with pytest.raises(TypeError, match=r"y must hold integers"):
        cs.suggest_rows(L, model, "silent", y=[0.0, 1.0, 1.0, 1.0])
    with pytest.raises(TypeError, match=r"L must be a LabelMatrix"):
        cs.suggest_rows(np.array(SMALL), model, "silent")
    with pytest.raises(NotFittedError):
        cs.suggest_rows(L, cs.LabelModel(), "low_margin")
    with pytest.raises(ValueError, match=r"number of LFs"):
        cs.suggest_rows(matrix([[0, 1]]), model, "low_margin")


# --- buckets ------------------------------------------------------------------------------------


LABELS = st.integers(-1, 4)


@given(st.lists(st.tuples(LABELS, LABELS), max_size=40), st.sampled_from(["i1", "i2", "i8"]))
def test_every_row_is_in_the_bucket_of_its_labels(pairs, dtype):
    y, predicted = np.array(pairs, dtype=dtype).reshape(-1, 2).T
    buckets = cs.label_buckets(y, predicted)
    want = {}
    for row, pair in enumerate(pairs):
        want.setdefault(pair, []).append(row)
    assert list(buckets) == sorted(want)
    assert {pair: rows.tolist() for pair, rows in buckets.items()} == want
    assert all(rows.dtype == np.int64 for rows in buckets.values())
    assert all(type(label) is int for pair in buckets for label in pair)


def test_worked_by_hand_buckets():
    L = matrix([[1, 1, 0], [0, 0, 0], [1, 0, -1], [-1, -1, -1], [1, 1, 1]])
    predicted = cs.MajorityVote().fit(L).predict(L)  # 1, 0, -1, -1, 1
    buckets = cs.label_buckets([0, 0, 1, -1, 0], predicted)
    assert {pair: rows.tolist() for pair, rows in buckets.items()} == {
        (-1, -1): [3],
        (0, 0): [1],
        (0, 1): [0, 4],
        (1, -1): [2],
    }
    assert cs.label_buckets([], []) == {}


def test_many_rows_have_their_buckets():
    rng = np.random.default_rng(0)
    y, predicted = rng.integers(-1, 30_000, (2, 50_000))
    predicted[:] = np.where(rng.random(50_000) < 0.9, y, predicted)
    buckets = cs.label_buckets(y, predicted.astype(np.int16))
    rows = np.concatenate(list(buckets.values()))
    np.testing.assert_array_equal(np.sort(rows), np.arange(50_000))
    for gold, label in list(buckets)[::500]:
        want = np.flatnonzero((y == gold) & (predicted == label))
        np.testing.assert_array_equal(buckets[gold, label], want)


@pytest.mark.parametrize(
    ("y", "predicted", "error"),
    [
        ([0, 1], [0], ValueError),
        ([], [1], ValueError),
        ([0.0, 1.0], [0, 1], (TypeError, ValueError)),
        ([0, 1], [0.5, 1.0], (TypeError, ValueError)),
        (["a"], ["b"], (TypeError, ValueError)),
        ([0, 1], [0, None], (TypeError, ValueError)),
    ],
)
def test_label_buckets_rejects(y, predicted, error):
    with pytest.raises(error):
        cs.label_buckets(y, predicted)


# --- calibration --------------------------------------------------------------------------------


def calibration(L, y, proba, edges):
    """Every row for itself: the last bin whose left edge is not above the probability."""
    n_bins = len(edges) - 1
    inside = [[] for _ in range(n_bins)]
    for row, gold, p in zip(L, y.tolist(), proba.astype(float).tolist(), strict=True):
        if gold >= 0 and (row >= 0).any():
            bin_ = sum(edge <= max(p) for edge in edges) - 1
            inside[min(max(bin_, 0), n_bins - 1)].append((max(p), p.index(max(p)) == gold))
    counts = np.array([len(rows) for rows in inside])
    confidence, accuracy = (
        np.array([np.mean([row[part] for row in rows]) if rows else np.nan for rows in inside])
        for part in (0, 1)
    )
    gaps = (counts / counts.sum() * np.abs(confidence - accuracy))[counts > 0]
    return counts, confidence, accuracy, gaps.sum()


def assert_calibrated_like_reference(model, L, k, y, n_bins=10):
    got = model.calibration(matrix(L, k), y, n_bins)
    assert isinstance(got, tuple)
    assert got._fields == ("edges", "counts", "confidence", "accuracy", "error")
    np.testing.assert_allclose(got.edges, np.linspace(1 / k, 1, n_bins + 1), atol=1e-12)
    proba = model.predict_proba(matrix(L, k))
    counts, confidence, accuracy, error = calibration(L, np.asarray(y), proba, got.edges.tolist())
    assert got.counts.dtype == np.int64
    assert got.confidence.dtype == got.accuracy.dtype == np.float64
    np.testing.assert_array_equal(got.counts, counts)
    np.testing.assert_allclose(got.confidence, confidence, atol=1e-9)
    np.testing.assert_allclose(got.accuracy, accuracy, atol=1e-12)
    assert isinstance(got.error, float)
    assert abs(got.error - error) < 1e-9
    assert 0 <= got.error <= 1
    return got


@given(reviews(), st.integers(1, 20))
def test_calibration_equals_the_reference(p, n_bins):
    if (p.y[(p.L >= 0).any(axis=1)] >= 0).any():
        assert_calibrated_like_reference(p.model, p.L, p.k, p.y, n_bins)


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("k", [2, 3])
def test_calibration_on_a_larger_matrix(make, k):
    L, y = planted_votes(2_000, np.linspace(0.4, 0.9, 7), k, 0.5, seed=k)
    y[::5] = -1
    model = make().fit(matrix(L, k))
    got = assert_calibrated_like_reference(model, L, k, y)
    assert got.counts.sum() == ((y >= 0) & (L >= 0).any(axis=1)).sum()
    default = model.calibration(matrix(L, k), y)
    for one, other in zip(got, default, strict=True):
        np.testing.assert_array_equal(one, other)


def test_worked_by_hand_calibration():
    # of 8 votes 4, 5, 6, 7, 8 are for one class: shares that are the edges, to the last bit
    L = np.array([[1] * ones + [0] * (8 - ones) for ones in (4, 5, 6, 7, 8, 0)])
    L = np.vstack([L, np.full((1, 8), -1), L[:2]])
    y = [0, 0, 1, 0, 1, 1, 1, -1, 1]  # the tie counts as class 0; the row without votes not at all
    got = cs.MajorityVote().fit(matrix(L)).calibration(matrix(L), y, n_bins=4)
    np.testing.assert_array_equal(got.edges, [0.5, 0.625, 0.75, 0.875, 1.0])
    assert got.counts.tolist() == [1, 2, 1, 3]
    np.testing.assert_allclose(got.confidence, [0.5, 0.625, 0.75, 2.875 / 3], atol=1e-12)
    np.testing.assert_allclose(got.accuracy, [1, 0.5, 1, 1 / 3], atol=1e-12)
    error = (1 * 0.5 + 2 * 0.125 + 1 * 0.25 + 3 * (1.875 / 3)) / 7
    assert abs(got.error - error) < 1e-12


def test_a_probability_that_rounds_below_one_kth_is_in_the_first_bin():
    k = next(k for k in range(2, 99) if float(np.float32(1 / k)) < 1 / k)
    L = np.arange(k)[None]
    got = cs.MajorityVote().fit(matrix(L, k)).calibration(matrix(L, k), [0])
    assert got.counts.tolist() == [1] + [0] * 9
    assert np.isnan(got.confidence[1:]).all()
    assert np.isnan(got.accuracy[1:]).all()
    assert abs(got.error - (1 - 1 / k)) < 1e-6


def test_one_bin_is_the_whole():
    L, y = planted_votes(300, [0.6, 0.7, 0.8], 3)
    model, covered = cs.LabelModel().fit(matrix(L, 3)), (L >= 0).any(axis=1)
    got = model.calibration(matrix(L, 3), y, n_bins=1)
    proba = model.predict_proba(matrix(L, 3))[covered].astype(float)
    right = proba.argmax(axis=1) == y[covered]
    assert got.counts.tolist() == [covered.sum()]
    np.testing.assert_allclose(got.accuracy, [right.mean()], atol=1e-12)
    np.testing.assert_allclose(got.confidence, [proba.max(axis=1).mean()], atol=1e-9)
    assert abs(got.error - abs(right.mean() - proba.max(axis=1).mean())) < 1e-9


def test_one_class_is_always_right():
    L = matrix([[0, -1], [0, 0], [-1, -1]], 1)
    got = cs.LabelModel().fit(L).calibration(L, [0, 0, 0])
    assert got.counts.sum() == 2
    assert got.error == 0


@pytest.mark.parametrize("make", MODELS)
def test_calibration_rejects(make):
    L = matrix(SMALL)
    with pytest.raises(NotFittedError):
        make().calibration(L, [0, 0, 1, 1])
    model = make().fit(L)
    with pytest.raises(ValueError, match=r"y must know the class of at least one row"):
        model.calibration(L, [-1] * 4)
    with pytest.raises(ValueError, match=r"y must"):  # known where nobody votes
        model.calibration(L, [-1, -1, -1, 1])
    with pytest.raises(ValueError, match=r"y must have one entry a row"):
        model.calibration(L, [0, 1])
    with pytest.raises(ValueError, match=r"y\[1\] must be in -1..1, got 2"):
        model.calibration(L, [0, 2, 1, 1])
    with pytest.raises(ValueError, match=r"number of LFs"):
        model.calibration(matrix([[0, 1]]), [0])
    with pytest.raises(ValueError, match=r"cardinality"):
        model.calibration(matrix(SMALL, 3), [0, 0, 1, 1])
    for n_bins in (0, -1, 2.5):
        with pytest.raises((TypeError, ValueError), match=r"n_bins must be"):
            model.calibration(L, [0, 0, 1, 1], n_bins)


# --- what the model changed ---------------------------------------------------------------------


def majority(row, k):
    """Return the one most common label, -1 for a tie or no vote."""
    counts = [(row == label).sum() for label in range(k)]
    return counts.index(max(counts)) if max(counts) and counts.count(max(counts)) == 1 else -1


def compared(L, k, labels, y):
    """Return {(majority label, model label): [rows, right before, right after]}."""
    cells = {}
    for row, after, gold in zip(L, labels.tolist(), y.tolist(), strict=True):
        before = majority(row, k)
        cell = cells.setdefault((before, after), [0, 0, 0])
        cell[0] += 1
        cell[1] += before == gold >= 0
        cell[2] += after == gold >= 0
    return dict(sorted(cells.items()))


@given(reviews())
def test_changes_equal_the_reference(p):
    want = compared(p.L, p.k, p.model.predict(p.matrix), p.y)
    got, blind = (cs.compare_with_majority(p.matrix, p.model, y) for y in (p.y, None))
    assert isinstance(got, tuple)
    assert got._fields == ("majority", "model", "rows", "right_before", "right_after")
    for changes in (got, blind):
        assert list(zip(changes.majority.tolist(), changes.model.tolist(), strict=True)) == list(
            want
        )
        assert changes.majority.dtype.kind == changes.model.dtype.kind == "i"
        assert changes.rows.dtype == np.int64
        assert changes.rows.tolist() == [cell[0] for cell in want.values()]
    assert got.right_before.dtype == got.right_after.dtype == np.int64
    assert got.right_before.tolist() == [cell[1] for cell in want.values()]
    assert got.right_after.tolist() == [cell[2] for cell in want.values()]
    assert blind.right_before is None
    assert blind.right_after is None


def test_worked_by_hand_changes():
    L = matrix([[0, 0, 0], [1, 1, 0], [0, 1, -1], [-1, -1, -1], [1, 1, 1]])
    vote = cs.MajorityVote().fit(L)  # 0, 1, -1, -1, 1
    got = cs.compare_with_majority(L, vote, [0, 0, 1, -1, 1])
    assert got.majority.tolist() == got.model.tolist() == [-1, 0, 1]
    assert got.rows.tolist() == [2, 1, 2]
    assert got.right_before.tolist() == got.right_after.tolist() == [0, 1, 1]
    unknown = cs.compare_with_majority(L, vote, [-1] * 5)
    assert unknown.right_before.tolist() == unknown.right_after.tolist() == [0, 0, 0]


def test_a_better_model_is_seen_to_be_better():
    L, y = planted_votes(3_000, np.linspace(0.5, 0.95, 8), seed=3)
    L = matrix(L)
    model, vote = cs.LabelModel().fit(L), cs.MajorityVote().fit(L)
    got = cs.compare_with_majority(L, model, y)
    assert got.rows.sum() == 3_000
    assert got.right_before.sum() == (vote.predict(L) == y).sum()
    assert got.right_after.sum() == (model.predict(L) == y).sum()
    assert got.right_after.sum() > got.right_before.sum()
    turned = (got.majority >= 0) & (got.model >= 0) & (got.majority != got.model)
    assert got.rows[turned].sum() > 0


def test_changes_of_no_rows():
    L = matrix(SMALL)
    got = cs.compare_with_majority(L[:0], cs.LabelModel().fit(L), [])
    assert [len(column) for column in got] == [0] * 5
    assert isinstance(str(got), str)


def test_changes_print_as_a_table():
    L = cs.LabelMatrix.from_dense(SMALL, lf_names=["a", "b", "c"], class_names=["ham", "spam"])
    model = cs.LabelModel().fit(L)
    for y in (None, [0, 0, 1, -1]):
        text = str(cs.compare_with_majority(L, model, y)).lower()
        assert "majority" in text
        assert "model" in text


def test_compare_with_majority_rejects():
    L = matrix(SMALL)
    model = cs.LabelModel().fit(L)
    with pytest.raises(NotFittedError):
        cs.compare_with_majority(L, cs.LabelModel())
    with pytest.raises(ValueError, match=r"y must have one entry a row"):
        cs.compare_with_majority(L, model, [0, 1])
    with pytest.raises(TypeError, match=r"y must hold integers"):
        cs.compare_with_majority(L, model, [0.0, 1.0, 1.0, 0.0])
    with pytest.raises(ValueError, match=r"number of LFs"):
        cs.compare_with_majority(matrix([[0, 1]]), model)
    with pytest.raises(TypeError, match=r"L must be a LabelMatrix"):
        cs.compare_with_majority(SMALL, model)
