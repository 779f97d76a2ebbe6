"""Keywords and regexes on 50 MB of text beside Hyperscan, RE2 and Snorkel's appliers.

    python bench/text_scan.py [MEGABYTES]

Peers that are installed run in turns with coverset, round by round, on one thread; medians of five
rounds go to results/text.json. Votes are compared by a checksum before anything is timed. Real text
needs COVERSET_TEST_DATA; bench/README.md says how to install the peers.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import coverset as cs
import peers_text as peers
import run

ROUNDS = 5
FEW_BYTES = 2_000_000  # of text for RE2, one pattern at a time
FEW_ROWS = 300  # for Snorkel's appliers
PEERS = ("hyperscan", "dask", "snorkel", "pyarrow")


def seconds(call: Callable[[], Any]) -> float:
    """Return how long a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def functions(kind: str, patterns: Sequence[str]) -> list[cs.lf.LabelingFunction]:
    """Return one labeling function a pattern."""
    if kind == "keywords":
        return [cs.lf.keywords("text", [word], label=1) for word in patterns]
    return [cs.lf.regex("text", pattern, label=1) for pattern in patterns]


def expression(kind: str, pattern: str) -> str:
    """Return a pattern as Python and RE2 take it."""
    return rf"(?i)\b{pattern}\b" if kind == "keywords" else pattern


def checksum(L: cs.LabelMatrix) -> int:
    """Return the checksum of votes that the peers give as well."""
    return peers.votes_checksum(np.repeat(np.arange(L.shape[0]), np.diff(L.indptr)), L.lfs)


def compare(texts: list[str], kind: str, patterns: list[str], packed: Path) -> dict[str, Any]:
    """Return the rates of all engines on one set of patterns, in MB/s."""
    table = pa.table({"text": texts})
    size = sum(len(text.encode()) for text in texts)
    plan = cs.LFPlan(functions(kind, patterns))
    L = cs.apply(plan, table)
    pairs = (peers.keyword_patterns if kind == "keywords" else peers.regex_patterns)(patterns)
    calls: dict[str, Callable[[], Any]] = {
        "coverset": lambda: cs.apply(plan, table, n_threads=1),
        "coverset, 2 threads": lambda: cs.apply(plan, table, n_threads=2),
    }
    if peers.missing_hyperscan_wheel() is None:
        for joined in (False, True)[: 1 + (kind == "keywords")]:
            scan = peers.hyperscan_wheel(pairs, texts, joined=joined)
            rows, lfs = np.array(sorted(set(scan()))).T
            assert peers.votes_checksum(rows, lfs) == checksum(L), "wheel"
            calls["hyperscan wheel" + ", one block" * joined] = scan
    times: dict[str, list[float]] = {name: [] for name in calls}
    native: list[float] = []
    for _ in range(ROUNDS):
        for name, call in calls.items():
            times[name].append(seconds(call))
        if peers.missing_hyperscan_c() is None:
            found = peers.hyperscan_c(pairs, packed, repeats=1)
            assert found is not None
            assert found["checksum"] == checksum(L), "Hyperscan"
            native += found["seconds"]
    rates = {name: size / statistics.median(t) / 1e6 for name, t in times.items()}
    if native:
        rates["Hyperscan C API"] = size / statistics.median(native) / 1e6
    rates["RE2, a pattern at a time"] = re2_rate(texts, kind, patterns)
    return {
        "kind": kind,
        "patterns": len(patterns),
        "bytes": size,
        "votes": L.nnz,
        "mb_s": {name: round(rate, 2) for name, rate in rates.items()},
    }


def re2_rate(texts: list[str], kind: str, patterns: list[str]) -> float:
    """Return the rate of pyarrow's RE2 on part of the text."""
    ends = np.cumsum([len(text.encode()) for text in texts])
    part = texts[: int(np.searchsorted(ends, FEW_BYTES))]
    column = pa.array(part)
    expressions = [expression(kind, pattern) for pattern in patterns]
    took = [seconds(lambda: peers.re2_one_at_a_time(column, expressions)) for _ in range(3)]
    return float(ends[len(part) - 1]) / statistics.median(took) / 1e6


def appliers(texts: list[str], patterns: list[str]) -> dict[str, float]:
    """Return the rates of Snorkel's appliers with the same 100 keywords, in MB/s."""
    try:
        import dask.dataframe as dask
        import pandas as pd
        from snorkel.labeling import LabelingFunction, PandasLFApplier
        from snorkel.labeling.apply.dask import DaskLFApplier
    except ImportError:
        return {}
    part = texts[:FEW_ROWS]
    size = sum(len(text.encode()) for text in part)

    def made(name: str, word: str) -> Any:
        pattern = re.compile(rf"\b{word}\b", re.ASCII | re.IGNORECASE)
        return LabelingFunction(name, f=lambda x: 1 if pattern.search(str(x.text)) else -1)

    lfs = [made(f"lf{i}", word) for i, word in enumerate(patterns)]
    frame = pd.DataFrame({"text": part})
    ours = cs.apply(functions("keywords", patterns), frame).to_dense()
    pandas = PandasLFApplier(lfs)
    parts = dask.from_pandas(frame, npartitions=2)
    in_dask = DaskLFApplier(lfs)
    assert np.array_equal(pandas.apply(frame, progress_bar=False), ours)
    assert np.array_equal(in_dask.apply(parts, scheduler="threads"), ours)
    both = {
        "Snorkel PandasLFApplier": lambda: pandas.apply(frame, progress_bar=False),
        "Snorkel DaskLFApplier, 2 processes": lambda: in_dask.apply(parts, scheduler="processes"),
    }
    rates = {
        n: size / statistics.median(seconds(c) for _ in range(3)) / 1e6 for n, c in both.items()
    }
    return {name: round(rate, 4) for name, rate in rates.items()}


def main() -> None:
    """Run, print, write."""
    size = 1_000_000 * int(sys.argv[1]) if len(sys.argv) > 1 else 50_000_000
    results = []
    for name, source in (("real", peers.real_text), ("Zipf", peers.zipf_text)):
        texts = source(size)
        sets = [("keywords", peers.keyword_set(texts, n)) for n in (100, 1000)]
        sets.append(("regexes", peers.regex_set(texts, 100)))
        with tempfile.TemporaryDirectory() as folder:
            packed = Path(folder) / "text"
            peers.pack(texts, packed)
            for kind, patterns in sets:
                found = {"text": name, **compare(texts, kind, list(patterns), packed)}
                if kind == "keywords" and len(patterns) == 100:
                    found["mb_s"] |= appliers(texts, list(patterns))
                print(json.dumps(found), flush=True)
                results.append(found)
    facts = run.machine()
    facts["versions"] = {name: run.version(name) for name in PEERS}
    report = {"machine": facts, "results": results}
    (run.HERE / "results" / "text.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
