"""Core-sets by storage, metric and option; core_sets.py has the peers."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import coverset as cs
import workloads
from coverset import _cpu

ROWS, D, K = 200_000, 128, 500


@pytest.fixture(scope="module")
def rows():
    return workloads.clustered(ROWS, D, 200)


def stored(X, kind):
    return cs.quantize(X) if kind == "int8" else X.astype(kind, copy=False)


@pytest.mark.benchmark(group="core-set of 500, 200,000 x 128, by storage")
@pytest.mark.parametrize("kind", ["float32", "float16", "int8"])
def time_core_set(benchmark, rows, kind):
    benchmark.pedantic(cs.k_center, (stored(rows, kind), K), rounds=3)


@pytest.mark.benchmark(group="core-set of 4,000, 40,000 x 512 of rank 24")
@pytest.mark.parametrize("strategy", ["projection as chosen", "whole rows"])
def time_core_set_of_low_rank(benchmark, monkeypatch, strategy):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40_000, 24), dtype=np.float32)
    X = X @ rng.standard_normal((24, 512), dtype=np.float32)
    X += np.float32(0.1) * rng.standard_normal(X.shape, dtype=np.float32)
    if strategy == "whole rows":
        monkeypatch.setattr(_cpu, "k_center", functools.partial(_cpu.k_center, strategy="whole"))
    found = benchmark.pedantic(cs.k_center, (X, 4_000), rounds=3)
    assert (found.stats["projection"] > 0) == (strategy != "whole rows")


@pytest.mark.benchmark(group="core-set of 60, 200,000 x 128 in line")
@pytest.mark.parametrize("strategy", ["best", "whole", "eager"])
def time_core_set_of_rows_in_line(benchmark, monkeypatch, strategy):
    X = np.sort(np.random.default_rng(0).standard_normal((ROWS, D), dtype=np.float32), axis=0)
    monkeypatch.setattr(_cpu, "k_center", functools.partial(_cpu.k_center, strategy=strategy))
    benchmark.pedantic(cs.k_center, (X, 60), rounds=3)


OPTIONS = {
    "none": {},
    "cosine": {"metric": "cosine"},
    "initial": {"initial": np.arange(0, ROWS, 200)},
    "weights": {"weights": np.random.default_rng(0).random(ROWS)},
    "n_outliers": {"n_outliers": ROWS // 100},
    "stop_radius": {"stop_radius": 22.0},
    "groups": {"groups": np.arange(ROWS) % 10},
    "assign": {"assign": True},
}


@pytest.mark.benchmark(group="core-set of 500, 200,000 x 128, by option")
@pytest.mark.parametrize("option", OPTIONS)
def time_core_set_option(benchmark, rows, option):
    benchmark.pedantic(cs.k_center, (rows, K), OPTIONS[option], rounds=3)


@pytest.mark.benchmark(group="core-set of 500, 200,000 x 128, by option")
def time_core_set_stream(benchmark, rows):
    def run():
        return cs.k_center((rows[i : i + 10_000] for i in range(0, ROWS, 10_000)), K)

    benchmark.pedantic(run, rounds=3)


@pytest.mark.benchmark(group="core-set of 500, 200,000 x 128, by option")
def time_core_set_merge(benchmark, rows):
    def run():
        parts = [rows[i : i + 12_500] for i in range(0, ROWS, 12_500)]
        return cs.k_center_merge([(part, cs.k_center(part, K)) for part in parts], K)

    benchmark.pedantic(run, rounds=3)
