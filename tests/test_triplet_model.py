"""TripletModel: the equations, what must not matter, what it learns, edges, errors, files."""

import copy
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import coverset as cs
import triplet_reference as reference
from coverset import _cpu
from coverset._not_fitted import NotFittedError
from examples import THREADS
from label_model_examples import ULP, matrix, problems
from label_model_reference import planted_votes

SMALL = [[0, 1, -1], [0, 0, 1], [1, 1, 1]]
NAN = float("nan")
# rows by which LF differs from the other two: 8 none, 3 the last, 3 the middle, 2 the first;
# M_01 = M_02 = (11 - 5) / 16 = 3/8, M_12 = (10 - 6) / 16 = 1/4: a = (3/4, 1/2, 1/2)
WORKED = np.array([[1, 1, 1]] * 8 + [[1, 1, 0]] * 3 + [[0, 1, 0]] * 3 + [[1, 0, 0]] * 2)


def assert_same_as_reference(L, k, balance=None, unseen=None):
    model = cs.TripletModel(class_balance=balance).fit(matrix(L, k))
    want = reference.fit(L, k, balance)
    assert model.class_accuracies_.shape == (np.shape(L)[1], k)
    np.testing.assert_allclose(model.class_accuracies_, want.accuracies, atol=1e-9)
    if k == 2:
        np.testing.assert_array_equal(model.lf_accuracies_, model.class_accuracies_[:, 1])
    for votes in (L, L if unseen is None else unseen):
        proba = model.predict_proba(matrix(votes, k))
        assert proba.dtype == np.float32
        np.testing.assert_allclose(proba, reference.predict_proba(want, votes), atol=1e-6)
        np.testing.assert_allclose(proba.sum(axis=1, dtype=float), 1, atol=ULP * k)
    return model


def padded(L):
    """Return votes of at least three LFs: LFs that never vote are added."""
    return np.pad(L, ((0, 0), (0, max(3 - L.shape[1], 0))), constant_values=-1)


# --- the equations ------------------------------------------------------------------------------


@given(problems())
def test_equals_the_equations(p):
    assert_same_as_reference(padded(p.L), p.k, p.balance)


@given(problems(kinds=("annotator",)), st.data())
def test_equals_the_equations_on_rows_that_it_has_not_seen(p, data):
    L = padded(p.L)
    votes = hnp.arrays(np.int64, (8, L.shape[1]), elements=st.integers(-1, p.k - 1))
    assert_same_as_reference(L, p.k, p.balance, data.draw(votes))


@pytest.mark.parametrize("k", [2, 3, 6])
@pytest.mark.parametrize("coverage", [0.1, 0.6, 1.0])
def test_equals_the_equations_on_a_larger_matrix(k, coverage):
    L, _ = planted_votes(500, np.linspace(0.4, 0.9, 9), k, coverage, seed=k)
    assert_same_as_reference(L, k)


def test_worked_by_hand_two_classes():
    model = assert_same_as_reference(WORKED, 2)
    np.testing.assert_allclose(model.lf_accuracies_, [7 / 8, 3 / 4, 3 / 4], rtol=1e-12)
    # odds of the LFs: 7, 3, 3
    L = matrix([[1, 0, 0], [1, 1, 0], [1, 1, 1], [0, -1, -1], [-1, 0, 1], [-1, -1, -1]])
    want = np.array([7 / 16, 7 / 8, 63 / 64, 1 / 8, 1 / 2, 1 / 2])
    np.testing.assert_allclose(model.predict_proba(L)[:, 1], want, atol=ULP)
    model = cs.TripletModel(class_balance=[1 / 4, 3 / 4]).fit(matrix(WORKED))
    odds = 3 * want / (1 - want)
    np.testing.assert_allclose(model.predict_proba(L)[:, 1], odds / (1 + odds), atol=ULP)


def test_worked_by_hand_three_classes():
    model = assert_same_as_reference(WORKED, 3)
    np.testing.assert_allclose(model.class_accuracies_[:, 0], [7 / 8, 3 / 4, 3 / 4], rtol=1e-12)
    np.testing.assert_allclose(model.class_accuracies_[:, 1], [7 / 8, 3 / 4, 3 / 4], rtol=1e-12)
    np.testing.assert_allclose(model.class_accuracies_[:, 2], (1 + 0.999999) / 2, rtol=1e-12)
    # (1, 0, 0): class 1 has 7/9 to 1, class 0 has 9/7, class 2 none; prior odds 1/2
    q = np.array([(9 / 14) / (1 + 9 / 14), (7 / 18) / (1 + 7 / 18), 0])
    proba = model.predict_proba(matrix([[1, 0, 0]], 3))
    np.testing.assert_allclose(proba[0], q / q.sum(), atol=1e-6)


def test_pairs_count_only_rows_where_both_vote():
    halves = np.vstack([WORKED, WORKED])
    split = np.vstack([halves, np.full((40, 3), -1)])
    split[32:40, 0] = 1  # alone in its rows
    want = cs.TripletModel().fit(matrix(WORKED)).lf_accuracies_
    got = cs.TripletModel().fit(matrix(split)).lf_accuracies_
    np.testing.assert_array_equal(got, want)


def test_an_lf_without_a_triplet_has_no_evidence():
    L = np.pad(WORKED, ((0, 4), (0, 1)), constant_values=-1)
    L[-2:, 3] = 1  # with nobody
    model = assert_same_as_reference(L, 2)
    np.testing.assert_allclose(model.lf_accuracies_, [7 / 8, 3 / 4, 3 / 4, 1 / 2], rtol=1e-12)
    np.testing.assert_allclose(model.predict_proba(matrix([[-1, -1, -1, 1]])), 0.5, atol=ULP)
    L[-4, [0, 3]] = 1  # one pair is no triplet
    assert assert_same_as_reference(L, 2).lf_accuracies_[3] == 0.5


def test_a_pair_that_agrees_by_chance_divides_nothing():
    L = np.array([[1, 1, 1], [1, 0, 1], [0, 1, 0], [1, 0, 1]])
    model = assert_same_as_reference(L, 2)
    M = reference.agreement(reference.signs(L, 1))
    assert (M[0, 1], M[0, 2], M[1, 2]) == (-0.5, 1, -0.5)
    L = np.array([[1, 1, 1], [1, 0, 1]])  # M_01 = M_12 = 0: LF 1 has 0 * 0 / 1, others none
    model = assert_same_as_reference(L, 2)
    assert model.lf_accuracies_.tolist() == [0.5, 0.5, 0.5]


def test_lfs_that_always_agree_are_not_certain():
    L = np.array([[1, 1, 1, 1], [0, 0, 0, 0]])
    model = assert_same_as_reference(L, 2)
    np.testing.assert_allclose(model.lf_accuracies_, (1 + 0.999999) / 2, rtol=1e-12)


# --- what must not matter -----------------------------------------------------------------------


def test_names_of_classes_and_lfs_do_not_matter():
    L, _ = planted_votes(300, [0.5, 0.6, 0.7, 0.8, 0.9], 4, 0.6)
    classes, lfs = np.array([2, 0, 3, 1]), [3, 1, 4, 0, 2]
    renamed = np.where(L >= 0, classes[L], -1)[:, lfs]
    one, other = cs.TripletModel().fit(matrix(L, 4)), cs.TripletModel().fit(matrix(renamed, 4))
    np.testing.assert_allclose(
        one.class_accuracies_[lfs], other.class_accuracies_[:, classes], atol=1e-9
    )
    proba = other.predict_proba(matrix(renamed, 4))[:, classes]
    np.testing.assert_allclose(one.predict_proba(matrix(L, 4)), proba, atol=1e-6)


def test_rows_without_votes_teach_nothing():
    more = np.vstack([np.full((500, 3), -1), WORKED])
    one, other = cs.TripletModel().fit(matrix(WORKED)), cs.TripletModel().fit(matrix(more))
    assert facts(one, matrix(WORKED)) == facts(other, matrix(WORKED))


def test_a_row_does_not_depend_on_the_others_in_the_call():
    L, _ = planted_votes(200, [0.6, 0.7, 0.8], 3)
    model = cs.TripletModel().fit(matrix(L, 3))
    whole = model.predict_proba(matrix(L, 3))
    assert whole[17:19].tobytes() == model.predict_proba(matrix(L[17:19], 3)).tobytes()


# --- bytes --------------------------------------------------------------------------------------


def facts(model, L, n_threads=None):
    proba = model.predict_proba(L, n_threads=n_threads)
    return model.class_accuracies_.tobytes(), proba.tobytes()


@pytest.fixture(scope="module", params=[2, 3])
def many(request):
    L, _ = planted_votes(20_000, np.linspace(0.5, 0.9, 8), request.param, 0.6, seed=5)
    L[::50] = -1
    return matrix(L, request.param)


def test_same_bytes_on_any_thread_count(many):
    got = [facts(cs.TripletModel().fit(many, n_threads=t), many, t) for t in THREADS]
    assert got[0] == got[1] == got[2]


def test_same_bytes_on_any_simd_level(simd_level, many):
    assert _cpu.simd_level() == simd_level
    here = facts(cs.TripletModel().fit(many), many)
    _cpu.force_simd_level(_cpu.simd_levels()[0])
    assert facts(cs.TripletModel().fit(many), many) == here


def test_same_bytes_for_rows_in_any_order(many):
    order = np.random.default_rng(0).permutation(len(many))
    one, other = cs.TripletModel().fit(many), cs.TripletModel().fit(many[order])
    assert facts(one, many) == facts(other, many)


def test_same_bytes_for_any_split_of_the_rows(many):
    whole = facts(cs.TripletModel().fit(many), many)
    parts = [slice(7000, None), slice(1, 7000), slice(3, 3), slice(0, 1)]
    one = cs.TripletModel()
    for part in parts:
        assert one.partial_fit(many[part]) is one
    assert facts(one, many) == whole
    a, b, c, d = (cs.TripletModel().fit(many[part]) for part in parts)
    before = facts(c, many)
    assert d.merge(a.merge(c)).merge(b) is d
    assert facts(d, many) == whole
    assert facts(c, many) == before


def test_fitting_in_parts_and_merging_go_together():
    L, _ = planted_votes(90, [0.5, 0.6, 0.7, 0.8], 3)
    L = matrix(L, 3)
    model = cs.TripletModel().fit(L[:30]).partial_fit(L[30:50])
    model.merge(cs.TripletModel().fit(L[70:])).partial_fit(L[50:70])
    assert facts(model, L) == facts(cs.TripletModel().fit(L), L)


def test_merging_a_copy_changes_no_share():
    L, _ = planted_votes(60, [0.5, 0.6, 0.7], 2)
    model = cs.TripletModel().fit(matrix(L))
    before = model.class_accuracies_.copy()
    model.merge(copy.deepcopy(model))
    np.testing.assert_allclose(model.class_accuracies_, before, atol=1e-12)


def test_fitting_again_forgets_the_first_fit():
    L = matrix(WORKED)
    other, _ = planted_votes(100, [0.9, 0.5, 0.6, 0.7], 3, seed=1)
    model = cs.TripletModel().partial_fit(matrix(other, 3)).fit(L)
    assert facts(model, L) == facts(cs.TripletModel().fit(L), L)


# --- what it learns -----------------------------------------------------------------------------


@pytest.mark.parametrize("coverage", [0.6, 1.0])
def test_finds_planted_accuracies(coverage):
    accuracies = [0.6, 0.7, 0.75, 0.8, 0.9]
    L, y = planted_votes(20_000, accuracies, 2, coverage, seed=2)
    model = cs.TripletModel().fit(matrix(L))
    print(np.round(model.lf_accuracies_, 3))
    np.testing.assert_allclose(model.lf_accuracies_, accuracies, atol=0.03)
    majority = cs.MajorityVote().fit(matrix(L)).score(matrix(L), y)
    assert model.score(matrix(L), y) > majority


# --- edges --------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [2, 3])
def test_all_abstain(k):
    L = np.full((4, 3), -1)
    model = assert_same_as_reference(L, k)
    np.testing.assert_array_equal(model.class_accuracies_, 0.5)
    np.testing.assert_allclose(model.predict_proba(matrix(L, k)), 1 / k, atol=ULP)
    assert model.predict(matrix(L, k)).tolist() == [-1] * 4


@pytest.mark.parametrize("balance", [[0.9, 0.1], [0.5, 0.3, 0.2]])
def test_rows_without_votes_have_the_balance(balance):
    k = len(balance)
    model = cs.TripletModel(class_balance=balance).fit(matrix(WORKED, k))
    proba = model.predict_proba(matrix([[-1, -1, -1]], k))
    np.testing.assert_allclose(proba, [balance], atol=ULP)


def test_one_class():
    L = matrix([[0, -1, 0], [0, 0, 0], [-1, -1, -1]], 1)
    assert cs.TripletModel().fit(L).predict_proba(L).tolist() == [[1], [1], [1]]


def test_no_rows():
    L = matrix(np.empty((0, 3), int), 3)
    model = cs.TripletModel().fit(L)
    assert model.predict_proba(L).shape == (0, 3)
    np.testing.assert_array_equal(model.class_accuracies_, 0.5)


def test_many_certain_lfs_that_differ_do_not_underflow():
    m = 165  # 55 votes for each class, 110 against it, of 14.5 each: exp(-797) is no float64
    model = cs.TripletModel().fit(matrix(np.repeat(np.arange(3)[:, None], m, axis=1), 3))
    proba = model.predict_proba(matrix([np.arange(m) % 3, np.zeros(m, dtype=int)], 3))
    np.testing.assert_allclose(proba[0], 1 / 3, atol=1e-6)
    np.testing.assert_allclose(proba[1], [1, 0, 0], atol=1e-6)


def test_ties_follow_the_policy():
    model = cs.TripletModel().fit(matrix(WORKED))
    L = matrix([[-1, 0, 1], [-1, 1, 0], [-1, -1, -1]])
    assert model.predict(L).tolist() == [-1, -1, -1]
    assert model.predict(L, "lowest").tolist() == [0, 0, 0]
    assert set(model.predict(L, "random").tolist()) <= {0, 1}


# --- errors, parameters, files ------------------------------------------------------------------


@pytest.mark.parametrize("m", [0, 1, 2])
def test_two_lfs_are_too_few(m):
    with pytest.raises(ValueError, match="at least 3"):
        cs.TripletModel().fit(matrix(np.zeros((5, m), dtype=int), 2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, r"seed must be"),
        ({"class_balance": [0.5, 0.3, 0.2]}, r"class_balance must"),
        ({"class_balance": [0.5, 0.6]}, r"class_balance must"),
        ({"class_balance": [0.5, NAN]}, r"class_balance(\[1\])? must"),
        ({"class_balance": [0.0, 1.0]}, r"class_balance(\[0\])? must"),
    ],
)
def test_rejects_values(options, message):
    with pytest.raises(ValueError, match=message):
        cs.TripletModel(**options).fit(matrix(SMALL))


def test_arguments_have_names():
    with pytest.raises(TypeError, match="positional"):
        cs.TripletModel([0.5, 0.5])


@pytest.mark.parametrize("y", [[0, 1], [0, 2, -1], [0, -2, -1]])
def test_rejects_gold(y):
    for call in (cs.TripletModel().fit, cs.TripletModel().fit(matrix(SMALL)).partial_fit):
        with pytest.raises(ValueError, match=r"y(\[1\])? must"):
            call(matrix(SMALL), y)


@pytest.mark.parametrize("use", ["partial_fit", "predict_proba", "predict"])
def test_rejects_other_shapes_than_it_was_fitted_on(use):
    model = cs.TripletModel().fit(matrix(SMALL))
    before = facts(model, matrix(SMALL))
    with pytest.raises(ValueError, match=r"cardinality"):
        getattr(model, use)(matrix(SMALL, 3))
    with pytest.raises(ValueError, match=r"number of LFs"):
        getattr(model, use)(matrix([[0, 1, 1, 0]]))
    assert facts(model, matrix(SMALL)) == before


def test_rejects_merging_other_shapes():
    for other in (matrix(SMALL, 3), matrix([[0, 1, 1, 0]])):
        with pytest.raises(ValueError, match=r"cardinality|number of LFs"):
            cs.TripletModel().fit(matrix(SMALL)).merge(cs.TripletModel().fit(other))


@pytest.mark.parametrize("use", ["predict_proba", "predict", "score", "save"])
def test_asks_for_fit_first(use, tmp_path):
    arguments = {"score": (matrix(SMALL), [0, 1, 1]), "save": (tmp_path / "model.json",)}
    with pytest.raises(NotFittedError, match=r"not fitted"):
        getattr(cs.TripletModel(), use)(*arguments.get(use, (matrix(SMALL),)))
    with pytest.raises(NotFittedError, match=r"not fitted"):
        cs.TripletModel().fit(matrix(SMALL)).merge(cs.TripletModel())


def test_parameters_round_trip():
    assert cs.TripletModel(seed=2).get_params() == {"class_balance": None, "seed": 2}


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("given_balance", [False, True])
def test_a_loaded_model_predicts_the_same_bytes(k, given_balance, tmp_path):
    L = matrix(planted_votes(80, [0.5, 0.6, 0.7, 0.8], k)[0], k)
    balance = np.arange(1, k + 1) / (k * (k + 1) / 2) if given_balance else None
    model = cs.TripletModel(class_balance=balance, seed=np.int64(3)).fit(L)
    model.save(tmp_path / "model.json")
    json.loads((tmp_path / "model.json").read_text())
    loaded = cs.TripletModel.load(tmp_path / "model.json")
    assert facts(loaded, L) == facts(model, L)
    assert loaded.predict(L, "random").tolist() == model.predict(L, "random").tolist()
    for name, value in model.get_params().items():
        np.testing.assert_array_equal(getattr(loaded, name), value)


def test_refuses_files_of_others_and_parts_of_files(tmp_path):
    cs.LabelModel().fit(matrix(SMALL)).save(tmp_path / "other.json")
    with pytest.raises(ValueError, match=r"other\.json|must be"):
        cs.TripletModel.load(tmp_path / "other.json")
    cs.TripletModel().fit(matrix(SMALL)).save(tmp_path / "model.json")
    whole = (tmp_path / "model.json").read_bytes()
    for size in np.linspace(0, len(whole) - 3, 20, dtype=int):
        (tmp_path / "cut.json").write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"damaged|must be"):
            cs.TripletModel.load(tmp_path / "cut.json")
