"""Core-sets by storage, metric and option; core_sets.py has the peers."""

from __future__ import annotations

import numpy as np
import pytest

import coverset as cs
import workloads

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
