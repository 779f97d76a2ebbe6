"""What plots draw, read back from their axes."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import coverset as cs
from coverset.label_matrix.summary import pair_shares
from label_model_reference import planted_votes

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def no_figures():
    plt.close("all")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def planted():
    L, y = planted_votes(500, [0.9, 0.8, 0.7, 0.6], 3, 0.5, seed=1)
    L = np.hstack([L, L[:, [0]]])
    return cs.LabelMatrix.from_dense(L, 3, lf_names=list("abcde")), L, y


def texts(labels):
    return [label.get_text() for label in labels]


def test_pair_shares_by_counting(planted):
    L, votes, _ = planted
    both, different = pair_shares(L, np.array([0, 2, 4]))
    for i, a in enumerate([0, 2, 4]):
        for j, b in enumerate([0, 2, 4]):
            voted = (votes[:, a] >= 0) & (votes[:, b] >= 0)
            apart = voted & (votes[:, a] != votes[:, b])
            assert both[i, j] == (0 if i == j else pytest.approx(voted.mean()))
            assert different[i, j] == pytest.approx(apart.mean())


def test_summary_draws_coverage_overlaps_and_conflicts(planted):
    L, _, _ = planted
    summary = cs.lf_summary(L)
    coverage, overlaps, conflicts = summary.plot().axes[:3]
    assert texts(coverage.get_yticklabels()) == list("abcde")
    np.testing.assert_allclose([bar.get_width() for bar in coverage.patches], summary.coverage)
    both, different = pair_shares(L, np.arange(5))
    np.testing.assert_array_equal(overlaps.images[0].get_array(), both)
    np.testing.assert_array_equal(conflicts.images[0].get_array(), different)


def test_summary_shows_the_widest_only(planted):
    L, _, _ = planted
    summary = cs.lf_summary(L)
    widest = np.sort(np.argsort(-summary.coverage, kind="stable")[:2])
    shown = texts(summary.plot(most=2).axes[0].get_yticklabels())
    assert shown == [summary.names[lf] for lf in widest]
    with pytest.raises(ValueError, match="most must be"):
        summary.plot(most=0)


def test_model_draws_accuracies(planted):
    L, _, _ = planted
    model = cs.LabelModel().fit(L)
    ax = model.plot(names=L.lf_names)
    np.testing.assert_allclose([bar.get_width() for bar in ax.patches], model.lf_accuracies_)
    assert texts(ax.get_yticklabels()) == list("abcde")


def test_calibration_draws_its_bins(planted):
    L, _, y = planted
    curve = cs.LabelModel().fit(L).calibration(L, y)
    ax = curve.plot()
    some = curve.counts > 0
    points = ax.collections[0].get_offsets()
    np.testing.assert_allclose(points[:, 0], curve.confidence[some])
    np.testing.assert_allclose(points[:, 1], curve.accuracy[some])


def test_graph_draws_its_pairs(planted):
    L, _, _ = planted
    graph = cs.learn_dependencies(L)
    _, ax = plt.subplots()
    assert graph.plot(ax) is ax
    assert len(ax.lines) == len(graph.pairs)
    drawn = {text.get_text() for text in ax.texts}
    assert drawn == {"abcde"[lf] for lf in np.unique(graph.pairs)}


def test_core_set_draws_its_radii():
    found = cs.k_center(np.arange(500, dtype=np.float32)[:, None] ** 2, 30)
    ax = found.plot().axes[0]
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), found.radii)
    assert ax.get_ylabel() == "covering radius"


def test_without_matplotlib_it_says_what_to_install(planted, monkeypatch):
    L, _, _ = planted
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    for draw in (cs.lf_summary(L).plot, cs.LabelModel().fit(L).plot, cs.learn_dependencies(L).plot):
        with pytest.raises(ImportError, match=r"pip install 'coverset\[plot\]'"):
            draw()
