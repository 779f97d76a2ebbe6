"""Two builds of coverset on the same inputs, in turn: whether a change cost or gained time.

    pip install --no-deps --target OLD coverset-as-it-was
    pip install --no-deps --target NEW .
    python bench/two_builds.py OLD NEW [-k EXPRESSION] [--starts 12] [--pairs 5] [--name NAME]

Each build runs in a process of its own. For each
workload the two answers are compared first; then runs alternate A B, B A, A B, ... with one
process waiting while the other works. Where a process's memory lies changes times by more than most
changes do, and favors the process that was started first, so that both are started anew several
times, now the one first and now the other: a start's ratio is that of its medians, and
a row has the median of all starts' ratios and an interval that holds it with 95 % confidence (order
statistics). Writes results/NAME.json, two_builds by default; with -k other rows there stay. A build
against itself (--name two_builds_control) shows what is noise.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import pickle
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import workloads

Run = Callable[[], Any]
SECONDS = 0.1  # a timed run repeats its workload for at least that long


def search(n: int, d: int, q: int, k: int, metric: str, dtype: str = "float32") -> Run:
    """Exact search of one block of queries."""
    import coverset as cs

    rows, queries = workloads.clustered(n, d, 50), workloads.gaussian(q, d)
    stored: Any = rows.astype(np.float16) if dtype == "float16" else rows
    index = cs.FlatIndex(metric).fit(cs.quantize(rows) if dtype == "int8" else stored)
    return lambda: index.search(queries, k)


def search_few(n: int, d: int, q: int, k: int, every: int) -> Run:
    """Exact search where one row of so many is not excluded."""
    import coverset as cs

    index, queries = cs.FlatIndex().fit(workloads.gaussian(n, d)), workloads.gaussian(q, d)
    out = np.arange(n) % every != 0
    return lambda: index.search(queries, k, exclude=out)


def graph(n: int, d: int, k: int) -> Run:
    """Every row against all others."""
    import coverset as cs

    rows = workloads.clustered(n, d, 20)
    return lambda: cs.knn_graph(rows, k)


def core_set(rows: Any, k: int, **options: Any) -> Run:
    """k-center greedy."""
    import coverset as cs

    def run() -> Any:
        found = cs.k_center(rows, k, **options)
        return found.indices, found.radii, found.assignment

    return run


def matrix_of(n: int, m: int, k: int, density: float) -> Any:
    """Votes as a label matrix."""
    import coverset as cs

    return cs.LabelMatrix.from_dense(workloads.votes(n, m, k, density), k)


def fit(kind: str, n: int, m: int, k: int, density: float, **options: Any) -> Run:
    """Fit a label model and predict."""
    import coverset as cs

    votes = matrix_of(n, m, k, density)
    return lambda: getattr(cs, kind)(**options).fit(votes).predict_proba(votes)


def dense(n: int, m: int) -> Run:
    """Take over dense votes."""
    votes = workloads.votes(n, m, 4, 0.2)

    def run() -> Any:
        import coverset as cs

        found = cs.LabelMatrix.from_dense(votes, 4)
        return found.indptr, found.lfs, found.labels

    return run


def application(n: int) -> Run:
    """Keywords, regexes, comparisons and an embedding column in one pass."""
    import pyarrow as pa

    import coverset as cs

    texts = workloads.comments(n)
    table = pa.table({"text": list(texts), "length": [len(text) for text in texts]})
    words = workloads.keywords(40)
    lfs = [
        cs.lf.keywords("text", words[:20], label=1),
        cs.lf.keywords("text", words[20:], label=0),
        cs.lf.regex("text", rf"\b{words[3]}\b.*\b{words[9]}\b", label=1),
        cs.lf.regex("text", r"[A-Z][a-z]+ [A-Z][a-z]+", label=0),
        cs.lf.compare("length", ">", 560, label=1),
        cs.lf.between("length", 500, 520, label=0),
    ]

    def run() -> Any:
        found = cs.apply(lfs, table)
        return found.indptr, found.lfs, found.labels

    return run


def similar(n: int, d: int) -> Run:
    """An embedding column against prototypes."""
    import pyarrow as pa

    import coverset as cs

    rows = workloads.clustered(n, d, 20)
    table = pa.table({"e": pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), d)})
    lfs = [cs.lf.similar("e", rows[:30], threshold=0.8, label=1)]
    return lambda: cs.apply(lfs, table).lfs


WORKLOADS: dict[str, Callable[[], Run]] = {
    "search 100,000 x 128, 512 queries, k = 100": lambda: search(
        100_000, 128, 512, 100, "sqeuclidean"
    ),
    "search 100,000 x 128, 2 queries, k = 10": lambda: search(100_000, 128, 2, 10, "sqeuclidean"),
    "search 100,000 x 128, 64 queries, cosine, float16": lambda: search(
        100_000, 128, 64, 10, "cosine", "float16"
    ),
    "search 100,000 x 128, 256 queries, inner product, int8": lambda: search(
        100_000, 128, 256, 10, "inner_product", "int8"
    ),
    "search 1,000,000 x 128, 256 queries, 5 % left": lambda: search_few(
        1_000_000, 128, 256, 100, 20
    ),
    "search 1,000,000 x 128, 2 queries, 5 % left": lambda: search_few(1_000_000, 128, 2, 100, 20),
    "graph 20,000 x 96, k = 30": lambda: graph(20_000, 96, 30),
    "core-set 200,000 x 64 clustered, k = 300": lambda: core_set(
        workloads.clustered(200_000, 64, 100), 300
    ),
    "core-set 100,000 x 128 Gaussian, k = 500": lambda: core_set(
        workloads.gaussian(100_000, 128), 500
    ),
    "core-set 50,000 x 64, 500 outliers, k = 100": lambda: core_set(
        workloads.clustered(50_000, 64, 100), 100, n_outliers=500
    ),
    "core-set 50,000 x 32, assigned, cosine, k = 200": lambda: core_set(
        workloads.clustered(50_000, 32, 100), 200, metric="cosine", assign=True
    ),
    "from_dense 200,000 x 50": lambda: dense(200_000, 50),
    "majority vote 1,000,000 x 20": lambda: fit("MajorityVote", 1_000_000, 20, 4, 0.2),
    "LabelModel 200,000 x 20": lambda: fit("LabelModel", 200_000, 20, 3, 0.2),
    "LabelModel 20,000 x 200": lambda: fit("LabelModel", 20_000, 200, 2, 0.02),
    "LabelModel, factors, 50,000 x 10": lambda: fit(
        "LabelModel", 50_000, 10, 2, 0.3, dependencies="factors"
    ),
    "LabelModel, factors, 1,000,000 x 40": lambda: fit(
        "LabelModel", 1_000_000, 40, 2, 0.3, dependencies="factors"
    ),
    "DawidSkene 200,000 x 20": lambda: fit("DawidSkene", 200_000, 20, 3, 0.2),
    "MomentModel 200,000 x 20": lambda: fit("MomentModel", 200_000, 20, 2, 0.2),
    "TripletModel 200,000 x 20": lambda: fit("TripletModel", 200_000, 20, 2, 0.2),
    "labeling functions on 20,000 texts": lambda: application(20_000),
    "similar 100,000 x 64, 30 prototypes": lambda: similar(100_000, 64),
}


def flat(answer: Any) -> list[np.ndarray[Any, Any]]:
    """Return an answer's arrays."""
    if isinstance(answer, tuple):
        return [array for part in answer for array in flat(part)]
    return [] if answer is None else [np.ascontiguousarray(answer)]


def serve() -> None:
    """Answer requests on standard input: prepare a workload, or time it so many times."""
    run: Run = lambda: None  # noqa: E731
    while True:
        request = pickle.load(sys.stdin.buffer)
        if isinstance(request, str):
            run = WORKLOADS[request]()
            reply: Any = [zlib.crc32(array.tobytes()) for array in flat(run())]
        else:
            begin = time.perf_counter()
            for _ in range(request):
                run()
            reply = (time.perf_counter() - begin) / request
        pickle.dump(reply, sys.stdout.buffer)
        sys.stdout.buffer.flush()


class Build:
    """A process that runs workloads on one build."""

    def __init__(self, folder: str) -> None:
        here = str(Path(__file__).parent)
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([folder, here])},
        )

    def ask(self, request: Any) -> Any:
        """Send a request and wait for the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        pickle.dump(request, self.process.stdin)
        self.process.stdin.flush()
        return pickle.load(self.process.stdout)


def interval(ratios: list[float]) -> tuple[float, float, float]:
    """Return the median, and order statistics that hold it with at least 95 %."""
    ordered, n = sorted(ratios), len(ratios)
    below, skip = 0.0, 0
    while below + math.comb(n, skip) / 2**n <= 0.025:
        below += math.comb(n, skip) / 2**n
        skip += 1
    low, high = max(skip - 1, 0), n - 1 - max(skip - 1, 0)
    return float(np.median(ordered)), ordered[low], ordered[high]


def pairs_of(name: str, builds: Sequence[Build], pairs: int) -> list[float]:
    """Check that answers agree, then time the builds in turn: the median of each."""
    first, second = (build.ask(name) for build in builds)
    assert first == second, f"{name}: the answers differ"
    once = min(builds[0].ask(1), builds[0].ask(1))
    repeat = max(1, round(SECONDS / once))
    times: list[list[float]] = [[], []]
    for pair in range(pairs):
        for which in (0, 1) if pair % 2 == 0 else (1, 0):
            times[which].append(builds[which].ask(repeat))
    return [float(np.median(one)) for one in times]


def row_of(name: str, times: list[tuple[float, float]]) -> dict[str, Any]:
    """Return a workload's row of the report."""
    median, low, high = interval([b / a for a, b in times])
    return {
        "workload": name,
        "old_s": round(float(np.median([a for a, _ in times])), 6),
        "new_s": round(float(np.median([b for _, b in times])), 6),
        "new_over_old": round(median, 4),
        "interval": [round(low, 4), round(high, 4)],
        "starts": len(times),
    }


def main() -> int:
    """Compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("builds", nargs="*", help="folders with the old and the new build")
    parser.add_argument("-k", default="", help="only workloads whose name holds that")
    parser.add_argument("--starts", type=int, default=12)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--name", default="two_builds", help="results go to results/NAME.json")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
    times: dict[str, list[tuple[float, float]]] = {n: [] for n in WORKLOADS if options.k in n}
    for start in range(options.starts):
        order = 1 if start % 2 == 0 else -1
        builds = [Build(folder) for folder in options.builds[::order]]
        for name, known in times.items():
            old, new = pairs_of(name, builds, options.pairs)[::order]
            known.append((old, new))
        for build in builds:
            build.process.kill()
            build.process.wait()
    rows = [row_of(name, known) for name, known in times.items()]
    print("\n".join(json.dumps(row) for row in rows))
    write(Path(__file__).parent / "results" / f"{options.name}.json", rows)
    return 0


def write(target: Path, rows: list[dict[str, Any]]) -> None:
    """Write the rows, in the place of those of the same workloads."""
    from run import machine

    facts = machine()
    known = json.loads(target.read_text())["rows"] if target.exists() else []
    table = {row["workload"]: row for row in known}
    table |= {row["workload"]: {**row, "commit": facts["commit"]} for row in rows}
    ordered = [table[name] for name in WORKLOADS if name in table]
    target.write_text(json.dumps({"machine": facts, "rows": ordered}, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
