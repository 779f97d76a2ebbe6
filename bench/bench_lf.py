"""Labeling functions over 20,000 texts (about 10 MB): one pass for all keywords, and the rest."""

from __future__ import annotations

import re

import numpy as np
import pytest

import coverset as cs
import workloads

pa = pytest.importorskip("pyarrow")
N = 20_000
FEW = 500  # rows for peers that are far slower; extrapolated by bytes in the report


@pytest.fixture(scope="module")
def table():
    texts = workloads.comments(N)
    n_words = np.array([len(text) for text in texts])
    score = np.random.default_rng(0).random(N)
    return pa.table({"text": list(texts), "n_words": n_words, "score": score})


@pytest.fixture(scope="module")
def words():
    return workloads.keywords(100)


def text_bytes(table) -> int:
    return int(pa.compute.sum(pa.compute.binary_length(table["text"])).as_py())


@pytest.mark.benchmark(group="100 keyword LFs, bytes of text a second")
@pytest.mark.parametrize("n_threads", [1, 2])
def time_keywords(benchmark, table, words, n_threads):
    lfs = [cs.lf.keywords("text", [word], label=i % 2) for i, word in enumerate(words)]
    benchmark.extra_info["bytes"] = text_bytes(table)
    L = benchmark(cs.apply, lfs, table, n_threads=n_threads)
    for i in (0, 50, len(words) - 1):
        pattern = re.compile(rf"\b{words[i]}\b", re.ASCII | re.IGNORECASE)
        want = sum(bool(pattern.search(text)) for text in table["text"].to_pylist())
        assert L.select_lfs([i]).nnz == want


@pytest.mark.benchmark(group="100 keyword LFs, bytes of text a second")
def time_keywords_pyarrow(benchmark, table, words):
    part = table.slice(0, 2000)
    benchmark.extra_info["bytes"] = text_bytes(part)
    column = part["text"].combine_chunks()
    benchmark.pedantic(
        lambda: [pa.compute.match_substring_regex(column, rf"(?i)\b{word}\b") for word in words],
        rounds=3,
    )


@pytest.mark.benchmark(group="100 keyword LFs, bytes of text a second")
def time_keywords_python_re(benchmark, table, words):
    part = table.slice(0, FEW)
    benchmark.extra_info["bytes"] = text_bytes(part)
    texts = part["text"].to_pylist()
    patterns = [re.compile(rf"\b{word}\b", re.ASCII | re.IGNORECASE) for word in words]
    benchmark.pedantic(
        lambda: [[bool(pattern.search(text)) for text in texts] for pattern in patterns], rounds=3
    )


@pytest.mark.benchmark(group="100 keyword LFs, bytes of text a second")
def time_keywords_snorkel_pandas(benchmark, table, words):
    snorkel = pytest.importorskip("snorkel.labeling")
    part = table.slice(0, FEW)
    benchmark.extra_info["bytes"] = text_bytes(part)

    def make(word, label, name):
        pattern = re.compile(rf"\b{word}\b", re.ASCII | re.IGNORECASE)
        return snorkel.LabelingFunction(
            name=name, f=lambda x: label if pattern.search(x.text) else -1
        )

    lfs = [make(word, i % 2, f"lf{i}") for i, word in enumerate(words)]
    applier = snorkel.PandasLFApplier(lfs)
    frame = part.to_pandas()
    theirs = benchmark.pedantic(lambda: applier.apply(frame, progress_bar=False), rounds=2)
    ours = [cs.lf.keywords("text", [word], label=i % 2) for i, word in enumerate(words)]
    assert np.array_equal(cs.apply(ours, frame).to_dense(), theirs)


@pytest.mark.benchmark(group="10 regex LFs, bytes of text a second")
@pytest.mark.parametrize("engine", ["coverset", "python re"])
def time_regex(benchmark, table, words, engine):
    patterns = [rf"{word}\w*\s+[a-f]" for word in words[:10]]
    part = table if engine == "coverset" else table.slice(0, 2000)
    benchmark.extra_info["bytes"] = text_bytes(part)
    if engine == "coverset":
        lfs = [cs.lf.regex("text", pattern, label=1) for pattern in patterns]
        benchmark.pedantic(cs.apply, args=(lfs, part), rounds=3, warmup_rounds=1)
    else:
        texts = part["text"].to_pylist()
        compiled = [re.compile(pattern, re.ASCII) for pattern in patterns]
        benchmark.pedantic(
            lambda: [[bool(c.search(text)) for text in texts] for c in compiled], rounds=2
        )


@pytest.mark.benchmark(group="50 compare LFs and a score, 20k rows")
def time_compare_and_score(benchmark, table):
    lfs = [cs.lf.compare("n_words", "<", 500 + i, label=0) for i in range(50)]
    lfs.append(cs.lf.score("score", low=0.1, high=0.9))
    benchmark.extra_info["rows"] = N
    benchmark(cs.apply, lfs, table)


@pytest.mark.benchmark(group="one Python LF, 20k rows")
@pytest.mark.parametrize("kind", ["row", "batch"])
def time_python_lf(benchmark, table, kind):
    @cs.labeling_function
    def row(x):
        return 0 if x.n_words < 550 else -1

    @cs.batch_labeling_function(columns=["n_words"])
    def batch(columns):
        return np.where(np.asarray(columns["n_words"]) < 550, 0, -1)

    benchmark.extra_info["rows"] = N
    benchmark(cs.apply, [row if kind == "row" else batch], table)
