"""Keywords over 20,000 texts (about 10 MB) beside slow peers, gazetteers, Python functions."""

from __future__ import annotations

import re

import numpy as np
import pytest

import coverset as cs
import workloads

pa = pytest.importorskip("pyarrow")


@cs.labeling_function
def labeled_by_row(x):
    """Stand at the top of a module, so that worker processes can import it."""
    return 0 if x.n_words < 550 else -1


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


@pytest.mark.benchmark(group="keyword variants, bytes of text a second")
@pytest.mark.parametrize("kind", ["gazetteer of 10,000", "unicode", "substring", "min_count"])
def time_keyword_variants(benchmark, table, words, kind):
    keywords = cs.lf.keywords
    lfs = {
        "gazetteer of 10,000": [keywords("text", workloads.vocabulary(20_000)[10_000:], 1)],
        "unicode": [keywords("text", [word], 1, unicode=True) for word in words],
        "substring": [keywords("text", [word], 1, match="substring") for word in words],
        "min_count": [keywords("text", words, 1, min_count=n) for n in (2, 3, 5)],
    }
    benchmark.extra_info["bytes"] = text_bytes(table)
    benchmark(cs.apply, cs.LFPlan(lfs[kind]), table, n_threads=1)


@pytest.mark.benchmark(group="one Python LF, 20k rows")
@pytest.mark.parametrize("kind", ["row", "row, 2 workers", "batch"])
def time_python_lf(benchmark, table, kind):
    row = labeled_by_row

    @cs.batch_labeling_function(columns=["n_words"])
    def batch(columns):
        return np.where(np.asarray(columns["n_words"]) < 550, 0, -1)

    benchmark.extra_info["rows"] = N
    workers = 2 if "workers" in kind else 0
    benchmark.pedantic(
        cs.apply, ([batch if kind == "batch" else row], table), {"n_workers": workers}, rounds=5
    )
