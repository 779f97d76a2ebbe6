"""Pairwise factors: planted ones are found, normalized exactly, and never cost accuracy."""

from __future__ import annotations

import itertools
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import coverset as cs
import factor_reference as reference
from examples import THREADS
from label_model_examples import matrix

MOST = 12  # LFs of a component whose outcomes are enumerated
FIFTY = {"n": 50_000, "n_lfs": 50, "pairs": 15, "triples": 2}


def accuracy(model, L, y):
    return np.mean(model.predict_proba(L).argmax(axis=1) == y)


def parameters_of(model, L):
    """The learned parameters as the reference has them."""
    components = {}
    for members, (a, c) in model.factor_parameters_.items():
        table = np.zeros((len(members), len(members)))
        for i, j, strength in model.factors_:
            if i in members and j in members:
                place = members.index(i), members.index(j)
                table[place] = table[place[::-1]] = strength
        upper = np.triu_indices(len(members), 1)
        np.testing.assert_allclose(np.asarray(c)[upper], table[upper], atol=1e-12)
        components[tuple(members)] = np.asarray(a), table
    return SimpleNamespace(
        balance=model.class_balance_,
        labels=[sorted({*column[column >= 0].tolist()}) for column in L.T],
        components=components,
    )


class Planted:
    """Votes with planted factors, and the models that learned from them."""

    def __init__(self, **options):
        self.L, self.y, self.edges, self.parameters = reference.planted(**options)
        self.votes = matrix(self.L, 2)
        self.model = cs.LabelModel(dependencies="factors").fit(self.votes)
        self.none = cs.LabelModel(dependencies="none").fit(self.votes)


@pytest.fixture(scope="module", params=[0])
def fifty(request):
    return Planted(**FIFTY, seed=request.param)


@pytest.fixture(scope="module")
def triples():
    """Three triples and nothing else, which are all told apart by the default fit."""
    return Planted(n=20_000, n_lfs=9, pairs=0, triples=3, seed=5, accuracy=(0.7, 0.9))


# The reference itself


def test_outcomes_of_two_functions_by_hand():
    """Weights 1 for no vote, 2 and 5 for the single votes, 2 * 5 * 3 for both: 38 in all."""
    a = np.log([[[2.0]], [[5.0]]])
    c = np.log([[1.0, 3.0], [3.0, 1.0]])
    x = reference.outcomes([[0], [0]])
    assert x.tolist() == [[-1, -1], [-1, 0], [0, -1], [0, 0]]
    p = np.exp(reference.component_log_likelihood(x, [[0], [0]], a, c))
    np.testing.assert_allclose(p[:, 0] * 38, [1, 5, 2, 30])
    marginals = reference.marginals([[0], [0]], a, c)
    np.testing.assert_allclose(marginals[:, 0, 0] * 38, [32, 35])


def test_a_factor_counts_only_where_labels_agree():
    a, c = np.zeros((2, 2, 2)), np.array([[0.0, 7.0], [7.0, 0.0]])
    x = reference.outcomes([[0, 1], [0, 1]])
    scores = reference.log_scores(x, a, c)
    agree = (x[:, 0] == x[:, 1]) & (x[:, 0] >= 0)
    assert np.array_equal(scores, 7.0 * np.stack([agree, agree], axis=1))


def test_without_factors_functions_are_independent():
    wanted = np.random.default_rng(0).uniform(0.05, 0.45, (3, 2, 2))
    labels = [[0, 1]] * 3
    a = reference.matched(labels, wanted, np.zeros((3, 3)))
    x = reference.outcomes(labels)
    p = np.stack([1 - wanted.sum(axis=2), *wanted.transpose(2, 0, 1)])  # by vote + 1
    product = np.prod([p[x[:, j] + 1, j] for j in range(3)], axis=0)
    likely = np.exp(reference.component_log_likelihood(x, labels, a, np.zeros((3, 3))))
    np.testing.assert_allclose(likely, product, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_probabilities_of_all_rows_sum_to_one(seed):
    *_, parameters = reference.planted(
        10, 6, 1, 1, seed, unipolar=2, balance=(0.3, 0.7), coverage=(0.1, 0.3)
    )
    rows = reference.outcomes(parameters.labels)
    total = np.exp(reference.log_sum_exp(reference.log_joint(rows, parameters), axis=1)).sum()
    np.testing.assert_allclose(total, 1)
    np.testing.assert_allclose(reference.posterior(rows, parameters).sum(axis=1), 1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("unipolar", [0, 40])
def test_planted_marginals_are_as_stated(seed, unipolar):
    """Exactly by enumeration, and in the drawn votes within five standard errors."""
    coverage = (0.1, 0.4) if unipolar else (0.3, 0.7)
    L, y, _, parameters = reference.planted(
        30_000, 20, 4, 2, seed, unipolar=unipolar, coverage=coverage
    )
    for members, (a, c) in parameters.components.items():
        labels = [parameters.labels[j] for j in members]
        p = reference.marginals(labels, a, c)
        for i, j in enumerate(members):
            votes = parameters.balance @ p[i]
            right = parameters.balance @ np.diag(p[i])
            np.testing.assert_allclose(votes.sum(), parameters.coverage[j], atol=1e-9)
            np.testing.assert_allclose(right / votes.sum(), parameters.accuracy[j], atol=1e-9)
    covered = L >= 0
    n = covered.sum(axis=0)
    right = ((y[:, None] == L) & covered).sum(axis=0) / n
    assert np.abs(n / len(L) - parameters.coverage).max() < 5 * 0.5 / np.sqrt(len(L))
    assert (np.abs(right - parameters.accuracy) < 5 * 0.5 / np.sqrt(n)).all()


def test_planted_parameters_are_the_likeliest(triples):
    """Brute force: no factor changed or left out explains the votes as well."""
    L, parameters = triples.L[:5000], triples.parameters
    best = reference.log_likelihood(L, parameters)
    members = next(iter(parameters.components))
    a, c = parameters.components[members]
    labels = [parameters.labels[j] for j in members]
    wanted = reference.marginals(labels, a, c)
    for other in (np.zeros_like(c), c / 2, c * 1.5):
        changed = {members: (reference.matched(labels, wanted, other), other)}
        worse = SimpleNamespace(**vars(parameters))
        worse.components = parameters.components | changed
        assert reference.log_likelihood(L, worse) < best - 10


@pytest.mark.parametrize("seed", range(2))
def test_joint_correlation_given_the_true_class_tells_planted_pairs(seed):
    L, y, edges, _ = reference.planted(**FIFTY, seed=seed)
    truth = np.eye(2)[y]
    N = np.stack([(label == L).T @ truth for label in range(2)], axis=1)
    R = reference.joint_correlation(L, N, truth.sum(axis=0))
    planted = [R[pair] for pair in edges]
    other = [R[p] for p in itertools.combinations(range(50), 2) if p not in set(edges)]
    print(f"planted >= {min(planted):.3f}, others <= {max(other):.3f}, sd {np.std(other):.4f}")
    assert min(planted) > 10 * max(other)
    assert min(planted) > 30 * np.std(other)


# The model


def test_planted_factors_are_found(fifty):
    graph = fifty.model.dependency_graph_
    f1 = reference.f1(fifty.edges, graph.to_pairs())
    print(f"F1 {f1:.3f}: {len(graph.pairs)} pairs found, {len(fifty.edges)} planted")
    assert f1 >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 8))
def test_planted_factors_are_found_whatever_the_seed(seed):
    test_planted_factors_are_found(Planted(**FIFTY, seed=seed))


def test_factors_cost_no_accuracy(fifty):
    factors, none = (accuracy(m, fifty.votes, fifty.y) for m in (fifty.model, fifty.none))
    bayes = np.mean(reference.posterior(fifty.L, fifty.parameters).argmax(axis=1) == fifty.y)
    print(f"factors {factors:.4f}, none {none:.4f}, the planted parameters {bayes:.4f}")
    assert factors >= none - 0.002


def test_factors_of_few_functions_cost_no_accuracy(triples):
    factors, none = (accuracy(m, triples.votes, triples.y) for m in (triples.model, triples.none))
    print(f"factors {factors:.4f}, none {none:.4f}")
    assert factors >= none - 0.002


def test_each_pair_of_the_graph_has_a_factor(fifty):
    pairs = [(i, j) for i, j, _ in fifty.model.factors_]
    assert all(i < j for i, j in pairs)
    assert sorted(pairs) == sorted(fifty.model.dependency_graph_.to_pairs())
    strengths = {(i, j): c for i, j, c in fifty.model.factors_}
    assert all(strengths[pair] > 0.5 for pair in fifty.edges if pair in strengths)


def test_the_graph_is_that_of_the_auto_fit(fifty):
    want = cs.learn_dependencies(
        fifty.votes, model=cs.LabelModel(dependencies="auto").fit(fifty.votes)
    )
    graph = fifty.model.dependency_graph_
    assert np.array_equal(graph.pairs, want.pairs)
    assert np.array_equal(graph.strengths, want.strengths)


def test_with_gold_factors_are_those_planted():
    L, y, edges, parameters = reference.planted(20_000, 12, 3, 1, 0)
    model = cs.LabelModel(dependencies="factors").fit(matrix(L, 2), y)
    assert set(edges) <= {(i, j) for i, j, _ in model.factors_}
    for i, j, strength in model.factors_:
        members, (_, c) = next(x for x in parameters.components.items() if i in x[0])
        planted = c[members.index(i), members.index(j)] if j in members else 0.0
        np.testing.assert_allclose(strength, planted, atol=0.2)


@pytest.mark.parametrize("anchor", [0.0, 0.5])
def test_predictions_are_the_posterior_of_the_learned_parameters(triples, anchor):
    model = cs.LabelModel(dependencies="factors", anchor=anchor, class_balance=[0.5, 0.5])
    model.fit(triples.votes)
    parameters = parameters_of(model, triples.L)
    assert {j for members in parameters.components for j in members} == set(range(9))
    rows = np.unique(triples.L, axis=0)
    rows = rows[(rows >= 0).any(axis=1)][:2000]
    want = reference.posterior(rows, parameters)
    np.testing.assert_allclose(model.predict_proba(matrix(rows, 2)), want, atol=1e-5)


def test_learned_factors_explain_more_than_none(triples):
    """Against the same marginals without factors."""
    parameters = parameters_of(triples.model, triples.L)
    rows = triples.L[:5000]
    learned = reference.log_likelihood(rows, parameters)
    for members, (a, c) in parameters.components.items():
        labels = [parameters.labels[j] for j in members]
        wanted = reference.marginals(labels, a, c)
        alone = np.zeros_like(c)
        parameters.components[members] = reference.matched(labels, wanted, alone), alone
    assert learned > reference.log_likelihood(rows, parameters) + 25


def test_unipolar_functions_have_factors_too():
    L, y, edges, _ = reference.planted(20_000, 40, 8, 2, 0, unipolar=40, coverage=(0.1, 0.4))
    votes = matrix(L, 2)
    model = cs.LabelModel(dependencies="factors").fit(votes)
    assert reference.f1(edges, model.dependency_graph_.to_pairs()) >= 0.9
    none = cs.LabelModel(dependencies="none").fit(votes)
    assert accuracy(model, votes, y) >= accuracy(none, votes, y) - 0.002


def test_independent_functions_have_no_factors():
    L, y, _, _ = reference.planted(20_000, 30, 0, 0, 3)
    model = cs.LabelModel(dependencies="factors").fit(matrix(L, 2))
    assert model.factors_ == []
    assert len(model.dependency_graph_.pairs) == 0
    none = cs.LabelModel(dependencies="none").fit(matrix(L, 2))
    assert accuracy(model, matrix(L, 2), y) >= accuracy(none, matrix(L, 2), y) - 0.002


def chain(length, n=6000, seed=0):
    """Return votes of 24 LFs and of a chain in which each repeats the one before at times."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    L = np.full((n, 24 + length), -1)
    for j in range(L.shape[1]):
        own = 1 if j >= 24 else j % 2
        L[rng.random(n) < np.where(y == own, 0.5, 0.1), j] = own
        if j > 24:
            L[:, j] = np.where(rng.random(n) < 0.6, L[:, j - 1], L[:, j])
    return L, y


@pytest.mark.parametrize("length", [6, 14])
def test_large_components_are_weighed_by_clusters_with_a_warning(length):
    L, y = chain(length)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = cs.LabelModel(dependencies="factors").fit(matrix(L, 2))
    sizes = [len(some) for some in model.dependency_graph_.components()]
    assert max(sizes) >= length
    large = [size for size in sizes if size > MOST]
    assert bool(large) == (length > MOST)
    assert all(issubclass(warning.category, UserWarning) for warning in caught)
    assert bool(caught) == bool(large)
    assert all(any(str(size) in str(w.message) for w in caught) for size in large)
    in_large = {
        j for some in model.dependency_graph_.components() if len(some) > MOST for j in some
    }
    assert not {j for i, j, _ in model.factors_} & in_large
    auto = cs.LabelModel().fit(matrix(L, 2))
    assert accuracy(model, matrix(L, 2), y) >= accuracy(auto, matrix(L, 2), y) - 0.01


def test_the_same_bytes_on_any_thread_count():
    L, *_ = reference.planted(12_000, 20, 4, 1, 2)
    votes = matrix(L, 2)
    models = [cs.LabelModel(dependencies="factors").fit(votes, n_threads=t) for t in THREADS]
    want = models[0].predict_proba(votes, n_threads=1)
    graph = models[0].dependency_graph_
    for model, threads in zip(models, THREADS, strict=True):
        assert np.array_equal(model.predict_proba(votes, n_threads=threads), want)
        assert model.factors_ == models[0].factors_
        assert model.dependency_graph_.pairs.tobytes() == graph.pairs.tobytes()
        assert model.dependency_graph_.strengths.tobytes() == graph.strengths.tobytes()


def test_the_same_bytes_after_loading(tmp_path, triples):
    triples.model.save(tmp_path / "model")
    loaded = cs.LabelModel.load(tmp_path / "model")
    want = triples.model.predict_proba(triples.votes)
    assert np.array_equal(loaded.predict_proba(triples.votes), want)
    assert loaded.factors_ == triples.model.factors_
    assert loaded.dependency_graph_.to_pairs() == triples.model.dependency_graph_.to_pairs()


def test_probabilities_are_probabilities(triples):
    """Of rows seen or not, those without votes and single votes included."""
    rows = np.vstack([np.full((1, 9), -1), np.where(np.eye(9) > 0, 1, -1), np.zeros((1, 9), int)])
    proba = triples.model.predict_proba(matrix(rows, 2))
    assert proba.dtype == np.float32
    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(axis=1, dtype=float), 1, atol=1e-6)
    assert proba[-1, 0] > 0.9  # nine votes for class 0


def test_fitting_is_repeatable_and_leaves_parameters_alone(triples):
    model = cs.LabelModel(dependencies="factors", anchor=0.5)
    assert model.fit(triples.votes) is model
    assert model.get_params()["dependencies"] == "factors"
    want = triples.model.predict_proba(triples.votes)
    assert np.array_equal(model.predict_proba(triples.votes), want)


def test_groups_keep_factors_inside_families(triples):
    groups = [j % 2 for j in range(9)]
    some = cs.LabelModel(dependencies="factors", groups=groups).fit(triples.votes)
    found = {(a, b) for a, b, _ in some.factors_}
    inside = {(a, b) for a, b in triples.edges if groups[a] == groups[b]}
    assert inside
    assert inside <= found
    assert all(groups[a] == groups[b] for a, b in found)
