"""Dawid-Skene by EM, slowly: dense votes, float64, equation by equation.

``L`` is (n, m) with -1 for an abstain, ``y`` is (n,) gold with -1 for unknown. What an LF does on a
row is its outcome: a label, or k for an abstain where abstains count.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np


def start(L, y, k):
    """post_i = votes of row i for each class / votes of row i; uniform without; gold one-hot."""
    counts = np.stack([(y == L).sum(axis=1) for y in range(k)], axis=1).astype(float)
    n = counts.sum(axis=1, keepdims=True)
    post = np.where(n > 0, counts / np.maximum(n, 1), 1 / k)
    post[y >= 0] = np.eye(k)[y[y >= 0]]
    return post


def outcomes(L, k, abstain):
    """Return the outcomes that count, as (row, LF, outcome): three arrays."""
    rows, lfs = np.nonzero(L >= 0) if abstain == "ignore" else np.indices(L.shape).reshape(2, -1)
    return rows, lfs, np.where(L >= 0, L, k)[rows, lfs]


def expected_outcomes(cells, post, m, n_outcomes):
    """N[j, y, o] = sum of post_i(y) over the rows where LF j has outcome o."""
    rows, lfs, seen = cells
    size = m * n_outcomes
    N = [np.bincount(lfs * n_outcomes + seen, column[rows], size) for column in post.T]
    return np.reshape(N, (post.shape[1], m, n_outcomes)).transpose(1, 0, 2)


def class_mass(post, smoothing):
    """balance_y = (sum_i post_i(y) + s) / (rows + k s)."""
    n, k = post.shape
    return (post.sum(axis=0) + smoothing) / (n + k * smoothing)


def full_confusion(N, smoothing, diagonal):
    """theta[j, y, o] = (N[j, y, o] + s + d [o = y]) / the sum of that over o."""
    theta = N + smoothing + diagonal * np.eye(*N.shape[1:])
    return theta / theta.sum(axis=2, keepdims=True)


def right_probabilities(N, smoothing, diagonal, confusion):
    """p[j, y] = (N[j, y, y] + s + d) / (sum_l N[j, y, l] + k s + d), l < k; sums for one coin."""
    k = N.shape[1]
    right, votes = np.einsum("jyy->jy", N[:, :, :k]), N[:, :, :k].sum(axis=2)
    if confusion == "one_coin":
        right, votes = right.sum(axis=1, keepdims=True), votes.sum(axis=1, keepdims=True)
    p = (right + smoothing + diagonal) / (votes + k * smoothing + diagonal)
    return np.broadcast_to(p, N.shape[:2])


def abstain_probabilities(N, post, smoothing, confusion):
    """a[j, y] = (N[j, y, k] + s) / (sum_i post_i(y) + 2 s); sums over y for one coin."""
    k = N.shape[1]
    abstains, mass = N[:, :, k], post.sum(axis=0)
    if confusion == "one_coin":
        abstains, mass = abstains.sum(axis=1, keepdims=True), mass.sum()
    return np.broadcast_to((abstains + smoothing) / (mass + 2 * smoothing), N.shape[:2])


def outcome_probabilities(N, post, smoothing, diagonal, confusion):
    """theta[j, y, o] = P(outcome o of LF j | class y)."""
    if confusion == "full":
        return full_confusion(N, smoothing, diagonal)
    k = N.shape[1]
    p = right_probabilities(N, smoothing, diagonal, confusion)[:, :, None]
    theta = np.where(np.eye(k, dtype=bool), p, (1 - p) / max(k - 1, 1))
    if N.shape[2] == k:
        return theta
    a = abstain_probabilities(N, post, smoothing, confusion)[:, :, None]
    return np.concatenate([(1 - a) * theta, a], axis=2)


def posterior(cells, n, balance, theta):
    """post_i(y) in proportion to balance_y prod_j theta[j, y, outcome of j]."""
    rows, lfs, seen = cells
    logs = [
        np.bincount(rows, np.log(of_class[lfs, seen]), n) for of_class in np.swapaxes(theta, 0, 1)
    ]
    z = np.log(balance) + np.stack(logs, axis=1)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def fit(
    L,
    k,
    y=None,
    *,
    confusion="full",
    abstain="ignore",
    smoothing=0.01,
    diagonal=0.0,
    class_balance=None,
    max_iter=100,
    tol=1e-6,
):
    """MAP EM from the vote fractions: the M-step over covered rows, then the E-step."""
    L = np.asarray(L)
    (n, m), y = L.shape, np.full(len(L), -1) if y is None else np.asarray(y)
    known = y >= 0
    covered = (L >= 0).any(axis=1) | known if abstain == "ignore" else np.ones(n, dtype=bool)
    cells, n_outcomes = outcomes(L, k, abstain), k if abstain == "ignore" else k + 1
    post, changes = start(L, y, k), []
    while len(changes) < max_iter and (not changes or changes[-1] > tol):
        balance = class_mass(post[covered], smoothing) if class_balance is None else class_balance
        N = expected_outcomes(cells, post, m, n_outcomes)
        theta = outcome_probabilities(N, post, smoothing, diagonal, confusion)
        before, post = post, posterior(cells, n, balance, theta)
        post[known] = np.eye(k)[y[known]]
        changes.append(np.abs(post - before)[covered & ~known].max(initial=0.0))
    return SimpleNamespace(
        balance=np.asarray(balance, dtype=float),
        theta=theta,
        post=post,
        abstain=abstain,
        n_iter=len(changes),
        changes=np.array(changes),
        converged=changes[-1] <= tol,
    )


def predict_proba(model, L):
    """The E-step with the parameters of the last M-step."""
    L = np.asarray(L)
    cells = outcomes(L, len(model.balance), model.abstain)
    return posterior(cells, len(L), model.balance, model.theta)
