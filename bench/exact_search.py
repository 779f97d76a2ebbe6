"""Exact nearest neighbors beside the peers: each in a process of its own, in one run.

Every process makes the same rows, checks its answers against float64 on a few queries, and
reports medians. Writes results/exact_search.json, or with --avx2 exact_search_avx2.json: everyone
is held to AVX2 then (each peer by its own switch), and each process reports the rate of a product,
so that the hold can be seen. Slow peers are timed on fewer queries and scaled: "from" says on how
many.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

N, K = 1_000_000, 100
DIMENSIONS = (128, 768)
QUERIES = (1, 16, 256, 4096)
RESULTS = Path(__file__).parent / "results"
AVX2 = {
    "COVERSET_SIMD": "v3",
    "OPENBLAS_CORETYPE": "Haswell",
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "FAISS_OPT_LEVEL": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
}


def coverset(X, threads):
    """FlatIndex."""
    import coverset as cs

    index = cs.FlatIndex().fit(X)
    return lambda Q: index.search(Q, K, n_threads=threads).indices


def faiss(X, threads, threshold=None):
    """IndexFlatL2; `threshold` is how many query numbers it takes to use BLAS."""
    import faiss as library

    library.omp_set_num_threads(threads)
    if threshold is not None:
        library.cvar.distance_compute_blas_threshold = threshold
    index = library.IndexFlatL2(X.shape[1])
    index.add(X)
    return lambda Q: index.search(Q, K)[1]


def faiss_blas(X, threads):
    """The same, with BLAS for any number of queries."""
    return faiss(X, threads, 1)


def torch(X, threads, rows=1 << 16):
    """Products of blocks of rows and top-k of each, then of all: its fastest order here."""
    import torch as library

    library.set_num_threads(threads)
    X = library.from_numpy(X)
    half = (X * X).sum(1) / 2

    def search(Q):
        Q, best = library.from_numpy(Q), None
        for first in range(0, len(X), rows):
            block = slice(first, first + rows)
            scores = library.addmm(half[None, block], Q, X[block].T, alpha=-1)
            values, ids = library.topk(scores, K, 1, largest=False)
            found = values, ids + first
            if best is not None:
                values = library.cat([best[0], found[0]], 1)
                ids = library.cat([best[1], found[1]], 1)
                values, order = library.topk(values, K, 1, largest=False)
                found = values, ids.gather(1, order)
            best = found
        return best[1].numpy()

    return search


def torch_whole(X, threads):
    """All products of 256 queries at once."""
    search = torch(X, threads, len(X))
    return lambda Q: np.concatenate([search(Q[i : i + 256]) for i in range(0, len(Q), 256)])


def sklearn(X, threads):
    """NearestNeighbors, brute force."""
    from sklearn.neighbors import NearestNeighbors
    from threadpoolctl import threadpool_limits

    index = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(X)

    def search(Q):
        with threadpool_limits(threads):
            return index.kneighbors(Q, return_distance=False)

    return search


def usearch(X, threads):
    """Exact search."""
    from usearch.index import search

    return lambda Q: search(X, Q, K, "l2sq", exact=True, threads=threads).keys


ENGINES = {
    **{"coverset": coverset, "faiss": faiss, "faiss, BLAS forced": faiss_blas},
    **{"torch": torch, "torch, whole": torch_whole, "scikit-learn": sklearn, "usearch": usearch},
}
MOST = {"faiss": 256, "torch, whole": 256, "scikit-learn": 256, "usearch": 16}  # queries timed


def measure(engine: str, d: int, threads: int) -> dict[str, Any]:
    """Time one engine; runs in a process of its own."""
    rng = np.random.default_rng([N, d])
    X = rng.standard_normal((N, d), dtype=np.float32)
    Q = rng.standard_normal((max(QUERIES), d), dtype=np.float32)
    search = ENGINES[engine](X, threads)
    found = np.asarray(search(Q[:8])).astype(np.int64)
    for q, ids in zip(Q[:2], found, strict=False):
        exact = ((X - q).astype(np.float64) ** 2).sum(axis=1)
        worst = np.partition(exact, K - 1)[K - 1]
        assert exact[ids].max() <= worst * (1 + 1e-5), "not the nearest rows"
        assert len(np.unique(ids)) == K
    seconds: dict[str, Any] = {}
    for q in QUERIES:
        timed = min(q, MOST.get(engine, 4096))
        if timed < q and timed < 256 and q > 256:
            continue
        rounds = 3 if timed <= 256 else 1
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            search(Q[:timed])
            times.append(time.perf_counter() - start)
        seconds[str(q)] = {"seconds": round(float(np.median(times)) * q / timed, 5), "from": timed}
    a = rng.standard_normal((1024, 1024), dtype=np.float32)
    start = time.perf_counter()
    for _ in range(10):
        a @ a
    rate = 10 * 2 * 1024**3 / (time.perf_counter() - start) / 1e9
    return {"seconds": seconds, "numpy_product_gflop_s": round(rate, 1)}


def main() -> None:
    """Run every engine in a process of its own, and write what they took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--avx2", action="store_true")
    parser.add_argument("--one", nargs=3, help="engine, d, threads: what a process runs")
    parser.add_argument("--dimensions", type=int, nargs="*", default=list(DIMENSIONS))
    parser.add_argument("--engines", nargs="*", default=list(ENGINES))
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.one[0], int(given.one[1]), int(given.one[2]))))
        return
    import run

    table = []
    for d in given.dimensions:
        for threads in (1, 2):
            for engine in given.engines:
                environment = os.environ | (AVX2 if given.avx2 else {})
                for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR"):
                    environment[f"{name}_NUM_THREADS"] = str(threads)
                done = subprocess.run(
                    [sys.executable, __file__, "--one", engine, str(d), str(threads)],
                    env=environment, capture_output=True, text=True, check=False,
                )  # fmt: skip
                if done.returncode:
                    sys.exit(f"{engine}: {done.stderr}")
                row = {"engine": engine, "d": d, "threads": threads}
                table.append(row | json.loads(done.stdout.splitlines()[-1]))
                print(json.dumps(table[-1]), flush=True)
    name = "exact_search_avx2.json" if given.avx2 else "exact_search.json"
    report = {"machine": run.machine(), "rows": N, "k": K, "table": table}
    (RESULTS / name).write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
