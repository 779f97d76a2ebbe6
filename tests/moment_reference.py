"""The moment-matching label model, slowly: dense float64, equation by equation.

``L`` is (n, m) with -1 for an abstain. mu is (m k, k): mu[j k + l, y] = P(LF j votes l | class y).
p is the class balance.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np

MOMENTUM = 0.9  # of a step


def overlaps(L, k):
    """S[a, b] = share of the rows with both vote a and vote b; vote j k + l is label l of LF j."""
    n, m = L.shape
    votes = (L[:, :, None] == np.arange(k)).reshape(n, m * k).astype(float)
    return votes.T @ votes / n


def other_lfs(S, k):
    """1 where the two votes are of different LFs, 0 in the k x k blocks on the diagonal."""
    return 1 - np.kron(np.eye(len(S) // k), np.ones((k, k)))


def initial(S, p, precision):
    """mu_init[j k + y, y] = S[j k + y, j k + y] precision_j / p_y, clamped to 0..1; 0 elsewhere."""
    k = len(p)
    mu = np.zeros((len(S), k))
    precision = np.broadcast_to(precision, len(S) // k)
    for vote in range(len(S)):
        y = vote % k
        mu[vote, y] = min(max(S[vote, vote] * precision[vote // k] / p[y], 0.0), 1.0)
    return mu


def loss(mu, S, p, mu_init, l2=0.0):
    """|(S - mu P mu')| off the blocks, squared + |mu p - diag S|^2 + |l2 (mu - mu_init)|^2."""
    between = (S - mu @ np.diag(p) @ mu.T) * other_lfs(S, len(p))
    return (
        (between**2).sum() + ((mu @ p - np.diag(S)) ** 2).sum() + ((l2 * (mu - mu_init)) ** 2).sum()
    )


def gradient(mu, S, p, mu_init, l2=0.0):
    """-4 (S - mu P mu') mu P off the blocks + 2 (mu p - diag S) p' + 2 l2^2 (mu - mu_init)."""
    between = (S - mu @ np.diag(p) @ mu.T) * other_lfs(S, len(p))
    of_shares = 2 * np.outer(mu @ p - np.diag(S), p)
    return -4 * between @ mu @ np.diag(p) + of_shares + 2 * l2**2 * (mu - mu_init)


def train(mu, S, p, mu_init, n_steps, lr, l2=0.0):
    """Full-batch steps of size lr: v = MOMENTUM v + gradient + l2 mu, mu = mu - lr v."""
    velocity = np.zeros_like(mu)
    for _ in range(n_steps):
        velocity = MOMENTUM * velocity + gradient(mu, S, p, mu_init, l2) + l2 * mu
        mu = mu - lr * velocity
    return mu


def smallest(n):
    """eps = min(.01, 10^-ceil(log10 n))."""
    return min(0.01, 10.0 ** -np.ceil(np.log10(n)))


def clamp(mu, n):
    return np.clip(mu, smallest(n), 1 - smallest(n))


def is_in_order(mu, p):
    """Whether no renaming of classes of equal balance has more trust in the LFs.

    Trust is sum_j sum_y p_y mu[j k + y, y]: the share of votes that are right.
    """
    k = len(p)
    of_vote = mu.reshape(-1, k, k).sum(axis=0) * p  # [l, y]
    trust = [
        of_vote[np.arange(k), order].sum()
        for order in permutations(range(k))
        if np.allclose(p[list(order)], p, atol=1e-3)
    ]
    return trust[0] >= max(trust)  # the first order is the identity


def predict_proba(mu, p, L):
    """Softmax over y of sum over votes of log mu[j k + l, y], + log p_y."""
    k, L = len(p), np.asarray(L)
    proba = np.zeros((len(L), k))
    for i, row in enumerate(L):
        z = np.log(p)
        for j in np.flatnonzero(row >= 0):
            z = z + np.log(mu[j * k + row[j]])
        e = np.exp(z - z.max())
        proba[i] = e / e.sum()
    return proba
