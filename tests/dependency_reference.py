"""Dependent labeling functions, slowly: every pair of LFs and labels for itself, dense float64.

A node is an (LF, label) with votes; ``omega`` and ``cluster`` are (m, k) tables over the nodes.
"""

from __future__ import annotations

import itertools

import numpy as np

import label_model_reference as reference

LEAST_DICE = 0.85
LEAST_CORRELATION = 0.55
PRIOR_PAIRS = 10
ROUNDS = 2


def dice(L, a, b):
    """2 |both| / (|a| + |b| + 10) of the rows where two unipolar nodes fire."""
    fires = [L[:, j] == label for j, label in (a, b)]
    return 2 * (fires[0] & fires[1]).sum() / (fires[0].sum() + fires[1].sum() + PRIOR_PAIRS)


def correlation(L, model, a, b):
    """Covariance given the class, over the standard deviations given the class and 5 rows."""
    n = np.maximum(model.n_believed, 1e-300)
    N = [model.N_believed[j, label] for j, label in (a, b)]
    both = ((L[:, a[0]] == a[1]) & (L[:, b[0]] == b[1])).sum()
    variance = [max((x * (1 - x / n)).sum(), 1e-12) for x in N]
    return (both - (N[0] * N[1] / n).sum()) / (np.sqrt(variance[0] * variance[1]) + PRIOR_PAIRS / 2)


def kappa(L, model, i, j):
    """Agreement of two annotators beyond that of their confusions, over the rows of both."""
    both = (L[:, i] >= 0) & (L[:, j] >= 0)
    agreeing = (L[both, i] == L[both, j]).sum()
    theta = [
        x / np.maximum(x.sum(axis=0), 1e-300) for x in (model.N_believed[i], model.N_believed[j])
    ]
    expected = both.sum() * (model.mass * (theta[0] * theta[1]).sum(axis=0)).sum()
    return (agreeing - expected) / (both.sum() - expected + PRIOR_PAIRS)


def linkage(nodes, similarity, least):
    """Merge the two clusters of the highest mean similarity until it is below ``least``."""
    clusters = [[node] for node in nodes]
    while True:
        best, pair = least, None
        for a, b in itertools.combinations(range(len(clusters)), 2):
            mean = np.mean([[similarity(x, y) for y in clusters[b]] for x in clusters[a]])
            if mean > best or (pair is None and mean >= best):
                best, pair = mean, (a, b)
        if pair is None:
            return clusters
        clusters[pair[0]] += clusters.pop(pair[1])


def weigh(L, k, is_annotator, model, family=None):
    """Return omega and cluster; without a model, by the votes alone."""
    m = L.shape[1]
    unipolar = [
        (j, label)
        for j in np.flatnonzero(~is_annotator)
        for label in range(k)
        if (L[:, j] == label).any()
    ]
    omega, cluster = np.ones((m, k)), np.arange(m * k).reshape(m, k)

    def near(a, b):
        if a[1] != b[1] or a[0] == b[0] or not ((L[:, a[0]] == a[1]) & (L[:, b[0]] == b[1])).any():
            return 0.0
        copies = dice(L, a, b)
        if model is None:
            return copies
        return max(correlation(L, model, a, b), copies if copies >= LEAST_DICE else 0.0, 0.0)

    def close(i, j):
        if model is None or not ((L[:, i] >= 0) & (L[:, j] >= 0)).any():
            return 0.0
        return max(kappa(L, model, i, j), 0.0)

    least = LEAST_DICE if model is None else LEAST_CORRELATION
    for nodes, similarity in ((unipolar, near), (np.flatnonzero(is_annotator).tolist(), close)):
        if family is None:
            groups = linkage(nodes, similarity, least)
        else:
            of = [family[node[0] if similarity is near else node] for node in nodes]
            groups = [[x for x, f in zip(nodes, of, strict=True) if f == name] for name in set(of)]
        for group in groups:
            for node in group:
                if similarity is near:
                    repeated = sum(similarity(node, other) for other in group if other != node)
                    same = [x for x in group if x[1] == node[1]]
                    cluster[node] = min(x[0] * k + x[1] for x in same)
                    omega[node] = 1 / (1 + repeated)
                else:
                    votes = max(1, (L[:, node] >= 0).sum())
                    common = {o: ((L[:, node] >= 0) & (L[:, o] >= 0)).sum() for o in group}
                    repeated = sum(close(node, o) * common[o] / votes for o in group if o != node)
                    omega[node] = 1 / (1 + repeated)
                    cluster[node] = min(group) * k + np.arange(k)
    return omega, cluster


def fit(L, k, family=None, polarity=None, **options):
    """Weigh by the votes; fit, and weigh by what was learned, in turn."""
    L = np.asarray(L)
    is_annotator = reference.annotators(L, k, polarity)
    omega, cluster = weigh(L, k, is_annotator, None, family)
    options |= {"polarity": polarity}
    model = reference.fit(L, k, omega=omega, cluster=cluster, **options)
    for _ in range(ROUNDS):
        before = omega
        omega, cluster = weigh(L, k, is_annotator, model, family)
        if np.array_equal(before, omega):
            break
        model = reference.fit(L, k, omega=omega, cluster=cluster, **options)
    return model
