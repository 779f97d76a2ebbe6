"""k-center greedy beside its peers' loops and our own eager pass, in one run; equal threads.

Peers' loops are written out here as they are in anomalib (torch), google/active-learning
(scikit-learn) and DeepCore (torch), so that nothing but the loop is timed; slow ones are timed for
some centers and scaled: "from" says on how many. Each takes the rows that ours takes, or rows as
far away up to float32's rounding, before it is timed. Writes results/core_sets.json; --disk adds
ten million rows that are read from a file.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import coverset as cs
import workloads
from coverset import _cpu
from coverset._rows import stored_rows

RESULTS = Path(__file__).parent / "results"


def eager(X, k):
    """Our own pass over all rows for every center."""
    indices, bounds = np.empty(k, np.int64), np.empty(k, np.float32)
    none, one = np.empty(0, np.int64), np.empty(0, np.float32)
    _cpu.k_center(*stored_rows("X", X), False, 0, none, one, 0, -1.0, indices, bounds, 0, "eager")
    return indices


def anomalib(X, k):
    """Distances to the newest center by a norm of differences."""
    import torch

    rows, nearest, taken, row = torch.from_numpy(X), None, [], 0
    for _ in range(k):
        distances = torch.linalg.norm(rows - rows[row : row + 1], ord=2, dim=1, keepdim=True)
        nearest = distances if nearest is None else torch.minimum(nearest, distances)
        taken.append(row)
        nearest[row] = 0
        row = int(torch.argmax(nearest))
    return np.array(taken)


def google(X, k):
    """scikit-learn's pairwise distances to the newest center."""
    from sklearn.metrics import pairwise_distances

    nearest, taken, row = None, [], 0
    for _ in range(k):
        distances = pairwise_distances(X, X[row : row + 1], metric="euclidean")
        nearest = distances if nearest is None else np.minimum(nearest, distances)
        taken.append(row)
        row = int(np.argmax(nearest))
    return np.array(taken)


def deepcore(X, k):
    """A matrix of distances from every center to every row, and its column minimum."""
    import torch

    rows, taken, row = torch.from_numpy(X), [], 0
    matrix = torch.full((k, len(X)), torch.inf)
    nearest = torch.full((len(X),), torch.inf)
    for i in range(k):
        matrix[i] = torch.cdist(rows[row : row + 1], rows)[0]
        nearest = torch.minimum(nearest, matrix[i])
        taken.append(row)
        row = int(torch.argmax(nearest))
    return np.array(taken)


PEERS: dict[str, Callable[..., Any]] = {
    **{"eager": eager, "anomalib": anomalib, "google": google, "deepcore": deepcore}
}


def data(name: str) -> tuple[np.ndarray, int, dict[str, int]]:
    """Return rows, k, and how many centers each loop is timed for."""
    folder = Path(os.environ["COVERSET_TEST_DATA"]) / "embeddings"
    if name in ("gaussian", "clustered"):
        rows = workloads.gaussian(1_000_000, 128)
        if name == "clustered":
            rows = workloads.clustered(1_000_000, 128, 500)
        return rows, 1000, {"eager": 200, "anomalib": 12, "google": 12, "deepcore": 12}
    if name == "patches":
        digits = np.load(folder / "mnist.npz")["X"]
        return workloads.patches(digits, 219_520, 303), 21_952, {"eager": 200}
    rows = np.load(folder / f"{name}.npz")["X"].astype(np.float32)
    k = len(rows) // 10
    return rows, k, {"eager": k, "anomalib": min(k, 60), "google": min(k, 60), "deepcore": 60}


def check(X: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> None:
    """Raise unless each of their rows is as far from those before as a farthest row is."""
    if np.array_equal(ours[: len(theirs)], theirs):
        return
    nearest = np.full(len(X), np.inf, np.float32)
    for row in theirs[:8]:
        if np.isfinite(nearest[0]):
            assert nearest[row] >= nearest.max() * (1 - 1e-4)
        nearest = np.minimum(nearest, ((X - X[row]) ** 2).sum(axis=1))


def timed(X: np.ndarray, k: int) -> tuple[cs.CoreSet, float]:
    """Return ours, and the median of three times."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        found = cs.k_center(X, k)
        times.append(time.perf_counter() - start)
    return found, round(float(np.median(times)), 4)


def measure(name: str, threads: int) -> dict[str, Any]:
    """Time everything on one set."""
    X, k, picks = data(name)
    found, seconds = timed(X, k)
    row: dict[str, Any] = {"set": name, "rows": len(X), "d": X.shape[1], "k": k}
    row |= {"threads": threads, "radius": round(float(found.radii[-1]), 4)}
    row |= {"seconds": {"coverset": {"seconds": seconds, "from": k}}}
    row |= {"projection": found.stats["projection"]}
    if "v3" in _cpu.simd_levels():  # what CPUs without AVX-512 have
        _cpu.force_simd_level("v3")
        again, seconds = timed(X, k)
        _cpu.force_simd_level("")
        assert np.array_equal(again.indices, found.indices)
        row["seconds"]["AVX2"] = {"seconds": seconds, "from": k}
        row |= {"projection, AVX2": again.stats["projection"]}
    row["products a row and center"] = round(found.stats["products"] / len(X) / k, 4)
    row["distances a row and center"] = round(found.stats["distances"] / len(X) / k, 5)
    row["reads of X"] = round(found.stats["bytes"] / X.nbytes, 2)
    row["refreshes"] = found.stats["refreshes"]
    for peer, some in picks.items():
        check(X, found.indices, PEERS[peer](X, min(some, 8)))
        base = 0.0
        if some < k:  # the first center pays for what is made once
            start = time.perf_counter()
            PEERS[peer](X, 2)
            base = time.perf_counter() - start
        start = time.perf_counter()
        PEERS[peer](X, some)
        each = (time.perf_counter() - start - base) / (some - 2 if base else some)
        row["seconds"][peer] = {"seconds": round(base + each * (k - 2 if base else k), 3)}
        row["seconds"][peer] |= {"from": some}
    return row


def from_disk() -> dict[str, Any]:
    """Ten million rows: in memory, and mapped from a file that was evicted."""
    n, d, k, block = 10_000_000, 128, 1000, 1_000_000
    with tempfile.NamedTemporaryFile(suffix=".npy", dir=".") as file:
        rows = np.lib.format.open_memmap(file.name, mode="w+", dtype=np.float32, shape=(n, d))
        rng = np.random.default_rng([n, d])
        middles = rng.standard_normal((500, d), dtype=np.float32) * 4
        for first in range(0, n, block):
            some = rng.standard_normal((block, d), dtype=np.float32)
            rows[first : first + block] = some + middles[rng.integers(500, size=block)]
        rows.flush()
        del rows
        evict(file.name)
        bandwidth = direct_bandwidth(file.name)
        evict(file.name)
        peak = Peak()
        start = time.perf_counter()
        found = cs.k_center(np.load(file.name, mmap_mode="r"), k)
        mapped = time.perf_counter() - start
        anonymous = peak.stop()
        X = np.load(file.name)
        start = time.perf_counter()
        again = cs.k_center(X, k)
        memory = time.perf_counter() - start
        assert np.array_equal(found.indices, again.indices)
    return {
        **{"rows": n, "d": d, "k": k, "seconds mapped": round(mapped, 2)},
        **{"seconds in memory": round(memory, 2), "O_DIRECT GB/s": round(bandwidth, 2)},
        **{"seconds to read once": round(n * d * 4 / bandwidth / 1e9, 2)},
        **{"reads of X": round(found.stats["bytes"] / (4 * n * d), 2)},
        **{"passes": 2, "peak anonymous MiB": round(anonymous / 1024)},
    }


def evict(path: str) -> None:
    """Drop a file's pages from memory."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def direct_bandwidth(path: str, size: int = 1 << 22, count: int = 256) -> float:
    """GB/s of reading a file's start past the page cache."""
    import mmap

    buffer = mmap.mmap(-1, size)
    handle = os.open(path, os.O_RDONLY | os.O_DIRECT)
    start = time.perf_counter()
    for i in range(count):
        os.preadv(handle, [buffer], i * size)
    took = time.perf_counter() - start
    os.close(handle)
    return size * count / took / 1e9


class Peak:
    """The most anonymous memory, in KiB, that this process takes up from now on, beyond now."""

    def __init__(self) -> None:
        self._start = self._most = self._now()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    @staticmethod
    def _now() -> int:
        status = Path("/proc/self/status").read_text()
        return int(status.split("RssAnon:")[1].split()[0])

    def _watch(self) -> None:
        while not self._done.wait(0.01):
            self._most = max(self._most, self._now())

    def stop(self) -> int:
        """Return it."""
        self._done.set()
        self._thread.join()
        return self._most - self._start


def main() -> None:
    """Run all sets and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    sets = ["gaussian", "clustered", "mnist", "cifar10_resnet18", "letter", "patches"]
    parser.add_argument("--sets", nargs="*", default=sets)
    parser.add_argument("--disk", action="store_true")
    given = parser.parse_args()
    import run

    facts = run.machine()
    try:
        import torch

        torch.set_num_threads(facts["threads"])
    except ImportError:
        sys.exit("torch is needed for the peers")
    target = RESULTS / "core_sets.json"
    report = json.loads(target.read_text()) if target.exists() else {}
    report |= {"machine": facts}
    if given.sets:
        report["table"] = []
    for name in given.sets:
        report["table"].append(measure(name, facts["threads"]))
        print(json.dumps(report["table"][-1]), flush=True)
    if given.disk:
        report["disk"] = from_disk()
        print(json.dumps(report["disk"]), flush=True)
    target.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
