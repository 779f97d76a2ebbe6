"""Nearest neighbors as they are used: shards, streams, files, graphs, other indexes."""

import numpy as np
import pytest

import coverset as cs
from coverset.neighbors import graph as graphs
from coverset.neighbors.shards import Shard

METRICS = ("sqeuclidean", "cosine", "inner_product")


def normal(*shape):
    return np.random.default_rng(list(shape)).standard_normal(shape).astype(np.float32)


def assert_equal(one, other):
    for a, b in zip(one, other, strict=True):
        assert a.dtype == b.dtype
        assert a.tobytes() == b.tobytes()


# --- rows in parts ------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", METRICS)
def test_a_list_of_arrays_is_their_rows_numbered_through(metric):
    X, Q = normal(500, 20), normal(9, 20)
    X[300:] = X[:200]  # ties across parts
    whole = cs.FlatIndex(metric).fit(X)
    parts = cs.FlatIndex(metric).fit([X[:100], X[100:101], X[101:]])
    assert parts.n_rows_ == 500
    exclude = np.arange(500) % 3 == 0
    assert_equal(parts.search(Q, 30), whole.search(Q, 30))
    assert_equal(parts.search(Q, 30, exclude=exclude), whole.search(Q, 30, exclude=exclude))
    radius = float(whole.search(Q, 20).distances[0, -1])
    assert_equal(parts.search_radius(Q, radius), whole.search_radius(Q, radius))
    assert_equal(
        cs.knn_graph([X[:100], X[100:101], X[101:]], 7, metric), cs.knn_graph(X, 7, metric)
    )


@pytest.mark.parametrize("metric", METRICS)
def test_an_iterator_of_blocks_is_read_once(metric):
    X, Q = normal(400, 12), normal(5, 12)
    X[200:] = X[:200]
    exclude = np.arange(400) % 5 == 0
    blocks = (X[i : i + 70] for i in range(0, 400, 70))
    assert_equal(cs.knn(blocks, Q, 100, metric), cs.knn(X, Q, 100, metric))
    blocks = (X[i : i + 70] for i in range(0, 400, 70))
    got = cs.knn(blocks, Q, 10, metric, exclude=exclude)
    assert_equal(got, cs.knn(X, Q, 10, metric, exclude=exclude))


def test_an_iterator_takes_one_entry_of_exclude_a_row():
    X, Q = normal(90, 3), normal(4, 3)
    exclude = np.arange(90) % 3 == 0
    want = cs.knn(X, Q, 5, exclude=exclude)
    assert_equal(cs.knn(iter([X[:40], X[40:]]), Q, 5, exclude=exclude), want)
    for wrong in (exclude[:-1], np.append(exclude, True)):
        with pytest.raises(ValueError, match="exclude must have one entry a row"):
            cs.knn(iter([X[:40], X[40:]]), Q, 5, exclude=wrong)
    with pytest.raises(TypeError, match="exclude must be bool, got int64"):
        cs.knn(iter([X]), Q, 5, exclude=np.zeros(90, dtype=np.int64))


def test_an_iterator_of_fewer_rows_than_k_is_an_error():
    with pytest.raises(ValueError, match=r"k must be in 1\.\.7, got 8"):
        cs.knn(iter([normal(3, 2), normal(4, 2)]), normal(1, 2), 8)
    with pytest.raises(ValueError, match=r"k must be in 1\.\.0, got 1"):
        cs.knn(iter([]), normal(1, 2), 1)


def test_parts_must_have_as_many_columns():
    with pytest.raises(ValueError, match=r"X\[1\] must have 3 columns, as X\[0\], got 2"):
        cs.FlatIndex().fit([normal(3, 3), normal(3, 2)])
    with pytest.raises(ValueError, match="X must have at least one row, got none"):
        cs.FlatIndex().fit([])
    bad = normal(4, 3)
    bad[2, 1] = np.nan
    with pytest.raises(ValueError, match=r"X\[1\] must be finite, row 2 has nan in column 1"):
        cs.FlatIndex().fit([normal(3, 3), bad])


def test_a_mapped_file_is_searched_where_it_is(tmp_path):
    X, Q = normal(300, 17), normal(4, 17)
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    index = cs.FlatIndex().fit(mapped)
    assert np.shares_memory(index._shards[0].rows.data, mapped)
    assert_equal(index.search(Q, 9), cs.knn(X, Q, 9))


def test_a_torch_tensor_is_searched_where_it_is():
    torch = pytest.importorskip("torch")
    X, Q = normal(50, 6), normal(3, 6)
    assert_equal(cs.knn(torch.from_numpy(X), torch.from_numpy(Q), 4), cs.knn(X, Q, 4))


# --- storage types ------------------------------------------------------------------------------


def test_quantized_rows_are_off_by_half_a_scale():
    X = normal(200, 33) * np.float32(100) ** normal(200, 1)
    X[5] = 0
    rows = cs.quantize(X)
    assert rows.shape == X.shape
    assert len(rows) == 200
    assert rows.data.dtype == np.int8
    off = np.abs(rows.to_float32() - X)
    assert (off <= rows.scale[:, None] * np.float32(0.5001)).all()
    assert rows.scale[5] == 0
    assert np.abs(rows.data[6]).max() == 127


def test_scales_are_for_int8_alone():
    data, scale = np.zeros((3, 2), np.int8), np.ones(3, np.float32)
    assert repr(cs.Rows(data, scale)) == "Rows(3 x 2, int8)"
    with pytest.raises(ValueError, match="scale must be given for int8 rows and for no others"):
        cs.Rows(data)
    with pytest.raises(ValueError, match="got float32 rows"):
        cs.Rows(np.zeros((3, 2), np.float32), scale)
    with pytest.raises(TypeError, match="scale must be float32, got float64"):
        cs.Rows(data, scale.astype(float))
    with pytest.raises(ValueError, match=r"scale must have one number a row: shape \(3,\)"):
        cs.Rows(data, scale[:2])
    scale[1] = np.inf
    with pytest.raises(ValueError, match="scale must be finite, entry 1 is inf"):
        cs.Rows(data, scale)


# --- graphs -------------------------------------------------------------------------------------


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(graphs, "_BLOCK", 64)


def test_a_graph_on_disk_goes_on_where_it_was_stopped(tmp_path, small_blocks, monkeypatch):
    X, want, done = normal(300, 5), cs.knn_graph(normal(300, 5), 6), []

    def stop(rows, total):
        done.append((rows, total))
        if rows == 128:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cs.knn_graph(X, 6, path=tmp_path / "graph", progress=stop)
    assert done == [(64, 300), (128, 300)]
    for file in ("distances.npy", "indices.npy"):  # what a run was at when it ended is not read
        np.load(tmp_path / "graph" / file, mmap_mode="r+")[128:] = 7
    searched = []
    extend = Shard.extend_graph
    monkeypatch.setattr(Shard, "extend_graph", lambda *a: searched.append(a[1:4]) or extend(*a))
    assert_equal(cs.knn_graph(X, 6, path=tmp_path / "graph"), want)
    assert searched == [(128, 192, 128), (192, 256, 128), (256, 300, 128)]
    assert_equal(cs.knn_graph(X, 6, path=tmp_path / "graph"), want)
    assert len(searched) == 3
    assert np.array_equal(np.load(tmp_path / "graph" / "indices.npy"), want.indices)


@pytest.mark.parametrize("change", [{"k": 5}, {"metric": "cosine"}, {"X": normal(300, 6)}])
def test_a_folder_with_another_graph_is_refused(tmp_path, change):
    asked = {"X": normal(300, 5), "k": 6}
    cs.knn_graph(**asked, path=tmp_path)
    with pytest.raises(ValueError, match="path must be free or hold this graph"):
        cs.knn_graph(**(asked | change), path=tmp_path)


def test_a_graph_of_rows_that_differ_in_one_number_or_scale_is_refused(tmp_path):
    X = normal(300, 5)
    other = X.copy()
    other[123, 4] += 1
    stored = cs.quantize(X)
    scaled = cs.Rows(stored.data, np.where(np.arange(300) == 7, 2, 1).astype(np.float32))
    for name, one, two in (("a", X, other), ("b", stored, scaled)):
        cs.knn_graph(one, 3, path=tmp_path / name)
        with pytest.raises(ValueError, match="path must be free or hold this graph"):
            cs.knn_graph(two, 3, path=tmp_path / name)


def test_a_damaged_graph_is_refused(tmp_path):
    X = normal(30, 5)
    cs.knn_graph(X, 3, path=tmp_path)
    np.save(tmp_path / "indices.npy", np.zeros((2, 2)))
    with pytest.raises(ValueError, match="is damaged: its arrays are not of 30 x 3"):
        cs.knn_graph(X, 3, path=tmp_path)
    (tmp_path / "graph.json").write_text("{}")
    with pytest.raises(ValueError, match=r"graph\.json"):
        cs.knn_graph(X, 3, path=tmp_path)


def test_a_graph_of_one_row_has_no_neighbors():
    with pytest.raises(ValueError, match="X must have at least two rows, got 1"):
        cs.knn_graph(normal(1, 3), 1)
    with pytest.raises(ValueError, match=r"k must be in 1\.\.2, got 3"):
        cs.knn_graph(normal(3, 3), 3)


def test_an_index_is_not_used_before_it_is_fitted():
    with pytest.raises(ValueError, match="this FlatIndex is not fitted: call fit first"):
        cs.FlatIndex().search(normal(1, 3))
    assert repr(cs.FlatIndex("cosine")) == "FlatIndex(metric='cosine')"
    assert repr(cs.FlatIndex().fit(normal(7, 3))) == "FlatIndex(metric='sqeuclidean', 7 x 3)"


def test_a_failed_fit_leaves_the_index_as_it_was():
    X, Q = normal(20, 3), normal(2, 3)
    index = cs.FlatIndex().fit(X)
    with pytest.raises(TypeError, match="X must be float32 or float16"):
        index.fit(X.astype(float))
    assert_equal(index.search(Q, 2), cs.knn(X, Q, 2))
