"""Dawid-Skene, moments, triplets, factors and rows that do not repeat, beside peers."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import coverset as cs

SEMEVAL = (1_749, 164, 9, 2_205)  # rows, LFs, classes and votes of that set's shape
ANSWERS = (20_000, 700, 4, 5)  # rows, annotators, classes, answers a row: relevance's shape
MANY = (2_000_000, 100, 2, 10)


@pytest.fixture(scope="module")
def unipolar():
    n, m, k, count = SEMEVAL
    rng = np.random.default_rng(count)
    own, votes = rng.integers(0, k, m), np.full((n, m), -1, dtype=np.int64)
    rows, lfs = rng.integers(0, n, count), rng.integers(0, m, count)
    votes[rows, lfs] = own[lfs]
    return votes


@pytest.fixture(scope="module")
def answers():
    n, m, k, each = ANSWERS
    rng = np.random.default_rng(n)
    y, skill = rng.integers(0, k, n), rng.uniform(0.4, 0.9, m)
    lfs = np.sort(rng.integers(0, m, (n, each)), axis=1)
    right = rng.random((n, each)) < skill[lfs]
    labels = np.where(right, y[:, None], rng.integers(0, k, (n, each)))
    rows = np.repeat(np.arange(n), each)
    return cs.LabelMatrix.from_triplets(
        rows, lfs.ravel(), labels.ravel(), shape=(n, m), cardinality=k, duplicates="last"
    )


@pytest.mark.benchmark(group="moments, 100 steps, SemEval's shape")
def time_moments(benchmark, unipolar):
    L = cs.LabelMatrix.from_dense(unipolar, SEMEVAL[2])
    benchmark(cs.MomentModel().fit, L, n_threads=1)


@pytest.mark.benchmark(group="moments, 100 steps, SemEval's shape")
def time_moments_snorkel(benchmark, unipolar):
    snorkel = pytest.importorskip("snorkel.labeling.model")
    L = cs.LabelMatrix.from_dense(unipolar, SEMEVAL[2])
    ours = cs.MomentModel(n_steps=0).fit(L)
    theirs = snorkel.LabelModel(cardinality=SEMEVAL[2], verbose=False)
    options = {"n_epochs": 100, "seed": 0, "progress_bar": False}
    benchmark.pedantic(theirs.fit, (unipolar,), options, rounds=1)
    mu = theirs.mu.detach().numpy().astype(np.float64)
    trained = cs.MomentModel().fit(L)
    assert trained.loss_ < 1.02 * ours.loss(mu)  # as far down after as many steps


@pytest.mark.filterwarnings("ignore")  # crowd-kit uses what pandas is about to drop
@pytest.mark.benchmark(group="Dawid-Skene, 20 passes, 20,000 rows of 5 answers")
@pytest.mark.parametrize("engine", ["coverset", "scipy", "crowd-kit"])
def time_dawid_skene(benchmark, answers, engine):
    model = cs.DawidSkene(max_iter=20, tol=0.0)
    if engine == "coverset":
        benchmark(model.fit, answers, n_threads=1)
        return
    rows = np.repeat(np.arange(len(answers)), np.diff(answers.indptr))
    if engine == "scipy":
        call = _by_scipy(answers, rows, 20)
        want = model.fit(answers).predict_proba(answers)
        assert np.abs(call() - want).max() < 1e-4
        benchmark.pedantic(call, rounds=3)
        return
    aggregation = pytest.importorskip("crowdkit.aggregation")
    frame = pd.DataFrame({"task": rows, "worker": answers.lfs, "label": answers.labels})
    benchmark.pedantic(aggregation.DawidSkene(n_iter=20, tol=0.0).fit, (frame,), rounds=1)


def _by_scipy(L, rows, passes):
    """Return a function that runs passes of EM on SciPy's CSR products."""
    sparse = pytest.importorskip("scipy.sparse")
    (n, m), k = L.shape, L.cardinality
    vote = L.lfs.astype(np.int64) * k + L.labels
    X = sparse.csr_matrix((np.ones(L.nnz), (rows, vote)), shape=(n, m * k))
    by_vote = X.T.tocsr()

    def run():
        post = np.zeros((n, k))
        np.add.at(post, (rows, L.labels), 1.0)
        post /= post.sum(axis=1, keepdims=True)
        for _ in range(passes):
            balance = post.sum(axis=0) + 0.01
            expected = (by_vote @ post).reshape(m, k, k) + 0.01
            theta = np.log(expected / expected.sum(axis=1, keepdims=True)).reshape(m * k, k)
            z = X @ theta + np.log(balance / balance.sum())
            post = np.exp(z - z.max(axis=1, keepdims=True))
            post /= post.sum(axis=1, keepdims=True)
        return post

    return run


@pytest.mark.benchmark(group="Dawid-Skene, 200 passes on the set relevance")
@pytest.mark.parametrize("engine", ["coverset", "scipy"])
def time_dawid_skene_relevance(benchmark, engine):
    folder = os.environ.get("COVERSET_TEST_DATA")
    if folder is None:
        pytest.skip("COVERSET_TEST_DATA is not set")
    data = np.load(Path(folder) / "crowd" / "relevance.npz")
    L = cs.LabelMatrix.from_triplets(
        *(data["rows"], data["lfs"], data["labels"]),
        shape=(int(data["n_rows"]), int(data["n_lfs"])),
        cardinality=int(data["cardinality"]),
        duplicates="majority",
    )
    L = L[L.covered]
    model = cs.DawidSkene(max_iter=200, tol=0.0)
    if engine == "coverset":
        benchmark(model.fit, L, n_threads=1)
        return
    call = _by_scipy(L, np.repeat(np.arange(len(L)), np.diff(L.indptr)), 200)
    assert np.abs(call() - model.fit(L).predict_proba(L)).max() < 1e-3
    benchmark.pedantic(call, rounds=3)


@pytest.mark.benchmark(group="triplets, 20,000 rows of 5 answers")
def time_triplets(benchmark, answers):
    benchmark(cs.TripletModel().fit, answers, n_threads=1)


@pytest.mark.benchmark(group="understanding, 20,000 rows of 5 answers")
@pytest.mark.parametrize(
    "what", ["explain", "suggest_rows", "learn_dependencies", "views", "choose", "class balance"]
)
def time_understanding(benchmark, answers, what):
    model = cs.LabelModel().fit(answers)
    dev = np.where(np.arange(len(answers)) % 100, -1, model.predict(answers))
    calls = {
        "explain": lambda: model.explain(answers, n_threads=1),
        "suggest_rows": lambda: cs.suggest_rows(answers, model, "low_margin"),
        "learn_dependencies": lambda: cs.learn_dependencies(answers, model=model, n_threads=1),
        "views": lambda: cs.MultiLabelModel().views(answers),
        "choose": lambda: cs.choose_label_model(
            [cs.LabelModel(), cs.DawidSkene()], answers, dev, n_threads=1
        ),
        "class balance": lambda: cs.LabelModel().fit(answers, n_threads=1).class_balance_,
    }
    benchmark(calls[what])


@pytest.mark.benchmark(group="label model, 2M rows of 10 votes that do not repeat")
@pytest.mark.parametrize("n_threads", [1, 2])
def time_rows(benchmark, n_threads):
    n, m, k, each = MANY
    rng = np.random.default_rng(m)
    first = rng.integers(0, m // each, (n, each), dtype=np.int32)
    lfs = first + np.arange(each, dtype=np.int32) * (m // each)
    labels = rng.integers(0, k, (n, each), dtype=np.int16)
    indptr = np.arange(0, n * each + 1, each, dtype=np.int64)
    L = cs.LabelMatrix.from_csr(indptr, lfs.ravel(), labels.ravel(), n_lfs=m, cardinality=k)
    benchmark.extra_info["votes"] = L.nnz
    model = benchmark.pedantic(cs.LabelModel().fit, (L,), {"n_threads": n_threads}, rounds=3)
    benchmark.extra_info["solver"] = model.solver_
