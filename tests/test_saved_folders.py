"""Folders saved by earlier versions (``saved/``: by 0.1.0) are read, number for number."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import coverset as cs

SAVED = Path(__file__).parent / "saved"


@pytest.mark.parametrize("mmap", [True, False])
def test_a_saved_label_matrix(mmap):
    L = cs.LabelMatrix.load(SAVED / "label_matrix", mmap=mmap, verify=True)
    np.testing.assert_array_equal(
        L.to_dense(), [[0, -1, 2], [-1, -1, -1], [1, 1, -1], [-1, 0, 2], [2, -1, -1]]
    )
    assert L.cardinality == 4
    assert L.lf_names == ("keywords", "length_10", "größe")
    assert L.class_names == ("ham", "spam", "eggs", "other")
    assert L.polarity == (None, (0, 1), (2,))


ROWS = np.float32([[0, 0], [1, 0], [0, 3], [1, 0], [-2, 1], [0.1, 0.2]])
PARTS = [ROWS[:4], ROWS[4:].astype(np.float16)]
INDICES = [[5, 1, 3], [3, 5, 0], [5, 4, 0], [1, 5, 0], [0, 5, 2], [0, 1, 3]]
DISTANCES = np.float32([
    [0.04997559, 1, 1], [0, 0.8500244, 1], [7.8502684, 8, 9], [0, 0.8500244, 1],
    [5, 5.0499754, 8], [0.04997559, 0.8500244, 0.8500244],
])  # fmt: skip


def test_a_saved_graph(tmp_path):
    folder = tmp_path / "graph"
    shutil.copytree(SAVED / "knn_graph", folder)
    graph = cs.knn_graph(PARTS, k=3, path=folder)
    assert graph.indices.tolist() == INDICES
    np.testing.assert_array_equal(graph.distances, DISTANCES)
    before = {path.name: path.read_bytes() for path in (SAVED / "knn_graph").iterdir()}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_saved_graph_is_read_and_not_made_again(tmp_path):
    shutil.copytree(SAVED / "knn_graph", tmp_path / "graph")
    indices = np.load(tmp_path / "graph" / "indices.npy", mmap_mode="r+")
    indices[0, 0] = 4
    indices.flush()
    assert cs.knn_graph(PARTS, k=3, path=tmp_path / "graph").indices[0, 0] == 4


@pytest.mark.parametrize("change", [{"k": 2}, {"metric": "inner_product"}])
def test_a_saved_graph_is_of_its_own_options(tmp_path, change):
    shutil.copytree(SAVED / "knn_graph", tmp_path / "graph")
    with pytest.raises(ValueError, match="holds another one"):
        cs.knn_graph(PARTS, **{"k": 3, **change}, path=tmp_path / "graph")
