"""The layer for code written for Snorkel: the label model.

Each claim holds for Snorkel 0.10 itself: COVERSET_COMPAT_TARGET=snorkel runs them against it.
"""

from __future__ import annotations

import inspect
import os

import numpy as np
import pytest

TARGET = os.environ.get("COVERSET_COMPAT_TARGET", "coverset.compat.snorkel")
model = pytest.importorskip(f"{TARGET}.labeling.model")
pytestmark = [pytest.mark.filterwarnings("ignore")] if TARGET == "snorkel" else []

L = np.array([[0, 1, 0], [0, 0, -1], [-1, 1, 1], [1, 1, 1], [0, -1, 0]])
NO_VOTES = np.full((2, 3), -1)
DISAGREEING = {
    "three classes": (3, np.tile([0, 1, 2], (30, 1))),
    "two of three": (2, np.tile([0, 1, -1], (30, 1))),
    "two against two": (2, np.tile([0, 0, 1, 1], (30, 1))),
}
disagreeing = pytest.mark.parametrize("case", DISAGREEING)


def fit(votes=L, cardinality=2, **options):
    label_model = model.LabelModel(cardinality=cardinality, verbose=False)
    assert label_model.fit(votes, **{"progress_bar": False, "seed": 1, **options}) is None
    return label_model


def planted(n, m, k, seed, accuracy=(0.6, 0.9), abstain=(0.1, 0.4), balance=None):
    """Return votes, gold, P(vote | class) as (m, k + 1, k) and accuracies of independent LFs."""
    rng = np.random.default_rng(seed)
    y = rng.choice(k, n, p=balance)
    accuracies, coverage = rng.uniform(*accuracy, m), 1 - rng.uniform(*abstain, m)
    tables = np.empty((m, k + 1, k))
    tables[:, 0] = 1 - coverage[:, None]
    tables[:, 1:] = (coverage * (1 - accuracies) / (k - 1))[:, None, None]
    tables[:, np.arange(k) + 1, np.arange(k)] = (coverage * accuracies)[:, None]
    limits = tables.cumsum(axis=1)[:, :-1, y]  # (m, k, n)
    votes = (rng.random((m, 1, n)) >= limits).sum(axis=1).T - 1
    return votes, y, tables, accuracies


def accuracy_of(label_model, votes, y):
    return (label_model.predict(votes) == y).mean()


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (model.LabelModel, "cardinality kwargs"),
        (model.LabelModel.fit, "self L_train Y_dev class_balance progress_bar kwargs"),
        (model.LabelModel.predict, "self L return_probs tie_break_policy"),
        (model.LabelModel.predict_proba, "self L"),
        (model.LabelModel.score, "self L Y metrics tie_break_policy"),
        (model.LabelModel.get_weights, "self"),
        (model.LabelModel.get_conditional_probs, "self"),
        (model.LabelModel.save, "self destination"),
        (model.LabelModel.load, "self source"),
    ],
)
def test_arguments_have_snorkels_names_in_its_order(function, names):
    assert list(inspect.signature(function).parameters) == names.split()


def test_a_model_has_two_classes_and_the_cpu_unless_told():
    assert model.LabelModel().cardinality == 2
    assert model.LabelModel(5, verbose=True, device="cpu").cardinality == 5
    with pytest.raises(TypeError):
        model.LabelModel(2, verbosity=1)


@pytest.mark.parametrize("m", [1, 2])
def test_two_functions_are_too_few_to_fit_and_to_predict(m):
    with pytest.raises(ValueError, match="at least 3 labeling functions"):
        fit(L[:, :m])
    with pytest.raises(ValueError, match="at least 3 labeling functions"):
        fit().predict(L[:, :m])


def test_votes_must_fit_the_cardinality():
    with pytest.raises(ValueError, match="L_train has cardinality 3, cardinality=2 passed in"):
        fit(L + 1)
    fit(L + 1, cardinality=3)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"class_balance": [0.0, 1.0]}, ValueError, "Class balance prior is 0 for class"),
        ({"class_balance": [0.2, 0.3, 0.5]}, ValueError, "class_balance has 3 entries"),
        ({"Y_dev": np.zeros(4, int)}, ValueError, r"Y_dev has 1 class\(es\)"),
        ({"Y_dev": np.array([-1, 0, 1])}, ValueError, r"Y_dev has 3 class\(es\)"),
        ({"prec_init": [0.6, 0.7]}, ValueError, "prec_init must have shape 3"),
        ({"prec_init": np.full(4, 0.7)}, ValueError, "prec_init must have shape 3"),
        ({"prec_init": "high"}, TypeError, "prec_init is of type <class 'str'>"),
        ({"optimizer": "newton"}, ValueError, "Unrecognized optimizer option 'newton'"),
        ({"lr_scheduler": "cosine"}, ValueError, "Unrecognized lr scheduler option 'cosine'"),
        ({"n_epoch": 5}, ValueError, r"unexpected field names: \['n_epoch'\]"),
        ({"optimizer_config": {"sgd_config": {"mass": 1}}}, ValueError, "unexpected field names"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_arguments_that_do_not_fit(options, error, message):
    with pytest.raises(error, match=message):
        fit(**options)


def test_the_balance_is_uniform_unless_given_or_counted():
    """A row without votes answers the balance."""
    assert fit().predict_proba(NO_VOTES).tolist() == [[0.5, 0.5]] * 2
    assert fit().predict(NO_VOTES).tolist() == [-1, -1]
    skewed = fit(class_balance=[0.8, 0.2])
    assert skewed.predict_proba(NO_VOTES).ravel() == pytest.approx([0.8, 0.2] * 2)
    assert skewed.predict(NO_VOTES).tolist() == [0, 0]
    for y in ([1, 1, 0, 1], np.array([1, 1, 0, 1])):
        assert fit(Y_dev=y).predict_proba(NO_VOTES[0:1])[0] == pytest.approx([0.25, 0.75])
    both = fit(class_balance=np.array([0.9, 0.1]), Y_dev=[0, 1])
    assert both.predict_proba(NO_VOTES)[1] == pytest.approx([0.9, 0.1])


def test_a_given_balance_is_used_in_learning():
    votes, y, tables, _ = planted(4000, 8, 2, 5, accuracy=(0.7, 0.9), balance=[0.8, 0.2])
    label_model = fit(votes, class_balance=[0.8, 0.2], n_epochs=300)
    assert np.abs(label_model.get_conditional_probs() - tables).mean() < 0.03
    assert accuracy_of(label_model, votes, y) > 0.95


@pytest.mark.parametrize("init", [0.6, 1, [0.6, 0.7, 0.8], np.array([0.6, 0.7, 0.8])], ids=repr)
def test_first_guesses_of_precision_are_one_or_one_a_function(init):
    label_model = fit(prec_init=init)
    assert label_model.predict(L[[1, 2, 3]]).tolist() == [0, 1, 1]


@disagreeing
def test_functions_that_always_disagree_tie(case):
    k, votes = DISAGREEING[case]
    label_model = fit(votes, k)
    tied = sorted(set(votes[0]) - {-1})
    assert label_model.predict(votes).tolist() == [-1] * 30
    assert label_model.predict(votes, tie_break_policy="abstain").tolist() == [-1] * 30
    hashed = label_model.predict(votes, tie_break_policy="random")
    assert sorted(set(hashed)) == tied
    assert hashed.tolist() == label_model.predict(votes, tie_break_policy="random").tolist()
    drawn = label_model.predict(np.tile(votes, (10, 1)), tie_break_policy="true-random")
    assert sorted(set(drawn)) == tied
    assert label_model.predict_proba(votes)[0] == pytest.approx(np.full(k, 1 / k), abs=1e-5)
    with pytest.raises(ValueError, match="tie_break_policy=first policy not recognized"):
        label_model.predict(votes, tie_break_policy="first")


def test_probabilities_come_with_the_predictions_on_request():
    label_model = fit()
    preds, probs = label_model.predict(L, return_probs=True)
    assert (type(preds), preds.dtype, preds.shape) == (np.ndarray, np.int64, (5,))
    assert (type(probs), probs.shape) == (np.ndarray, (5, 2))
    assert probs.dtype.kind == "f"
    assert probs.tolist() == label_model.predict_proba(L).tolist()
    assert preds.tolist() == label_model.predict(L).tolist() == [0, 0, 1, 1, 0]


@pytest.mark.parametrize("k", [2, 3, 5])
def test_probabilities_sum_to_one_and_depend_on_the_votes_alone(k):
    votes, *_ = planted(300, 6, k, k)
    label_model = fit(votes, k)
    probs = label_model.predict_proba(votes)
    assert probs.sum(axis=1) == pytest.approx(np.ones(300), abs=1e-6)
    assert ((probs >= 0) & (probs <= 1)).all()
    order = np.random.default_rng(k).permutation(300)
    assert label_model.predict_proba(votes[order]) == pytest.approx(probs[order], abs=1e-6)
    assert label_model.predict_proba(votes[:1]) == pytest.approx(probs[:1], abs=1e-6)


def test_probabilities_are_the_normalized_product_of_balance_and_tables():
    votes, *_ = planted(500, 4, 3, 2)
    balance = np.array([0.5, 0.3, 0.2])
    label_model = fit(votes, 3, class_balance=balance)
    tables = label_model.get_conditional_probs()
    for row, probs in zip(votes[:50], label_model.predict_proba(votes[:50]), strict=True):
        voters = np.flatnonzero(row >= 0)  # those who abstain say nothing
        joint = balance * tables[voters, row[voters] + 1].prod(axis=0)
        assert probs == pytest.approx(joint / joint.sum(), abs=1e-5)


def test_no_rows_give_no_predictions():
    label_model = fit()
    assert label_model.predict(L[:0]).shape == (0,)
    assert label_model.predict_proba(L[:0]).shape == (0, 2)


def test_score_leaves_out_what_abstains_except_for_coverage():
    label_model = fit()
    votes, y = np.vstack([L, NO_VOTES[:1]]), np.array([0, 0, 1, 1, 1, 0])
    assert label_model.score(votes, y) == {"accuracy": 0.8}
    scores = label_model.score(L=votes, Y=y, metrics=["accuracy", "coverage"])
    assert scores == {"accuracy": 0.8, "coverage": pytest.approx(5 / 6)}
    guessed = label_model.score(votes, y, ["coverage"], tie_break_policy="random")
    assert guessed == {"coverage": 1}
    assert label_model.score(votes, y[:, None]) == {"accuracy": 0.8}
    unknown = label_model.score(votes, np.array([-1, 0, 1, 1, 1, 0]), ["accuracy", "coverage"])
    assert unknown == {"accuracy": 0.75, "coverage": pytest.approx(5 / 6)}


def test_score_knows_other_metrics():
    pytest.importorskip("sklearn")
    names = ["precision", "recall", "f1", "f1_micro", "f1_macro", "matthews_corrcoef", "roc_auc"]
    scores = fit().score(L, np.array([0, 0, 1, 1, 1]), metrics=names)  # answers 0, 0, 1, 1, 0
    want = [1, 2 / 3, 0.8, 0.8, 0.8, 2 / 3, 5 / 6]
    assert list(scores) == names
    assert list(scores.values()) == pytest.approx(want)


def test_score_refuses_what_it_cannot_score():
    with pytest.raises(ValueError, match="Unrecognized metric: fit"):
        fit().score(L, np.zeros(5, int), metrics=["fit"])
    with pytest.raises(ValueError, match="empty"):
        fit().score(L[:0], np.zeros(0, int))


@pytest.mark.parametrize("seed", range(3))
def test_weights_are_near_the_planted_accuracies(seed):
    votes, _, _, accuracies = planted(1000, 5, 2, seed, accuracy=(0.7, 0.9))
    weights = fit(votes, seed=123).get_weights()
    assert (weights.shape, weights.dtype) == ((5,), np.float64)
    assert ((weights > 0) & (weights <= 1)).all()
    assert np.abs(weights - accuracies).max() < 0.1


@pytest.mark.parametrize("k", [2, 3])
def test_conditional_probabilities_are_a_table_a_function(k):
    votes, _, tables, _ = planted(2000, 8, k, 40 + k)
    probs = fit(votes, k).get_conditional_probs()
    assert probs.shape == tables.shape == (8, k + 1, k)
    assert probs.dtype == np.float64
    assert probs.sum(axis=1).ravel() == pytest.approx(np.ones(8 * k), abs=1e-5)
    assert ((probs >= 0) & (probs <= 1)).all()


def test_what_was_planted_is_recovered():
    votes, y, tables, _ = planted(10_000, 10, 2, 7)
    label_model = fit(votes, n_epochs=200)
    assert np.abs(label_model.get_conditional_probs() - tables).mean() < 0.015
    assert accuracy_of(label_model, votes, y) >= 0.9
    assert label_model.score(votes, y)["accuracy"] >= 0.9
    majority = model.MajorityLabelVoter().predict(votes, tie_break_policy="random")
    assert accuracy_of(label_model, votes, y) >= (majority == y).mean()


def test_learning_converges():
    votes, y, tables, accuracies = planted(1500, 15, 2, 5)
    some, more = (fit(votes, n_epochs=epochs) for epochs in (200, 800))
    assert np.abs(some.get_conditional_probs() - more.get_conditional_probs()).mean() < 0.005
    assert np.abs(more.get_conditional_probs() - tables).mean() < 0.025
    assert np.abs(more.get_weights() - accuracies).max() < 0.1
    assert (some.predict(votes) == more.predict(votes)).mean() > 0.99
    assert accuracy_of(more, votes, y) > 0.95


@pytest.mark.parametrize(("k", "seed"), [(2, 1), (2, 2), (3, 3)])
def test_a_row_with_few_votes_is_never_left_undecided(k, seed):
    votes, y, *_ = planted(1000, 10, k, seed, accuracy=(0.8, 0.9), abstain=(0.9, 0.95))
    counts = (votes >= 0).sum(axis=1)
    label_model = fit(votes, k)
    preds = label_model.predict(votes)
    assert ((preds >= 0) == (counts > 0)).all()
    assert np.isfinite(label_model.predict_proba(votes)).all()
    assert (preds[counts == 1] == votes.max(axis=1)[counts == 1]).all()
    assert (preds == y)[counts > 0].mean() > 0.75


def test_where_functions_overlap_little_the_majority_is_right():
    votes, *_ = planted(2000, 6, 2, 11, accuracy=(0.8, 0.85), abstain=(0.8, 0.9))
    majority = model.MajorityLabelVoter().predict(votes)
    decided = majority >= 0
    assert (fit(votes).predict(votes) == majority)[decided].mean() > 0.98


def test_a_function_that_never_votes_changes_nothing():
    votes, *_ = planted(1000, 5, 2, 3)
    with_abstainer = np.column_stack([votes, np.full(1000, -1)])
    with_it, without = fit(with_abstainer, n_epochs=300), fit(votes, n_epochs=300)
    tables = with_it.get_conditional_probs()
    assert (tables[5, 0] > 0.95).all()
    assert tables[:5] == pytest.approx(without.get_conditional_probs(), abs=0.02)
    assert (with_it.predict(with_abstainer) == without.predict(votes)).mean() > 0.99


def test_votes_on_nothing_can_be_fitted():
    assert fit(np.full((6, 3), -1)).predict(NO_VOTES).tolist() == [-1, -1]


@pytest.mark.parametrize("name", ["LabelModel", "MajorityClassVoter"])
def test_a_saved_model_is_the_same_when_loaded(name, tmp_path):
    votes, *_ = planted(300, 5, 3, 8)
    saved = getattr(model, name)(cardinality=3, verbose=False)
    saved.fit(votes if name == "LabelModel" else np.array([0.2, 0.5, 0.3]), progress_bar=False)
    path = str(tmp_path / "model.pkl")
    assert saved.save(path) is None
    loaded = getattr(model, name)()
    assert loaded.load(path) is None
    assert loaded.cardinality == 3
    assert loaded.predict_proba(votes).tolist() == saved.predict_proba(votes).tolist()
    assert loaded.predict(votes).tolist() == saved.predict(votes).tolist()
    if name == "LabelModel":
        assert loaded.get_weights().tolist() == saved.get_weights().tolist()
        assert loaded.get_conditional_probs().tolist() == saved.get_conditional_probs().tolist()


def test_no_file_is_no_model(tmp_path):
    with pytest.raises(FileNotFoundError):
        model.LabelModel().load(str(tmp_path / "none.pkl"))


def test_steps_that_are_far_too_long_are_an_error():
    votes, *_ = planted(200, 5, 2, 1)
    with pytest.raises(Exception, match=r"Loss is NaN\. Consider reducing learning rate\."):
        fit(votes, lr=1e8)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamax"])
@pytest.mark.parametrize("scheduler", ["constant", "linear", "exponential", "step"])
def test_optimizers_and_schedules_are_those_of_snorkel(optimizer, scheduler):
    votes, y, *_ = planted(400, 8, 2, 2, accuracy=(0.75, 0.9))
    label_model = fit(votes, optimizer=optimizer, lr_scheduler=scheduler, lr=0.02, n_epochs=60)
    assert accuracy_of(label_model, votes, y) > 0.9


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer_config": {"sgd_config": {"momentum": 0.5}}},
        {"optimizer": "adam", "optimizer_config": {"adam_config": {"betas": (0.8, 0.99)}}},
        {"lr_scheduler": "step", "lr_scheduler_config": {"step_config": {"step_size": 9}}},
        {"lr_scheduler": "exponential", "lr_scheduler_config": {"min_lr": 0.001}},
        {"lr_scheduler_config": {"exponential_config": {"gamma": 0.5}}},
        {"lr_scheduler_config": {"warmup_steps": 5, "warmup_unit": "epochs"}},
        {"lr_scheduler": "linear", "lr_scheduler_config": {"warmup_percentage": 0.2}},
        {"l2": 0.05, "mu_eps": 0.02, "log_freq": 1, "prec_init": 0.8},
    ],
    ids=str,
)
def test_settings_are_accepted(options):
    votes, y, *_ = planted(400, 8, 2, 2, accuracy=(0.75, 0.9))
    assert accuracy_of(fit(votes, **options), votes, y) > 0.85


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"warmup_steps": 5}, "other than 'epochs'"),  # the default unit is batches
        ({"warmup_steps": 5, "warmup_unit": "rows"}, "other than 'epochs'"),
        ({"warmup_steps": -5, "warmup_unit": "epochs"}, "warmup_steps"),
        ({"cooldown": 5}, r"unexpected field names: \['cooldown'\]"),
    ],
)
def test_warm_ups_that_do_not_fit(settings, message):
    with pytest.raises(ValueError, match=message):
        fit(lr_scheduler_config=settings)


@pytest.mark.parametrize("eps", [0.1, 0.2])
def test_mu_eps_bounds_the_probabilities_of_votes(eps):
    probs = fit(mu_eps=eps).get_conditional_probs()[:, 1:]
    assert probs.min() >= eps - 1e-6
    assert probs.max() <= 1 - eps + 1e-6


def test_a_progress_bar_is_shown_unless_refused(capsys):
    pytest.importorskip("tqdm")
    model.LabelModel(verbose=False).fit(L, n_epochs=3)
    assert capsys.readouterr().err
    model.LabelModel(verbose=False).fit(L, n_epochs=3, progress_bar=False)
    assert not capsys.readouterr().err


def test_a_seed_gives_the_same_model_again():
    votes, *_ = planted(300, 6, 3, 4)
    before = votes.copy()
    first = fit(votes, 3, seed=42)
    np.random.rand(5)  # noqa: NPY002 - the global state must not matter
    second = fit(votes, 3, seed=42)
    assert first.get_conditional_probs().tolist() == second.get_conditional_probs().tolist()
    assert first.predict_proba(votes).tolist() == second.predict_proba(votes).tolist()
    second.fit(votes, seed=42, progress_bar=False)  # a second fit starts anew
    assert first.get_conditional_probs().tolist() == second.get_conditional_probs().tolist()
    assert (votes == before).all()
