"""The whole path at 10 million rows x 100 labeling functions: seconds and peak memory of each step.

python tests/campaigns/ten_million_rows.py [ROWS]
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

import coverset as cs

T = TypeVar("T")


def step(what: str, work: Callable[[], T]) -> T:
    """Run, and print seconds and the process's peak memory so far."""
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{what:<28} {seconds:8.2f} s   peak {peak:6.2f} GiB", flush=True)
    return result


def answers(n: int, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return gold and one answer a row from each of 1 % of the LFs on average, 80 % right."""
    rng = np.random.default_rng(0)
    gold = rng.integers(2, size=n).astype(np.int16)
    rows = np.sort(rng.integers(n, size=n)).astype(np.int64)
    lfs = rng.integers(m, size=n).astype(np.int32)
    right = rng.random(n) < 0.8
    return gold, rows, lfs, np.where(right, gold[rows], 1 - gold[rows]).astype(np.int16)


def main() -> None:
    """Run each step once."""
    n, m = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000, 100
    gold, rows, lfs, labels = step("make answers", lambda: answers(n, m))
    L = step(
        "from_triplets",
        lambda: cs.LabelMatrix.from_triplets(
            rows, lfs, labels, shape=(n, m), cardinality=2, duplicates="last"
        ),
    )
    print(L)
    step("lf_summary", lambda: cs.lf_summary(L, gold))
    vote = cs.MajorityVote().fit(L)
    step("majority vote", lambda: vote.predict_proba(L))
    model = step("LabelModel.fit", lambda: cs.LabelModel().fit(L))
    print(f"{model.n_patterns_:,} patterns, {model.n_iter_} passes, solver {model.solver_}")
    step("LabelModel.predict_proba", lambda: model.predict_proba(L))
    print(f"accuracy {model.score(L, gold):.4f}, majority vote {vote.score(L, gold):.4f}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "votes"
        step("save", lambda: L.save(path))
        step("load, mapped", lambda: cs.LabelMatrix.load(path))
        step("load, verified", lambda: cs.LabelMatrix.load(path, verify=True))


if __name__ == "__main__":
    main()
