"""Which labeling functions depend on each other: against one slow lasso a column, and in order."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import coverset as cs
import dependency_reference
import factor_reference as reference
import label_model_reference
from examples import THREADS
from label_model_examples import matrix

ANNOTATORS = "agreement"  # what the reference says of them; or "joint"
NO_PENALTY = {"l1": 0.0, "least": 0.0}


def unipolar_votes(seed, n=120, m=7, k=2):
    """Return votes for one label each; every other LF repeats an earlier one, with changes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, n)
    L = np.full((n, m), -1)
    for j in range(m):
        own = int(rng.integers(k))
        fires = rng.random(n) < np.where(y == own, 0.6, 0.15)
        alike = [i for i in range(j) if own in L[:, i]]
        if alike and rng.random() < 0.5:
            repeated = L[:, rng.choice(alike)] == own
            fires = np.where(rng.random(n) < rng.uniform(0.3, 0.8), repeated, fires)
        L[fires, j] = own
    return L


def annotator_votes(seed, n=120, m=5, k=3):
    """Return votes for all labels; the last LF repeats the one before it half of the time."""
    rng = np.random.default_rng(seed)
    L, _ = label_model_reference.planted_votes(n, rng.uniform(0.5, 0.9, m), k, seed=seed)
    L[:, -1] = np.where(rng.random(n) < 0.5, L[:, -2], L[:, -1])
    return L


def table_of(graph):
    """(m, m) strengths of a graph, 0 where there is no pair."""
    S = np.zeros((graph.n_lfs, graph.n_lfs))
    for (i, j), strength in zip(graph.pairs.tolist(), graph.strengths.tolist(), strict=True):
        S[i, j] = S[j, i] = strength
    return S


def assert_well_formed(graph, m, least):
    assert graph.n_lfs == m
    assert graph.pairs.dtype == np.int64
    assert graph.strengths.dtype == np.float64
    assert graph.pairs.shape == (len(graph.strengths), 2)
    pairs = [tuple(pair) for pair in graph.pairs.tolist()]
    assert all(0 <= i < j < m for i, j in pairs)
    assert len(set(pairs)) == len(pairs)
    assert np.isfinite(graph.strengths).all()
    assert (np.abs(graph.strengths) >= least).all()
    keys = [(-abs(s), pair) for s, pair in zip(graph.strengths.tolist(), pairs, strict=True)]
    assert keys == sorted(keys)
    assert graph.components() == reference.components(m, pairs)
    assert graph.to_pairs() == pairs
    assert graph.to_pairs(2) == pairs[:2]


def assert_like_reference(graph, S, least, atol=1e-6):
    """Equal strengths, and the same pairs but for those on the very threshold."""
    assert_well_formed(graph, len(S), least)
    kept = np.where(np.abs(S) >= least, S, 0.0)
    clear = np.abs(np.abs(S) - least) > atol
    np.testing.assert_allclose(table_of(graph)[clear], kept[clear], atol=atol)


SEEDS = st.integers(0, 2**32 - 1)
SETTINGS = st.sampled_from([(0.05, 0.05), (0.02, 0.1), (0.1, 0.01), (0.3, 0.2)])


@settings(max_examples=25)
@given(SEEDS, st.integers(2, 8), st.integers(2, 3), SETTINGS)
def test_unipolar_functions_as_in_the_reference(seed, m, k, penalties):
    l1, least = penalties
    L = unipolar_votes(seed, m=m, k=k)
    want = dependency_reference.fit(L, k)
    assume(not want.is_annotator.any())
    S = reference.strengths(L, k, want, l1)
    assert_like_reference(cs.learn_dependencies(matrix(L, k), l1=l1, least=least), S, least)


@pytest.mark.parametrize("seed", range(4))
def test_a_given_model_says_what_is_expected(seed):
    L = unipolar_votes(seed, n=300)
    model = cs.LabelModel(dependencies="none").fit(matrix(L, 2))
    S = reference.strengths(L, 2, label_model_reference.fit(L, 2))
    assert_like_reference(cs.learn_dependencies(matrix(L, 2), model=model), S, 0.1)
    default = cs.learn_dependencies(matrix(L, 2))
    given_it = cs.learn_dependencies(matrix(L, 2), model=cs.LabelModel().fit(matrix(L, 2)))
    assert np.array_equal(default.pairs, given_it.pairs)
    assert np.array_equal(default.strengths, given_it.strengths)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("least", [0.05, 0.2])
def test_annotators_as_in_the_reference(seed, least):
    L = annotator_votes(seed, n=1000)
    want = dependency_reference.fit(L, 3)
    assert want.is_annotator.all()
    graph = cs.learn_dependencies(matrix(L, 3), least=least)
    S = reference.strengths(L, 3, want, annotators=ANNOTATORS)
    assert_like_reference(graph, S, least)
    assert graph.to_pairs(1) in ([(3, 4)], [])  # no other pair is more than an accident


@pytest.mark.parametrize("seed", range(4))
def test_unipolar_functions_and_annotators_do_not_meet(seed):
    L = np.hstack([unipolar_votes(seed, m=8), annotator_votes(seed, m=2, k=2)[:, ::-1]])
    L[np.random.default_rng(seed).random(len(L)) < 0.6, 8:] = -1  # most votes are unipolar
    want = dependency_reference.fit(L, 2)
    assert want.is_annotator.tolist() == [False] * 8 + [True] * 2
    S = reference.strengths(L, 2, want, annotators=ANNOTATORS)
    graph = cs.learn_dependencies(matrix(L, 2))
    assert_like_reference(graph, S, 0.1)
    assert not (table_of(graph)[:8, 8:]).any()


@pytest.mark.parametrize("seed", range(4))
def test_the_reference_solves_the_lasso(seed):
    """b is least where the gradient is within l1, and -l1 sign(b) wherever b is not 0."""
    fires = unipolar_votes(seed, m=9, k=1) >= 0
    R = reference.correlation(np.cov(fires.T))
    for c in range(9):
        b = reference.lasso(R, c, 0.05)
        slope = np.delete(R @ b - R[c], c)
        b = np.delete(b, c)
        assert (np.abs(slope) <= 0.05 + 1e-12).all()
        np.testing.assert_allclose(slope[b != 0], -0.05 * np.sign(b[b != 0]), atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_without_a_penalty_strengths_are_partial_correlations(seed):
    L = unipolar_votes(seed, n=600, m=6)
    L[L >= 0] = 0  # all of one label, so that all meet
    L = np.hstack([L, np.where(np.random.default_rng(seed).random((600, 2)) < 0.3, 1, -1)])
    want = reference.decided(L, 2, dependency_reference.fit(L, 2))
    R = reference.correlation(
        reference.covariance(L[:, :6] == 0, want.N_believed[:6, 0], want.n_believed)
    )
    P = np.linalg.inv(R)
    partial = -P / np.sqrt(np.outer(np.diag(P), np.diag(P)))
    S = table_of(cs.learn_dependencies(matrix(L, 2), **NO_PENALTY))[:6, :6]
    surprising = np.abs(partial) >= reference.SURPRISE / np.sqrt(want.n_believed.sum())
    off = ~np.eye(6, dtype=bool)
    assert surprising[off].any()
    np.testing.assert_allclose(S[off], np.where(surprising, partial, 0)[off], atol=1e-5)


def test_two_functions_of_a_label_lose_the_penalty():
    rng = np.random.default_rng(4)
    L = unipolar_votes(1, n=400, m=2, k=1)
    L = np.hstack([L, np.where(rng.random((400, 1)) < 0.4, 1, -1)])
    L[:, 1] = np.where(rng.random(400) < 0.7, L[:, 0], L[:, 1])
    want = reference.decided(L, 2, dependency_reference.fit(L, 2))
    R = reference.correlation(
        reference.covariance(L[:, :2] == 0, want.N_believed[:2, 0], want.n_believed)
    )
    graph = cs.learn_dependencies(matrix(L, 2), l1=0.1)
    assert graph.to_pairs() == [(0, 1)]
    np.testing.assert_allclose(graph.strengths, [R[0, 1] - 0.1], atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("votes", [unipolar_votes, annotator_votes])
def test_the_order_of_functions_does_not_matter(seed, votes):
    L = votes(seed, n=400, m=8, k=2)
    order = np.random.default_rng(seed).permutation(8)
    straight = table_of(cs.learn_dependencies(matrix(L, 2), least=0.0))
    permuted = table_of(cs.learn_dependencies(matrix(L[:, order], 2), least=0.0))
    # of strengths near 0, b_cd b_dc is known far better than its root
    np.testing.assert_allclose(permuted**2, straight[np.ix_(order, order)] ** 2, atol=1e-6)


def with_copies(seed, unipolar, n=1000):
    """Return votes of LFs of which the last three repeat the third, with changes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    L = np.full((n, 10), -1)
    for j in range(10):
        if unipolar:
            L[rng.random(n) < np.where(y == j % 2, 0.6, 0.1), j] = j % 2
        else:
            right = np.where(rng.random(n) < 0.75, y, rng.integers(0, 2, n))
            L[:, j] = np.where(rng.random(n) < 0.8, right, -1)
    for j in (7, 8, 9):
        L[:, j] = np.where(rng.random(n) < 0.1, -1, L[:, 2])
    return L


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("unipolar", [True, False])
def test_copies_are_found(seed, unipolar):
    L = matrix(with_copies(seed, unipolar))
    graph = cs.learn_dependencies(L)
    pairs = graph.to_pairs()
    star = [(2, 7), (2, 8), (2, 9)]  # copies may be independent of each other given LF 2
    assert set(star) <= set(pairs)
    strong = cs.learn_dependencies(L, least=min(graph.strengths[pairs.index(p)] for p in star))
    assert strong.components() == [(2, 7, 8, 9)]
    model = cs.LabelModel(dependencies=strong.to_pairs()).fit(L)
    assert model.lf_clusters_ == [(2, 7, 8, 9)]


@pytest.mark.parametrize("seed", range(4))
def test_a_chain_is_told_from_its_ends(seed):
    """LF 1 repeats LF 0 and LF 2 repeats LF 1: given LF 1, the others say nothing of each other."""
    rng = np.random.default_rng(seed)
    n = 4000
    y = rng.integers(0, 2, n)
    L = np.full((n, 11), -1)
    for j in range(11):
        own = 1 if j < 3 else j % 2
        L[rng.random(n) < np.where(y == own, 0.6, 0.1), j] = own
    for j in (1, 2):
        L[:, j] = np.where(rng.random(n) < 0.75, L[:, j - 1], L[:, j])
    S = table_of(cs.learn_dependencies(matrix(L)))
    assert min(S[0, 1], S[1, 2]) > S[0, 2] + 0.2
    assert min(S[0, 1], S[1, 2]) > 0.3
    assert S[0, 2] < 0.1


@pytest.mark.parametrize("seed", range(3))
def test_planted_factors_of_unipolar_functions_are_found(seed):
    L, _, edges, _ = reference.planted(20_000, 40, 8, 2, seed, unipolar=40, coverage=(0.1, 0.4))
    graph = cs.learn_dependencies(matrix(L, 2))
    assert sorted(graph.to_pairs(len(edges))) == edges
    assert reference.f1(edges, graph.to_pairs()) >= 0.9


def test_functions_of_different_labels_are_no_pair():
    rng = np.random.default_rng(0)
    L = np.full((500, 4), -1)
    both = rng.random(500) < 0.4
    L[both, 0], L[both, 1] = 0, 1
    L[rng.random(500) < 0.3, 2], L[rng.random(500) < 0.3, 3] = 0, 1
    assert (0, 1) not in cs.learn_dependencies(matrix(L), least=1e-6).to_pairs()


def test_functions_that_always_or_never_vote():
    L = np.hstack([unipolar_votes(3, n=200, m=5), np.zeros((200, 2), int), np.full((200, 1), -1)])
    graph = cs.learn_dependencies(matrix(L, 2))
    assert_well_formed(graph, 8, 0.05)
    assert (np.abs(graph.strengths) <= 1).all()
    assert not (graph.pairs == 7).any()
    assert not set(graph.to_pairs()) & {(i, j) for i in range(5) for j in (5, 6)}


@pytest.mark.parametrize("seed", range(3))
def test_paraphrased_prompts_are_found(test_data, seed):
    with np.load(test_data / "label_matrices" / "llm_youtube_paraphrased.npz") as file:
        L, k = file["train_L"], int(file["cardinality"])
    order = np.random.default_rng(seed).permutation(20)
    graph = cs.learn_dependencies(matrix(L[:, order], k))
    strongest = {tuple(sorted(order[[i, j]].tolist())) for i, j in graph.to_pairs(10)}
    paraphrases = strongest & {(j, j + 10) for j in range(10)}
    print(f"{len(paraphrases)} of 10 paraphrases among the ten strongest")
    assert len(paraphrases) >= 8


@pytest.mark.parametrize("votes", [unipolar_votes, annotator_votes])
def test_the_same_bytes_on_any_thread_count(votes):
    L = matrix(votes(0, n=20_000, m=12, k=2), 2)
    graphs = [cs.learn_dependencies(L, n_threads=t) for t in THREADS]
    assert len(graphs[0].pairs)
    for graph in graphs[1:]:
        assert graph.pairs.tobytes() == graphs[0].pairs.tobytes()
        assert graph.strengths.tobytes() == graphs[0].strengths.tobytes()


@pytest.mark.parametrize("shape", [(4, 0), (4, 1), (0, 3), (0, 0)])
def test_too_little_is_an_empty_graph(shape):
    graph = cs.learn_dependencies(cs.LabelMatrix.from_dense(np.zeros(shape, int), 2))
    assert_well_formed(graph, shape[1], 0.05)
    assert graph.pairs.shape == (0, 2)
    assert graph.components() == []
    assert graph.to_pairs() == graph.to_pairs(3) == []


def test_the_strongest_pairs_are_taken():
    graph = cs.learn_dependencies(matrix(with_copies(0, True)))
    every = graph.to_pairs()
    assert all(type(lf) is int for pair in every for lf in pair)
    assert graph.to_pairs(0) == []
    assert graph.to_pairs(3) == every[:3]
    assert graph.to_pairs(10_000) == every


SMALL = matrix([[0, 0, 1], [1, 1, 1], [0, -1, 0]])


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"l1": float("nan")}, ValueError, "^l1 must"),
        ({"l1": -0.01}, ValueError, "^l1 must"),
        ({"least": float("nan")}, ValueError, "^least must"),
        ({"least": -1.0}, ValueError, "^least must"),
        ({"model": cs.LabelModel()}, cs.label_model.models.base.NotFittedError, "not fitted"),
        ({"model": cs.LabelModel().fit(matrix([[0, 1], [1, 1]]))}, ValueError, "number of LFs"),
        (
            {"model": cs.LabelModel().fit(matrix([[0, 0, 1], [1, 1, 2]], 3))},
            ValueError,
            "cardinality",
        ),
    ],
)
def test_bad_arguments(arguments, error, says):
    with pytest.raises(error, match=says):
        cs.learn_dependencies(SMALL, **arguments)


def test_bad_penalties_are_named_before_anything_is_learned():
    alone = cs.LabelMatrix.from_dense(np.zeros((4, 1), int), 2)
    with pytest.raises(ValueError, match=r"^l1 must"):
        cs.learn_dependencies(alone, l1=-1.0)


def test_the_reference_joins_chains():
    assert reference.components(6, [(0, 2), (3, 5), (2, 4)]) == [(0, 2, 4), (3, 5)]
    S = np.zeros((3, 3))
    S[0, 1] = S[1, 0] = -0.5
    S[1, 2] = S[2, 1] = S[0, 2] = S[2, 0] = 0.2
    assert reference.ordered_pairs(S, 0.1) == [(0, 1), (0, 2), (1, 2)]
    assert reference.ordered_pairs(S, 0.3) == [(0, 1)]
    graph = SimpleNamespace(n_lfs=3, pairs=np.array([[0, 1]]), strengths=np.array([-0.5]))
    assert table_of(graph)[1, 0] == -0.5
