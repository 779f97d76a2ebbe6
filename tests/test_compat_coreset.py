"""Core-sets under the names of other libraries."""

import numpy as np
import pytest

import coverset as cs
from coverset.compat.anomalib import KCenterGreedy
from coverset.compat.patchcore import ApproximateGreedyCoresetSampler, GreedyCoresetSampler
from coverset.compat.skactiveml import CoreSet
from neighbors_examples import normal


def test_anomalibs_sampler():
    X = normal(400, 6)
    sampler = KCenterGreedy(X, 0.1)
    want = cs.k_center(X, 40).indices
    assert sampler.coreset_size == 40
    assert sampler.select_coreset_idxs() == want.tolist()
    assert np.array_equal(sampler.sample_coreset(), X[want])
    assert (
        sampler.select_coreset_idxs([3, 9]) == cs.k_center(X, 40, initial=[3, 9]).indices.tolist()
    )
    with pytest.raises(ValueError, match=r"sampling_ratio must be in 0..1, got 2"):
        KCenterGreedy(X, 2)


@pytest.mark.parametrize("kind", [GreedyCoresetSampler, ApproximateGreedyCoresetSampler])
def test_patchcores_samplers(kind):
    X = normal(400, 6)
    assert np.array_equal(kind(0.25, "cpu").run(X), X[cs.k_center(X, 100).indices])
    assert kind(1.0, "cpu").run(X) is X


def test_samplers_take_tensors():
    torch = pytest.importorskip("torch")
    X = torch.from_numpy(normal(300, 5))
    assert isinstance(KCenterGreedy(X, 0.1).sample_coreset(), torch.Tensor)
    assert GreedyCoresetSampler(0.1, torch.device("cpu")).run(X).shape == (30, 5)


def labeled(n, known, seed=0):
    X = normal(n, 4, seed).astype(np.float64)
    y = np.full(n, np.nan)
    y[known] = 1
    return X, y


def test_a_query_takes_the_farthest_from_the_labeled():
    X, y = labeled(200, [3, 50, 7])
    want = cs.k_center(X.astype(np.float32), 5, initial=[3, 7, 50]).indices
    assert np.array_equal(CoreSet().query(X, y, batch_size=5), want)
    pool = np.array([4, 90, 8, 120])
    assert set(CoreSet().query(X, y, candidates=pool, batch_size=9)) == set(pool)
    words = np.where(np.isnan(y), "?", "yes")
    assert np.array_equal(CoreSet(missing_label="?").query(X, words, batch_size=5), want)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("candidates", ["all", "rows", "samples"])
def test_queries_are_scikit_activemls(candidates):
    pool = pytest.importorskip("skactiveml.pool")
    X, y = labeled(150, [0, 5, 9])
    given = {"all": None, "rows": np.arange(20, 60), "samples": normal(40, 4, 8).astype(float)}
    options = {"candidates": given[candidates], "batch_size": 6, "return_utilities": True}
    rows, utilities = pool.CoreSet(random_state=0).query(X, y, **options)
    ours, distances = CoreSet().query(X, y, **options)
    assert np.array_equal(rows, ours)
    assert np.allclose(utilities, distances, rtol=1e-6, equal_nan=True)
