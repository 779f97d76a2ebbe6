"""Exact neighbors: storage types, metrics, limits and graphs; exact_search.py has the peers."""

from __future__ import annotations

import numpy as np
import pytest

import coverset as cs

ROWS, D, K = 1_000_000, 128, 100
GRAPH = (100_000, 128, 30)


@pytest.fixture(scope="module")
def embeddings():
    rng = np.random.default_rng([ROWS, D])
    return rng.standard_normal((ROWS, D), dtype=np.float32)


@pytest.fixture(scope="module")
def queries():
    return np.random.default_rng(D).standard_normal((256, D), dtype=np.float32)


def stored(X, kind):
    if kind == "int8":
        return cs.quantize(X)
    if kind == "bfloat16":
        return cs.Rows((X.view(np.uint32) >> 16).astype(np.uint16))
    return X.astype(kind, copy=False)


@pytest.mark.benchmark(group="16 nearest-neighbor queries, 1M x 128, by storage")
@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("kind", ["float32", "float16", "bfloat16", "int8"])
def time_storage(benchmark, embeddings, queries, kind, n_threads):
    index = cs.FlatIndex().fit(stored(embeddings, kind))
    benchmark.pedantic(index.search, (queries[:16], K), {"n_threads": n_threads}, rounds=5)


@pytest.mark.benchmark(group="256 nearest-neighbor queries, 1M x 128, by metric")
@pytest.mark.parametrize("metric", ["sqeuclidean", "cosine", "inner_product"])
def time_metric(benchmark, embeddings, queries, metric):
    index = cs.FlatIndex(metric).fit(embeddings)
    benchmark.pedantic(index.search, (queries, K), rounds=3)


@pytest.mark.benchmark(group="256 nearest-neighbor queries, 1M x 128, limited")
@pytest.mark.parametrize("limit", ["none", "exclude half", "exclude 95 %", "rows", "radius"])
def time_limits(benchmark, embeddings, queries, limit):
    index = cs.FlatIndex().fit(embeddings)
    half, most = np.arange(ROWS) % 2 == 0, np.arange(ROWS) % 20 != 0
    rows = np.arange(0, ROWS, ROWS // len(queries))[: len(queries)]
    radius = float(np.median(index.search(queries[:32], K).distances[:, -1]))
    calls = {
        "none": lambda: index.search(queries, K),
        "exclude half": lambda: index.search(queries, K, exclude=half),
        "exclude 95 %": lambda: index.search(queries, K, exclude=most),
        "rows": lambda: index.search_rows(rows, K),
        "radius": lambda: index.search_radius(queries, radius),
    }
    benchmark.pedantic(calls[limit], rounds=3)


@pytest.mark.benchmark(group="checking and normalizing 1M x 128")
def time_fit(benchmark, embeddings):
    benchmark.pedantic(cs.FlatIndex().fit, (embeddings,), rounds=5)


@pytest.mark.benchmark(group="graph of 100,000 x 128, k = 30")
def time_graph(benchmark, embeddings):
    n, d, k = GRAPH
    benchmark.pedantic(cs.knn_graph, (embeddings[:n, :d], k), rounds=1)


@pytest.mark.filterwarnings("ignore")  # what its compiler says
@pytest.mark.benchmark(group="graph of 100,000 x 128, k = 30")
def time_graph_pynndescent(benchmark, embeddings):
    pynndescent = pytest.importorskip("pynndescent")
    n, d, k = GRAPH
    X = embeddings[:n, :d]
    pynndescent.NNDescent(X[:2000], n_neighbors=k + 1)  # compiles

    def build():
        return pynndescent.NNDescent(X, n_neighbors=k + 1, n_jobs=2).neighbor_graph[0]

    found = benchmark.pedantic(build, rounds=1)
    exact = cs.FlatIndex().fit(X).search(X[:500], k + 1).indices
    shared = [len(np.intersect1d(a, b)) for a, b in zip(found[:500], exact, strict=True)]
    benchmark.extra_info["recall"] = round(float(np.mean(shared)) / (k + 1), 4)
