"""Learning by rows: a sample, then every row once; against EM over all distinct rows."""

from __future__ import annotations

import numpy as np
import pytest

import coverset as cs
from coverset.label_model.estimation import refinement
from examples import THREADS
from label_model_examples import matrix
from label_model_reference import planted_votes


@pytest.fixture(scope="module", params=[2, 3, 7, 17])
def planted(request):
    k = request.param
    L, y = planted_votes(40_000, np.linspace(0.5, 0.9, 14), k, 0.7, seed=k)
    return matrix(L, k), y


def test_a_sample_and_one_pass_are_near_em(planted, monkeypatch):
    L, y = planted
    monkeypatch.setattr(refinement, "SAMPLE_ROWS", 5000)
    em, by_rows = (cs.LabelModel(solver=solver).fit(L) for solver in ("em", "rows"))
    assert (em.solver_, by_rows.solver_) == ("em", "rows")
    p, q = (model.predict_proba(L) for model in (em, by_rows))
    assert np.abs(p - q).mean() < 0.004
    assert (p.argmax(axis=1) == q.argmax(axis=1)).mean() > 0.998
    np.testing.assert_allclose(by_rows.lf_accuracies_, em.lf_accuracies_, atol=0.01)
    np.testing.assert_allclose(by_rows.class_balance_, em.class_balance_, atol=0.005)
    assert by_rows.score(L, y) > em.score(L, y) - 0.001


def test_the_pass_reads_what_the_sample_lacks(monkeypatch):
    L, _ = planted_votes(20_000, [0.9] * 6, 2, 0.8, seed=1)
    votes = L.copy()
    votes[:, 5] = -1
    monkeypatch.setattr(refinement, "SAMPLE_ROWS", 500)
    sample = np.linspace(0, len(L) - 1, 500).astype(np.int64)
    unsampled = np.setdiff1d(np.arange(len(L)), sample)
    votes[unsampled, 5] = L[unsampled, 5]
    model = cs.LabelModel(solver="rows").fit(matrix(votes, 2))
    np.testing.assert_allclose(model.lf_accuracies_[5], 0.9, atol=0.02)
    alone = model.predict_proba(matrix([[-1] * 5 + [1]], 2))
    assert alone[0, 1] > 0.8


def test_the_same_bytes_on_any_thread_count(planted, monkeypatch):
    monkeypatch.setattr(refinement, "SAMPLE_ROWS", 3000)
    L, _ = planted
    models = [cs.LabelModel(solver="rows").fit(L, n_threads=t) for t in THREADS]
    want = models[0].predict_proba(L)
    for model in models[1:]:
        assert np.array_equal(model.predict_proba(L), want)
        assert model.lf_accuracies_.tobytes() == models[0].lf_accuracies_.tobytes()


def test_gold_counts_in_the_pass(monkeypatch):
    monkeypatch.setattr(refinement, "SAMPLE_ROWS", 2000)
    L, y = planted_votes(20_000, [0.6] * 4, 2, 0.9, seed=3)
    votes = matrix(L, 2)
    right = [(column[column >= 0] == y[column >= 0]).mean() for column in L.T]
    model = cs.LabelModel(solver="rows").fit(votes, y)
    np.testing.assert_allclose(model.lf_accuracies_, right, atol=1e-6)


def test_rows_without_votes_and_small_matrices():
    L, _ = planted_votes(6000, [0.8] * 5, 2, 0.1, seed=4)
    model = cs.LabelModel(solver="rows").fit(matrix(L, 2))
    assert model.solver_ == "rows"
    assert np.isfinite(model.predict_proba(matrix(L, 2))).all()
    few = cs.LabelModel(solver="rows").fit(matrix(L[:100], 2))
    assert few.solver_ != "rows"  # so few rows are learned as distinct ones


def test_auto_goes_by_rows_where_there_are_many_that_do_not_repeat(monkeypatch):
    from coverset.label_model.models import anchored

    monkeypatch.setattr(anchored, "_AUTO_PATTERNS", 5000)
    monkeypatch.setattr(refinement, "SAMPLE_ROWS", 3000)
    L, _ = planted_votes(10_000, [0.7] * 14, 3, 0.8, seed=5)
    assert cs.LabelModel().fit(matrix(L, 3)).solver_ == "rows"
    assert cs.LabelModel().fit(matrix(L[:, :2], 3)).solver_ == "em"
    assert cs.LabelModel(solver="em").fit(matrix(L, 3)).solver_ == "em"


def test_it_keeps_nothing_to_add_to(tmp_path):
    L, _ = planted_votes(5000, [0.7] * 5, 2, 0.8, seed=6)
    model = cs.LabelModel(solver="rows").fit(matrix(L, 2))
    with pytest.raises(ValueError, match="learned by rows holds no statistics"):
        model.partial_fit(matrix(L, 2))
    model.save(tmp_path / "model")
    loaded = cs.LabelModel.load(tmp_path / "model")
    want = model.predict_proba(matrix(L, 2))
    assert np.array_equal(loaded.predict_proba(matrix(L, 2)), want)
