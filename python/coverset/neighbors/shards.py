"""Rows that lie together, what was found among them, and how findings are put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import coverset._cpu as _cpu
from coverset._rows import StoredRows, check_rows, stored_rows

NONE_EXCLUDED = np.empty(0, dtype=np.uint8)
NO_ROWS = np.empty(0, dtype=np.int64)


class Neighbors(NamedTuple):
    """The k nearest rows of each query, nearest first."""

    distances: NDArray[np.float32]  # (q, k)
    indices: NDArray[np.int64]  # (q, k)


class NeighborsWithin(NamedTuple):
    """Rows within a radius: those of query i are ``indptr[i]:indptr[i + 1]``, nearest first."""

    indptr: NDArray[np.int64]  # (q + 1,)
    distances: NDArray[np.float32]
    indices: NDArray[np.int64]


class Shard(NamedTuple):
    """Checked rows, the normalization of their fast products, and the number of the first."""

    rows: StoredRows
    mean: NDArray[np.float32]
    scale: float
    metric: str
    first: int

    @classmethod
    def of(cls, name: str, X: Any, metric: str, first: int, threads: int) -> Shard:
        """Check rows and return them as a shard."""
        rows = stored_rows(name, X)
        check_rows(name, rows, metric, threads)
        mean = np.empty(rows.data.shape[1], dtype=np.float32)
        scale = _cpu.find_normalization(*rows, metric, mean, threads)
        return cls(rows, mean, scale, metric, first)

    @property
    def last(self) -> int:
        """One more than the number of the last row."""
        return self.first + len(self.rows.data)

    def own_rows(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return numbers of rows as the shard counts them, -1 for those of others."""
        return np.where((rows >= self.first) & (rows < self.last), rows - self.first, -1)

    @property
    def n_features(self) -> int:
        """Numbers in a row."""
        return int(self.rows.data.shape[1])

    def nearest(
        self,
        queries: NDArray[np.float32],
        k: int,
        excluded: NDArray[np.uint8],
        own: NDArray[np.int64],
        threads: int,
        out: Neighbors | None = None,
    ) -> Neighbors:
        """Return the k nearest rows; query i is row ``own[i]`` of the shard, or of none (-1)."""
        found = out or Neighbors(
            np.empty((len(queries), k), dtype=np.float32),
            np.empty((len(queries), k), dtype=np.int64),
        )
        _cpu.find_nearest(
            *(*self.rows, self.mean, self.scale, queries, self.metric, k),
            *(excluded[self.first : self.last], own, *found, threads),
        )
        if self.first:
            found.indices[found.indices >= 0] += self.first
        return found

    def extend_graph(
        self, first: int, last: int, shared_from: int, graph: Neighbors, threads: int
    ) -> None:
        """Write the neighbors of rows first..last-1, and what they are to later rows."""
        _cpu.extend_graph(
            *(*self.rows, self.mean, self.scale, self.metric),
            *(first, last, shared_from, *graph, threads),
        )

    def within(
        self, queries: NDArray[np.float32], radius: float, excluded: NDArray[np.uint8], threads: int
    ) -> NeighborsWithin:
        """Return all rows within a radius."""
        found = NeighborsWithin(
            *_cpu.find_within(
                *(*self.rows, self.mean, self.scale, queries, self.metric),
                *(excluded[self.first : self.last], radius, threads),
            )
        )
        return found._replace(indices=found.indices + self.first)


def merge_nearest(parts: Sequence[Neighbors], metric: str, k: int | None = None) -> Neighbors:
    """Return the k best of several shards, in the order of their rows: as many as the first has."""
    if len(parts) == 1:
        return parts[0]
    distances, indices = (np.concatenate(some, axis=1) for some in zip(*parts, strict=True))
    least = -distances if metric == "inner_product" else distances
    order = np.argsort(least, axis=1, kind="stable")[:, : k or parts[0].indices.shape[1]]
    return Neighbors(
        np.take_along_axis(distances, order, axis=1), np.take_along_axis(indices, order, axis=1)
    )


def merge_within(parts: Sequence[NeighborsWithin], metric: str) -> NeighborsWithin:
    """Return all that several shards found."""
    if len(parts) == 1:
        return parts[0]
    query = np.concatenate(
        [np.repeat(np.arange(len(p.indptr) - 1), np.diff(p.indptr)) for p in parts]
    )
    distances = np.concatenate([part.distances for part in parts])
    indices = np.concatenate([part.indices for part in parts])
    least = -distances if metric == "inner_product" else distances
    order = np.lexsort((indices, least, query))
    indptr = np.sum([part.indptr for part in parts], axis=0)
    return NeighborsWithin(indptr, distances[order], indices[order])
