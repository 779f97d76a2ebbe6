"""LabelModel on rows of ten votes that do not repeat: seconds, reads of the votes, memory.

python tests/campaigns/rows_that_differ.py [ROWS]
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from pathlib import Path

import numpy as np

import coverset as cs

LFS, VOTES = 100, 10


def draw(n: int) -> cs.LabelMatrix:
    """Return votes of LFs that are right in .5 to .9 of the rows, two classes."""
    rng = np.random.default_rng(0)
    gold, skill = rng.integers(0, 2, (n, 1), dtype=np.int16), np.linspace(0.5, 0.9, LFS)
    lfs = rng.integers(0, LFS // VOTES, (n, VOTES), dtype=np.int32)
    lfs += np.arange(VOTES, dtype=np.int32) * (LFS // VOTES)
    labels = np.empty((n, VOTES), dtype=np.int16)
    for start in range(0, n, 1 << 20):
        some = slice(start, start + (1 << 20))
        right = rng.random(lfs[some].shape, dtype=np.float32) < skill[lfs[some]]
        labels[some] = np.where(right, gold[some], 1 - gold[some])
    indptr = np.arange(0, n * VOTES + 1, VOTES, dtype=np.int64)
    return cs.LabelMatrix.from_csr(
        *(indptr, lfs.ravel(), labels.ravel()), n_lfs=LFS, cardinality=2, copy=False
    )


def plain_read(L: cs.LabelMatrix) -> float:
    """Return the seconds that one thread takes to read the arrays, as 8-byte numbers."""
    start = time.perf_counter()
    for array in (L.indptr, L.lfs, L.labels):
        array.view(np.int64).max()
    return time.perf_counter() - start


def anonymous_mib() -> float:
    """Return the anonymous memory of this process, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1]) / 1024


def main() -> None:
    """Fit with one thread and with two."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    L = draw(n)
    read = min(plain_read(L) for _ in range(5))
    print(f"{n:,} rows, {L.nnz:,} votes; a plain read {1000 * read:.1f} ms")
    for n_threads in (1, 2):
        ctypes.CDLL(None).malloc_trim(0)  # what was freed before must not hide what is taken
        before, peak, done = anonymous_mib(), [0.0], threading.Event()

        def watch(peak: list[float] = peak, done: threading.Event = done) -> None:
            while not done.wait(0.002):
                peak[0] = max(peak[0], anonymous_mib())

        watcher = threading.Thread(target=watch)
        watcher.start()
        start = time.perf_counter()
        model = cs.LabelModel().fit(L, n_threads=n_threads)
        seconds = time.perf_counter() - start
        done.set()
        watcher.join()
        more = peak[0] - before
        print(
            f"{n_threads} threads: {seconds:.2f} s = {seconds / read:.0f} reads, {more:.0f} MiB = "
            f"{more * 2**20 / n:.1f} bytes a row, solver {model.solver_}"
        )


if __name__ == "__main__":
    main()
