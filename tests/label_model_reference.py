"""The anchored label model, slowly: dense float64, every row for itself, equation by equation.

``L`` is (n, m) with -1 for an abstain, ``y`` is (n,) gold with -1 for unknown. There are no
patterns, no columns, no threads and no code shared with coverset.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

LIFT = 4.0  # prior odds of a unipolar LF's own class, over its balance
BALANCE_VOTES = 2.0  # pseudo-rows spread evenly over the classes
CONFUSION_VOTES = 2.0  # pseudo-votes of the pooled confusion
ROW_CORRELATION = 0.1
TIE_BREAKER = 1e-3
CHANCE = 1e-3
SMALLEST = 1e-6  # of a class of a row without votes


def vote_fractions(L, k, omega=None):
    """mv_i(y) = weight of row i's votes for y / weight of its votes; uniform without votes."""
    omega = np.ones((L.shape[1], k)) if omega is None else omega
    counts = np.stack([(y == L) @ omega[:, y] for y in range(k)], axis=1)
    n = counts.sum(axis=1, keepdims=True)
    return np.where(n > 0, counts / np.where(n > 0, n, 1), 1 / k)


def krippendorff_alpha(L, k, omega=None, cluster=None):
    """alpha = 1 - D_o / D_e over the pairs of votes that share a row, by the coincidence matrix.

    A pair of votes weighs the product of their weights; LFs of one cluster, voting alike, are no
    pair. o[a, b] = sum_i w_i (ordered pairs (a, b) of row i), where w_i makes the pairs of row i
    weigh as much as its votes; D_o = sum_{a != b} o[a, b];  D_e = sum_{a != b} o[a] o[b] / (o - 1).
    """
    m = L.shape[1]
    omega = np.ones((m, k)) if omega is None else omega
    cluster = np.arange(m * k).reshape(m, k) if cluster is None else cluster
    o = np.zeros((k, k))
    for row in L:
        voters = np.flatnonzero(row >= 0)
        pairs = np.zeros((k, k))
        for i in voters:
            for j in voters:
                if i != j and cluster[i, row[i]] != cluster[j, row[j]]:
                    pairs[row[i], row[j]] += omega[i, row[i]] * omega[j, row[j]]
        if pairs.sum() > 1e-9:
            o += pairs * omega[voters, row[voters]].sum() / pairs.sum()
    margin, total = o.sum(axis=1), o.sum()
    observed = total - np.trace(o)
    expected = (total**2 - (margin**2).sum()) / (total - 1) if total > 1 else 0.0
    return 1 - observed / expected if expected > 0 else np.nan


def mean_vote_share(L, k, omega=None):
    """share_y = mean of mv_i(y) over covered rows."""
    covered = (L >= 0).any(axis=1)
    return vote_fractions(L, k, omega)[covered].mean(axis=0) if covered.any() else np.full(k, 1 / k)


def annotators(L, k, polarity=None):
    """(m,) bool: LFs that vote for several classes; what is declared wins over what was seen.

    Where LFs seen with several labels cast at least half of the votes, one seen with a single
    label c is an annotator as well, unless share_c ^ V < 1e-3.
    """
    seen = [sorted(set(column[column >= 0].tolist())) for column in L.T]
    several = np.array([len(labels) > 1 for labels in seen], dtype=bool)
    votes, share = (L >= 0).sum(axis=0), mean_vote_share(L, k)
    result = several.copy()
    if several.any() and 2 * votes[several].sum() >= votes.sum():
        for j in np.flatnonzero(~several):
            result[j] = not seen[j] or share[seen[j][0]] ** votes[j] >= CHANCE
    for j, classes in enumerate(polarity or ()):
        if classes is not None:
            result[j] = len(classes) > 1
    return result


def probabilities_without_votes(share, rho, f, given):
    """pi = rho share + (1 - rho) / k; share where all votes are annotators'; uniform if unclear."""
    if given is not None:
        return np.asarray(given, dtype=float)
    k = len(share)
    pi = share if f == 1 else rho * share + (1 - rho) / k
    first, second = np.sort(pi)[::-1][:2] if k > 1 else (1.0, 0.0)
    if f < 0.5 and first < 1.5 * second:
        return np.full(k, 1 / k)
    pi = np.maximum(pi, SMALLEST)  # log pi must exist
    return pi / pi.sum()


def class_mass(B, covered, given):
    """mass_y = (sum_i B_i(y) + 2 / k) / (covered rows + 2), unless the balance is given."""
    if given is not None:
        return np.asarray(given, dtype=float)
    k = B.shape[1]
    return (B[covered].sum(axis=0) + BALANCE_VOTES / k) / (covered.sum() + BALANCE_VOTES)


def expected_votes(L, B, k):
    """N[j, l, y] = sum of B_i(y) over the rows where LF j votes l."""
    N = np.zeros((L.shape[1], k, k))
    for i, j in np.argwhere(L >= 0):
        N[j, L[i, j]] += B[i]
    return N


def lift_weights(N_c, own, mass, kappa):
    """W[y] = log(q_y / mass_y), q = (N + (kappa V + 1) prior) / ((1 + kappa) V + 1).

    prior_y is proportional to (4 if y is the class voted else 1) mass_y.
    """
    V = N_c.sum()
    prior = mass * np.where(np.arange(len(mass)) == own, LIFT, 1.0)
    prior = prior / prior.sum()
    q = (N_c + (kappa * V + 1) * prior) / ((1 + kappa) * V + 1)
    return np.log(q / mass)


def pooled_confusion(N, is_annotator):
    """G[y, l]: all annotators' votes, + 2 on the diagonal, + .5 everywhere, rows to 1."""
    k = N.shape[1]
    G = N[is_annotator].sum(axis=0).T + 2 * np.eye(k) + 0.5
    return G / G.sum(axis=1, keepdims=True)


def confusion_weights(N_j, G):
    """W[l, y] = log theta[y, l], theta = (N_l[y] + 2 G[y, l]) / (sum_l N_l[y] + 2)."""
    return np.log((N_j + CONFUSION_VOTES * G.T) / (N_j.sum(axis=0) + CONFUSION_VOTES))


def vote_weights(N, is_annotator, mass, kappa):
    """W[j, l, y]: what a vote l of LF j says for y, seen or not."""
    m, k, _ = N.shape
    G = pooled_confusion(N, is_annotator)
    W = np.zeros((m, k, k))
    for j in range(m):
        if is_annotator[j]:
            W[j] = confusion_weights(N[j], G)
        else:
            for own in range(k):
                W[j, own] = lift_weights(N[j, own], own, mass, kappa)
    return W


def posterior(L, W, log_prior, omega=None):
    """post_i = softmax(tau_i sum_c omega_c W_c + log prior), tau_i = 1 / (1 + .1 max(t_i - 1, 0)).

    t_i is the weight of the row's votes.
    """
    omega = np.ones(W.shape[:2]) if omega is None else omega
    post = np.zeros((len(L), W.shape[1]))
    for i, row in enumerate(L):
        voters = np.flatnonzero(row >= 0)
        weights = omega[voters, row[voters]]
        tau = 1 / (1 + ROW_CORRELATION * max(weights.sum() - 1, 0))
        z = tau * weights @ W[voters, row[voters]] + log_prior
        e = np.exp(z - z.max())
        post[i] = e / e.sum()
    return post


def fit(
    L,
    k,
    y=None,
    given=None,
    anchor=0.5,
    polarity=None,
    max_iter=25,
    tol=1e-4,
    omega=None,
    cluster=None,
):
    """Majority-anchored EM: the M-step from the majority vote, then passes of E-step and M-step."""
    L = np.asarray(L)
    y = np.full(len(L), -1) if y is None else np.asarray(y)
    omega = np.ones((L.shape[1], k)) if omega is None else omega
    alpha, share = krippendorff_alpha(L, k, omega, cluster), mean_vote_share(L, k, omega)
    rho = 0.0 if np.isnan(alpha) else min(max(alpha, 0.0), 0.95)
    kappa = min(max((1 - rho) / rho, 0.5), 50.0) if rho > 0 else 50.0
    is_annotator = annotators(L, k, polarity)
    votes = (L >= 0).sum(axis=0)
    f = votes[is_annotator].sum() / votes.sum() if votes.sum() else 0.0
    trust = f if given is None else 1.0
    mv, covered, known = vote_fractions(L, k, omega), (L >= 0).any(axis=1), y >= 0

    def maximize(post):
        B = anchor * mv + (1 - anchor) * post
        B[known] = np.eye(k)[y[known]]  # gold rows count with their class
        mass = class_mass(B, covered, given)
        N = expected_votes(L, B, k)
        return mass, N, vote_weights(N, is_annotator, mass, kappa)

    post = mv
    mass, N, W = maximize(post)
    passes, change = 0, np.inf
    while passes < max_iter and change >= tol:
        before, post = post, posterior(L, W, np.log(trust * mass + (1 - trust) / k), omega)
        change = np.abs(post - before)[covered].max(initial=0.0)
        mass, N, W = maximize(post)
        passes += 1
    believed = posterior(L, W, np.log(trust * mass + (1 - trust) / k), omega)  # without the anchor
    believed[known] = np.eye(k)[y[known]]
    n_votes = N.sum(axis=(1, 2))
    N_believed = expected_votes(L, believed, k)
    right = np.array([np.trace(N_j) for N_j in N_believed])
    return SimpleNamespace(
        alpha=alpha,
        mass=mass,
        W=W,
        prior=trust * mass + (1 - trust) / k,
        without_votes=probabilities_without_votes(share, rho, f, given),
        accuracies=np.where(n_votes > 0, right / np.where(n_votes > 0, n_votes, 1), np.nan),
        n_patterns=len({(*row, gold) for row, gold in zip(L.tolist(), y.tolist(), strict=True)}),
        n_iter=passes,
        change=change,
        is_annotator=is_annotator,
        omega=omega,
        N_believed=N_believed,
        n_believed=believed[covered].sum(axis=0),
    )


def predict_proba(model, L):
    """Posterior with 1e-3 log pi added, so that pi breaks ties; rows without votes get pi."""
    L = np.asarray(L)
    proba = posterior(
        L, model.W, np.log(model.prior) + TIE_BREAKER * np.log(model.without_votes), model.omega
    )
    proba[~(L >= 0).any(axis=1)] = model.without_votes
    return proba


def planted_votes(n, accuracies, k=2, coverage=0.7, seed=0):
    """Return (L, y): LFs that are right with known accuracies, independently given the class."""
    rng = np.random.default_rng(seed)
    shape = (n, len(accuracies))
    y = rng.integers(0, k, n)
    wrong = (y[:, None] + rng.integers(1, k, shape)) % k
    L = np.where(rng.random(shape) < accuracies, y[:, None], wrong)
    return np.where(rng.random(shape) < coverage, L, -1), y
