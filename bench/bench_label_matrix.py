"""Label matrices: scanning dense ones, sorting answers, taking rows, summing up LFs."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import coverset as cs
import workloads

N, M = 1_000_000, 50


@pytest.fixture(scope="module", params=["int8", "int64"])
def dense(request):
    return workloads.votes(N, M, 2, 0.05).astype(request.param)


@pytest.mark.benchmark(group="from_dense 1M x 50, 5 % votes")
def time_from_dense(benchmark, dense):
    benchmark.extra_info["bytes"] = 2 * dense.nbytes  # read twice
    benchmark.extra_info["dtype"] = str(dense.dtype)
    result = benchmark(cs.LabelMatrix.from_dense, dense)
    assert np.array_equal(result.to_dense(), dense)


@pytest.mark.benchmark(group="from_dense 1M x 50, 5 % votes")
def time_from_dense_scipy(benchmark, dense):
    benchmark.extra_info["dtype"] = str(dense.dtype)
    result = benchmark.pedantic(
        lambda: scipy.sparse.csr_matrix(dense + dense.dtype.type(1)), rounds=3, warmup_rounds=1
    )
    assert result.nnz == np.count_nonzero(dense != -1)


@pytest.fixture(scope="module")
def matrix():
    return cs.LabelMatrix.from_dense(workloads.votes(N, M, 2, 0.05))


@pytest.fixture(scope="module")
def answers(matrix):
    order = np.random.default_rng(0).permutation(matrix.nnz)
    rows = np.repeat(np.arange(N), np.diff(matrix.indptr))
    return rows[order], matrix.lfs[order], matrix.labels[order]


@pytest.mark.benchmark(group="2.5M shuffled answers to CSR")
def time_from_triplets(benchmark, answers, matrix):
    benchmark.extra_info["votes"] = matrix.nnz
    result = benchmark(cs.LabelMatrix.from_triplets, *answers, shape=(N, M), cardinality=2)
    assert np.array_equal(result.lfs, matrix.lfs)


@pytest.mark.benchmark(group="2.5M shuffled answers to CSR")
def time_from_triplets_scipy(benchmark, answers, matrix):
    rows, lfs, labels = answers
    ones = labels + np.int16(1)
    result = benchmark(lambda: scipy.sparse.coo_matrix((ones, (rows, lfs)), shape=(N, M)).tocsr())
    result.sort_indices()
    assert np.array_equal(result.indices, matrix.lfs)


@pytest.mark.benchmark(group="check CSR votes, 2.5M")
def time_from_csr(benchmark, matrix):
    arrays = (matrix.indptr, matrix.lfs, matrix.labels)
    benchmark.extra_info["bytes"] = sum(array.nbytes for array in arrays)
    benchmark(cs.LabelMatrix.from_csr, *arrays, n_lfs=M, cardinality=2)


@pytest.mark.benchmark(group="check CSR votes, 2.5M")
def time_from_csr_scipy(benchmark, matrix):
    csr = matrix.to_scipy()
    benchmark(csr.check_format, full_check=True)


@pytest.mark.benchmark(group="take 500k rows")
def time_take_rows(benchmark, matrix):
    rows = np.random.default_rng(1).integers(N, size=N // 2)
    result = benchmark(lambda: matrix[rows])
    assert len(result) == len(rows)


@pytest.mark.benchmark(group="take 500k rows")
def time_take_rows_scipy(benchmark, matrix):
    rows = np.random.default_rng(1).integers(N, size=N // 2)
    csr = matrix.to_scipy()
    result = benchmark(lambda: csr[rows])
    assert np.array_equal(result.indices, matrix[rows].lfs)


@pytest.mark.benchmark(group="select 25 of 50 LFs")
def time_select_lfs(benchmark, matrix):
    benchmark(matrix.select_lfs, list(range(0, M, 2)))


@pytest.mark.benchmark(group="select 25 of 50 LFs")
def time_select_lfs_scipy(benchmark, matrix):
    csr = matrix.to_scipy()
    benchmark(lambda: csr[:, ::2])


@pytest.mark.benchmark(group="hstack 49 LFs and 1")
def time_hstack(benchmark, matrix):
    parts = [matrix.select_lfs(list(range(M - 1))), matrix.select_lfs([M - 1])]
    assert benchmark(cs.LabelMatrix.hstack, parts) == matrix


@pytest.mark.benchmark(group="hstack 49 LFs and 1")
def time_hstack_scipy(benchmark, matrix):
    parts = [matrix.to_scipy()[:, : M - 1], matrix.to_scipy()[:, M - 1 :]]
    benchmark(lambda: scipy.sparse.hstack(parts, format="csr"))


@pytest.mark.benchmark(group="concat 4 x 250k rows")
def time_concat(benchmark, matrix):
    parts = [matrix[start : start + N // 4] for start in range(0, N, N // 4)]
    assert benchmark(cs.LabelMatrix.concat, parts) == matrix


@pytest.mark.benchmark(group="concat 4 x 250k rows")
def time_concat_scipy(benchmark, matrix):
    parts = [matrix[start : start + N // 4].to_scipy() for start in range(0, N, N // 4)]
    benchmark(lambda: scipy.sparse.vstack(parts, format="csr"))


@pytest.mark.benchmark(group="to_dense 1M x 50")
def time_to_dense(benchmark, matrix):
    benchmark.extra_info["bytes"] = 2 * N * M
    benchmark(matrix.to_dense)


@pytest.mark.benchmark(group="to_dense 1M x 50")
def time_to_dense_scipy(benchmark, matrix):
    csr = matrix.to_scipy()
    result = benchmark(csr.toarray)
    assert np.array_equal(result - np.int16(1), matrix.to_dense())


@pytest.mark.benchmark(group="save and load, 2.5M votes")
@pytest.mark.parametrize("step", ["save", "load", "load verify"])
def time_files(benchmark, matrix, tmp_path, step):
    matrix.save(tmp_path / "votes")
    if step == "save":
        benchmark(matrix.save, tmp_path / "votes")
    else:
        verify = step == "load verify"
        result = benchmark(cs.LabelMatrix.load, tmp_path / "votes", verify=verify)
        assert result == matrix


@pytest.fixture(scope="module")
def summary_votes():
    return workloads.votes(100_000, 50, 2, 0.05)


@pytest.mark.benchmark(group="lf_summary 100k x 50")
@pytest.mark.parametrize("n_threads", [1, 2])
def time_lf_summary(benchmark, summary_votes, n_threads):
    L = cs.LabelMatrix.from_dense(summary_votes)
    gold = np.arange(len(L)) % 2
    benchmark(cs.lf_summary, L, gold, n_threads=n_threads)


@pytest.mark.benchmark(group="lf_summary 100k x 50")
def time_lf_summary_from_dense(benchmark, summary_votes):
    gold = np.arange(len(summary_votes)) % 2
    benchmark(lambda: cs.lf_summary(cs.LabelMatrix.from_dense(summary_votes), gold).to_pandas())


@pytest.mark.benchmark(group="lf_summary 100k x 50")
def time_lf_summary_snorkel(benchmark, summary_votes):
    analysis = pytest.importorskip("snorkel.labeling").LFAnalysis(summary_votes)
    gold = np.arange(len(summary_votes)) % 2
    ours = cs.lf_summary(cs.LabelMatrix.from_dense(summary_votes), gold).to_pandas()
    theirs = benchmark.pedantic(analysis.lf_summary, args=(gold,), rounds=3, warmup_rounds=1)
    for column in ("Coverage", "Overlaps", "Conflicts", "Correct", "Incorrect", "Emp. Acc."):
        np.testing.assert_allclose(ours[column], theirs[column], rtol=1e-12, err_msg=column)
    assert ours["Polarity"].tolist() == theirs["Polarity"].tolist()
