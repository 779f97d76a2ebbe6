"""Dependency graphs and pairwise factors, slowly: dense float64, every joint outcome listed.

Graphs: covariances of votes given the class, one lasso for each column. Factors: votes of one
component of LFs given class y have

    p(x_1..x_s | y) = exp(sum_j a_j[y, x_j] + sum_{i<j} c_ij [x_i = x_j, a vote]) / Z(y)

with a_j[y, abstain] = 0 and Z(y) the sum over all outcomes. ``a`` is a list of (k, k) arrays, one a
member: class, label. ``c`` is (s, s), symmetric. ``labels`` lists what each member may vote.
"""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np

import dependency_reference
import label_model_reference

CONSTANT = 1e-9  # a column whose variance given the class is below this has no correlations

SURPRISE = 4  # standard errors


def covariance(fires, N, n):
    """C_cd = O_cd - sum_y N_c(y) N_d(y) / n_y, where O_cd are the rows with both; O_cc = N_c."""
    fires = fires.astype(float)
    return fires.T @ fires - (N / np.maximum(n, 1e-300)) @ N.T


def correlation(C):
    """R = C over the standard deviations; columns that never change are uncorrelated."""
    varies = np.diag(C) > CONSTANT
    spread = np.sqrt(np.where(varies, np.diag(C), 1.0))
    R = np.where(np.outer(varies, varies), C / np.outer(spread, spread), 0.0)
    np.fill_diagonal(R, 1.0)
    return R


def lasso(R, c, l1):
    """Return b with b_c = 0: the least 1/2 b'Rb - R_c'b + l1 |b|_1, one coordinate at a time."""
    b = np.zeros(len(R))
    for _ in range(100_000):
        before = b.copy()
        for d in range(len(R)):
            if d != c:
                rest = R[c, d] - R[d] @ b + b[d]
                b[d] = np.sign(rest) * max(abs(rest) - l1, 0.0)
        if np.abs(b - before).max(initial=0.0) < 1e-13:
            return b
    raise AssertionError("the lasso did not converge")


def lasso_strengths(R, l1):
    """sign sqrt(b_cd b_dc) of the lassos of all columns; 0 where they differ in sign."""
    b = np.array([lasso(R, c, l1) for c in range(len(R))]).reshape(R.shape)
    return np.where(b * b.T > 0, np.sign(b) * np.sqrt(np.abs(b * b.T)), 0.0)


def joint_correlation(L, N, n):
    """Correlation given the class of "LF i votes l", its covariances summed over the labels l.

    ``N`` (m, k, k) are the expected votes of each LF and label in each class, ``n`` the rows of
    each class.
    """
    return correlation(sum(covariance(label == L, N[:, label], n) for label in range(len(n))))


def decided(L, k, model):
    """Return the model with expected votes by a posterior that divides no row's evidence.

    post_i = softmax(sum_c omega_c W_c + log prior + 1e-3 log pi); pi for a row without votes.
    """
    post = np.tile(np.asarray(model.without_votes, dtype=float), (len(L), 1))
    prior = np.log(model.prior) + 1e-3 * np.log(model.without_votes)
    for i, row in enumerate(L):
        voters = np.flatnonzero(row >= 0)
        if len(voters):
            z = model.omega[voters, row[voters]] @ model.W[voters, row[voters]] + prior
            post[i] = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    covered = (L >= 0).any(axis=1)
    N = label_model_reference.expected_votes(L, post, k)
    return SimpleNamespace(
        **{**vars(model), "N_believed": N, "n_believed": post[covered].sum(axis=0)}
    )


def agreement(L, model, i, j):
    """kappa of two annotators, 0 within four standard errors."""
    beyond = dependency_reference.kappa(L, model, i, j)
    both = ((L[:, i] >= 0) & (L[:, j] >= 0)).sum()
    theta = [x / np.maximum(x.sum(axis=0), 1e-300) for x in model.N_believed[[i, j]]]
    chance = (model.mass * (theta[0] * theta[1]).sum(axis=0)).sum()
    surprise = abs(beyond) * (both * (1 - chance) + 10)
    return beyond if surprise >= SURPRISE * np.sqrt(both * chance * (1 - chance)) else 0.0


def strengths(L, k, model, l1=0.05, annotators="agreement"):
    """(m, m): how strongly each pair of LFs depends on each other, given the class.

    Annotators by their agreement beyond chance, or by one lasso on their ``"joint"`` correlation.
    What is within four standard errors is an accident.
    """
    L = np.asarray(L)
    model = decided(L, k, model)
    S = np.zeros((L.shape[1], L.shape[1]))
    for label in range(k):
        lfs = [j for j in np.flatnonzero(~model.is_annotator) if (L[:, j] == label).any()]
        N = model.N_believed[lfs, label]
        R = correlation(covariance(L[:, lfs] == label, N, model.n_believed))
        S[np.ix_(lfs, lfs)] += lasso_strengths(R, l1)
    S[np.abs(S) < SURPRISE / np.sqrt(max(model.n_believed.sum(), 1))] = 0
    lfs = np.flatnonzero(model.is_annotator)
    if annotators == "joint":
        R = joint_correlation(L[:, lfs], model.N_believed[lfs], model.n_believed)
        S[np.ix_(lfs, lfs)] = lasso_strengths(R, l1)
    else:
        for i, j in itertools.combinations(lfs, 2):
            S[i, j] = S[j, i] = agreement(L, model, i, j)
    return S


def ordered_pairs(S, least):
    """Pairs of at least ``least``, the strongest first, then by pair."""
    pairs = itertools.combinations(range(len(S)), 2)
    return sorted((p for p in pairs if abs(S[p]) >= least), key=lambda p: (-abs(S[p]), p))


def components(m, pairs):
    """Tuples of two LFs or more that a chain of pairs connects."""
    family = [{j} for j in range(m)]
    for i, j in pairs:
        joined = family[i] | family[j]
        for member in joined:
            family[member] = joined
    return sorted({tuple(sorted(some)) for some in family if len(some) > 1})


def outcomes(labels):
    """(S, s): every joint outcome of LFs that abstain or vote for one of their labels."""
    return np.array(list(itertools.product(*([-1, *some] for some in labels))))


def log_scores(x, a, c):
    """(len(x), k): the exponent of each joint outcome in each class."""
    scores = np.zeros((len(x), len(a[0])))
    for j in range(x.shape[1]):
        votes = x[:, j] >= 0
        scores[votes] += np.asarray(a[j])[:, x[votes, j]].T
    for i, j in itertools.combinations(range(x.shape[1]), 2):
        scores[(x[:, i] >= 0) & (x[:, i] == x[:, j])] += c[i, j]
    return scores


def log_sum_exp(z, axis):
    top = z.max(axis=axis, keepdims=True)
    return np.log(np.exp(z - top).sum(axis=axis)) + top.squeeze(axis)


def component_log_likelihood(x, labels, a, c):
    """(len(x), k): log p(x | y), by the normalizer over all outcomes."""
    return log_scores(x, a, c) - log_sum_exp(log_scores(outcomes(labels), a, c), axis=0)


def log_joint(L, parameters):
    """(n, k): log p(row, y) under all components, LFs alone being components of one."""
    joint = np.tile(np.log(parameters.balance), (len(L), 1))
    for members, (a, c) in parameters.components.items():
        labels = [parameters.labels[j] for j in members]
        joint += component_log_likelihood(L[:, members], labels, a, c)
    return joint


def log_likelihood(L, parameters):
    """The log-likelihood of all rows, the class summed out."""
    return log_sum_exp(log_joint(L, parameters), axis=1).sum()


def posterior(L, parameters):
    """(n, k): p(y | row)."""
    joint = log_joint(L, parameters)
    return np.exp(joint - log_sum_exp(joint, axis=1)[:, None])


def marginals(labels, a, c):
    """(s, k, k): p(x_j = l | y), by adding up the joint outcomes."""
    x = outcomes(labels)
    p = np.exp(component_log_likelihood(x, labels, a, c))
    k = p.shape[1]
    return np.stack(
        [np.stack([p[column == label].sum(axis=0) for label in range(k)], axis=1) for column in x.T]
    )


def matched(labels, wanted, c):
    """Return ``a`` that gives the wanted p(x_j = l | y), (s, k, k), whatever the factors ``c``.

    Each member in turn is scaled to its own marginals, until all are right (iterative scaling).
    """
    a = np.zeros_like(wanted)
    abstains = 1 - wanted.sum(axis=2)
    for _ in range(1000):
        for j, some in enumerate(labels):
            got = marginals(labels, a, c)[j]
            for label in some:
                a[j, :, label] += np.log(wanted[j, :, label] / got[:, label])
                a[j, :, label] -= np.log(abstains[j] / (1 - got.sum(axis=1)))
        if np.abs(marginals(labels, a, c) - wanted).max() < 1e-13:
            return a
    raise AssertionError("the marginals did not converge")


def vote_probabilities(labels, accuracy, coverage, balance):
    """(k, k): p(x = l | y) of an LF that votes on ``coverage`` of all rows, right that often.

    An LF of all labels does so in every class alike, and its errors are spread evenly. An LF of one
    label is right on that share of its votes.
    """
    k = len(balance)
    if len(labels) == k:
        return coverage * np.where(np.eye(k) > 0, accuracy, (1 - accuracy) / max(k - 1, 1))
    (own,) = labels
    p = np.zeros((k, k))
    p[:, own] = coverage * (1 - accuracy) / (1 - balance[own])
    p[own, own] = coverage * accuracy / balance[own]
    assert p.max() < 1, "the LF would have to vote on more rows than its class has"
    return p


def planted(
    n,
    n_lfs,
    pairs,
    triples,
    seed,
    *,
    unipolar=0,
    accuracy=(0.6, 0.9),
    coverage=(0.3, 0.7),
    strength=(1.0, 2.0),
    balance=(0.5, 0.5),
):
    """Return (L, y, edges, parameters): votes drawn from pairwise factors.

    Of the LFs, in shuffled order, ``pairs`` times two and ``triples`` times three are components
    with all their factors; the others stand alone. In ``unipolar`` of all components, single LFs
    among them, the LFs vote for one and the same label, elsewhere for all. Accuracies, coverages
    and strengths are uniform in their ranges; the first two are those of the marginals, factors
    included. Each component is drawn as one of its joint outcomes.
    """
    rng = np.random.default_rng(seed)
    balance = np.array(balance, dtype=float)
    k = len(balance)
    y = rng.choice(k, n, p=balance)
    sizes = [2] * pairs + [3] * triples
    sizes += [1] * (n_lfs - sum(sizes))
    order = rng.permutation(n_lfs).tolist()
    one_label = rng.permutation(len(sizes)) < unipolar
    parameters = SimpleNamespace(
        balance=balance,
        labels=[list(range(k))] * n_lfs,
        accuracy=rng.uniform(*accuracy, n_lfs),
        coverage=rng.uniform(*coverage, n_lfs),
        components={},
    )
    L, edges = np.full((n, n_lfs), -1), []
    for size, lone in zip(sizes, one_label, strict=True):
        members = tuple(sorted(order.pop() for _ in range(size)))
        labels = [[int(rng.integers(k))] if lone else list(range(k))] * size
        c = np.zeros((size, size))
        wanted = np.zeros((size, k, k))
        for i, j in itertools.combinations(range(size), 2):
            c[i, j] = c[j, i] = rng.uniform(*strength)
            edges.append((members[i], members[j]))
        for i, lf in enumerate(members):
            parameters.labels[lf] = labels[i]
            chances = parameters.accuracy[lf], parameters.coverage[lf]
            wanted[i] = vote_probabilities(labels[i], *chances, balance)
        a = matched(labels, wanted, c)
        parameters.components[members] = a, c
        x = outcomes(labels)
        p = np.exp(component_log_likelihood(x, labels, a, c))
        for label in range(k):
            rows = np.flatnonzero(y == label)
            share = p[:, label] / p[:, label].sum()
            L[np.ix_(rows, members)] = x[rng.choice(len(x), len(rows), p=share)]
    return L, y, sorted(edges), parameters


def f1(edges, found):
    """Harmonic mean of precision and recall of undirected pairs."""
    edges, found = ({tuple(sorted(pair)) for pair in some} for some in (edges, found))
    return 2 * len(edges & found) / max(1, len(edges) + len(found))
