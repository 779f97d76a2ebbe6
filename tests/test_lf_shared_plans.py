"""One plan for many runs: it never changes, so that threads may share it."""

from __future__ import annotations

import threading

import numpy as np
import pyarrow as pa
import pytest

import coverset as cs
import lf_worker_examples as examples

N = 4000
WORDS = ["free", "win a prize", "hello there", None, "aab", "abc", "12 monkeys", "no"]
TABLE = {"text": [WORDS[i * i % 8] for i in range(N)], "n": list(range(N))}


def functions():
    """Functions of every engine: a scan, RE2, Python's re, numbers, rows, a combination."""
    return [
        cs.lf.keywords("text", ["free", "prize"], label=1),
        cs.lf.regex("text", r"w\w+ .*p", label=1),
        cs.lf.regex("text", r"(?<=a)b", label=0),
        cs.lf.regex("text", r"(\d)\d", label=0),
        cs.lf.compare("n", "<", N // 2, label=1),
        cs.lf.all_of([cs.lf.regex("text", r"(?<!a)b", 1), cs.lf.compare("n", ">", 9, 1)], label=0),
        examples.short,
    ]


def state(plan):
    """What a plan and its passes refer to, but for the report."""
    kept = {name: id(value) for name, value in vars(plan).items() if name != "report"}
    passes = [{name: id(value) for name, value in vars(one).items()} for one in plan._passes]
    engines = [(member.name, member.lf.engine) for member in plan._members]
    return kept, passes, engines


@pytest.mark.parametrize("n_workers", [None, 1])
def test_a_run_changes_nothing_of_its_plan(n_workers):
    plan = cs.LFPlan(functions())
    before = state(plan)
    cs.apply(plan, pa.table(TABLE), n_workers=n_workers)
    assert state(plan) == before


@pytest.mark.parametrize("pattern", [r"(?:a{30}){50}", r"(?:(?:a{9}){9}){15}"])
def test_the_engine_of_a_pattern_is_known_when_it_is_made(pattern):
    lf = cs.lf.regex("t", pattern, label=1)
    assert lf.engine == "python"
    assert cs.LFPlan([lf]).in_workers()[0].lf is lf
    _, report = cs.apply([lf], {"t": ["a" * 1500]}, return_report=True)
    assert report.engines == ["python"]


def test_threads_share_a_plan_one_of_them_with_workers():
    plan = cs.LFPlan(functions())
    tables = [pa.table(TABLE).slice(at, N // 2) for at in (0, N // 2)]
    want = [cs.apply(functions(), table).to_dense() for table in tables]
    found: list[tuple[int, np.ndarray, cs.ApplyReport]] = []

    def run(which, n_workers):
        for _ in range(2):
            L, report = cs.apply(plan, tables[which], n_workers=n_workers, return_report=True)
            found.append((which, L.to_dense(), report))

    jobs = [(0, 1), (1, None), (0, None), (1, None)]
    threads = [threading.Thread(target=run, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2 * len(jobs)
    for which, votes, report in found:
        np.testing.assert_array_equal(votes, want[which])
        assert report.votes == (votes >= 0).sum(axis=0).tolist()  # of this run, not of another's
