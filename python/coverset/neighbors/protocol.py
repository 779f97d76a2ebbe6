"""Whatever index you bring: what it must do, and what is checked of its answers."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

import coverset._arguments as arguments
from coverset.neighbors.shards import Neighbors


@runtime_checkable
class Index(Protocol):
    """Anything with ``search(Q, k) -> (distances, indices)``: a bare faiss index serves as it is.

    Both are (q, k), nearest first; -1 stands where there is no neighbor.
    """

    def search(self, Q: NDArray[Any], k: int, /) -> tuple[Any, Any]:
        """Return distances and row ids of the k nearest rows of each query."""


def checked_search(index: Index, Q: NDArray[Any], k: int, n_rows: int) -> Neighbors:
    """Search an index of any kind, and check what it answers.

    Parameters
    ----------
    index : Index
    Q : (q, d) float32
    k : int
        At least 1.
    n_rows : int
        Ids must be in -1..n_rows - 1.

    Raises
    ------
    TypeError
        If ``index`` has no ``search``, or ids are no integers.
    ValueError
        If ids or distances are not (q, k), or an id is out of range (the first is named).

    Examples
    --------
    >>> import coverset as cs, numpy as np
    >>> from coverset.neighbors import checked_search
    >>> X = np.float32([[0.0], [1.0], [5.0]])
    >>> checked_search(cs.FlatIndex().fit(X), X[:1], 2, len(X)).indices
    array([[0, 1]])
    """
    arguments.count("k", k)
    if not isinstance(index, Index):
        msg = f"index must have search(Q, k), got {type(index).__name__}"
        raise TypeError(msg)
    answer = tuple(index.search(Q, k))
    if len(answer) != 2:
        msg = f"index.search must return (distances, indices), got {len(answer)} parts"
        raise ValueError(msg)
    distances, ids = (np.asarray(part) for part in answer)
    if ids.dtype.kind not in "iu":
        msg = f"indices of index.search must be integers, got {ids.dtype}"
        raise TypeError(msg)
    for name, part in (("distances", distances), ("indices", ids)):
        if part.shape != (len(Q), k):
            msg = f"{name} of index.search must be of shape {(len(Q), k)}, got {part.shape}"
            raise ValueError(msg)
    whole = ids.astype(np.int64, copy=False)
    wrong = (whole < -1) | (whole >= n_rows)
    if wrong.any():
        query, place = (int(at) for at in np.argwhere(wrong)[0])
        msg = f"indices of index.search must be in -1..{n_rows - 1}, got {ids[query, place]} "
        raise ValueError(f"{msg}for query {query}")
    return Neighbors(distances.astype(np.float32, copy=False), whole)


class UsearchIndex:
    """A usearch index as an :class:`Index`: keys are row ids.

    Parameters
    ----------
    index : usearch.index.Index
        Whose keys are 0..n - 1.

    Examples
    --------
    >>> from coverset.neighbors import Index, UsearchIndex
    >>> isinstance(UsearchIndex(None), Index)
    True
    """

    def __init__(self, index: Any) -> None:
        self.index = index

    def search(self, Q: NDArray[Any], k: int, /) -> tuple[Any, Any]:
        """Return distances and ids, -1 where usearch found fewer than k."""
        found = self.index.search(Q, k)
        keys, distances = np.atleast_2d(found.keys), np.atleast_2d(found.distances)
        counts = np.atleast_1d(getattr(found, "counts", np.full(len(keys), keys.shape[1])))
        missing = np.arange(keys.shape[1]) >= counts[:, None]
        ids = np.full((len(keys), k), -1, dtype=np.int64)
        near = np.full((len(keys), k), np.inf, dtype=np.float32)
        ids[:, : keys.shape[1]] = np.where(missing, -1, keys.astype(np.int64))
        near[:, : keys.shape[1]] = np.where(missing, np.inf, distances)
        return near, ids
