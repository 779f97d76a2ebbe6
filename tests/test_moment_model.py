"""MomentModel: the loss, the steps, what must not matter, edges, errors, files."""

import copy
import json

import numpy as np
import pytest

import coverset as cs
import moment_reference as reference
from coverset import _cpu
from coverset._not_fitted import NotFittedError
from examples import THREADS, random_dense
from label_model_examples import ULP, matrix
from label_model_reference import planted_votes

SMALL = [[0, 1, -1], [0, 0, 1], [1, 1, 1]]
NAN, INF = float("nan"), float("inf")


def balances(k):
    """Uniform, and one in which all classes differ."""
    return np.full(k, 1 / k), np.arange(1, k + 1) / (k * (k + 1) / 2)


def votes(k, m=6, n=400):
    return planted_votes(n, np.linspace(0.55, 0.9, m), k, 0.6, seed=k)[0]


def learned(model):
    """conditional_probabilities_ as mu, (m k, k)."""
    m, k = model.conditional_probabilities_.shape[:2]
    return model.conditional_probabilities_.reshape(m * k, k)


def at_start(L, k, p, **options):
    """Return (seed, start, mu_init, statistics): a seed whose scalar shows above the clamp."""
    S = reference.overlaps(L, k)
    mu_init = reference.initial(S, p, options.get("prec_init", 0.7))
    vote = np.unravel_index(mu_init.argmax(), mu_init.shape)
    for seed in range(20):
        model = cs.MomentModel(class_balance=p, n_steps=0, seed=seed, **options)
        scalar = learned(model.fit(matrix(L, k)))[vote] / mu_init[vote]
        if scalar * mu_init[vote] > 2 * reference.smallest(len(L)):
            return seed, scalar * mu_init, mu_init, S
    msg = "no seed of twenty starts above the clamp"
    raise AssertionError(msg)


# --- the loss -----------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [2, 3, 4, 5])
@pytest.mark.parametrize("seed", range(5))
def test_loss_equals_the_equation(k, seed):
    rng = np.random.default_rng([k, seed])
    n, m = rng.integers(1, 200), rng.integers(3, 9)
    L = random_dense(n, m, k, (seed,))
    S = reference.overlaps(L, k)
    for p in balances(k):
        mu_init = reference.initial(S, p, 0.7)
        for l2 in (0.0, 0.3):
            model = cs.MomentModel(class_balance=p, l2=l2, n_steps=1).fit(matrix(L, k))
            for mu in (rng.random((m * k, k)), 3 * rng.standard_normal((m * k, k)), mu_init):
                want = reference.loss(mu, S, p, mu_init, l2)
                np.testing.assert_allclose(model.loss(mu), want, rtol=1e-10)


def test_loss_worked_by_hand():
    # three LFs, rows (0, 0, 0) and (1, 1, -1); mu = 0: what is left is S off the blocks and diag S.
    # Row 1 has 6 pairs of votes, row 2 has 2, each 1/2; diag S = (1, 1, 1, 1, 1, 0) / 2
    model = cs.MomentModel(n_steps=1).fit(matrix([[0, 0, 0], [1, 1, -1]]))
    np.testing.assert_allclose(model.loss(np.zeros((6, 2))), (6 + 2) / 4 + 5 / 4, rtol=1e-12)
    # mu = 1/2 everywhere: mu P mu' = 1/4, mu p = 1/2; 24 cells off the blocks, 8 of them 1/2
    np.testing.assert_allclose(model.loss(np.full((6, 2), 0.5)), 24 / 16 + 1 / 4, rtol=1e-12)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("k", [2, 3, 5])
def test_loss_equals_snorkels(k):
    torch = pytest.importorskip("torch")
    peers = pytest.importorskip("snorkel.labeling.model")
    rng, L = np.random.default_rng(k), votes(k)
    for p in balances(k):
        peer = peers.LabelModel(cardinality=k, verbose=False)
        peer.fit(L, class_balance=p.tolist(), n_epochs=0, seed=0, progress_bar=False)
        for l2 in (0.0, 0.3):
            model = cs.MomentModel(class_balance=p, l2=l2, n_steps=0).fit(matrix(L, k))
            mu = rng.random((L.shape[1] * k, k))
            peer.mu = torch.nn.Parameter(torch.tensor(mu).float())
            with torch.no_grad():
                want = float(peer._loss_mu(l2=l2))
            np.testing.assert_allclose(model.loss(mu), want, rtol=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_steps_of_the_reference_equal_snorkels(l2):
    peers = pytest.importorskip("snorkel.labeling.model")
    L, p = votes(3), balances(3)[1]
    S = reference.overlaps(L, 3)
    mu_init = reference.initial(S, p, 0.7)
    peer = peers.LabelModel(cardinality=3, verbose=False)
    momentum = {"sgd_config": {"momentum": reference.MOMENTUM}}
    options = {"n_epochs": 50, "l2": l2, "optimizer_config": momentum, "progress_bar": False}
    peer.fit(L, class_balance=p.tolist(), seed=1, **options)
    start = np.random.RandomState(1).random_sample() * mu_init
    mu = reference.train(start, S, p, mu_init, 50, 0.01, l2)
    got = peer.mu.detach().numpy()
    np.testing.assert_allclose(got, reference.clamp(mu, len(L)), atol=1e-5)


# --- the steps ----------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [2, 3, 5])
def test_gradient_of_the_reference_is_that_of_its_loss(k):
    rng, L = np.random.default_rng(k), votes(k)
    S, p = reference.overlaps(L, k), balances(k)[1]
    mu, mu_init = rng.random((len(S), k)), reference.initial(S, p, 0.7)
    slopes = differences(lambda at: reference.loss(at, S, p, mu_init, 0.3), mu)
    np.testing.assert_allclose(reference.gradient(mu, S, p, mu_init, 0.3), slopes, atol=1e-6)


def differences(function, mu, h=1e-4):
    """Central differences of a function of mu, entry by entry."""
    slopes = np.zeros_like(mu)
    for at in np.ndindex(mu.shape):
        step = np.zeros_like(mu)
        step[at] = h
        slopes[at] = (function(mu + step) - function(mu - step)) / (2 * h)
    return slopes


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_first_step_follows_the_slope_of_its_own_loss(l2):
    L, k = votes(3), 3
    seed, start, _, _ = at_start(L, k, balances(k)[0], l2=l2)
    model = cs.MomentModel(n_steps=1, lr=0.05, l2=l2, seed=seed).fit(matrix(L, k))
    want = start - 0.05 * (differences(model.loss, start) + l2 * start)
    np.testing.assert_allclose(learned(model), reference.clamp(want, len(L)), atol=1e-7)


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("prec_init", [0.7, np.linspace(0.4, 1.0, 6)], ids=["one", "for each"])
def test_start_is_a_share_of_the_first_guess(k, prec_init):
    L = votes(k)
    for p in balances(k):
        seed, start, mu_init, _ = at_start(L, k, p, prec_init=prec_init)
        assert 0 < (start[mu_init > 0] / mu_init[mu_init > 0]).min() < 1
        options = {"class_balance": p, "prec_init": prec_init, "seed": seed}
        model = cs.MomentModel(n_steps=0, **options).fit(matrix(L, k))
        want = reference.clamp(start, len(L))
        np.testing.assert_allclose(learned(model), want, rtol=1e-12)
        assert model.n_steps_ == 0


def test_first_guess_worked_by_hand():
    # LF 0 votes 0 on 2 of 4 rows and 1 on one; precisions .5, .7, .9; balance (1/4, 3/4)
    L = np.array([[0, 1, 1], [0, 1, -1], [1, -1, 1], [-1, 1, 1]])
    mu = reference.initial(reference.overlaps(L, 2), np.array([0.25, 0.75]), [0.5, 0.7, 0.9])
    np.testing.assert_allclose(mu[:2], [[1.0, 0], [0, 1 / 4 * 0.5 / 0.75]])  # 1/2 * .5 / .25 = 1
    np.testing.assert_allclose(mu[2:4], [[0, 0], [0, 0.7]])
    np.testing.assert_allclose(mu[4:], [[0, 0], [0, 0.9]])


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize(
    "options",
    [{}, {"lr": 0.05, "n_steps": 200}, {"l2": 0.2}, {"prec_init": np.linspace(0.5, 0.9, 6)}],
    ids=["defaults", "longer", "decay", "precisions"],
)
def test_steps_equal_the_equations(k, options):
    L = votes(k)
    steps = {"n_steps": 50, "lr": 0.01, **options}
    for p in balances(k):
        given = {name: value for name, value in options.items() if name in ("l2", "prec_init")}
        seed, start, mu_init, S = at_start(L, k, p, **given)
        l2 = steps.get("l2", 0.0)
        mu = reference.train(start, S, p, mu_init, steps["n_steps"], steps["lr"], l2)
        assert reference.is_in_order(mu, p)
        model = cs.MomentModel(class_balance=p, seed=seed, **steps).fit(matrix(L, k))
        np.testing.assert_allclose(learned(model), reference.clamp(mu, len(L)), atol=1e-9)
        np.testing.assert_allclose(model.loss_, reference.loss(mu, S, p, mu_init, l2), rtol=1e-7)
        np.testing.assert_allclose(model.class_balance_, p)
        assert model.n_steps_ == steps["n_steps"]


def test_steps_lower_the_loss():
    L = matrix(votes(3), 3)
    losses = [cs.MomentModel(n_steps=steps).fit(L).loss_ for steps in (0, 1, 10, 100, 1000)]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > losses[-1]


def test_seed_draws_the_start():
    L = matrix(votes(2))
    proba = [cs.MomentModel(seed=seed).fit(L).predict_proba(L).tobytes() for seed in (0, 0, 1)]
    assert proba[0] == proba[1] != proba[2]


@pytest.mark.parametrize(("n", "eps"), [(1, 0.01), (50, 0.01), (1000, 1e-3), (1001, 1e-4)])
def test_what_is_learned_stays_off_zero_and_one(n, eps):
    L = np.zeros((n, 4), dtype=int)
    L[:, 3] = -1
    model = cs.MomentModel(n_steps=500, lr=0.05, class_balance=[0.9, 0.1]).fit(matrix(L, 2))
    assert learned(model).min() >= eps * (1 - 1e-12)
    assert learned(model).max() <= 1 - eps * (1 - 1e-12)
    np.testing.assert_allclose(model.conditional_probabilities_[3], eps, rtol=1e-12)


# --- predictions --------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [2, 3, 5])
def test_probabilities_follow_from_what_is_learned(k):
    L = votes(k)
    unseen = np.random.default_rng(k).integers(-1, k, (100, L.shape[1]))
    for p in balances(k):
        model = cs.MomentModel(class_balance=p).fit(matrix(L, k))
        for rows in (L, unseen):
            proba = model.predict_proba(matrix(rows, k))
            assert proba.dtype == np.float32
            want = reference.predict_proba(learned(model), p, rows)
            np.testing.assert_allclose(proba, want, atol=1e-6)


def test_rows_without_votes_have_the_balance():
    model = cs.MomentModel(class_balance=[0.9, 0.1]).fit(matrix(SMALL))
    L = matrix([[-1, -1, -1]], 2)
    np.testing.assert_allclose(model.predict_proba(L), [[0.9, 0.1]], atol=ULP)
    assert model.predict(L).tolist() == [-1]


def test_beats_majority_vote():
    L, y = planted_votes(2_000, [0.55, 0.55, 0.6, 0.9, 0.95], 2, 0.9, seed=1)
    L = matrix(L)
    model = cs.MomentModel(n_steps=2000, lr=0.05).fit(L)
    majority = cs.MajorityVote().fit(L).score(L, y)
    print(f"model {model.score(L, y):.3f}, majority {majority:.3f}")
    assert model.score(L, y) > majority + 0.02


# --- bytes --------------------------------------------------------------------------------------


def facts(model, L, n_threads=None):
    learned_bytes = (model.conditional_probabilities_.tobytes(), model.loss_)
    return (*learned_bytes, model.predict_proba(L, n_threads=n_threads).tobytes())


@pytest.fixture(scope="module")
def many():
    L, _ = planted_votes(20_000, np.linspace(0.5, 0.9, 8), 3, 0.6, seed=5)
    L[::50] = -1
    return matrix(L, 3)


def test_same_bytes_on_any_thread_count(many):
    got = [facts(cs.MomentModel().fit(many, n_threads=t), many, t) for t in THREADS]
    assert got[0] == got[1] == got[2]


def test_same_bytes_on_any_simd_level(simd_level, many):
    assert _cpu.simd_level() == simd_level
    here = facts(cs.MomentModel().fit(many), many)
    _cpu.force_simd_level(_cpu.simd_levels()[0])
    assert facts(cs.MomentModel().fit(many), many) == here


def test_same_bytes_for_rows_in_any_order(many):
    order = np.random.default_rng(0).permutation(len(many))
    assert facts(cs.MomentModel().fit(many[order]), many) == facts(cs.MomentModel().fit(many), many)


def test_same_bytes_for_any_split_of_the_rows(many):
    whole = facts(cs.MomentModel().fit(many), many)
    parts = [slice(7000, None), slice(1, 7000), slice(3, 3), slice(0, 1)]
    one = cs.MomentModel()
    for part in parts:
        assert one.partial_fit(many[part]) is one
    assert facts(one, many) == whole
    a, b, c = (cs.MomentModel().fit(many[part]) for part in parts if part != slice(3, 3))
    before = facts(b, many)
    assert c.merge(a.merge(b)) is c
    assert facts(c, many) == whole
    assert facts(b, many) == before


def test_parts_count_for_the_loss():
    L = votes(3)
    S, p = reference.overlaps(L, 3), balances(3)[0]
    mu = np.random.default_rng(0).random((len(S), 3))
    model = cs.MomentModel().fit(matrix(L[:50], 3)).partial_fit(matrix(L[50:200], 3))
    model.merge(cs.MomentModel().fit(matrix(L[200:], 3)))
    np.testing.assert_allclose(model.loss(mu), reference.loss(mu, S, p, mu), rtol=1e-10)


def test_merging_a_copy_changes_no_share():
    L = matrix(votes(2))
    model = cs.MomentModel().fit(L)
    before = learned(model).copy()
    model.merge(copy.deepcopy(model))
    np.testing.assert_allclose(learned(model), before, atol=1e-12)


def test_fitting_again_forgets_the_first_fit():
    L = matrix(votes(2))
    model = cs.MomentModel().partial_fit(matrix(votes(3, m=4), 3)).fit(L)
    assert facts(model, L) == facts(cs.MomentModel().fit(L), L)


# --- edges --------------------------------------------------------------------------------------


def test_all_abstain():
    L = matrix(np.full((4, 3), -1), 3)
    model = cs.MomentModel().fit(L)
    np.testing.assert_allclose(model.conditional_probabilities_, 0.01, rtol=1e-12)
    np.testing.assert_allclose(model.predict_proba(L), 1 / 3, atol=ULP)
    assert model.predict(L).tolist() == [-1] * 4
    assert model.loss_ == 0


def test_one_row():
    L = matrix([[1, 1, 0]])
    proba = cs.MomentModel().fit(L).predict_proba(L)
    assert np.isfinite(proba).all()


def test_one_class():
    L = matrix([[0, -1, 0], [0, 0, 0], [-1, -1, -1]], 1)
    assert cs.MomentModel().fit(L).predict_proba(L).tolist() == [[1], [1], [1]]


def test_a_thousand_votes_do_not_underflow():
    L = np.zeros((50, 1000), dtype=int)
    L[::2] = 1
    proba = cs.MomentModel(n_steps=0).fit(matrix(L)).predict_proba(matrix(L))
    np.testing.assert_allclose(proba, np.eye(2)[L[:, 0]], atol=1e-6)


@pytest.mark.parametrize("lr", [10.0, 1e6, 1e300])
def test_steps_that_are_too_long_are_an_error(lr):
    model = cs.MomentModel().fit(matrix(votes(2)))
    before = facts(model, matrix(votes(2)))
    with pytest.raises(ValueError, match=r"\blr\b"):
        model.set_params(lr=lr).fit(matrix(votes(2)))
    assert facts(model, matrix(votes(2))) == before


# --- errors, parameters, files ------------------------------------------------------------------


@pytest.mark.parametrize("m", [0, 1, 2])
def test_two_lfs_are_too_few(m):
    with pytest.raises(ValueError, match="at least 3"):
        cs.MomentModel().fit(matrix(np.zeros((5, m), dtype=int), 2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *(({"prec_init": value}, r"prec_init") for value in (NAN, INF, -0.1, [0.5, 0.5])),
        ({"prec_init": [0.5, NAN, 0.5]}, r"prec_init"),
        ({"n_steps": -1}, r"n_steps must be"),
        *(({"lr": value}, r"lr must be") for value in (NAN, INF, -0.1)),
        *(({"l2": value}, r"l2 must be") for value in (NAN, INF, -0.1)),
        ({"seed": -1}, r"seed must be"),
        ({"class_balance": [0.5, 0.3, 0.2]}, r"class_balance must"),
        ({"class_balance": [0.5, 0.6]}, r"class_balance must"),
        ({"class_balance": [0.5, NAN]}, r"class_balance(\[1\])? must"),
        ({"class_balance": [0.0, 1.0]}, r"class_balance(\[0\])? must"),
    ],
)
def test_rejects_values(options, message):
    with pytest.raises(ValueError, match=message):
        cs.MomentModel(**options).fit(matrix(SMALL))


def test_arguments_have_names():
    with pytest.raises(TypeError, match="positional"):
        cs.MomentModel([0.5, 0.5])


@pytest.mark.parametrize("y", [[0, 1], [0, 2, -1], [0, -2, -1]])
def test_rejects_gold(y):
    for call in (cs.MomentModel().fit, cs.MomentModel().fit(matrix(SMALL)).partial_fit):
        with pytest.raises(ValueError, match=r"y(\[1\])? must"):
            call(matrix(SMALL), y)


@pytest.mark.parametrize("use", ["partial_fit", "predict_proba", "predict"])
def test_rejects_other_shapes_than_it_was_fitted_on(use):
    model = cs.MomentModel().fit(matrix(SMALL))
    before = facts(model, matrix(SMALL))
    with pytest.raises(ValueError, match=r"cardinality"):
        getattr(model, use)(matrix(SMALL, 3))
    with pytest.raises(ValueError, match=r"number of LFs"):
        getattr(model, use)(matrix([[0, 1, 1, 0]]))
    assert facts(model, matrix(SMALL)) == before


def test_rejects_merging_other_shapes():
    for other in (matrix(SMALL, 3), matrix([[0, 1, 1, 0]])):
        with pytest.raises(ValueError, match=r"cardinality|number of LFs"):
            cs.MomentModel().fit(matrix(SMALL)).merge(cs.MomentModel().fit(other))


@pytest.mark.parametrize("use", ["predict_proba", "predict", "score", "save", "loss"])
def test_asks_for_fit_first(use, tmp_path):
    arguments = {
        "score": (matrix(SMALL), [0, 1, 1]),
        "save": (tmp_path / "model.json",),
        "loss": (np.zeros((6, 2)),),
    }.get(use, (matrix(SMALL),))
    with pytest.raises(NotFittedError, match=r"not fitted"):
        getattr(cs.MomentModel(), use)(*arguments)
    with pytest.raises(NotFittedError, match=r"not fitted"):
        cs.MomentModel().fit(matrix(SMALL)).merge(cs.MomentModel())


def test_parameters_round_trip():
    assert cs.MomentModel(l2=0.5).get_params() == {
        "class_balance": None,
        "prec_init": 0.7,
        "n_steps": 100,
        "lr": 0.01,
        "momentum": 0.9,
        "l2": 0.5,
        "seed": 0,
    }


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"class_balance": np.array([0.5, 0.3, 0.2]), "prec_init": np.linspace(0.5, 0.9, 6)},
        {"l2": 0.1, "lr": 0.02, "n_steps": np.int64(7), "seed": np.int64(3)},
    ],
)
def test_a_loaded_model_predicts_the_same_bytes(options, tmp_path):
    L = matrix(votes(3), 3)
    model = cs.MomentModel(**options).fit(L)
    model.save(tmp_path / "model.json")
    json.loads((tmp_path / "model.json").read_text())
    loaded = cs.MomentModel.load(tmp_path / "model.json")
    assert facts(loaded, L) == facts(model, L)
    assert loaded.predict(L, "random").tolist() == model.predict(L, "random").tolist()
    for name, value in model.get_params().items():
        np.testing.assert_array_equal(getattr(loaded, name), value)


def test_refuses_files_of_others_and_parts_of_files(tmp_path):
    cs.LabelModel().fit(matrix(SMALL)).save(tmp_path / "other.json")
    with pytest.raises(ValueError, match=r"other\.json|must be"):
        cs.MomentModel.load(tmp_path / "other.json")
    cs.MomentModel().fit(matrix(SMALL)).save(tmp_path / "model.json")
    whole = (tmp_path / "model.json").read_bytes()
    for size in np.linspace(0, len(whole) - 3, 20, dtype=int):
        (tmp_path / "cut.json").write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"damaged|must be"):
            cs.MomentModel.load(tmp_path / "cut.json")
