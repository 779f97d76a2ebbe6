"""DawidSkene: the equations, what must not matter, edges, errors, files."""

import copy
import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import coverset as cs
import dawid_skene_reference as reference
from coverset import _cpu
from coverset._not_fitted import NotFittedError
from examples import THREADS
from label_model_examples import ULP, matrix, problems
from label_model_reference import planted_votes

TOLERANCE = 1e-6
CONFUSIONS = ("full", "class", "one_coin")
ABSTAINS = ("ignore", "outcome")
SMALL = [[0, 1, -1], [0, 0, 1], [1, 1, 1]]


def assert_same_as_reference(L, k, y=None, unseen=None, **options):
    """Fit both, compare what was learned and what is predicted for ``L`` and ``unseen``."""
    model = cs.DawidSkene(**options).fit(matrix(L, k), y)
    want = reference.fit(L, k, y, **options)
    assert (model.n_iter_, model.converged_) == (want.n_iter, want.converged)
    assert (model.cardinality_, model.n_lfs_) == (k, np.shape(L)[1])
    assert model.confusion_.dtype == model.class_balance_.dtype == np.float64
    np.testing.assert_allclose(model.class_balance_, want.balance, atol=TOLERANCE)
    np.testing.assert_allclose(model.confusion_, want.theta[:, :, :k], atol=TOLERANCE)
    for votes in (L, L if unseen is None else unseen):
        proba = model.predict_proba(matrix(votes, k))
        assert proba.dtype == np.float32
        np.testing.assert_allclose(proba, reference.predict_proba(want, votes), atol=TOLERANCE)
        np.testing.assert_allclose(proba.sum(axis=1, dtype=float), 1, atol=ULP * k)
    return model


# --- the equations ------------------------------------------------------------------------------


@st.composite
def settings(draw):
    return {
        "confusion": draw(st.sampled_from(CONFUSIONS)),
        "abstain": draw(st.sampled_from(ABSTAINS)),
        "smoothing": draw(st.sampled_from([0.01, 0.5, 1.0])),
        "diagonal": draw(st.sampled_from([0.0, 1.0, 2.5])),
        "max_iter": draw(st.integers(1, 10)),
    }


@given(problems(), settings())
def test_equals_the_equations(p, options):
    assert_same_as_reference(p.L, p.k, p.y, class_balance=p.balance, **options)


@given(problems(kinds=("unipolar",)), settings())
def test_equals_the_equations_on_unipolar_lfs(p, options):
    assert_same_as_reference(p.L, p.k, p.y, class_balance=p.balance, **options)


@given(problems(), settings(), st.data())
def test_equals_the_equations_on_rows_that_it_has_not_seen(p, options, data):
    votes = hnp.arrays(np.int64, (8, p.L.shape[1]), elements=st.integers(-1, p.k - 1))
    assert_same_as_reference(p.L, p.k, p.y, data.draw(votes), **options)


@pytest.mark.parametrize("confusion", CONFUSIONS)
@pytest.mark.parametrize("abstain", ABSTAINS)
@pytest.mark.parametrize("k", [2, 3, 6])
def test_equals_the_equations_at_the_end_of_a_long_run(k, abstain, confusion):
    L, truth = planted_votes(400, np.linspace(0.4, 0.9, 12), k, 0.5, seed=k)
    for y in (None, np.where(np.arange(400) % 7, -1, truth)):
        assert_same_as_reference(L, k, y, confusion=confusion, abstain=abstain)


def crowd(test_data, name):
    with np.load(test_data / "crowd" / f"{name}.npz") as file:
        return cs.LabelMatrix.from_triplets(
            file["rows"],
            file["lfs"],
            file["labels"],
            shape=(int(file["n_rows"]), int(file["n_lfs"])),
            cardinality=int(file["cardinality"]),
            duplicates="majority",
        )


SMALL_CROWDS = ("ZenCrowd_all", "bluebird", "dog", "rte", "web")


@pytest.mark.parametrize("name", [*SMALL_CROWDS, "SP", "product", "relevance"])
def test_equals_the_equations_on_crowds(test_data, name):
    L = crowd(test_data, name)
    assert_same_as_reference(L.to_dense(), L.cardinality)


@pytest.mark.parametrize("confusion", ["class", "one_coin"])
@pytest.mark.parametrize("name", SMALL_CROWDS)
def test_fewer_parameters_equal_the_equations_on_crowds(test_data, name, confusion):
    L = crowd(test_data, name)
    assert_same_as_reference(L.to_dense(), L.cardinality, confusion=confusion)


@pytest.mark.parametrize("confusion", CONFUSIONS)
@pytest.mark.parametrize("name", ["bluebird", "dog", "rte"])
def test_abstains_that_count_equal_the_equations_on_crowds(test_data, name, confusion):
    L = crowd(test_data, name)
    options = {"abstain": "outcome", "confusion": confusion, "max_iter": 20}
    assert_same_as_reference(L.to_dense(), L.cardinality, **options)


def test_worked_by_hand_one_pass():
    # post starts as (1, 0), (1/2, 1/2), (0, 1), (0, 1), s = 1/2: balance (1.5 + .5, 2.5 + .5) / 5.
    # LF 0 votes 0, 0, 1, 1: class 0 (1.5 + .5, 0 + .5) / 2.5, class 1 (.5 + .5, 2 + .5) / 3.5;
    # LF 1 votes 0, 1, 1, 1: class 0 (1 + .5, .5 + .5) / 2.5, class 1 (0 + .5, 2.5 + .5) / 3.5
    L = matrix([[0, 0], [0, 1], [1, 1], [1, 1]])
    model = cs.DawidSkene(smoothing=0.5, max_iter=1).fit(L)
    np.testing.assert_allclose(model.class_balance_, [2 / 5, 3 / 5], atol=1e-9)
    confusion = [[[4 / 5, 1 / 5], [2 / 7, 5 / 7]], [[3 / 5, 2 / 5], [1 / 7, 6 / 7]]]
    np.testing.assert_allclose(model.confusion_, confusion, atol=1e-9)
    zero = []
    for first, second in ((0, 0), (0, 1), (1, 1)):
        class_0 = Fraction(2, 5) * Fraction([4, 1][first], 5) * Fraction([3, 2][second], 5)
        class_1 = Fraction(3, 5) * Fraction([2, 5][first], 7) * Fraction([1, 6][second], 7)
        zero.append(class_0 / (class_0 + class_1))
    assert zero == [Fraction(196, 221), Fraction(196, 421), Fraction(98, 1223)]
    want = [float(zero[row]) for row in (0, 1, 2, 2)]
    np.testing.assert_allclose(model.predict_proba(L)[:, 0], want, atol=ULP)
    np.testing.assert_allclose(model.predict_proba(matrix([[-1, -1]])), [[0.4, 0.6]], atol=ULP)
    assert (model.n_iter_, model.converged_) == (1, False)


def test_worked_by_hand_one_coin():
    # LF 0 is right in 1 + .5 + 1 + 1 of 4 votes, LF 1 in 1 + .5 + 1 of 3; s = 1/2, d = 1
    L = matrix([[0, 0], [0, 1], [1, 1], [1, -1]])
    options = {"smoothing": 0.5, "diagonal": 1.0, "max_iter": 1}
    model = cs.DawidSkene(confusion="one_coin", **options).fit(L)
    right = np.array([(3.5 + 1.5) / (4 + 2), (2.5 + 1.5) / (3 + 2)])
    np.testing.assert_allclose(model.confusion_[:, 0, 0], right, atol=1e-9)
    np.testing.assert_allclose(model.confusion_[:, 1, 1], right, atol=1e-9)
    np.testing.assert_allclose(model.confusion_[:, 0, 1], 1 - right, atol=1e-9)
    odds = (2 / 3) * 5 / 4  # balance (1.5 + .5) / 5 to (2.5 + .5) / 5; 5 to 1, 1 to 4
    proba = model.predict_proba(matrix([[0, 1]]))[0, 0]
    np.testing.assert_allclose(proba, odds / (1 + odds), atol=ULP)


def test_worked_by_hand_abstains_that_count():
    # post (1, 0), (0, 1), (1/2, 1/2), s = 1; LF 1 votes on row 0 only, LF 0 on rows 0 and 1
    L = [[0, 0], [1, -1], [-1, -1]]
    full = cs.DawidSkene(abstain="outcome", smoothing=1.0, max_iter=1).fit(matrix(L, 2))
    # outcomes (0, 1, abstain) of LF 1: class 0 (1, 0, .5) + 1, class 1 (0, 0, 1.5) + 1, over 4.5
    class_0, class_1 = np.array([2, 1, 1.5]) / 4.5, np.array([1, 1, 2.5]) / 4.5
    first_0, first_1 = np.array([2, 1, 1.5]) / 4.5, np.array([1, 2, 1.5]) / 4.5
    odds = first_0[[0, 1, 2]] * class_0[[0, 2, 2]] / (first_1[[0, 1, 2]] * class_1[[0, 2, 2]])
    proba = full.predict_proba(matrix(L, 2))[:, 0]
    np.testing.assert_allclose(proba, odds / (1 + odds), atol=ULP)
    coin = cs.DawidSkene(abstain="outcome", confusion="one_coin", smoothing=1.0, max_iter=1)
    # abstains are as likely in either class, so that the row without votes has the balance
    np.testing.assert_allclose(coin.fit(matrix(L, 2)).predict_proba(matrix(L, 2))[2], 0.5, atol=ULP)


def test_full_and_by_class_are_the_same_for_two_classes():
    L, _ = planted_votes(300, np.linspace(0.5, 0.9, 7), 2, 0.6)
    full, by_class = (cs.DawidSkene(confusion=name).fit(matrix(L)) for name in ("full", "class"))
    np.testing.assert_allclose(full.confusion_, by_class.confusion_, atol=TOLERANCE)


# --- what must not matter -----------------------------------------------------------------------


def test_names_of_classes_and_lfs_do_not_matter():
    L, _ = planted_votes(300, [0.5, 0.6, 0.7, 0.8, 0.9], 4, 0.6)
    classes, lfs = np.array([2, 0, 3, 1]), [3, 1, 4, 0, 2]
    renamed = np.where(L >= 0, classes[L], -1)[:, lfs]
    one, other = cs.DawidSkene().fit(matrix(L, 4)), cs.DawidSkene().fit(matrix(renamed, 4))
    proba = other.predict_proba(matrix(renamed, 4))[:, classes]
    np.testing.assert_allclose(one.predict_proba(matrix(L, 4)), proba, atol=TOLERANCE)


def test_rows_without_votes_teach_nothing_where_abstains_are_ignored():
    L, _ = planted_votes(50, [0.6, 0.7, 0.8], 2, 0.9)
    padded = np.vstack([np.full((500, 3), -1), L])
    one, other = cs.DawidSkene().fit(matrix(L)), cs.DawidSkene().fit(matrix(padded))
    assert facts(one, matrix(L)) == facts(other, matrix(L))


def test_gold_that_is_unknown_everywhere_is_no_gold():
    L, _ = planted_votes(60, [0.6, 0.7, 0.8], 3)
    one, other = cs.DawidSkene(), cs.DawidSkene()
    assert facts(one.fit(matrix(L, 3)), matrix(L, 3)) == facts(
        other.fit(matrix(L, 3), np.full(60, -1)), matrix(L, 3)
    )


def test_a_row_does_not_depend_on_the_others_in_the_call():
    L, _ = planted_votes(200, [0.6, 0.7, 0.8], 3)
    model = cs.DawidSkene().fit(matrix(L, 3))
    whole = model.predict_proba(matrix(L, 3))
    assert whole[17:19].tobytes() == model.predict_proba(matrix(L[17:19], 3)).tobytes()


# --- bytes --------------------------------------------------------------------------------------

VARIANTS = (("full", "ignore"), ("class", "outcome"), ("one_coin", "ignore"))


def facts(model, L, n_threads=None):
    learned = (model.class_balance_.tobytes(), model.confusion_.tobytes(), model.n_iter_)
    return (*learned, model.predict_proba(L, n_threads=n_threads).tobytes())


def variant(confusion, abstain, max_iter=4):
    return cs.DawidSkene(confusion=confusion, abstain=abstain, max_iter=max_iter)


@pytest.fixture(scope="module")
def many():
    L, y = planted_votes(20_000, np.linspace(0.5, 0.9, 8), 3, 0.6, seed=5)
    L[::50] = -1
    return matrix(L, 3), np.where(np.arange(20_000) % 11, -1, y)


@pytest.mark.parametrize(("confusion", "abstain"), VARIANTS)
def test_same_bytes_on_any_thread_count(many, confusion, abstain):
    L, y = many
    got = [facts(variant(confusion, abstain).fit(L, y, n_threads=t), L, t) for t in THREADS]
    assert got[0] == got[1] == got[2]


def test_same_bytes_on_any_simd_level(simd_level, many):
    assert _cpu.simd_level() == simd_level
    here = facts(variant("full", "ignore").fit(*many), many[0])
    _cpu.force_simd_level(_cpu.simd_levels()[0])
    assert facts(variant("full", "ignore").fit(*many), many[0]) == here


@pytest.mark.parametrize(("confusion", "abstain"), VARIANTS)
def test_same_bytes_for_rows_in_any_order(many, confusion, abstain):
    L, y = many
    order = np.random.default_rng(0).permutation(len(L))
    one, other = variant(confusion, abstain).fit(L, y), variant(confusion, abstain)
    assert facts(other.fit(L[order], y[order]), L) == facts(one, L)


@pytest.mark.parametrize(("confusion", "abstain"), VARIANTS)
def test_same_bytes_for_any_split_of_the_rows(many, confusion, abstain):
    L, y = many
    whole = facts(variant(confusion, abstain).fit(L, y), L)
    parts = [slice(7000, None), slice(1, 7000), slice(3, 3), slice(0, 1)]
    one = variant(confusion, abstain)
    for part in parts:
        assert one.partial_fit(L[part], y[part]) is one
    assert facts(one, L) == whole
    a, b, c, d = (variant(confusion, abstain).fit(L[part], y[part]) for part in parts)
    before = facts(c, L)
    assert d.merge(a.merge(c)).merge(b) is d
    assert facts(d, L) == whole
    assert facts(c, L) == before


def test_fitting_in_parts_and_merging_go_together():
    L, y = planted_votes(90, [0.5, 0.6, 0.7, 0.8], 3)
    L = matrix(L, 3)
    whole = facts(cs.DawidSkene().fit(L, y), L)
    model = cs.DawidSkene().fit(L[:30], y[:30]).partial_fit(L[30:50], y[30:50])
    model.merge(cs.DawidSkene().fit(L[70:], y[70:])).partial_fit(L[50:70], y[50:70])
    assert facts(model, L) == whole


def test_gold_is_of_its_part():
    L, y = planted_votes(60, [0.5, 0.6, 0.7], 2)
    L, partly = matrix(L), np.where(np.arange(60) < 40, -1, y)
    model = cs.DawidSkene().partial_fit(L[:40]).partial_fit(L[40:], y[40:])
    assert facts(model, L) == facts(cs.DawidSkene().fit(L, partly), L)


def test_merging_a_copy_counts_rows_twice():
    L, _ = planted_votes(60, [0.5, 0.6, 0.7], 2)
    L = matrix(L)
    model = cs.DawidSkene().fit(L)
    twice = cs.DawidSkene().fit(cs.LabelMatrix.concat([L, L]))
    assert facts(model.merge(copy.deepcopy(model)), L) == facts(twice, L)


def test_fitting_again_forgets_the_first_fit():
    L, _ = planted_votes(100, [0.6, 0.7, 0.8], 2)
    other, _ = planted_votes(100, [0.9, 0.5], 3, seed=1)
    model = cs.DawidSkene().partial_fit(matrix(other, 3)).fit(matrix(L))
    assert facts(model, matrix(L)) == facts(cs.DawidSkene().fit(matrix(L)), matrix(L))


# --- what it learns -----------------------------------------------------------------------------


def test_finds_planted_confusions():
    rng, n = np.random.default_rng(0), 8_000
    planted = np.array([[[0.9, 0.1], [0.3, 0.7]], [[0.6, 0.4], [0.1, 0.9]], [[0.8, 0.2]] * 2])
    planted[2] = [[0.8, 0.2], [0.2, 0.8]]
    y = (rng.random(n) < 0.7).astype(int)
    L = np.stack([(rng.random(n) < theta[y, 1]).astype(int) for theta in planted], axis=1)
    model = cs.DawidSkene(max_iter=1000).fit(matrix(L))
    print(np.abs(model.confusion_ - planted).max())
    np.testing.assert_allclose(model.confusion_, planted, atol=0.1)
    np.testing.assert_allclose(model.class_balance_, [0.3, 0.7], atol=0.1)


def test_gold_alone_gives_each_lf_its_confusion():
    L, y = planted_votes(500, [0.3, 0.6, 0.9], 3)
    model = cs.DawidSkene(smoothing=1.0).fit(matrix(L, 3), y)
    counts = [[[np.sum((y == c) & (v == b)) for b in range(3)] for c in range(3)] for v in L.T]
    want = (np.array(counts) + 1) / (np.sum(counts, axis=2, keepdims=True) + 3)
    np.testing.assert_allclose(model.confusion_, want, atol=1e-9)
    assert (model.n_iter_, model.converged_) == (1, True)  # nothing is left to change


# --- edges --------------------------------------------------------------------------------------


@pytest.mark.parametrize("confusion", CONFUSIONS)
@pytest.mark.parametrize("abstain", ABSTAINS)
def test_all_abstain(confusion, abstain):
    L = np.full((4, 3), -1)
    model = assert_same_as_reference(L, 3, confusion=confusion, abstain=abstain)
    np.testing.assert_allclose(model.predict_proba(matrix(L, 3)), 1 / 3, atol=ULP)
    assert model.predict(matrix(L, 3)).tolist() == [-1] * 4
    assert model.predict(matrix(L, 3), "lowest").tolist() == [0] * 4
    assert (model.n_iter_, model.converged_) == (1, True)


@pytest.mark.parametrize("confusion", CONFUSIONS)
def test_an_lf_that_never_votes_has_the_prior(confusion):
    L, _ = planted_votes(50, [0.6, 0.7, 0.8, 0.9], 3)
    L[:, 1] = -1
    options = {"confusion": confusion, "smoothing": 0.5, "diagonal": 1.0}
    model = assert_same_as_reference(L, 3, **options)
    prior = (np.full((3, 3), 0.5) + np.eye(3)) / 2.5
    np.testing.assert_allclose(model.confusion_[1], prior, atol=1e-9)


@pytest.mark.parametrize("abstain", ABSTAINS)
@pytest.mark.parametrize("confusion", CONFUSIONS)
def test_one_class(confusion, abstain):
    L = matrix([[0, -1], [0, 0], [-1, -1]], 1)
    for balance in (None, [1.0]):
        model = cs.DawidSkene(confusion=confusion, abstain=abstain, class_balance=balance)
        model.fit(L, [0, -1, -1])
        assert model.predict_proba(L).tolist() == [[1], [1], [1]]
        assert model.class_balance_.tolist() == [1]


def test_votes_for_one_class_only():
    L = np.zeros((20, 3), dtype=int)
    model = assert_same_as_reference(L, 2)
    assert model.predict(matrix(L, 2)).tolist() == [0] * 20


def test_equal_rows_with_different_gold():
    # balance (1 + s, 1 + s) / (2 + 2 s), both classes (1 + s, s) / (1 + 2 s)
    model = assert_same_as_reference(np.array([[0], [0]]), 2, np.array([0, 1]), smoothing=0.5)
    np.testing.assert_allclose(model.confusion_[0], [[0.75, 0.25]] * 2, atol=1e-9)
    np.testing.assert_allclose(model.predict_proba(matrix([[0]], 2)), 0.5, atol=ULP)


def test_gold_without_votes_counts_for_the_balance():
    model = assert_same_as_reference(np.array([[-1]]), 2, np.array([1]), smoothing=1.0)
    np.testing.assert_allclose(model.class_balance_, [1 / 3, 2 / 3], atol=1e-9)


def test_gold_against_all_votes():
    L, y = np.zeros((10, 2), dtype=int), np.array([1] * 5 + [-1] * 5)
    assert_same_as_reference(L, 2, y)


def test_given_balance_stays():
    L, _ = planted_votes(50, [0.6, 0.7, 0.8])
    model = assert_same_as_reference(L, 2, class_balance=[0.9, 0.1])
    assert model.class_balance_.tolist() == [0.9, 0.1]
    proba = model.predict_proba(matrix([[-1, -1, -1]], 2))
    np.testing.assert_allclose(proba, [[0.9, 0.1]], atol=ULP)


def test_ties_follow_the_policy():
    L = matrix([[0, 1], [0, 1], [1, 0], [1, 0], [-1, -1]])
    model = cs.DawidSkene().fit(L)
    np.testing.assert_allclose(model.predict_proba(L), 0.5, atol=ULP)
    assert model.predict(L).tolist() == [-1] * 5
    assert model.predict(L, "lowest").tolist() == [0] * 5
    assert set(model.predict(L, "random").tolist()) <= {0, 1}


def test_a_thousand_votes_do_not_underflow():
    L = np.vstack([np.zeros((5, 1000), dtype=int), np.ones((6, 1000), dtype=int)])
    L[3, ::2] = 1
    assert_same_as_reference(L, 2)


def test_no_rows_and_no_lfs():
    model = cs.DawidSkene().fit(matrix(np.empty((0, 2), int), 3))
    np.testing.assert_allclose(model.class_balance_, 1 / 3)
    np.testing.assert_allclose(model.confusion_, 1 / 3)
    assert model.predict_proba(matrix(np.empty((0, 2), int), 3)).shape == (0, 3)
    L = matrix(np.empty((5, 0), int), 3)
    model = cs.DawidSkene().fit(L)
    assert model.confusion_.shape == (0, 3, 3)
    np.testing.assert_allclose(model.predict_proba(L), 1 / 3, atol=ULP)


def test_max_iter_and_tol_bound_the_passes():
    L, _ = planted_votes(100, [0.6, 0.7, 0.8], 2)
    for passes in (1, 3):
        model = cs.DawidSkene(max_iter=passes, tol=0.0).fit(matrix(L))
        assert (model.n_iter_, model.converged_) == (passes, False)
    model = cs.DawidSkene(tol=1.0).fit(matrix(L))
    assert (model.n_iter_, model.converged_) == (1, True)


# --- errors, parameters, files ------------------------------------------------------------------

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"confusion": "diagonal"}, r"confusion must be one of .*, got 'diagonal'"),
        ({"abstain": "drop"}, r"abstain must be one of .*, got 'drop'"),
        *(({"smoothing": value}, r"smoothing must be") for value in (NAN, INF, -0.1)),
        *(({"diagonal": value}, r"diagonal must be") for value in (NAN, INF, -1.0)),
        *(({"tol": value}, r"tol must be") for value in (NAN, -1e-9)),
        *(({"max_iter": value}, r"max_iter must be") for value in (0, -1)),
        ({"seed": -1}, r"seed must be"),
        ({"class_balance": [0.5, 0.3, 0.2]}, r"class_balance must"),
        ({"class_balance": [0.5, 0.6]}, r"class_balance must"),
        ({"class_balance": [0.5, NAN]}, r"class_balance(\[1\])? must"),
        ({"class_balance": [1.5, -0.5]}, r"class_balance(\[\d\])? must"),
    ],
)
def test_rejects_values(options, message):
    with pytest.raises(ValueError, match=message):
        cs.DawidSkene(**options).fit(matrix(SMALL))


def test_arguments_have_names():
    with pytest.raises(TypeError, match="positional"):
        cs.DawidSkene("full")


@pytest.mark.parametrize("y", [[0, 1], [0, 2, -1], [0, -2, -1]])
def test_rejects_gold(y):
    for call in (cs.DawidSkene().fit, cs.DawidSkene().fit(matrix(SMALL)).partial_fit):
        with pytest.raises(ValueError, match=r"y(\[1\])? must"):
            call(matrix(SMALL), y)


@pytest.mark.parametrize("n_threads", [0, -1, 2**40])
def test_rejects_thread_counts(n_threads):
    for call in (cs.DawidSkene().fit, cs.DawidSkene().partial_fit):
        with pytest.raises(ValueError, match="n_threads must be"):
            call(matrix(SMALL), n_threads=n_threads)


@pytest.mark.parametrize("use", ["partial_fit", "predict_proba", "predict"])
def test_rejects_other_shapes_than_it_was_fitted_on(use):
    model = cs.DawidSkene().fit(matrix(SMALL))
    before = facts(model, matrix(SMALL))
    with pytest.raises(ValueError, match=r"cardinality"):
        getattr(model, use)(matrix(SMALL, 3))
    with pytest.raises(ValueError, match=r"number of LFs"):
        getattr(model, use)(matrix([[0, 1]]))
    assert facts(model, matrix(SMALL)) == before


def test_rejects_merging_other_shapes():
    for other in (matrix(SMALL, 3), matrix([[0, 1]])):
        with pytest.raises(ValueError, match=r"cardinality|number of LFs"):
            cs.DawidSkene().fit(matrix(SMALL)).merge(cs.DawidSkene().fit(other))


@pytest.mark.parametrize("use", ["predict_proba", "predict", "score", "save"])
def test_asks_for_fit_first(use, tmp_path):
    arguments = {"score": (matrix(SMALL), [0, 1, 1]), "save": (tmp_path / "model.json",)}
    with pytest.raises(NotFittedError, match=r"not fitted"):
        getattr(cs.DawidSkene(), use)(*arguments.get(use, (matrix(SMALL),)))
    with pytest.raises(NotFittedError, match=r"not fitted"):
        cs.DawidSkene().fit(matrix(SMALL)).merge(cs.DawidSkene())


def test_failed_fit_leaves_a_fitted_model_as_it_was():
    model = cs.DawidSkene().fit(matrix(SMALL))
    before = facts(model, matrix(SMALL))
    for call in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match="must"):
            call(matrix(SMALL), [0, 1, 9])
        assert facts(model, matrix(SMALL)) == before


def test_parameters_round_trip():
    assert cs.DawidSkene(diagonal=2.0).get_params() == {
        "confusion": "full",
        "abstain": "ignore",
        "smoothing": 0.01,
        "diagonal": 2.0,
        "class_balance": None,
        "max_iter": 100,
        "tol": 1e-6,
        "seed": 0,
    }


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"confusion": "one_coin", "abstain": "outcome", "diagonal": 1.0},
        {"confusion": "class", "class_balance": np.array([0.5, 0.3, 0.2]), "seed": np.int64(3)},
    ],
)
def test_a_loaded_model_predicts_the_same_bytes(options, tmp_path):
    L, y = planted_votes(80, [0.5, 0.6, 0.7, 0.8], 3)
    L = matrix(L, 3)
    model = cs.DawidSkene(**options).fit(L, np.where(y == 0, 0, -1))
    model.save(tmp_path / "model.json")
    json.loads((tmp_path / "model.json").read_text())
    loaded = cs.DawidSkene.load(tmp_path / "model.json")
    assert facts(loaded, L) == facts(model, L)
    assert loaded.converged_ == model.converged_
    assert loaded.predict(L, "random").tolist() == model.predict(L, "random").tolist()
    for name, value in model.get_params().items():
        np.testing.assert_array_equal(getattr(loaded, name), value)


def test_refuses_files_of_others_and_parts_of_files(tmp_path):
    cs.LabelModel().fit(matrix(SMALL)).save(tmp_path / "other.json")
    with pytest.raises(ValueError, match=r"other\.json|must be"):
        cs.DawidSkene.load(tmp_path / "other.json")
    cs.DawidSkene().fit(matrix(SMALL)).save(tmp_path / "model.json")
    whole = (tmp_path / "model.json").read_bytes()
    for size in np.linspace(0, len(whole) - 3, 20, dtype=int):
        (tmp_path / "cut.json").write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"damaged|must be"):
            cs.DawidSkene.load(tmp_path / "cut.json")
