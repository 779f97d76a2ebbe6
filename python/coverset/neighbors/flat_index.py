"""Exact nearest neighbors: every row is compared, in the order of one canonical distance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
import coverset._metrics as metrics
from coverset._not_fitted import NotFittedError
from coverset._rows import Rows, as_float32, check_rows, float_rows, row_parts, stored_rows
from coverset.neighbors.shards import (
    NO_ROWS,
    NONE_EXCLUDED,
    Neighbors,
    NeighborsWithin,
    Shard,
    merge_nearest,
    merge_within,
)


class FlatIndex:
    """Exact search over rows as they are stored; nothing is copied or built.

    Fast products propose rows inside a proved error bound, and a canonical float32 distance, each
    operation rounded, decides: ``indices`` and ``distances`` are the same bits on any thread count
    and SIMD level. Ties go to the lower row. Against exact numbers only pairs closer than
    (d/16 + 8) * 2^-23, relative, may be swapped.

    Parameters
    ----------
    metric : {"sqeuclidean", "euclidean", "cosine", "inner_product"}
        The sum of squared differences; its square root, rounded once, in the order of the squares;
        1 - cosine; the inner product, of which more is nearer.

    Attributes
    ----------
    n_rows_, n_features_ : int

    Examples
    --------
    >>> import coverset as cs, numpy as np
    >>> X = np.float32([[0, 0], [1, 0], [0, 3], [1, 0]])
    >>> index = cs.FlatIndex().fit(X)
    >>> index.search(np.float32([[0.9, 0]]), k=3).indices
    array([[1, 3, 0]])
    >>> index.search_radius(np.float32([[0.0, 1.0]]), radius=2.0).indices
    array([0, 1, 3])
    """

    n_rows_: int
    n_features_: int
    _shards: list[Shard]

    def __init__(self, metric: str = "sqeuclidean") -> None:
        self.metric = metric

    def __repr__(self) -> str:
        rows = f", {self.n_rows_:,} x {self.n_features_:,}" if hasattr(self, "n_rows_") else ""
        return f"FlatIndex(metric={self.metric!r}{rows})"

    def fit(
        self,
        X: NDArray[Any] | Rows | Sequence[NDArray[Any] | Rows],
        *,
        n_threads: int | None = None,
    ) -> Self:
        """Check the rows, and remember where they are.

        Parameters
        ----------
        X : (n, d) array or Rows, or a list of them
            float32 or float16; mapped files, torch tensors on the CPU and Arrow columns of lists
            (without nulls) are taken as they are. The rows of a list, and of a column's chunks,
            are numbered through. Must not change while the index is in use.
        n_threads : int, optional
            By default the CPUs this process may use.

        Raises
        ------
        TypeError
            If the dtype is another one or rows are not contiguous: nothing is converted.
        ValueError
            If a number is not finite, a squared norm is above 2^126, or under cosine a row has no
            number of at least 2^-126 (the first such row is named); if X is empty.

        Notes
        -----
        Reads every row once.
        """
        measured = metrics.measured(metrics.checked("neighbors", self.metric))
        threads = arguments.threads(n_threads)
        shards: list[Shard] = []
        parts = row_parts("X", X)
        for name, part in parts:
            first = shards[-1].last if shards else 0
            shards.append(Shard.of(name, part, measured, first, threads))
            if shards[-1].n_features != shards[0].n_features:
                msg = f"{name} must have {shards[0].n_features} columns, as {parts[0][0]}, "
                raise ValueError(f"{msg}got {shards[-1].n_features}")
        if not shards or shards[-1].last == 0:
            msg = "X must have at least one row, got none"
            raise ValueError(msg)
        self._shards = shards
        self.n_rows_, self.n_features_ = shards[-1].last, shards[0].n_features
        return self

    def search(
        self,
        Q: NDArray[Any] | Rows,
        k: int = 100,
        *,
        exclude: ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> Neighbors:
        """Return the k nearest rows of each query.

        Parameters
        ----------
        Q : (q, d) array or Rows
            In any type that X may have; computed with as float32.
        k : int
            In 1..n; up to 2,048 is what it is made for.
        exclude : (n,) bool, optional
            Rows that are no neighbors.
        n_threads : int, optional
            By default the CPUs this process may use.

        Returns
        -------
        Neighbors
            Where ``exclude`` leaves fewer than k rows, index -1 at distance infinity (inner
            products: -infinity).

        Raises
        ------
        NotFittedError
            Before ``fit``.
        TypeError, ValueError
            As for ``fit``; if d differs, k is not in 1..n, or ``exclude`` is not (n,) bool.

        Notes
        -----
        O(q n d) multiplications, at most 512 queries in each pass over the rows; beyond the
        result it holds O(k) candidates a query and thread.
        """
        found = self._measure(Q, k, exclude, n_threads)
        metrics.take_roots(self.metric, found.distances)
        return found

    def _measure(
        self, Q: Any, k: int, exclude: ArrayLike | None, n_threads: int | None
    ) -> Neighbors:
        """Return the k nearest rows, at the distances that kernels measure."""
        queries, excluded, threads = self._asked(Q, exclude, n_threads)
        most = arguments.whole_number("k", k, 1, self.n_rows_)
        return merge_nearest(
            [shard.nearest(queries, most, excluded, NO_ROWS, threads) for shard in self._shards],
            metrics.measured(self.metric),
        )

    def search_rows(
        self,
        ids: ArrayLike,
        k: int = 100,
        *,
        exclude: ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> Neighbors:
        """Return the k nearest other rows of some rows: the same as their rows in a graph.

        Parameters
        ----------
        ids : (q,) integers
            Numbers of rows, in 0..n - 1, in any order; a row may be asked for twice.
        k : int
            In 1..n - 1.
        exclude, n_threads
            As for ``search``.

        Returns
        -------
        Neighbors
            A row is no neighbor of its own, equal rows are. Where ``exclude`` leaves fewer than k
            rows, index -1 at distance infinity (inner products: -infinity).

        Raises
        ------
        NotFittedError
            Before ``fit``.
        TypeError, ValueError
            If ``ids`` is not of rows (the first that is not is named), k is not in 1..n - 1, or
            ``exclude`` is not (n,) bool.

        Notes
        -----
        As ``search``, and q d float32 numbers. Rows were checked when they were fitted.

        Examples
        --------
        >>> import coverset as cs, numpy as np
        >>> index = cs.FlatIndex().fit(np.float32([[0.0], [1.0], [5.0], [5.0]]))
        >>> index.search_rows([3, 0], k=2).indices
        array([[2, 1],
               [1, 2]])
        """
        self._require_fitted()
        threads = arguments.threads(n_threads)
        rows = arguments.row_numbers("ids", ids, self.n_rows_)
        if self.n_rows_ == 1:
            msg = "X must have at least two rows to search for others, got 1"
            raise ValueError(msg)
        most = arguments.whole_number("k", k, 1, self.n_rows_ - 1)
        found = self._measure_rows(rows, most, _excluded(exclude, self.n_rows_), threads)
        metrics.take_roots(self.metric, found.distances)
        return found

    def _measure_rows(
        self, rows: NDArray[np.int64], k: int, excluded: NDArray[np.uint8], threads: int
    ) -> Neighbors:
        """Return the k nearest other rows of rows, at the distances that kernels measure."""
        queries = np.empty((len(rows), self.n_features_), dtype=np.float32)
        own = [shard.own_rows(rows) for shard in self._shards]
        for shard, inside in zip(self._shards, own, strict=True):
            queries[inside >= 0] = float_rows(shard.rows, inside[inside >= 0], threads)
        return merge_nearest(
            [
                shard.nearest(queries, k, excluded, inside, threads)
                for shard, inside in zip(self._shards, own, strict=True)
            ],
            metrics.measured(self.metric),
        )

    def search_radius(
        self,
        Q: NDArray[Any] | Rows,
        radius: float,
        *,
        exclude: ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> NeighborsWithin:
        """Return all rows at most ``radius`` away (inner products: at least), nearest first.

        Parameters
        ----------
        Q, exclude, n_threads
            As for ``search``.
        radius : float
            In the metric's own unit: a squared distance for ``"sqeuclidean"``. Rounded to float32;
            rows whose distance, as it is returned, is that number are within it.

        Raises
        ------
        NotFittedError, TypeError, ValueError
            As for ``search``; if ``radius`` is not a number.
        """
        queries, excluded, threads = self._asked(Q, exclude, n_threads)
        with np.errstate(over="ignore"):
            limit = float(np.float32(arguments.real_number("radius", radius, -np.inf, np.inf)))
        if self.metric == "euclidean":
            limit = metrics.largest_square(limit)
        found = merge_within(
            [shard.within(queries, limit, excluded, threads) for shard in self._shards],
            metrics.measured(self.metric),
        )
        metrics.take_roots(self.metric, found.distances)
        return found

    def _asked(
        self, Q: Any, exclude: ArrayLike | None, n_threads: int | None
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8], int]:
        """Check a query, and return it with the excluded rows and the thread count."""
        self._require_fitted()
        threads = arguments.threads(n_threads)
        rows = stored_rows("Q", Q)
        if rows.data.shape[1] != self.n_features_:
            msg = f"Q must have {self.n_features_} columns, as X, got shape {rows.data.shape}"
            raise ValueError(msg)
        check_rows("Q", rows, metrics.measured(self.metric), threads)
        return as_float32(rows, threads), _excluded(exclude, self.n_rows_), threads

    def _require_fitted(self) -> None:
        if not hasattr(self, "_shards"):
            msg = "this FlatIndex is not fitted: call fit first"
            raise NotFittedError(msg)


def _excluded(exclude: ArrayLike | None, n: int) -> NDArray[np.uint8]:
    if exclude is None:
        return NONE_EXCLUDED
    array = np.asarray(exclude)
    if array.dtype != np.bool_:
        msg = f"exclude must be bool, got {array.dtype}"
        raise TypeError(msg)
    if array.shape != (n,):
        msg = f"exclude must have one entry a row: shape ({n},), got {array.shape}"
        raise ValueError(msg)
    return np.ascontiguousarray(array).view(np.uint8)


def knn(
    X: NDArray[Any] | Rows | Sequence[NDArray[Any] | Rows] | Iterator[NDArray[Any] | Rows],
    Q: NDArray[Any] | Rows,
    k: int = 100,
    metric: str = "sqeuclidean",
    *,
    exclude: ArrayLike | None = None,
    n_threads: int | None = None,
) -> Neighbors:
    """Return the k nearest rows of X for each row of Q, exactly.

    The same as ``FlatIndex(metric).fit(X).search(Q, k)``, which see. X may also be an iterator of
    blocks of rows, which is read once and of which one block is held at a time.

    Examples
    --------
    >>> import coverset as cs, numpy as np
    >>> X = np.float32([[0, 0], [1, 0], [0, 3]])
    >>> cs.knn(X, np.float32([[0, 2]]), k=2)
    Neighbors(distances=array([[1., 4.]], dtype=float32), indices=array([[2, 0]]))
    >>> cs.knn(iter([X[:2], X[2:]]), np.float32([[0, 2]]), k=2).indices
    array([[2, 0]])
    """
    if not isinstance(X, Iterator):
        index = FlatIndex(metric).fit(X, n_threads=n_threads)
        return index.search(Q, k, exclude=exclude, n_threads=n_threads)
    arguments.count("k", k)
    best: Neighbors | None = None
    rows, some = 0, None
    for block in X:
        index = FlatIndex(metric).fit(block, n_threads=n_threads)
        last = rows + index.n_rows_
        if exclude is not None:
            _excluded(exclude, max(last, np.size(exclude)))  # there may be more rows to come
            some = np.asarray(exclude)[rows:last]
        found = index._measure(Q, min(k, index.n_rows_), some, n_threads)
        found.indices[found.indices >= 0] += rows
        best = found if best is None else merge_nearest([best, found], metrics.measured(metric), k)
        rows = last
    _excluded(exclude, rows)
    if best is None or rows < k:
        msg = f"k must be in 1..{rows}, got {k}"
        raise ValueError(msg)
    metrics.take_roots(metric, best.distances)
    return best
