"""LabelModel: the equations, what must not matter, what it learns, edges."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import coverset as cs
import label_model_reference as reference
from coverset import _cpu
from coverset.label_model.models import anchored
from label_model_examples import ULP, assert_same_as_reference, matrix, problems

# --- the recipe ---------------------------------------------------------------------------------


@given(problems())
def test_equals_the_equations(p):
    assert_same_as_reference(p)


@given(problems(kinds=("unipolar",)))
def test_equals_the_equations_on_unipolar_lfs(p):
    assert_same_as_reference(p)


@given(problems(kinds=("annotator",)))
def test_equals_the_equations_on_annotators(p):
    assert_same_as_reference(p)


@given(problems(), st.data())
def test_votes_never_seen_in_fit_have_prior_weight(p, data):
    votes = hnp.arrays(np.int64, (8, p.L.shape[1]), elements=st.integers(-1, p.k - 1))
    assert_same_as_reference(p, data.draw(votes))


@pytest.mark.parametrize("k", [2, 3, 4, 6, 8, 9, 17, 25, 32, 33, 70])  # every width of a kernel
@pytest.mark.parametrize("with_gold", [False, True])
def test_equals_the_equations_on_a_larger_matrix(k, with_gold):
    L, truth = reference.planted_votes(400, np.linspace(0.4, 0.9, 12), k, 0.4, seed=k)
    L[:, :6] = np.where(L[:, :6] == np.arange(6) % k, L[:, :6], -1)  # half are unipolar
    y = np.where(np.arange(400) % 7, -1, truth) if with_gold else None
    p = SimpleNamespace(L=L, k=k, y=y, balance=None, polarity=None, anchor=0.5)
    assert_same_as_reference(p)


def test_repeated_rows_count_as_often_as_they_occur():
    L, _ = reference.planted_votes(40, [0.6, 0.7, 0.8, 0.9], 3, 0.6)
    for repeats in (1, 7):
        rows = np.repeat(L, repeats, axis=0)
        p = SimpleNamespace(L=rows, k=3, y=None, balance=None, polarity=None, anchor=0.5)
        model = assert_same_as_reference(p)
        assert model.n_patterns_ == len(np.unique(L, axis=0))


def test_declared_polarity_settles_what_an_lf_is():
    L = np.array([[1, 1, 0], [0, 0, -1], [1, -1, 0], [0, 1, 0], [1, 1, -1], [0, 0, 0]])
    inferred = reference.annotators(L, 2)
    assert inferred.tolist() == [True, True, True]  # the last has one class by chance
    declared = [None, None, [0]]
    assert reference.annotators(L, 2, declared).tolist() == [True, True, False]
    proba = []
    for polarity in (None, declared):
        p = SimpleNamespace(L=L, k=2, y=None, balance=None, polarity=polarity, anchor=0.5)
        proba.append(assert_same_as_reference(p).predict_proba(matrix(L, 2)))
    assert np.abs(proba[0] - proba[1]).max() > 1e-3


def test_single_class_voter_among_annotators_is_unipolar_where_chance_is_below_a_thousandth():
    rng = np.random.default_rng(0)
    L = rng.integers(0, 2, (60, 6))
    for votes in (5, 30):  # .5 ** 5 and .5 ** 30
        L[:, 5] = np.where(np.arange(60) < votes, 1, -1)
        assert reference.annotators(L, 2)[5] == (votes == 5)
        p = SimpleNamespace(L=L, k=2, y=None, balance=None, polarity=None, anchor=0.5)
        assert_same_as_reference(p)


def test_worked_by_hand_one_vote():
    # no pairs: alpha nan, rho 0, kappa 50. B = mv = post of the start: class 1, so mass is
    # (1 + 1, 0 + 1) / (1 + 2); prior (1/3, 4 * 2/3) / 3 = (1/9, 8/9)
    model = cs.LabelModel(anchor=1.0).fit(matrix([[1]]))
    np.testing.assert_allclose(model.class_balance_, [1 / 3, 2 / 3])
    q = (np.array([0, 1]) + 51 * np.array([1 / 9, 8 / 9])) / 52
    odds = q / [1 / 3, 2 / 3]
    np.testing.assert_allclose(model.predict_proba(matrix([[1]]))[0], odds / odds.sum(), atol=ULP)
    assert np.isnan(model.reliability_)
    np.testing.assert_allclose(model.lf_accuracies_, [odds[1] / odds.sum()], atol=ULP)


# --- what must not matter -----------------------------------------------------------------------


@given(problems(), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(p, random):
    order = random.sample(range(len(p.L)), len(p.L))
    y = None if p.y is None else p.y[order]
    options = {"class_balance": p.balance, "anchor": p.anchor}
    L, shuffled = matrix(p.L, p.k, p.polarity), matrix(p.L[order], p.k, p.polarity)
    one, other = cs.LabelModel(**options).fit(L, p.y), cs.LabelModel(**options).fit(shuffled, y)
    np.testing.assert_allclose(one.class_balance_, other.class_balance_, atol=1e-9)
    np.testing.assert_allclose(one.lf_accuracies_, other.lf_accuracies_, atol=1e-9)
    assert one.n_iter_ == other.n_iter_
    assert one.n_patterns_ == other.n_patterns_
    np.testing.assert_allclose(one.predict_proba(L)[order], other.predict_proba(shuffled), atol=ULP)


def test_names_of_classes_and_lfs_do_not_matter():
    L, _ = reference.planted_votes(300, [0.5, 0.6, 0.7, 0.8, 0.9], 4, 0.6)
    L[:, 0] = np.where(L[:, 0] == 2, 2, -1)
    classes, lfs = np.array([2, 0, 3, 1]), [3, 1, 4, 0, 2]
    renamed = np.where(L >= 0, classes[L], -1)[:, lfs]
    one, other = cs.LabelModel().fit(matrix(L, 4)), cs.LabelModel().fit(matrix(renamed, 4))
    np.testing.assert_allclose(one.lf_accuracies_[lfs], other.lf_accuracies_, atol=1e-9)
    np.testing.assert_allclose(
        one.predict_proba(matrix(L, 4)),
        other.predict_proba(matrix(renamed, 4))[:, classes],
        atol=2 * ULP,
    )


def test_rows_without_votes_teach_nothing():
    L, _ = reference.planted_votes(50, [0.6, 0.7, 0.8], 2, 0.9)
    L = L[(L >= 0).any(axis=1)]
    padded = np.vstack([L, np.full((500, 3), -1)])
    one, other = cs.LabelModel().fit(matrix(L)), cs.LabelModel().fit(matrix(padded))
    np.testing.assert_array_equal(one.class_balance_, other.class_balance_)
    np.testing.assert_array_equal(one.lf_accuracies_, other.lf_accuracies_)
    assert other.n_patterns_ == one.n_patterns_ + 1


def test_gold_that_is_unknown_everywhere_is_no_gold():
    L, _ = reference.planted_votes(60, [0.6, 0.7, 0.8], 3)
    one = cs.LabelModel().fit(matrix(L, 3)).predict_proba(matrix(L, 3))
    other = cs.LabelModel().fit(matrix(L, 3), np.full(60, -1)).predict_proba(matrix(L, 3))
    assert one.tobytes() == other.tobytes()


def test_a_row_does_not_depend_on_the_others_in_the_call():
    L, _ = reference.planted_votes(200, [0.6, 0.7, 0.8], 3)
    L[:, 0] = np.where(L[:, 0] == 1, 1, -1)
    model = cs.LabelModel().fit(matrix(L, 3))
    whole = model.predict_proba(matrix(np.vstack([L, [[2, -1, -1]]]), 3))  # a vote never seen
    assert whole[:200].tobytes() == model.predict_proba(matrix(L, 3)).tobytes()
    assert whole[17:19].tobytes() == model.predict_proba(matrix(L[17:19], 3)).tobytes()


# --- bytes --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many_patterns():
    L, y = reference.planted_votes(20_000, np.linspace(0.5, 0.9, 10), 3, 0.7, seed=5)
    L[:, 0] = np.where(L[:, 0] == 2, 2, -1)
    return matrix(L, 3), np.where(np.arange(20_000) % 11, -1, y)


def outcome(L, y, solver, n_threads, seed=0):
    model = cs.LabelModel(solver=solver, max_iter=4, seed=seed).fit(L, y, n_threads=n_threads)
    facts = (model.class_balance_.tobytes(), model.lf_accuracies_.tobytes(), model.n_iter_)
    return (*facts, model.predict_proba(L, n_threads=n_threads).tobytes())


@pytest.mark.parametrize("solver", ["em", "sgd"])
def test_same_bytes_on_any_thread_count(many_patterns, monkeypatch, solver):
    monkeypatch.setattr(anchored, "_BATCH_PATTERNS", 2048)
    one = outcome(*many_patterns, solver, 1)
    assert outcome(*many_patterns, solver, 1) == one
    assert outcome(*many_patterns, solver, 2) == one
    assert outcome(*many_patterns, solver, 7) == one


@pytest.mark.parametrize("solver", ["em", "sgd"])
def test_same_bytes_on_any_simd_level(simd_level, many_patterns, monkeypatch, solver):
    monkeypatch.setattr(anchored, "_BATCH_PATTERNS", 2048)
    assert _cpu.simd_level() == simd_level
    here = outcome(*many_patterns, solver, None)
    _cpu.force_simd_level(_cpu.simd_levels()[0])
    assert outcome(*many_patterns, solver, None) == here


def test_fitting_again_forgets_the_first_fit():
    L, _ = reference.planted_votes(100, [0.6, 0.7, 0.8], 2)
    other, _ = reference.planted_votes(100, [0.9, 0.5], 3, seed=1)
    model = cs.LabelModel().fit(matrix(other, 3)).fit(matrix(L))
    fresh = cs.LabelModel().fit(matrix(L))
    assert model.predict_proba(matrix(L)).tobytes() == fresh.predict_proba(matrix(L)).tobytes()


# --- minibatches --------------------------------------------------------------------------------


def test_auto_takes_minibatches_above_its_limit_of_patterns(monkeypatch):
    L, _ = reference.planted_votes(100, [0.6, 0.7, 0.8], 2)
    assert cs.LabelModel().fit(matrix(L)).solver_ == "em"
    monkeypatch.setattr(anchored, "_AUTO_PATTERNS", 3)
    assert cs.LabelModel().fit(matrix(L)).solver_ == "sgd"


def test_seed_orders_the_minibatches(many_patterns, monkeypatch):
    monkeypatch.setattr(anchored, "_BATCH_PATTERNS", 64)
    zero, one = (outcome(*many_patterns, "sgd", None, seed) for seed in (0, 1))
    assert zero == outcome(*many_patterns, "sgd", None, 0)
    assert zero != one
    assert outcome(*many_patterns, "em", None, 0) == outcome(*many_patterns, "em", None, 1)


@pytest.mark.parametrize("unipolar", [False, True])
def test_minibatches_end_near_full_passes(monkeypatch, unipolar):
    monkeypatch.setattr(anchored, "_BATCH_PATTERNS", 64)
    L, _ = reference.planted_votes(20_000, np.linspace(0.55, 0.95, 10))
    if unipolar:
        L = np.where(np.arange(10) % 2 == L, L, -1)
    L = matrix(L, 2)
    em = cs.LabelModel(solver="em").fit(L).predict_proba(L)
    sgd = cs.LabelModel(solver="sgd").fit(L).predict_proba(L)
    # 13,000 patterns: the last of 5,000 steps has size 5000^-.6 = .006, so that the sums follow
    # the last 170 batches, 11,000 patterns: a standard error of about 1 % of each sum
    print(f"max {np.abs(em - sgd).max():.4f}, mean {np.abs(em - sgd).mean():.4f}")
    assert np.abs(em - sgd).max() < 0.04
    assert np.abs(em - sgd).mean() < 0.006


def test_one_batch_of_everything_is_full_passes(many_patterns, monkeypatch):
    monkeypatch.setattr(anchored, "_BATCH_PATTERNS", 20_000)
    assert outcome(*many_patterns, "sgd", None) == outcome(*many_patterns, "em", None)


# --- what it learns -----------------------------------------------------------------------------


def test_beats_majority_vote_and_ranks_planted_accuracies():
    accuracies = np.linspace(0.55, 0.95, 10)
    L, y = reference.planted_votes(5_000, accuracies, seed=3)
    L = matrix(L)
    model = cs.LabelModel().fit(L)
    majority = np.mean(
        [
            cs.MajorityVote(seed=s).fit(L).score(L, y, tie_break_policy="random") for s in range(5)
        ]  # .92
    )
    assert model.score(L, y) > majority + 0.02
    assert np.argsort(model.lf_accuracies_).tolist() == list(range(10))


def test_lfs_worse_than_chance_do_not_flip_labels():
    L, y = reference.planted_votes(4_000, [0.8] * 7 + [0.2] * 3, coverage=0.8, seed=1)
    L = matrix(L)
    model = cs.LabelModel().fit(L)
    assert model.score(L, y) > 0.95  # majority vote: .79
    assert model.lf_accuracies_[7:].max() < 0.5 < model.lf_accuracies_[:7].min()


def test_gold_alone_gives_each_lf_its_share_of_right_votes():
    L, y = reference.planted_votes(500, [0.3, 0.6, 0.9], 3)
    model = cs.LabelModel().fit(matrix(L, 3), y)
    right = [(column[column >= 0] == y[column >= 0]).mean() for column in L.T]
    np.testing.assert_allclose(model.lf_accuracies_, right, atol=1e-12)


def test_rows_without_votes_get_the_given_balance():
    L = matrix([[1, 0], [-1, -1], [1, 1]])
    proba = cs.LabelModel(class_balance=[0.9, 0.1]).fit(L).predict_proba(L)
    np.testing.assert_allclose(proba[1], [0.9, 0.1], atol=ULP)


# --- edges --------------------------------------------------------------------------------------


def test_all_abstain_is_uniform_and_warns_of_nothing():
    L = matrix(np.full((4, 3), -1), 3)
    model = cs.LabelModel().fit(L)
    np.testing.assert_allclose(model.predict_proba(L), 1 / 3, atol=ULP)
    assert model.predict(L).tolist() == [-1] * 4
    assert model.predict(L, "lowest").tolist() == [0] * 4
    np.testing.assert_allclose(model.class_balance_, 1 / 3)
    assert np.isnan(model.lf_accuracies_).all()
    assert np.isnan(model.reliability_)
    assert model.n_patterns_ == 1


def test_one_row_and_one_lf():
    model = cs.LabelModel().fit(matrix([[1]]))
    assert model.predict(matrix([[1], [0], [-1]])).tolist() == [1, 0, -1]


def test_one_class():
    L = matrix([[0, -1], [0, 0], [-1, -1]], 1)
    for model in (cs.LabelModel().fit(L), cs.LabelModel(class_balance=[1.0]).fit(L, [0, -1, -1])):
        assert model.predict_proba(L).tolist() == [[1], [1], [1]]
        assert model.predict(L).tolist() == [0, 0, -1]
        assert np.isnan(model.reliability_)


def test_no_lfs():
    L = matrix(np.empty((5, 0), int), 3)
    model = cs.LabelModel().fit(L)
    np.testing.assert_allclose(model.predict_proba(L), 1 / 3, atol=ULP)
    assert model.lf_accuracies_.shape == (0,)


@pytest.mark.parametrize("solver", ["em", "sgd"])
def test_no_rows(solver):
    script = f"""
import coverset as cs
L = cs.LabelMatrix.from_csr([0], [], [], n_lfs=3, cardinality=2)
model = cs.LabelModel(solver={solver!r}).fit(L, [])
assert model.predict_proba(L).shape == (0, 2)
assert model.predict(L).tolist() == []
assert model.n_patterns_ == 0
assert model.class_balance_.tolist() == [0.5, 0.5]
"""  # in a process of its own, so that a crash costs one test
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_predicting_no_rows():
    L = matrix([[0, 1], [1, 1]])
    model = cs.LabelModel().fit(L)
    assert model.predict_proba(L[:0]).shape == (0, 2)
    assert model.predict(L[:0]).shape == (0,)


def test_a_class_without_votes_is_possible_and_unlikely():
    L, _ = reference.planted_votes(200, [0.7, 0.8, 0.9], 2)
    model = cs.LabelModel().fit(matrix(L, 3))
    proba = model.predict_proba(matrix(L, 3))
    covered = (L >= 0).any(axis=1)
    assert (proba > 0).all()
    assert proba[covered, 2].max() < 0.1
    assert model.classes_.tolist() == [0, 1, 2]


def test_ties_follow_the_policy():
    L = matrix([[0, 1], [0, 1], [1, 0], [1, 0], [-1, -1]])
    model = cs.LabelModel().fit(L)
    np.testing.assert_allclose(model.predict_proba(L), 0.5, atol=ULP)
    assert model.predict(L).tolist() == [-1] * 5
    assert model.predict(L, "lowest").tolist() == [0] * 5
    drawn = model.predict(L, "random")
    assert drawn.tolist() == model.predict(L, "random").tolist()
    assert set(drawn.tolist()) <= {0, 1}


def test_max_iter_bounds_the_passes():
    L, _ = reference.planted_votes(100, [0.6, 0.7, 0.8], 2)
    for passes in (1, 3):
        model = cs.LabelModel(max_iter=passes, tol=0).fit(matrix(L))
        assert model.n_iter_ == passes
        want = reference.fit(L, 2, max_iter=passes, tol=0)
        np.testing.assert_allclose(model.class_balance_, want.mass, atol=1e-9)
