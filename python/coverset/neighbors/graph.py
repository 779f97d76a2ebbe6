"""Exact k-nearest-neighbor graphs: every row against all others."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

import coverset._arguments as arguments
import coverset._metrics as metrics
import coverset._store as _store
from coverset._progress import Progress, report
from coverset._rows import Rows, StoredRows
from coverset.neighbors.flat_index import FlatIndex
from coverset.neighbors.shards import NONE_EXCLUDED, Neighbors

_BLOCK = 1 << 13  # rows that are searched for at a time
_MAGIC, _VERSION, _JOURNAL = "coverset-knn-graph", 2, "graph.json"


def knn_graph(
    X: NDArray[Any] | Rows | Sequence[NDArray[Any] | Rows],
    k: int = 100,
    metric: str = "sqeuclidean",
    *,
    path: str | os.PathLike[str] | None = None,
    n_threads: int | None = None,
    progress: Progress = False,
) -> Neighbors:
    """Return the k nearest other rows of each row, exactly.

    Parameters
    ----------
    X : (n, d) array or Rows, or a list of them
        As for :class:`FlatIndex`.
    k : int
        In 1..n - 1.
    metric : {"sqeuclidean", "euclidean", "cosine", "inner_product"}
    path : path, optional
        A folder for the graph, ``distances.npy`` and ``indices.npy``, which are mapped. A run that
        was stopped goes on after the last block of 8,192 rows that it finished.
    n_threads : int, optional
        By default the CPUs this process may use.
    progress : bool or callable
        A bar by tqdm, or a function of (rows done, rows in all).

    Returns
    -------
    Neighbors
        ``distances`` and ``indices`` (n, k); a row is no neighbor of its own, equal rows are.

    Raises
    ------
    TypeError, ValueError
        As for :meth:`FlatIndex.fit`; if k is not in 1..n - 1; if ``path`` is damaged, or holds the
        graph of other rows, by their checksum.

    Notes
    -----
    n^2 d / 2 multiplications: a product serves both of its rows (with a list of arrays, or after
    a run that was stopped, up to twice as many). Beyond the result 24 bytes a row.

    Examples
    --------
    >>> import coverset as cs, numpy as np
    >>> cs.knn_graph(np.float32([[0.0], [1.0], [5.0], [5.0]]), k=1).indices.ravel()
    array([1, 0, 3, 2])
    """
    index = FlatIndex(metric).fit(X, n_threads=n_threads)
    n, threads = index.n_rows_, arguments.threads(n_threads)
    if n == 1:
        msg = "X must have at least two rows, got 1"
        raise ValueError(msg)
    most = arguments.whole_number("k", k, 1, n - 1)
    journal = None if path is None else _Journal(Path(path), index, most)
    graph = journal.graph if journal else Neighbors(*_arrays(np.empty, n, most))
    done = journal.done if journal else 0
    graph.distances[done:], graph.indices[done:] = np.inf, -1
    with report(progress, n, "neighbors") as advance:
        for shard, first, last in _blocks(index):
            number = index._shards[shard].first + last
            place = slice(number - last + first, number)
            if number > done:
                if len(index._shards) == 1:
                    index._shards[0].extend_graph(first, last, done, graph, threads)
                else:
                    rows = np.arange(place.start, place.stop)
                    found = index._measure_rows(rows, most, NONE_EXCLUDED, threads)
                    graph.distances[place], graph.indices[place] = found
                metrics.take_roots(metric, graph.distances[place])
            if journal is not None:
                journal.note(number)
            advance(last - first)
    return graph


def _arrays(make: Any, n: int, k: int) -> tuple[Any, Any]:
    return make((n, k), dtype=np.float32), make((n, k), dtype=np.int64)


def _blocks(index: FlatIndex) -> Iterator[tuple[int, int, int]]:
    """Yield shard, first row and one more than the last, counted within the shard."""
    for number, shard in enumerate(index._shards):
        rows = len(shard.rows.data)
        for first in range(0, rows, _BLOCK):
            yield number, first, min(first + _BLOCK, rows)


class _Journal:
    """A graph on disk, and how many of its rows are there."""

    def __init__(self, folder: Path, index: FlatIndex, k: int) -> None:
        self._file = folder / _JOURNAL
        self._facts = {
            **{"rows": index.n_rows_, "k": k, "metric": index.metric},
            "rows_checksum": [_checksum(shard.rows) for shard in index._shards],
        }
        files = folder / "distances.npy", folder / "indices.npy"
        self.done = 0
        if self._file.exists():
            body = _store.read_json(self._file, _MAGIC, _VERSION)
            self.done = arguments.whole_number("done", body.pop("done", None), 0, index.n_rows_)
            if body != self._facts:
                msg = f"path must be free or hold this graph, {folder} holds another one"
                raise ValueError(msg)
            arrays = tuple(np.load(file, mmap_mode="r+") for file in files)
            if any(array.shape != (index.n_rows_, k) for array in arrays):
                msg = f"{folder} is damaged: its arrays are not of {index.n_rows_} x {k}"
                raise ValueError(msg)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            dtypes = np.float32, np.int64
            arrays = tuple(
                open_memmap(file, mode="w+", dtype=dtype, shape=(index.n_rows_, k))
                for file, dtype in zip(files, dtypes, strict=True)
            )
            self.note(0)
        self.graph = Neighbors(*arrays)

    def note(self, done: int) -> None:
        """Write down that the first rows are there, once they are."""
        if done and done <= self.done:
            return
        if done:
            for array in self.graph:
                array.flush()  # type: ignore[union-attr]
        self.done = done
        _store.write_json(self._file, _MAGIC, _VERSION, {**self._facts, "done": done})


def _checksum(rows: StoredRows) -> int:
    """Return a checksum of rows, their type and their scales."""
    data, block = rows.data, max(1, (1 << 24) // max(1, rows.data.shape[1]))
    sum_ = zlib.crc32(f"{data.shape} {rows.kind}".encode())
    sum_ = zlib.crc32(np.ascontiguousarray(rows.scale).tobytes(), sum_)
    for first in range(0, len(data), block):
        sum_ = zlib.crc32(np.ascontiguousarray(data[first : first + block]).data.cast("B"), sum_)
    return sum_
