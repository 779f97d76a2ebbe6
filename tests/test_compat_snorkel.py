"""The layer for code written for Snorkel: labeling functions, appliers, analysis, voters, utils.

Each claim holds for Snorkel 0.10 itself: COVERSET_COMPAT_TARGET=snorkel runs them against it.
"""

from __future__ import annotations

import hashlib
import inspect
import os
from types import SimpleNamespace

import numpy as np
import pytest

import reference
from examples import random_dense

TARGET = os.environ.get("COVERSET_COMPAT_TARGET", "coverset.compat.snorkel")
pd = pytest.importorskip("pandas")
labeling = pytest.importorskip(f"{TARGET}.labeling")
model = pytest.importorskip(f"{TARGET}.labeling.model")
utils = pytest.importorskip(f"{TARGET}.utils")
pytestmark = [pytest.mark.filterwarnings("ignore")] if TARGET == "snorkel" else []

L = np.array(
    [
        [0, 1, 0],
        [0, 1, -1],
        [-1, 1, 1],
        [1, 1, 1],
        [0, -1, 0],
        [-1, -1, -1],
        [2, -1, -1],
        [-1, -1, -1],
    ]
)
Y = np.array([0, 0, 1, 1, 1, 0, 2, 0])
APPLIERS = ["LFApplier", "PandasLFApplier"]
TIED = np.array([[0.5, 0.5, 0.0], [0.2, 0.2, 0.6], [1 / 3, 1 / 3, 1 / 3], [0.3, 0.35, 0.35]])


@labeling.labeling_function()
def large(x):
    return 1 if x.n > 4 else -1


@labeling.labeling_function(name="within", resources={"low": 2, "high": 8})
def between(x, low, high):
    return 0 if low <= x.n <= high else -1


@labeling.labeling_function()
def odd_fails(x):
    if x.n % 2:
        raise LookupError(f"odd: {x.n}")
    return 2


def always(value, name="always"):
    return labeling.LabelingFunction(name, lambda x: value)


def points(applier, numbers=(1, 4, 5, 9)):
    if applier == "LFApplier":
        return [SimpleNamespace(n=n) for n in numbers]
    return pd.DataFrame({"n": list(numbers)}, index=[f"row {n}" for n in numbers])


def apply(applier, lfs, **options):
    options = {"progress_bar": False, **options}
    return getattr(labeling, applier)(lfs).apply(points(applier), **options)


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (labeling.LabelingFunction, "name f resources pre"),
        (labeling.labeling_function, "name resources pre"),
        (labeling.LFApplier, "lfs"),
        (labeling.LFApplier.apply, "self data_points progress_bar fault_tolerant return_meta"),
        (labeling.PandasLFApplier, "lfs"),
        (labeling.PandasLFApplier.apply, "self df progress_bar fault_tolerant return_meta"),
        (labeling.LFAnalysis, "L lfs"),
        (labeling.LFAnalysis.lf_overlaps, "self normalize_by_coverage"),
        (labeling.LFAnalysis.lf_conflicts, "self normalize_by_overlaps"),
        (labeling.LFAnalysis.lf_empirical_accuracies, "self Y"),
        (labeling.LFAnalysis.lf_empirical_probs, "self Y k"),
        (labeling.LFAnalysis.lf_summary, "self Y est_weights"),
        (labeling.filter_unlabeled_dataframe, "X y L"),
        (model.MajorityLabelVoter, "cardinality kwargs"),
        (model.MajorityClassVoter.fit, "self balance args kwargs"),
        (model.RandomVoter.predict, "self L return_probs tie_break_policy"),
        (utils.probs_to_preds, "probs tie_break_policy tol"),
        (utils.preds_to_probs, "preds num_classes"),
    ],
)
def test_arguments_have_snorkels_names_in_its_order(function, names):
    assert list(inspect.signature(function).parameters) == names.split()


def test_a_decorated_function_is_called_as_it_was():
    assert (large.name, between.name) == ("large", "within")
    assert isinstance(large, labeling.LabelingFunction)
    assert [large(SimpleNamespace(n=n)) for n in (4, 5)] == [-1, 1]
    assert [between(SimpleNamespace(n=n)) for n in (1, 2, 8, 9)] == [-1, 0, 0, -1]
    assert repr(large) == "LabelingFunction large, Preprocessors: []"


def test_a_labeling_function_is_made_without_the_decorator():
    lf = labeling.LabelingFunction(name="any", f=lambda x, d: x + d, resources={"d": 2})
    assert (lf.name, lf(1)) == ("any", 3)


def test_the_decorator_needs_its_parentheses():
    with pytest.raises(ValueError, match="missing parentheses"):
        labeling.labeling_function(lambda x: 0)


@pytest.mark.parametrize("applier", APPLIERS)
def test_preprocessors_run_in_order_before_the_function(applier):
    double = lambda x: SimpleNamespace(n=2 * x.n)  # noqa: E731
    inc = lambda x: SimpleNamespace(n=x.n + 1)  # noqa: E731
    lfs = [
        labeling.LabelingFunction("double first", lambda x: int(x.n), pre=[double, inc]),
        labeling.LabelingFunction("double last", lambda x: int(x.n), pre=[inc, double]),
    ]
    assert apply(applier, lfs).tolist() == [[3, 4], [9, 10], [11, 12], [19, 20]]


def test_a_preprocessor_that_returns_none_is_an_error():
    lf = labeling.LabelingFunction("lf", lambda x: 0, pre=[lambda x: None])
    with pytest.raises(ValueError, match="Preprocessor should not return None"):
        lf(SimpleNamespace(n=1))


@pytest.mark.parametrize("applier", APPLIERS)
def test_a_row_is_a_point_and_a_column_a_function(applier):
    votes = apply(applier, [large, between])
    assert (type(votes), votes.dtype, votes.shape) == (np.ndarray, np.int64, (4, 2))
    assert votes.tolist() == [[-1, -1], [-1, 0], [1, 0], [1, -1]]


def test_rows_of_a_frame_are_series_with_their_index_as_name():
    seen = []
    lf = labeling.LabelingFunction("lf", lambda x: seen.append((x.name, x.n, x["n"])) or 0)
    frame = pd.DataFrame({"n": [7, 8], "t": ["a", "b"]}, index=[30, 10])
    assert labeling.PandasLFApplier([lf]).apply(frame, progress_bar=False).tolist() == [[0], [0]]
    assert seen[-2:] == [(30, 7, 7), (10, 8, 8)]


@pytest.mark.parametrize(
    "data",
    [np.array([[1, 9], [7, 9]]), [(1, 9), (7, 9)], (row for row in [(1, 9), (7, 9)])],
    ids=["array", "list", "generator"],
)
def test_points_are_whatever_iteration_gives(data):
    lf = labeling.LabelingFunction("lf", lambda x: 1 if x[0] > 3 else 0)
    assert labeling.LFApplier([lf]).apply(data, progress_bar=False).tolist() == [[0], [1]]


@pytest.mark.parametrize("applier", APPLIERS)
def test_without_points_there_are_no_rows(applier):
    empty = points(applier, ())
    votes = getattr(labeling, applier)([large, between]).apply(empty, progress_bar=False)
    assert (votes.dtype, votes.shape) == (np.int64, (0, 2))


@pytest.mark.parametrize("applier", APPLIERS)
def test_a_progress_bar_is_shown_unless_refused(applier, capsys):
    pytest.importorskip("tqdm")
    votes = getattr(labeling, applier)([large]).apply(points(applier))
    assert votes.tolist() == [[-1], [-1], [1], [1]]
    assert capsys.readouterr().err
    apply(applier, [large])
    assert not capsys.readouterr().err


@pytest.mark.parametrize("applier", APPLIERS)
@pytest.mark.parametrize(
    ("value", "vote"), [(True, 1), (1.7, 1), (np.int8(3), 3), (-7, -1), (float("nan"), -1)]
)
def test_a_vote_is_cut_to_an_integer_and_negatives_abstain(applier, value, vote):
    assert apply(applier, [always(value)]).tolist() == [[vote]] * 4


@pytest.mark.parametrize("applier", APPLIERS)
@pytest.mark.parametrize("fault_tolerant", [False, True])
def test_none_is_no_vote_but_an_error(applier, fault_tolerant):
    with pytest.raises(TypeError):
        apply(applier, [always(None)], fault_tolerant=fault_tolerant)


@pytest.mark.parametrize("applier", APPLIERS)
def test_faults_become_abstains_and_are_counted_on_request(applier):
    lfs = [odd_fails, large]
    votes, meta = apply(applier, lfs, fault_tolerant=True, return_meta=True)
    assert votes.tolist() == [[-1, -1], [2, -1], [-1, 1], [-1, 1]]
    assert dict(meta.faults) == {"odd_fails": 3}  # only those that failed
    assert apply(applier, lfs, fault_tolerant=True).tolist() == votes.tolist()


@pytest.mark.parametrize("applier", APPLIERS)
def test_faults_pass_through_otherwise(applier):
    with pytest.raises(LookupError, match="odd: 1"):
        apply(applier, [large, odd_fails])
    votes, meta = apply(applier, [large], return_meta=True)
    assert (votes.shape, dict(meta.faults)) == ((4, 1), {})


@pytest.mark.parametrize("applier", APPLIERS)
def test_names_of_functions_are_unique(applier):
    with pytest.raises(ValueError, match="not unique: 2 operators with name large"):
        getattr(labeling, applier)([large, between, large])


def test_shares_of_rows():
    analysis = labeling.LFAnalysis(L)
    assert analysis.L is L
    assert analysis.label_coverage() == 6 / 8
    assert analysis.label_overlap() == 5 / 8
    assert analysis.label_conflict() == 2 / 8


def test_shares_of_each_function():
    analysis = labeling.LFAnalysis(L=L)
    assert analysis.lf_polarities() == [[0, 1, 2], [1], [0, 1]]
    assert analysis.lf_coverages().tolist() == [5 / 8, 4 / 8, 4 / 8]
    assert analysis.lf_overlaps().tolist() == [4 / 8, 4 / 8, 4 / 8]
    assert analysis.lf_overlaps(normalize_by_coverage=True).tolist() == [0.8, 1, 1]
    assert analysis.lf_conflicts().tolist() == [2 / 8, 2 / 8, 1 / 8]
    assert analysis.lf_conflicts(normalize_by_overlaps=True).tolist() == [0.5, 0.5, 0.25]


def test_random_votes_are_summed_up_as_by_loops():
    for k, m in [(2, 3), (4, 7)]:
        votes = random_dense(60, m, k)
        analysis, want = labeling.LFAnalysis(votes), reference.lf_summary(votes, k)
        assert [tuple(p) for p in analysis.lf_polarities()] == want["polarity"]
        for name in ("coverage", "overlaps", "conflicts"):
            shares = getattr(analysis, "lf_coverages" if name == "coverage" else f"lf_{name}")()
            assert (shares.dtype, shares.shape) == (np.float64, (m,))
            assert shares == pytest.approx([float(share) for share in want[name]], abs=1e-15)
        assert analysis.label_coverage() == (votes >= 0).any(axis=1).mean()


def test_labels_need_not_start_at_zero_nor_abstain():
    analysis = labeling.LFAnalysis(np.array([[3, 4], [5, 4], [3, 3]]))
    assert analysis.lf_polarities() == [[3, 5], [3, 4]]
    assert (analysis.label_coverage(), analysis.label_conflict()) == (1, 2 / 3)
    summary = analysis.lf_summary(np.array([3, 4, 5]))
    assert summary["Correct"].tolist() == [1, 1]
    assert summary["Incorrect"].tolist() == [2, 2]


def test_a_function_that_never_votes_has_zeros():
    analysis = labeling.LFAnalysis(np.array([[-1, 0], [-1, 1]]))
    assert analysis.lf_polarities() == [[], [0, 1]]
    assert analysis.lf_coverages().tolist() == [0, 1]
    for overlaps in (analysis.lf_overlaps(), analysis.lf_overlaps(normalize_by_coverage=True)):
        assert overlaps.tolist() == [0, 0]
    for conflicts in (analysis.lf_conflicts(), analysis.lf_conflicts(normalize_by_overlaps=True)):
        assert conflicts.tolist() == [0, 0]
    assert analysis.lf_empirical_accuracies(np.array([0, 1])).tolist() == [0, 1]


@pytest.mark.parametrize("y", [Y, Y[:, None], Y.astype(float)], ids=["1-d", "2-d", "float"])
def test_empirical_accuracies(y):
    assert labeling.LFAnalysis(L).lf_empirical_accuracies(y) == pytest.approx([0.8, 0.5, 0.75])


def test_unknown_gold_counts_as_wrong_in_accuracies_and_not_at_all_in_counts():
    unknown = np.where(np.arange(8) == 0, -1, Y)
    summary = labeling.LFAnalysis(L).lf_summary(unknown)
    assert summary["Emp. Acc."].tolist() == pytest.approx([0.6, 0.5, 0.5])
    assert summary["Correct"].tolist() == [3, 2, 2]
    assert summary["Incorrect"].tolist() == [1, 1, 1]


def test_gold_must_be_whole_numbers():
    with pytest.raises(ValueError, match="non-integer"):
        labeling.LFAnalysis(L).lf_empirical_accuracies(Y + 0.5)


def test_gold_must_fit_the_rows():
    with pytest.raises(ValueError):  # noqa: PT011 - the words are NumPy's
        labeling.LFAnalysis(L).lf_empirical_accuracies(Y[:3])


def test_empirical_probabilities_of_votes_given_the_class():
    tables = labeling.LFAnalysis(L).lf_empirical_probs(Y, 3)
    assert (tables.shape, tables.dtype) == ((3, 4, 3), np.float64)
    third = 1 / 3
    first = [[0.5, third, 0], [0.5, third, 0], [0, third, 0], [0, 0, 1]]  # abstains, 0, 1, 2
    assert tables[0].ravel() == pytest.approx(np.ravel(first))
    assert tables.sum(axis=1).ravel() == pytest.approx(np.ones(9))
    votes, y = random_dense(200, 4, 3), np.arange(200) % 3
    tables = labeling.LFAnalysis(votes).lf_empirical_probs(Y=y, k=3)
    for j, label, c in np.ndindex(4, 4, 3):
        assert tables[j, label, c] == pytest.approx((votes[y == c, j] == label - 1).mean())


def test_summary_without_gold():
    summary = labeling.LFAnalysis(L).lf_summary()
    assert list(summary) == ["Polarity", "Coverage", "Overlaps", "Conflicts"]
    assert summary.index.tolist() == [0, 1, 2]
    assert summary["Polarity"].tolist() == [[0, 1, 2], [1], [0, 1]]
    assert summary["Coverage"].tolist() == [5 / 8, 4 / 8, 4 / 8]
    assert summary["Overlaps"].tolist() == [4 / 8, 4 / 8, 4 / 8]
    assert summary["Conflicts"].tolist() == [2 / 8, 2 / 8, 1 / 8]


@pytest.mark.parametrize("y", [Y, Y[:, None]], ids=["1-d", "2-d"])
def test_summary_with_gold_and_weights(y):
    summary = labeling.LFAnalysis(L).lf_summary(Y=y, est_weights=np.array([0.9, 0.6, 0.7]))
    gold = ["Correct", "Incorrect", "Emp. Acc.", "Learned Weight"]
    assert list(summary) == ["Polarity", "Coverage", "Overlaps", "Conflicts", *gold]
    assert "".join(dtype.kind for dtype in summary.dtypes) == "Offfiiff"
    assert summary["Correct"].tolist() == [4, 2, 3]
    assert summary["Incorrect"].tolist() == [1, 2, 1]
    assert summary["Emp. Acc."].tolist() == pytest.approx([0.8, 0.5, 0.75])
    assert summary["Learned Weight"].tolist() == [0.9, 0.6, 0.7]


def test_summary_with_functions_has_their_names_and_numbers():
    lfs = [always(0, name) for name in "cab"]
    summary = labeling.LFAnalysis(L, lfs).lf_summary(est_weights=[1.0, 2.0, 3.0])
    assert list(summary)[:2] == ["j", "Polarity"]
    assert list(summary)[-1] == "Learned Weight"
    assert summary.index.tolist() == ["c", "a", "b"]
    assert summary["j"].tolist() == [0, 1, 2]
    assert summary.loc["b", "Learned Weight"] == 3


@pytest.mark.parametrize("lfs", [[], [large, between]], ids=len)
def test_functions_must_be_one_a_column(lfs):
    message = rf"Number of LFs \({len(lfs)}\) and number of LF matrix columns \(3\) are different"
    with pytest.raises(ValueError, match=message):
        labeling.LFAnalysis(L, lfs)


def test_filter_keeps_the_rows_with_a_vote():
    frame = pd.DataFrame({"n": range(8)}, index=list("abcdefgh"))
    probs = np.arange(16.0).reshape(8, 2)
    kept, kept_probs = labeling.filter_unlabeled_dataframe(X=frame, y=probs, L=L)
    assert kept.index.tolist() == list("abcdeg")
    assert kept["n"].tolist() == [0, 1, 2, 3, 4, 6]
    assert kept_probs.tolist() == probs[[0, 1, 2, 3, 4, 6]].tolist()
    assert (len(frame), probs.shape) == (8, (8, 2))
    none, none_probs = labeling.filter_unlabeled_dataframe(frame[:2], probs[:2], L[[5, 7]])
    assert (len(none), none_probs.shape) == (0, (0, 2))


def test_majority_shares_ties_and_is_uniform_without_votes():
    votes = np.array([[0, 0, 1], [0, 2, -1], [-1, -1, -1], [2, 1, 0], [1, -1, -1]])
    voter = model.MajorityLabelVoter(cardinality=3)
    third = [1 / 3] * 3
    want = [[1, 0, 0], [0.5, 0, 0.5], third, third, [0, 1, 0]]
    probs = voter.predict_proba(votes)
    assert probs.dtype == np.float64
    assert probs.tolist() == want
    preds = voter.predict(votes)
    assert (preds.dtype, preds.tolist()) == (np.int64, [0, -1, -1, -1, 1])
    preds, probs = voter.predict(votes, return_probs=True, tie_break_policy="random")
    assert probs.tolist() == want
    assert all(row[label] == max(row) for row, label in zip(want, preds, strict=True))
    y = np.array([0, 0, 0, 0, 2])
    assert voter.score(votes, y) == {"accuracy": 0.5}
    assert voter.score(votes, y, metrics=["coverage"]) == {"coverage": 0.4}


def test_majority_has_two_classes_unless_told():
    assert model.MajorityLabelVoter().predict_proba(np.array([[-1, 1]])).tolist() == [[0, 1]]
    with pytest.raises(IndexError):
        model.MajorityLabelVoter().predict_proba(np.array([[2, 2]]))


def test_majority_class_answers_the_most_frequent_class():
    voter = model.MajorityClassVoter(cardinality=3)
    assert voter.fit(np.array([0.2, 0.5, 0.3])) is None
    assert voter.predict_proba(L).tolist() == [[0, 1, 0]] * 8
    assert voter.predict(L).tolist() == [1] * 8
    voter.fit(balance=np.array([0.4, 0.4, 0.2]))
    assert voter.predict_proba(L).tolist() == [[0.5, 0.5, 0]] * 8
    assert voter.predict(L).tolist() == [-1] * 8


def test_random_voter_gives_distributions():
    voter = model.RandomVoter(cardinality=4)
    probs = voter.predict_proba(np.full((50, 3), -1))
    assert probs.shape == (50, 4)
    assert probs.sum(axis=1) == pytest.approx(np.ones(50))
    assert (probs >= 0).all()
    assert len(np.unique(probs)) > 150
    assert set(voter.predict(L)) <= {0, 1, 2, 3}


def test_probs_to_preds_breaks_ties_by_policy():
    abstain = utils.probs_to_preds(TIED, tie_break_policy="abstain")
    assert (abstain.dtype, abstain.tolist()) == (np.int64, [-1, 2, -1, -1])
    tied = [{0, 1}, {2}, {0, 1, 2}, {1, 2}]
    for policy in ("random", "true-random"):
        preds = utils.probs_to_preds(TIED, policy).tolist()
        assert all(pred in some for pred, some in zip(preds, tied, strict=True))
    with pytest.raises(ValueError, match="tie_break_policy=first policy not recognized"):
        utils.probs_to_preds(TIED, "first")


def test_random_is_the_default_and_decided_by_a_hash_of_the_row_number():
    preds = utils.probs_to_preds(np.full((40, 3), 1 / 3))
    digests = [hashlib.sha1(str(i).encode()).hexdigest() for i in range(40)]  # snorkel's choice
    assert preds.tolist() == [int(digest, 16) % 3 for digest in digests]


def test_true_random_picks_each_of_the_tied():
    preds = utils.probs_to_preds(np.tile(TIED[:1], (200, 1)), "true-random")
    assert set(preds) == {0, 1}


def test_a_tie_is_a_difference_below_the_tolerance():
    close = np.array([[0.5 + 4e-6, 0.5 - 4e-6], [0.5 + 6e-6, 0.5 - 6e-6], [0.6, 0.4]])
    assert utils.probs_to_preds(close, "abstain").tolist() == [-1, 0, 0]
    assert utils.probs_to_preds(close, "abstain", tol=0.3).tolist() == [-1, -1, -1]
    assert utils.probs_to_preds(close, "abstain", tol=1e-9).tolist() == [0, 0, 0]


def test_one_class_is_too_few():
    with pytest.raises(ValueError, match="at least 2 classes"):
        utils.probs_to_preds(np.ones((3, 1)))


@pytest.mark.parametrize("preds", [np.array([2, 0, 1]), np.array([[2], [0], [1]])])
def test_preds_to_probs_is_one_hot(preds):
    probs = utils.preds_to_probs(preds, num_classes=4)
    assert probs.dtype == np.float64
    assert probs.tolist() == [[0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0]]
    assert utils.probs_to_preds(probs).tolist() == [2, 0, 1]


def test_abstains_have_no_one_hot_row():
    with pytest.raises(ValueError, match="abstained vote"):
        utils.preds_to_probs(np.array([0, -1]), 2)
