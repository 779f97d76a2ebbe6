"""What each vote says: explanations that add up to the probabilities; intervals of accuracies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import coverset as cs
import dawid_skene_reference
import dependency_reference
import label_model_reference
from coverset._not_fitted import NotFittedError
from examples import THREADS
from label_model_examples import ULP, matrix, problems

CLOSE = 1e-6  # float32 probabilities round to 6e-8
Z = 1.959963984540054  # the normal distribution's 97.5 % point
SMALL = [[0, 1, -1], [0, 0, 1], [1, 1, 1], [-1, -1, -1]]
EXPLAIN = [
    cs.LabelModel,
    cs.DawidSkene,
    cs.MomentModel,
    cs.TripletModel,
    lambda: cs.LabelModel(dependencies="none", class_balance=[0.3, 0.7]),
    lambda: cs.DawidSkene(abstain="outcome", confusion="one_coin"),
]


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def votes_of(L):
    """Return (row, LF, label) of each vote, row by row, LFs ascending."""
    rows, lfs = np.nonzero(L >= 0)
    return rows, lfs, L[rows, lfs]


def assert_adds_up(model, L, k):
    """Check one explanation against the votes and predict_proba; return it."""
    L = np.asarray(L)
    n, (rows, lfs, labels) = len(L), votes_of(L)
    proba = model.predict_proba(matrix(L, k))
    got = model.explain(matrix(L, k))
    for array, want, dtype in (
        (got.rows, rows, np.int64),
        (got.lfs, lfs, np.int32),
        (got.labels, labels, np.int16),
    ):
        assert array.dtype == dtype
        np.testing.assert_array_equal(array, want)
    assert got.evidence.dtype == got.prior.dtype == np.float64
    assert got.evidence.shape == (len(rows), k)
    assert got.prior.shape == (n, k)
    assert np.isfinite(got.evidence).all()
    z = got.prior.copy()
    for vote, row in enumerate(rows):
        z[row] += got.evidence[vote]
    np.testing.assert_allclose(softmax(z) if n else z, proba, atol=CLOSE)
    heard = (L >= 0).any(axis=1)
    np.testing.assert_allclose(np.exp(got.prior[~heard]), proba[~heard], atol=CLOSE)
    np.testing.assert_array_equal(got.prior[heard], np.repeat(got.prior[heard][:1], heard.sum(), 0))
    return got


def with_three_lfs(L):
    return np.pad(L, ((0, 0), (0, max(3 - L.shape[1], 0))), constant_values=-1)


def other_votes(data, L, k):
    """Return rows of any labels, most of them never seen in fit, and one without votes."""
    elements = st.integers(-1, k - 1)
    drawn = data.draw(hnp.arrays(np.int64, (6, L.shape[1]), elements=elements))
    return np.vstack([drawn, np.full((1, L.shape[1]), -1)])


# --- the guarantee ------------------------------------------------------------------------------


@settings(max_examples=40)
@given(problems(), st.data())
def test_label_model_adds_up(p, data):
    L = matrix(p.L, p.k, p.polarity)
    model = cs.LabelModel(class_balance=p.balance, anchor=p.anchor).fit(L, p.y)
    assert_adds_up(model, p.L, p.k)
    assert_adds_up(model, other_votes(data, p.L, p.k), p.k)


@settings(max_examples=40)
@given(
    problems(),
    st.sampled_from(["full", "class", "one_coin"]),
    st.sampled_from(["ignore", "outcome"]),
    st.data(),
)
def test_dawid_skene_adds_up(p, confusion, abstain, data):
    model = cs.DawidSkene(
        confusion=confusion, abstain=abstain, class_balance=p.balance, max_iter=10
    )
    model.fit(matrix(p.L, p.k), p.y)
    assert_adds_up(model, p.L, p.k)
    assert_adds_up(model, other_votes(data, p.L, p.k), p.k)


@settings(max_examples=40)
@given(problems(), st.data())
def test_moment_model_adds_up(p, data):
    L = with_three_lfs(p.L)
    model = cs.MomentModel(class_balance=p.balance, n_steps=10).fit(matrix(L, p.k))
    assert_adds_up(model, L, p.k)
    assert_adds_up(model, other_votes(data, L, p.k), p.k)


@settings(max_examples=40)
@given(problems(), st.floats(0.05, 0.95), st.data())
def test_triplet_model_adds_up(p, balance, data):
    L = np.minimum(with_three_lfs(p.L), 1)
    model = cs.TripletModel(class_balance=[1 - balance, balance]).fit(matrix(L, 2))
    assert_adds_up(model, L, 2)
    assert_adds_up(model, other_votes(data, L, 2), 2)


def test_several_blocks_add_up(large):
    L = large.to_dense()
    for model in (cs.LabelModel(), cs.DawidSkene(max_iter=3), cs.MomentModel(n_steps=3)):
        got = model.fit(large).explain(large)
        z = got.prior.copy()
        np.add.at(z, got.rows, got.evidence)
        np.testing.assert_allclose(softmax(z), model.predict_proba(large), atol=CLOSE)
        for array, want in zip(got[:3], votes_of(L), strict=True):
            np.testing.assert_array_equal(array, want)


# --- the equations ------------------------------------------------------------------------------


def reference_evidence(want, L):
    """tau_i omega_c W_c of each vote, tau_i = 1 / (1 + .1 max(t_i - 1, 0)), t_i = sum omega_c."""
    evidence = []
    for row in np.asarray(L):
        voters = np.flatnonzero(row >= 0)
        omega = want.omega[voters, row[voters]]
        tau = 1 / (1 + label_model_reference.ROW_CORRELATION * max(omega.sum() - 1, 0))
        evidence += list(tau * omega[:, None] * want.W[voters, row[voters]])
    return np.reshape(evidence, (-1, want.W.shape[2]))


def reference_prior(want):
    """Softmax of log p + 1e-3 log pi: the class before any vote."""
    breaker = label_model_reference.TIE_BREAKER * np.log(want.without_votes)
    return softmax((np.log(want.prior) + breaker)[None])[0]


def assert_like_reference(model, want, L, k):
    got = model.explain(matrix(L, k))
    np.testing.assert_allclose(got.evidence, reference_evidence(want, L), atol=1e-6)
    heard = (np.asarray(L) >= 0).any(axis=1)
    priors = softmax(got.prior)  # the contract leaves a shift of a row free
    np.testing.assert_allclose(
        priors[~heard], np.tile(want.without_votes, (sum(~heard), 1)), atol=1e-9
    )
    same = np.tile(reference_prior(want), (sum(heard), 1))
    np.testing.assert_allclose(priors[heard], same, atol=1e-9)


@settings(max_examples=40)
@given(problems(), st.data())
def test_label_model_evidence_equals_the_equations(p, data):
    model = cs.LabelModel(dependencies="none", class_balance=p.balance, anchor=p.anchor)
    model.fit(matrix(p.L, p.k, p.polarity), p.y)
    want = label_model_reference.fit(
        p.L, p.k, p.y, given=p.balance, anchor=p.anchor, polarity=p.polarity
    )
    assert_like_reference(model, want, p.L, p.k)
    assert_like_reference(model, want, other_votes(data, p.L, p.k), p.k)


@pytest.mark.parametrize("unipolar", [True, False])
def test_votes_that_repeat_each_other_say_less(unipolar):
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2, 300)
    L = np.where(rng.random((300, 8)) < 0.75, y[:, None], 1 - y[:, None])
    if unipolar:
        L = np.where(np.arange(8) % 2 == L, L, -1)
    copies = np.where(rng.random((300, 2)) < 0.1, -1, L[:, [7]])
    L = np.hstack([L, copies])
    model, want = cs.LabelModel().fit(matrix(L, 2)), dependency_reference.fit(L, 2)
    assert model.lf_clusters_ == [(7, 8, 9)]
    assert_like_reference(model, want, L, 2)
    assert_adds_up(model, L, 2)
    alone = model.explain(matrix(np.where(np.arange(10) == 7, 1, [[-1] * 10]), 2))
    assert want.omega[7, 1] < 0.5
    np.testing.assert_allclose(alone.evidence, [want.omega[7, 1] * want.W[7, 1]], atol=1e-6)


def test_worked_by_hand_one_vote():
    # as in test_label_model: no agreement to measure, kappa 50, balance (1/3, 2/3), prior (1, 8)/9
    model = cs.LabelModel(anchor=1.0).fit(matrix([[1]]))
    q = (np.array([0, 1]) + 51 * np.array([1 / 9, 8 / 9])) / 52
    got = model.explain(matrix([[1]]))
    np.testing.assert_allclose(got.evidence, [np.log(q / [1 / 3, 2 / 3])], rtol=1e-9)
    np.testing.assert_allclose(softmax(got.prior), [[0.5, 0.5]], atol=1e-12)


def test_worked_by_hand_votes_of_one_row_share_their_evidence():
    L, _ = label_model_reference.planted_votes(200, [0.6, 0.7, 0.8], 3)
    model = cs.LabelModel(dependencies="none").fit(matrix(L, 3))
    together = model.explain(matrix([[2, 0, 1]], 3)).evidence
    alone = model.explain(matrix([[2, -1, -1], [-1, 0, -1], [-1, -1, 1]], 3)).evidence
    np.testing.assert_allclose(together, alone / 1.2, rtol=1e-9)


@settings(max_examples=40)
@given(
    problems(),
    st.sampled_from(["full", "class", "one_coin"]),
    st.sampled_from(["ignore", "outcome"]),
    st.data(),
)
def test_dawid_skene_evidence_equals_the_equations(p, confusion, abstain, data):
    options = {"confusion": confusion, "abstain": abstain, "smoothing": 0.5, "max_iter": 5}
    options["class_balance"] = p.balance
    model = cs.DawidSkene(**options).fit(matrix(p.L, p.k), p.y)
    theta = dawid_skene_reference.fit(p.L, p.k, p.y, **options).theta  # [LF, class, outcome]
    no_votes = np.log(theta[:, :, p.k]) if abstain == "outcome" else np.zeros(theta.shape[:2])
    for L in (p.L, other_votes(data, p.L, p.k)):
        _, lfs, labels = votes_of(L)
        got = model.explain(matrix(L, p.k))
        want = np.log(theta)[lfs, :, labels] - no_votes[lfs]
        np.testing.assert_allclose(got.evidence, want.reshape(-1, p.k), atol=1e-5)
        before = softmax((np.log(model.class_balance_) + no_votes.sum(axis=0))[None])
        np.testing.assert_allclose(softmax(got.prior), np.repeat(before, len(L), 0), atol=1e-5)


def test_dawid_skene_evidence_is_the_log_of_confusion():
    L, _ = label_model_reference.planted_votes(300, [0.5, 0.6, 0.7, 0.9], 3, 0.6)
    model = cs.DawidSkene().fit(matrix(L, 3))
    _, lfs, labels = votes_of(L)
    got = model.explain(matrix(L, 3))
    np.testing.assert_allclose(got.evidence, np.log(model.confusion_[lfs, :, labels]), atol=1e-9)
    priors = softmax(got.prior)
    np.testing.assert_allclose(priors, np.tile(model.class_balance_, (300, 1)), atol=1e-9)


def test_moment_model_evidence_is_the_log_of_conditional_probabilities():
    L, _ = label_model_reference.planted_votes(300, [0.5, 0.6, 0.7, 0.9], 3, 0.6)
    L[:, 0] = np.where(L[:, 0] == 1, 1, -1)
    model = cs.MomentModel(class_balance=[0.2, 0.3, 0.5]).fit(matrix(L, 3))
    unseen = [[0, 2, 1, 1], [2, -1, -1, -1], [-1, -1, -1, -1]]
    for votes in (L, np.array(unseen)):
        _, lfs, labels = votes_of(votes)
        got = model.explain(matrix(votes, 3))
        mu = model.conditional_probabilities_[lfs, labels]
        np.testing.assert_allclose(got.evidence, np.log(mu), atol=1e-9)
        priors = softmax(got.prior)
        np.testing.assert_allclose(priors, np.tile([0.2, 0.3, 0.5], (len(votes), 1)), atol=1e-6)


def test_triplet_model_worked_by_hand():
    # accuracies 7/8, 3/4, 3/4 (test_triplet_model): odds 7, 3, 3
    L = np.array([[1, 1, 1]] * 8 + [[1, 1, 0]] * 3 + [[0, 1, 0]] * 3 + [[1, 0, 0]] * 2)
    model = cs.TripletModel(class_balance=[0.25, 0.75]).fit(matrix(L))
    got = model.explain(matrix([[1, 0, -1], [-1, -1, -1], [-1, -1, 1]]))
    want = [[0, np.log(7)], [0, -np.log(3)], [0, np.log(3)]]
    np.testing.assert_allclose(got.evidence, want, atol=1e-12)
    np.testing.assert_allclose(softmax(got.prior), [[0.25, 0.75]] * 3, atol=CLOSE)


# --- rows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", EXPLAIN)
def test_of_row_lists_the_votes_of_a_row(make):
    got = make().fit(matrix(SMALL)).explain(matrix(SMALL))
    assert isinstance(got, tuple)
    assert got._fields == ("rows", "lfs", "labels", "evidence", "prior")
    for i, row in enumerate(SMALL):
        said = got.of_row(i)
        assert isinstance(said, list)
        want = [(lf, label) for lf, label in enumerate(row) if label >= 0]
        assert [(lf, label) for lf, label, _ in said] == want
        np.testing.assert_array_equal(
            np.reshape([evidence for _, _, evidence in said], (-1, 2)), got.evidence[got.rows == i]
        )
    assert got.of_row(3) == []


@pytest.mark.parametrize("row", [-1, 4, 2**40])
def test_of_row_refuses_other_rows(row):
    got = cs.LabelModel().fit(matrix(SMALL)).explain(matrix(SMALL))
    with pytest.raises((IndexError, ValueError)):
        got.of_row(row)


def test_a_row_does_not_depend_on_the_others_in_the_call():
    L, _ = label_model_reference.planted_votes(60, [0.6, 0.7, 0.8], 3)
    L[:, 0] = np.where(L[:, 0] == 1, 1, -1)
    model = cs.LabelModel().fit(matrix(L, 3))
    whole = model.explain(matrix(np.vstack([L, [[2, -1, -1]]]), 3))  # a vote never seen
    some = model.explain(matrix(L[7:30], 3))
    inside = (whole.rows >= 7) & (whole.rows < 30)
    assert whole.evidence[inside].tobytes() == some.evidence.tobytes()
    assert whole.prior[7:30].tobytes() == some.prior.tobytes()


# --- bytes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [cs.LabelModel, lambda: cs.DawidSkene(max_iter=3)])
def test_same_bytes_on_any_thread_count(make, large):
    model = make().fit(large)
    want = [array.tobytes() for array in model.explain(large)]
    for n_threads in THREADS:
        got = model.explain(large, n_threads=n_threads)
        assert [array.tobytes() for array in got] == want


@pytest.mark.parametrize("make", EXPLAIN)
def test_a_loaded_model_explains_the_same(make, tmp_path):
    model = make().fit(matrix(SMALL))
    model.save(tmp_path / "model.json")
    loaded = type(model).load(tmp_path / "model.json")
    for L in (matrix(SMALL), matrix([[-1, 0, 0]], 2)):
        for one, other in zip(model.explain(L), loaded.explain(L), strict=True):
            assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("make", EXPLAIN)
def test_explaining_changes_no_prediction(make):
    model = make().fit(matrix(SMALL))
    before = model.predict_proba(matrix(SMALL)).tobytes()
    got = model.explain(matrix([[-1, 0, 0]], 2))
    got.evidence[:], got.prior[:] = 7, 7
    assert model.predict_proba(matrix(SMALL)).tobytes() == before
    assert_adds_up(model, SMALL, 2)


# --- edges --------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", EXPLAIN)
def test_all_abstain_has_no_evidence(make):
    none = np.full((4, 3), -1)
    for model in (make().fit(matrix(SMALL)), make().fit(matrix(none, 2))):
        got = assert_adds_up(model, none, 2)
        assert got.evidence.shape == (0, 2)
        assert [got.of_row(i) for i in range(4)] == [[], [], [], []]
        assert_adds_up(model, SMALL, 2)


@pytest.mark.parametrize("make", EXPLAIN)
def test_no_rows(make):
    got = make().fit(matrix(SMALL)).explain(matrix(SMALL)[:0])
    assert [len(array) for array in got] == [0] * 5
    assert got.evidence.shape == got.prior.shape == (0, 2)
    with pytest.raises((IndexError, ValueError)):
        got.of_row(0)


@pytest.mark.parametrize("kind", [cs.LabelModel, cs.DawidSkene, cs.MomentModel])
def test_one_class(kind):
    L = [[0, -1, 0], [0, 0, 0], [-1, -1, -1]]
    got = assert_adds_up(kind().fit(matrix(L, 1)), L, 1)
    assert got.evidence.shape == (5, 1)


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", EXPLAIN)
def test_asks_for_fit_first(make):
    with pytest.raises(NotFittedError, match="is not fitted yet; call fit first"):
        make().explain(matrix(SMALL))


@pytest.mark.parametrize("make", EXPLAIN)
def test_rejects_other_matrices(make):
    model = make().fit(matrix(SMALL))
    with pytest.raises(ValueError, match=r"cardinality that the model was fitted on, 2, got 3"):
        model.explain(matrix(SMALL, 3))
    with pytest.raises(ValueError, match=r"number of LFs that .* fitted on, 3, got 2"):
        model.explain(matrix([[0, 1]]))
    with pytest.raises(TypeError, match=r"L must be a LabelMatrix"):
        model.explain(np.array(SMALL))
    with pytest.raises(ValueError, match=r"n_threads must be .*, got 0"):
        model.explain(matrix(SMALL), n_threads=0)


@pytest.mark.parametrize("k", [1, 3])
def test_triplet_model_explains_two_classes_only(k):
    L = matrix(np.minimum(SMALL, k - 1), k)
    with pytest.raises(ValueError, match="two classes"):
        cs.TripletModel().fit(L).explain(L)


# --- intervals of accuracies --------------------------------------------------------------------


def wilson(p, n):
    """Return the roots x of (x - p)^2 = z^2 x (1 - x) / n, (m, 2)."""
    p, n = np.asarray(p, dtype=float), np.asarray(n, dtype=float)
    middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    return np.stack([middle - half, middle + half], axis=1)


def assert_intervals(model, L):
    intervals, p = model.lf_accuracy_intervals_, model.lf_accuracies_
    n = (L >= 0).sum(axis=0)
    some = n > 0
    assert intervals.shape == (L.shape[1], 2)
    assert intervals.dtype == np.float64
    assert np.isnan(intervals[~some]).all()
    low, high = intervals[some].T
    assert (low >= 0).all()
    assert (high <= 1).all()
    assert (low <= p[some] + 1e-12).all()
    assert (high >= p[some] - 1e-12).all()
    np.testing.assert_allclose(intervals[some], wilson(p[some], n[some]), atol=1e-9)


@settings(max_examples=40)
@given(problems())
def test_intervals_are_wilsons(p):
    model = cs.LabelModel(class_balance=p.balance, anchor=p.anchor)
    assert_intervals(model.fit(matrix(p.L, p.k, p.polarity), p.y), p.L)


def test_intervals_worked_by_hand():
    y = np.arange(100) % 2
    L = np.full((100, 5), -1)
    L[:10, 0] = np.where(np.arange(10) < 8, y[:10], 1 - y[:10])  # 8 of 10 right
    L[:, 1] = np.where(np.arange(100) < 50, y, 1 - y)  # 50 of 100
    L[:10, 2] = y[:10]  # 10 of 10
    L[:10, 3] = 1 - y[:10]  # none of 10
    model = cs.LabelModel().fit(matrix(L), y)
    np.testing.assert_allclose(model.lf_accuracies_, [0.8, 0.5, 1, 0, np.nan], atol=1e-12)
    want = [[0.490162, 0.943318], [0.403832, 0.596168], [0.722467, 1], [0, 0.277533], [np.nan] * 2]
    np.testing.assert_allclose(model.lf_accuracy_intervals_, want, atol=2e-6)
    assert_intervals(model, L)
    for j, (low, high) in enumerate(model.lf_accuracy_intervals_[:4]):  # to the last bit
        assert 0 <= low <= model.lf_accuracies_[j] <= high <= 1


def test_copies_leave_the_number_of_votes_as_it_is():
    L, _ = label_model_reference.planted_votes(400, [0.7] * 5)
    L = np.hstack([L, L[:, [4]]])
    model = cs.LabelModel().fit(matrix(L))
    assert model.lf_weights_[5] < 1
    assert_intervals(model, L)


def test_more_votes_make_narrower_intervals():
    L, _ = label_model_reference.planted_votes(50, [0.6, 0.7, 0.8])
    widths = [
        np.diff(cs.LabelModel().fit(matrix(np.tile(L, (repeats, 1)))).lf_accuracy_intervals_)
        for repeats in (1, 4, 16)
    ]
    assert (widths[0] > 1.5 * widths[1]).all()
    assert (widths[1] > 1.5 * widths[2]).all()


def test_a_loaded_model_has_the_same_intervals(tmp_path):
    L, _ = label_model_reference.planted_votes(50, [0.6, 0.7, 0.8], 3)
    L[:, 0] = -1
    model = cs.LabelModel().fit(matrix(L, 3))
    model.save(tmp_path / "model.json")
    loaded = cs.LabelModel.load(tmp_path / "model.json")
    np.testing.assert_array_equal(loaded.lf_accuracy_intervals_, model.lf_accuracy_intervals_)


@pytest.mark.parametrize("L", [np.full((2, 2), -1), np.empty((5, 0), int)])
def test_lfs_without_votes_have_no_interval(L):
    model = cs.LabelModel().fit(matrix(L, 3))
    assert model.lf_accuracy_intervals_.shape == (L.shape[1], 2)
    assert np.isnan(model.lf_accuracy_intervals_).all()


def test_probabilities_stay_where_evidence_is_strong():
    L = matrix(np.tile([[1] * 30, [0] * 30], (200, 1)))
    model = cs.DawidSkene().fit(L)  # 30 votes of odds 20,000 to 1: e^300
    got = model.explain(L)
    z = got.prior.copy()
    np.add.at(z, got.rows, got.evidence)
    np.testing.assert_allclose(softmax(z), model.predict_proba(L), atol=ULP)
    assert np.abs(z[:, 1] - z[:, 0]).min() > 100
