"""The triplet label model, slowly: closed form, float64, equation by equation.

``L`` is (n, m) with -1 for an abstain, p is the class balance. For class y, a vote is s = +1 if it
is for y, -1 if it is for another class.
"""

from __future__ import annotations

from itertools import combinations
from types import SimpleNamespace

import numpy as np

LARGEST = 0.999999  # of a


def signs(L, y):
    """s = +1 for a vote y, -1 for another, 0 where the LF abstains."""
    return np.where(L < 0, 0, np.where(y == L, 1, -1))


def agreement(s):
    """M[i, j] = (rows that agree - rows that disagree) / rows where both vote; nan without one."""
    both = (s != 0).astype(int).T @ (s != 0).astype(int)
    return np.where(both > 0, (s.T @ s) / np.maximum(both, 1), np.nan)


def reliability(M):
    """a_i = mean over pairs {j, h} of sqrt(|M_ij M_ih / M_jh|), in 0..LARGEST; 0 without a pair."""
    a = np.zeros(len(M))
    for i in range(len(M)):
        pairs = [(j, h) for j, h in combinations(range(len(M)), 2) if i not in (j, h)]
        j, h = np.transpose(pairs)
        known = ~np.isnan(M[i, j] + M[i, h] + M[j, h]) & (M[j, h] != 0)
        j, h = j[known], h[known]
        if known.any():
            a[i] = min(np.mean(np.sqrt(np.abs(M[i, j] * M[i, h] / M[j, h]))), LARGEST)
    return a


def fit(L, k, class_balance=None):
    """accuracies[i, y] = (1 + a_i) / 2 for class y against the others; of class 1 if k = 2."""
    L = np.asarray(L)
    p = np.full(k, 1 / k) if class_balance is None else np.asarray(class_balance, dtype=float)
    classes = [1, 1] if k == 2 else range(k)
    a = np.stack([reliability(agreement(signs(L, y))) for y in classes], axis=1)
    return SimpleNamespace(balance=p, accuracies=(1 + a) / 2)


def log_sigmoid(x):
    return -np.logaddexp(0.0, -x)


def predict_proba(model, L):
    """q_y = sigmoid(z_y + log(p_y / (1 - p_y))), z_y = sum of s log(acc / (1 - acc)); sum 1.

    With two classes, q_0 = 1 - q_1.
    """
    L, p, k = np.asarray(L), model.balance, len(model.balance)
    weights = np.log(model.accuracies / (1 - model.accuracies))
    with np.errstate(divide="ignore"):
        log_odds = np.log(p) - np.log(1 - p)
    z = np.stack([signs(L, y) @ weights[:, y] for y in range(k)], axis=1) + log_odds
    if k == 2:
        return np.exp(log_sigmoid(np.stack([-z[:, 1], z[:, 1]], axis=1)))
    log_q = log_sigmoid(z)
    q = np.exp(log_q - log_q.max(axis=1, keepdims=True))
    return q / q.sum(axis=1, keepdims=True)
