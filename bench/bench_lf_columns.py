"""Labeling functions over numbers, strings, embeddings and sparse features, one thread."""

from __future__ import annotations

import numpy as np
import pytest

import coverset as cs

pa = pytest.importorskip("pyarrow")
ROWS = 10_000_000
COLUMNS = 10
SPARSE_ROWS, FEATURES, LINEAR = 1_000_000, 100_000, 1_000
EMBEDDINGS, DIMENSION = 200_000, 256


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(ROWS)
    return pa.table({f"c{i}": rng.random(ROWS) for i in range(COLUMNS)})


@pytest.mark.benchmark(group="compare LFs over 10 columns x 10M rows")
@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("count", [10, 100])
def time_compare(benchmark, numbers, count, n_threads):
    ends = 1e-4 * (1 + np.arange(count // COLUMNS)) / 2
    lfs = [
        cs.lf.compare(f"c{i}", "<", end, 0) if j % 2 else cs.lf.compare(f"c{i}", ">", 1 - end, 1)
        for i in range(COLUMNS)
        for j, end in enumerate(ends)
    ]
    plan = cs.LFPlan(lfs)
    L = cs.apply(plan, numbers)
    for i in (0, count - 1):
        column, end = numbers[f"c{i * COLUMNS // count}"].to_numpy(), ends[i % len(ends)]
        fires = column < end if (i % len(ends)) % 2 else column > 1 - end
        assert L.select_lfs([i]).nnz == np.count_nonzero(fires)
    benchmark.extra_info["bytes"] = ROWS * COLUMNS * 8
    benchmark.pedantic(cs.apply, (plan, numbers), {"n_threads": n_threads}, rounds=7)


@pytest.mark.benchmark(group="compare LFs over 10 columns x 10M rows")
def time_compare_numpy(benchmark, numbers):
    arrays = [numbers[f"c{i}"].to_numpy() for i in range(COLUMNS)]
    ends = 1e-4 * (1 + np.arange(10)) / 2
    benchmark.extra_info["bytes"] = ROWS * COLUMNS * 8
    benchmark.pedantic(
        lambda: [
            np.flatnonzero(a < end if j % 2 else a > 1 - end)
            for a in arrays
            for j, end in enumerate(ends)
        ],
        rounds=2,
    )


def features(entries: int):
    sparse = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng(entries)
    columns = rng.integers(0, FEATURES, SPARSE_ROWS * entries, dtype=np.int32)
    indptr = np.arange(0, SPARSE_ROWS * entries + 1, entries, dtype=np.int32)
    shape = (SPARSE_ROWS, FEATURES)
    return sparse.csr_matrix((rng.random(len(columns)), columns, indptr), shape)


def drawn(rng, each: int):
    return zip(rng.integers(0, FEATURES, each), rng.normal(size=each), strict=True)


def weights(each: int):
    rng = np.random.default_rng([each])
    return [{int(j): float(w) for j, w in drawn(rng, each)} for _ in range(LINEAR)]


def scipy_votes(rows, product_of):
    """Return the number of sums that reach 0: the product, then the bias, as SciPy users do."""
    product = rows @ product_of
    return int(np.count_nonzero(product.data - 1.0 >= 0.0))


@pytest.mark.benchmark(group="1,000 linear LFs, 1M rows of 30 features")
@pytest.mark.parametrize("each", [50, 1000])
@pytest.mark.parametrize("engine", ["coverset", "scipy"])
def time_linear(benchmark, engine, each):
    sparse = pytest.importorskip("scipy.sparse")
    rows, given = features(30), weights(each)
    plan = cs.LFPlan([cs.lf.linear("x", w, -1.0, i % 2) for i, w in enumerate(given)])
    at = [
        np.concatenate([list(w) for w in given]),
        np.repeat(np.arange(LINEAR), list(map(len, given))),
    ]
    by_feature = sparse.csr_matrix(
        (np.concatenate([list(w.values()) for w in given]), at), (FEATURES, LINEAR)
    )
    if engine == "coverset":
        assert cs.apply(plan, {"x": rows[:20_000]}).nnz == scipy_votes(rows[:20_000], by_feature)
        benchmark.pedantic(cs.apply, (plan, {"x": rows}), {"n_threads": 1}, rounds=3)
    else:
        benchmark.pedantic(scipy_votes, (rows, by_feature), rounds=3 if each < 100 else 1)


@pytest.mark.benchmark(group="20 similar LFs of 5 prototypes, 200,000 x 256")
@pytest.mark.parametrize("engine", ["coverset", "numpy"])
def time_similar(benchmark, engine):
    rng = np.random.default_rng(DIMENSION)
    rows = rng.normal(size=(EMBEDDINGS, DIMENSION)).astype(np.float32)
    near = rng.normal(size=(100, DIMENSION)).astype(np.float32)
    plan = cs.LFPlan([cs.lf.similar("e", near[5 * i : 5 * i + 5], 0.2, 1) for i in range(20)])

    def by_numpy():
        unit = near / np.linalg.norm(near, axis=1, keepdims=True)
        cosine = rows @ unit.T / np.linalg.norm(rows, axis=1, keepdims=True)
        return np.count_nonzero((cosine >= 0.2).reshape(-1, 20, 5).any(axis=2))

    assert abs(cs.apply(plan, {"e": rows}).nnz - by_numpy()) < 5  # float32 sums in another order
    benchmark.extra_info["rows"] = EMBEDDINGS
    if engine == "coverset":
        benchmark.pedantic(cs.apply, (plan, {"e": rows}), {"n_threads": 1}, rounds=5)
    else:
        benchmark.pedantic(by_numpy, rounds=5)


@pytest.mark.benchmark(group="scores of 10 classes, 2M rows")
@pytest.mark.parametrize("engine", ["coverset", "numpy"])
def time_scores(benchmark, engine):
    rng = np.random.default_rng(11)
    proba = rng.dirichlet(np.full(10, 0.2), 2_000_000).astype(np.float32)
    limits = np.linspace(0.5, 0.9, 10, dtype=np.float32)
    plan = cs.LFPlan([cs.lf.scores("proba", limits)])

    def by_numpy():
        reached = np.where(proba >= limits, proba, -np.inf)
        winner = reached.argmax(axis=1)
        return np.count_nonzero(reached[np.arange(len(proba)), winner] > -np.inf)

    assert cs.apply(plan, {"proba": proba}).nnz == by_numpy()  # above a half there are no ties
    benchmark.extra_info["rows"] = len(proba)
    if engine == "coverset":
        benchmark.pedantic(cs.apply, (plan, {"proba": proba}), {"n_threads": 1}, rounds=5)
    else:
        benchmark.pedantic(by_numpy, rounds=5)


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(7)
    words = np.array(["spam", "ham", "not sure", "I would say spam", "no"])
    return pa.table({"answer": words[rng.integers(0, 5, 1_000_000)], "n": np.arange(1_000_000)})


@pytest.mark.benchmark(group="whole values, 1M rows")
@pytest.mark.parametrize("layout", ["strings", "dictionary"])
def time_precomputed(benchmark, answers, layout):
    table = answers
    if layout == "dictionary":
        table = pa.table({"answer": answers["answer"].dictionary_encode()})
    lf = cs.lf.precomputed("answer", {"spam": 1, "ham": 0, "no": 0})
    benchmark.extra_info["rows"] = len(answers)
    benchmark(cs.apply, [lf], table, n_threads=1)


@pytest.mark.benchmark(group="whole values, 1M rows")
@pytest.mark.parametrize("kind", ["isin", "between", "is_null", "all_of"])
def time_values(benchmark, answers, kind):
    lf = cs.lf
    some = lf.isin("n", range(0, 10_000, 10), 1)
    made = {
        "isin": some,
        "between": lf.between("n", 100, 2_000, 1),
        "is_null": lf.is_null("n", 1),
        "all_of": lf.all_of([some, lf.not_(lf.between("n", 100, 2_000, 1), 1)], 1),
    }
    benchmark.extra_info["rows"] = len(answers)
    benchmark(cs.apply, [made[kind]], answers, n_threads=1)
