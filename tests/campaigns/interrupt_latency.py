"""How long after a signal a call ends: many moments in each long call, the worst is what counts.

python tests/campaigns/interrupt_latency.py
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import numpy as np

import coverset as cs

MOMENTS = 12


def interrupted_after(call: Callable[[], object], delay: float) -> float | None:
    """Return seconds from the signal to the exception; None if the call ended before."""
    due = time.perf_counter() + delay
    signal.setitimer(signal.ITIMER_REAL, delay)
    try:
        call()
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        return time.perf_counter() - due
    return None


def measure(what: str, call: Callable[[], object]) -> float:
    """Print and return the worst latency over moments spread over the call."""
    start = time.perf_counter()
    call()
    whole = time.perf_counter() - start
    waits = [interrupted_after(call, whole * (i + 0.5) / MOMENTS) for i in range(MOMENTS)]
    seen = [wait for wait in waits if wait is not None]
    worst = max(seen, default=0.0)
    print(f"{what:<44} {whole:6.2f} s   worst of {len(seen):2} {worst * 1e3:6.0f} ms", flush=True)
    return worst


def main() -> None:
    """Measure each long call."""
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    rng = np.random.default_rng(0)
    n = 10_000_000
    rows, lfs = rng.integers(n, size=n), rng.integers(100, size=n)
    labels = rng.integers(2, size=n)
    dense = rng.integers(-1, 2, size=(1_000_000, 100)).astype(np.int8)
    L = cs.LabelMatrix.from_triplets(rows, lfs, labels, duplicates="last")
    wide = cs.LabelMatrix.from_triplets(
        np.repeat(np.arange(400_000), 10),
        rng.integers(100_000, size=4_000_000),
        rng.integers(10, size=4_000_000),
        duplicates="last",
    )
    model = cs.LabelModel(tol=0.0).fit(L)
    texts = ["the quick brown fox jumps over the lazy dog " * 5] * 400_000
    words = [cs.lf.keywords("t", [f"word{i}", "lazy"], label=1, name=str(i)) for i in range(200)]
    patterns = [cs.lf.regex("t", rf"\w+{i}x", label=1, name=str(i)) for i in range(20)]
    slow = cs.labeling_function(lambda x: 1 if "fox" in x.t else -1, name="row")

    def triplets() -> object:
        return cs.LabelMatrix.from_triplets(rows, lfs, labels, duplicates="majority")

    worst = max(
        measure("LabelModel.fit, 10M rows x 100", lambda: cs.LabelModel(max_iter=10).fit(L)),
        measure("the same, sgd", lambda: cs.LabelModel(solver="sgd", max_iter=2).fit(L)),
        measure("fit, 400k rows x 100k LFs, k = 10", lambda: cs.LabelModel(max_iter=4).fit(wide)),
        measure("predict_proba, 10M rows", lambda: model.predict_proba(L)),
        measure("from_triplets, 10M answers, majority", triplets),
        measure("from_dense, 1M x 100", lambda: cs.LabelMatrix.from_dense(dense)),
        measure("lf_summary, 10M rows", lambda: cs.lf_summary(L)),
        measure("apply, 200 keyword LFs", lambda: cs.apply(words, {"t": texts})),
        measure("apply, 20 regex LFs", lambda: cs.apply(patterns, {"t": texts})),
        measure("apply, a Python row LF", lambda: cs.apply([slow], {"t": texts})),
    )
    print(f"worst of all: {worst * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
