"""Label models on 100,000 rows by 50 labeling functions, beside Snorkel's and crowd-kit's."""

from __future__ import annotations

import numpy as np
import pytest

import coverset as cs
import workloads

SHAPE = (100_000, 50)
DENSITY = 0.05


@pytest.fixture(scope="module", params=[2, 10], ids=["k=2", "k=10"])
def dense(request):
    return workloads.votes(*SHAPE, request.param, DENSITY)


@pytest.mark.benchmark(group="majority vote, 100k x 50")
@pytest.mark.parametrize("n_threads", [1, 2])
def time_majority_vote(benchmark, dense, n_threads):
    L = cs.LabelMatrix.from_dense(dense)
    model = cs.MajorityVote().fit(L)
    benchmark.extra_info["votes"] = L.nnz
    benchmark(model.predict_proba, L, n_threads=n_threads)


@pytest.mark.benchmark(group="majority vote, 100k x 50")
def time_majority_vote_snorkel(benchmark, dense):
    snorkel = pytest.importorskip("snorkel.labeling.model")
    k = int(dense.max()) + 1
    theirs = benchmark.pedantic(
        snorkel.MajorityLabelVoter(cardinality=k).predict_proba, args=(dense,), rounds=2
    )
    L = cs.LabelMatrix.from_dense(dense)
    # Snorkel shares a row's probability among its leading classes only
    ours = cs.MajorityVote().fit(L).predict_proba(L)
    leading = ours == ours.max(axis=1, keepdims=True)
    np.testing.assert_allclose(leading / leading.sum(axis=1, keepdims=True), theirs, atol=1e-6)


@pytest.mark.benchmark(group="label model fit, 100k x 50")
@pytest.mark.parametrize("n_threads", [1, 2])
def time_fit(benchmark, dense, n_threads):
    L = cs.LabelMatrix.from_dense(dense)
    benchmark.extra_info["votes"] = L.nnz
    model = benchmark(cs.LabelModel().fit, L, n_threads=n_threads)
    benchmark.extra_info["patterns"] = model.n_patterns_
    benchmark.extra_info["passes"] = model.n_iter_


@pytest.mark.benchmark(group="label model fit, 100k x 50")
def time_fit_sgd(benchmark, dense):
    L = cs.LabelMatrix.from_dense(dense)
    benchmark(cs.LabelModel(solver="sgd").fit, L)


@pytest.mark.benchmark(group="label model fit, 100k x 50")
def time_fit_snorkel(benchmark, dense):
    snorkel = pytest.importorskip("snorkel.labeling.model")
    k = int(dense.max()) + 1

    def fit():
        model = snorkel.LabelModel(cardinality=k, verbose=False)
        model.fit(dense, n_epochs=100, seed=0, progress_bar=False)

    benchmark.pedantic(fit, rounds=2, warmup_rounds=1)


@pytest.mark.benchmark(group="label model fit, 100k x 50")
def time_fit_crowdkit_dawid_skene(benchmark, dense):
    crowdkit = pytest.importorskip("crowdkit.aggregation")
    pandas = pytest.importorskip("pandas")
    rows, lfs = np.nonzero(dense != -1)
    frame = pandas.DataFrame({"task": rows, "worker": lfs, "label": dense[rows, lfs]})
    benchmark.pedantic(lambda: crowdkit.DawidSkene(n_iter=10).fit(frame), rounds=1)


@pytest.mark.benchmark(group="label model predict_proba, 100k x 50")
@pytest.mark.parametrize("n_threads", [1, 2])
def time_predict_proba(benchmark, dense, n_threads):
    L = cs.LabelMatrix.from_dense(dense)
    model = cs.LabelModel().fit(L)
    benchmark.extra_info["votes"] = L.nnz
    benchmark(model.predict_proba, L, n_threads=n_threads)


@pytest.mark.benchmark(group="label model predict_proba, 100k x 50")
def time_predict_proba_snorkel(benchmark, dense):
    snorkel = pytest.importorskip("snorkel.labeling.model")
    model = snorkel.LabelModel(cardinality=int(dense.max()) + 1, verbose=False)
    model.fit(dense, n_epochs=10, seed=0, progress_bar=False)
    benchmark.pedantic(model.predict_proba, args=(dense,), rounds=3, warmup_rounds=1)


@pytest.mark.benchmark(group="collapse 1M rows to patterns")
def time_fit_repeating_rows(benchmark):
    L = cs.LabelMatrix.from_dense(workloads.votes(1_000_000, 10, 2, 0.2))
    model = benchmark.pedantic(cs.LabelModel().fit, args=(L,), rounds=3, warmup_rounds=1)
    benchmark.extra_info["patterns"] = model.n_patterns_


@pytest.mark.benchmark(group="predict with ties, 100k rows")
@pytest.mark.parametrize("policy", ["abstain", "lowest", "random"])
def time_predict(benchmark, policy):
    L = cs.LabelMatrix.from_dense(workloads.votes(*SHAPE, 2, DENSITY))
    benchmark(cs.MajorityVote().fit(L).predict, L, policy)
