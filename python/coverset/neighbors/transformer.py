"""coverset's search in the shape of scikit-learn's KNeighborsTransformer (extra ``sklearn``)."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import (
    check_is_fitted,
    validate_data,
)

import coverset._arguments as arguments
import coverset._metrics as metrics
from coverset.neighbors.flat_index import FlatIndex


class KNeighborsTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Sparse graphs of nearest neighbors, for estimators that take a precomputed one.

    Rows are converted to float32, as scikit-learn's conventions ask for any numbers.

    Parameters
    ----------
    mode : {"distance", "connectivity"}
        What the graph holds. With distances a row of the training data is its own neighbor, so
        ``n_neighbors + 1`` are stored, as in scikit-learn.
    n_neighbors : int
    metric : {"euclidean", "sqeuclidean", "cosine"}
    n_threads : int, optional
        By default the CPUs this process may use.

    Attributes
    ----------
    index_ : FlatIndex
    n_samples_fit_, n_features_in_ : int

    Examples
    --------
    >>> from coverset.neighbors.transformer import KNeighborsTransformer
    >>> graph = KNeighborsTransformer(n_neighbors=1).fit_transform([[0.0], [1.0], [5.0]])
    >>> graph.toarray()
    array([[0., 1., 0.],
           [1., 0., 0.],
           [0., 4., 0.]])
    """

    def __init__(
        self,
        *,
        mode: str = "distance",
        n_neighbors: int = 5,
        metric: str = "euclidean",
        n_threads: int | None = None,
    ) -> None:
        self.mode = mode
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.n_threads = n_threads

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Check the rows and remember them as float32."""
        arguments.one_of("mode", self.mode, ("distance", "connectivity"))
        metric = metrics.measured(metrics.checked("neighbors.transformer", self.metric))
        arguments.count("n_neighbors", self.n_neighbors)
        rows = validate_data(self, X, dtype=np.float32, order="C")
        self.index_ = FlatIndex(metric).fit(rows, n_threads=self.n_threads)
        self.n_samples_fit_ = len(rows)
        self._n_features_out = len(rows)
        return self

    def transform(self, X: ArrayLike) -> Any:
        """Return the neighbors of X among the training rows, as CSR."""
        from scipy.sparse import csr_array

        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float32, order="C", reset=False)
        k = self.n_neighbors + (self.mode == "distance")
        if k > self.n_samples_fit_:
            msg = f"n_neighbors must be at most {self.n_samples_fit_ - (self.mode == 'distance')} "
            raise ValueError(f"{msg}(n_samples_fit_ = {self.n_samples_fit_}), got {k}")
        near, ids = self.index_.search(rows, k, n_threads=self.n_threads)
        data: NDArray[np.float64] = np.ones(ids.size)
        if self.mode == "distance":
            data = near.ravel().astype(np.float64)
            data = np.sqrt(data) if self.metric == "euclidean" else data
        indptr = np.arange(0, ids.size + 1, k)
        return csr_array((data, ids.ravel(), indptr), shape=(len(rows), self.n_samples_fit_))

    def fit_transform(self, X: ArrayLike, y: object = None) -> Any:
        """Return the graph of the training rows."""
        return self.fit(X).transform(X)
