"""Indexes of other libraries, and coverset in the shape of scikit-learn's."""

import numpy as np
import pytest

import coverset as cs
from coverset.neighbors import Index, UsearchIndex, checked_search


def normal(*shape):
    return np.random.default_rng(list(shape)).standard_normal(shape).astype(np.float32)


class Answers:
    """An index that says what it is told."""

    def __init__(self, *answer):
        self.answer = answer

    def search(self, Q, k, /):
        return self.answer


def test_flat_index_is_an_index():
    X = normal(50, 4)
    index = cs.FlatIndex().fit(X)
    assert isinstance(index, Index)
    found = checked_search(index, X[:3], 5, 50)
    assert np.array_equal(found.indices, index.search(X[:3], 5).indices)


def test_a_bare_faiss_index_serves():
    faiss = pytest.importorskip("faiss")
    X = normal(500, 16)
    index = faiss.IndexFlatL2(16)
    index.add(X)
    found = checked_search(index, X[:9], 7, 500)
    assert np.array_equal(found.indices, cs.knn(X, X[:9], 7).indices)


def test_a_usearch_index_serves():
    library = pytest.importorskip("usearch.index")
    X = normal(500, 16)
    index = library.Index(ndim=16, metric="l2sq", dtype="f32")
    index.add(np.arange(500), X)
    found = checked_search(UsearchIndex(index), X[:9], 7, 500)
    want = cs.knn(X, X[:9], 7).indices
    assert (
        np.mean([len(np.intersect1d(a, b)) for a, b in zip(found.indices, want, strict=True)]) > 6
    )
    few = checked_search(UsearchIndex(index), X[:2], 600, 500)
    assert (few.indices[:, 500:] == -1).all()
    assert np.isinf(few.distances[:, 500:]).all()


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        (3, TypeError, r"index must have search\(Q, k\), got int"),
        (Answers(1), ValueError, r"must return \(distances, indices\), got 1 parts"),
        (Answers(np.ones((2, 3)), np.ones((2, 3))), TypeError, "must be integers, got float64"),
        (Answers(np.ones((2, 3)), np.ones((2, 2), int)), ValueError, r"shape \(2, 3\), got \(2, 2"),
        (Answers(np.ones((2, 2)), np.ones((2, 3), int)), ValueError, "distances of index.search"),
        (
            Answers(np.ones((2, 3)), np.array([[0, 1, 2], [0, 9, -7]])),
            ValueError,
            r"must be in -1\.\.8, got 9 for query 1",
        ),
        (Answers(np.ones((2, 3)), np.full((2, 3), -2)), ValueError, "got -2 for query 0"),
    ],
)
def test_answers_are_checked(index, error, message):
    with pytest.raises(error, match=message):
        checked_search(index, normal(2, 4), 3, 9)


# --- scikit-learn -------------------------------------------------------------------------------


def test_scikit_learns_checks_pass():
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    transformer = pytest.importorskip("coverset.neighbors.transformer")
    checks.check_estimator(transformer.KNeighborsTransformer(n_neighbors=2), on_skip=None)


@pytest.mark.parametrize("mode", ["distance", "connectivity"])
@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean", "cosine"])
def test_the_graph_is_scikit_learns(mode, metric):
    neighbors = pytest.importorskip("sklearn.neighbors")
    transformer = pytest.importorskip("coverset.neighbors.transformer")
    X, Q = normal(200, 8), normal(30, 8)
    options = {"mode": mode, "n_neighbors": 6, "metric": metric}
    ours = transformer.KNeighborsTransformer(**options).fit(X)
    theirs = neighbors.KNeighborsTransformer(**options, algorithm="brute").fit(X)
    for rows in (X, Q):
        a, b = ours.transform(rows), theirs.transform(rows)
        assert a.shape == b.shape
        np.testing.assert_allclose(a.toarray(), b.toarray(), atol=2e-3)  # sqrt of 1e-6
        assert (np.diff(a.indptr) == np.diff(b.indptr)).all()


def test_a_classifier_takes_the_graph():
    neighbors = pytest.importorskip("sklearn.neighbors")
    transformer = pytest.importorskip("coverset.neighbors.transformer")
    pipeline = pytest.importorskip("sklearn.pipeline")
    X = normal(300, 5)
    y = (X[:, 0] > 0).astype(int)
    model = pipeline.make_pipeline(
        transformer.KNeighborsTransformer(n_neighbors=9),
        neighbors.KNeighborsClassifier(5, metric="precomputed"),
    )
    want = neighbors.KNeighborsClassifier(5).fit(X[:200], y[:200]).predict(X[200:])
    assert np.array_equal(model.fit(X[:200], y[:200]).predict(X[200:]), want)


def test_more_neighbors_than_rows_are_an_error():
    transformer = pytest.importorskip("coverset.neighbors.transformer")
    with pytest.raises(ValueError, match="n_neighbors must be at most 2"):
        transformer.KNeighborsTransformer(n_neighbors=3).fit_transform(normal(3, 2))
