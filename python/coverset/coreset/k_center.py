"""k-center greedy: farthest first, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coverset import _arguments as arguments
from coverset import _cpu
from coverset.coreset.core_set import CoreSet
from coverset.coreset.groups import k_center_of_groups
from coverset.neighbors import FlatIndex
from coverset.neighbors.rows import Rows, StoredRows, check_rows, stored_rows

_METRICS = ("euclidean", "cosine")
_NO_ROWS, _NO_WEIGHTS = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
_BLOCK = 1 << 14  # rows that are assigned at a time


def k_center(
    X: NDArray[Any] | Rows,
    k: int | Mapping[int, int],
    *,
    start: int | None = None,
    initial: ArrayLike | None = None,
    metric: str = "euclidean",
    weights: ArrayLike | None = None,
    n_outliers: int = 0,
    stop_radius: float | None = None,
    groups: ArrayLike | None = None,
    assign: bool = False,
    n_threads: int | None = None,
) -> CoreSet:
    """Take k rows one after another, each the farthest from those taken before.

    The greedy algorithm for k-center, as core-set selection uses it. Lazy and exact: distances to
    the nearest centre only shrink, so that few rows are measured again, and the canonical distance
    decides: the rows that a plain float32 loop takes, on any thread count and SIMD level. Ties go to
    the lower row; where every radius is 0 the lowest rows not yet taken follow.

    Parameters
    ----------
    X : (n, d) array or Rows
        float32 or float16, mapped files included, or :class:`Rows` of bfloat16 or int8.
    k : int
        New rows to take, 1..n - ``n_outliers`` - ``initial``. With ``groups`` shared out evenly, or
        a dict of rows for each group.
    start : int, optional
        The first row taken: row 0, with ``weights`` the heaviest row. Not with ``initial`` or
        ``groups``.
    initial : (m,) int, optional
        Rows that are centres already, such as labeled ones; they are not taken again.
    metric : {"euclidean", "cosine"}
        Cosine: Euclidean between rows divided by their length, |u - v|^2 = 2 - 2 cos.
    weights : (n,) float, optional
        The row of the largest weight times distance is taken, such as uncertainty times
        distance. At least 0; computed with as float32.
    n_outliers : int
        Rows that need not be covered: the farthest but that many is taken.
    stop_radius : float, optional
        Ends once ``radii`` is at most that.
    groups : (n,) int, optional
        Classes: each has its own rows taken, and is covered by its own. The group of the largest
        radius comes next. Its rows are copied, one group at a time.
    assign : bool
        Also find the nearest centre of every row.
    n_threads : int, optional
        By default the CPUs this process may use.

    Returns
    -------
    CoreSet

    Raises
    ------
    TypeError, ValueError
        As for :meth:`FlatIndex.fit`; if an argument is out of range, ``initial`` has a row twice, a
        weight is negative or not finite (the first is named), or arguments exclude each other.

    Notes
    -----
    ``radii[-1]`` is at most twice the smallest radius that any k centres have (Gonzalez 1985), and
    ``radii[-1] / 2`` bounds that from below for these data, if none of ``initial``, ``weights``,
    ``n_outliers`` and ``groups`` is given. With weights, the heaviest row first, it is within 3
    times (Dyer & Frieze 1985). With z outliers at most z of the rows taken are such that the best
    solution leaves out, and each other is in a part of it that had none: the radius after k + z
    rows is at most twice the best of k centres and z outliers.

    Beyond X it holds 8 bytes a row, d bytes a row taken, and some 40 MiB.

    References
    ----------
    Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985. Sener & Savarese,
    "Active learning for convolutional neural networks: a core-set approach", ICLR 2018.

    Examples
    --------
    >>> import coverset as cs, numpy as np
    >>> X = np.float32([[0, 0], [1, 0], [10, 0], [10, 2], [5, 0]])
    >>> c = cs.k_center(X, k=3)
    >>> c.indices, c.radii
    (array([0, 3, 4]), array([10.198039 ,  5.3851647,  2.       ], dtype=float32))
    >>> cs.k_center(X, k=1, initial=[0, 2], assign=True).assignment
    array([0, 0, 2, 2, 4])
    """
    rows, threads = stored_rows("X", X), arguments.threads(n_threads)
    arguments.one_of("metric", metric, _METRICS)
    n = len(rows.data)
    if n == 0:
        msg = "X must have at least one row, got none"
        raise ValueError(msg)
    centres = _initial(initial, n)
    weight = _weights(weights, n)
    skipped = arguments.whole_number("n_outliers", n_outliers, 0, n - 1)
    stop = -1.0
    if stop_radius is not None:
        stop = arguments.real_number("stop_radius", stop_radius, 0.0, np.inf)
    if start is not None and (initial is not None or groups is not None):
        msg = f"start must not be given with initial or groups, got start={start!r}"
        raise ValueError(msg)
    check_rows("X", rows, "cosine" if metric == "cosine" else "sqeuclidean", threads)
    unit = metric == "cosine"
    if groups is not None:
        if skipped:
            msg = f"n_outliers must be 0 with groups, got {skipped}"
            raise ValueError(msg)
        found = k_center_of_groups(
            rows, k, groups, centres, weight, lambda *some: _traverse(*some, 0, unit, threads), stop
        )
    else:
        most = n - len(centres) - skipped
        wanted = arguments.whole_number("k", k, 1, max(most, 1))
        if most < 1:
            msg = f"k, initial and n_outliers must leave a row, got {n} rows"
            raise ValueError(msg)
        first = 0 if weight is _NO_WEIGHTS else int(np.argmax(weight))
        if start is not None:
            first = arguments.whole_number("start", start, 0, n - 1)
        found = _traverse(rows, wanted, first, centres, weight, stop, skipped, unit, threads)
    if not assign:
        return found
    nearest = _assignment(rows, np.concatenate([centres, found.indices]), unit, threads)
    return CoreSet(found.indices, found.radii, nearest, found.stats)


def _traverse(
    rows: StoredRows,
    k: int,
    start: int,
    initial: NDArray[np.int64],
    weights: NDArray[np.float32],
    stop: float,
    n_outliers: int,
    unit: bool,
    threads: int,
) -> CoreSet:
    """Run the kernel: weights go in at most 1, keys come out as squares."""
    largest = float(weights.max(initial=0.0))
    power = np.ldexp(1.0, int(np.frexp(largest)[1])) if largest > 0 else 1.0
    indices, keys = np.empty(k, dtype=np.int64), np.empty(k, dtype=np.float32)
    stats = _cpu.k_center(
        *(*rows, unit, start, initial, (weights / power).astype(np.float32), n_outliers),
        *(_largest_key(stop / power), indices, keys, threads),
    )
    taken = stats.pop("centres")
    return CoreSet(indices[:taken], np.sqrt(keys[:taken]) * np.float32(power), None, stats)


def _largest_key(radius: float) -> float:
    """Return the largest float32 whose root is at most ``radius``; -1 for a negative one."""
    if radius < 0:
        return -1.0
    with np.errstate(over="ignore"):
        key = np.float32(min(radius, 1e20) ** 2)
    while np.sqrt(key) > radius:
        key = np.nextafter(key, np.float32(-1))
    while np.sqrt(np.nextafter(key, np.float32(np.inf))) <= radius:
        key = np.nextafter(key, np.float32(np.inf))
    return float(key)


def _assignment(
    rows: StoredRows, centres: NDArray[np.int64], unit: bool, threads: int
) -> NDArray[np.int64]:
    index = FlatIndex().fit(_float_rows(rows, centres, unit, threads), n_threads=threads or None)
    nearest = np.empty(len(rows.data), dtype=np.int64)
    for first in range(0, len(nearest), _BLOCK):
        some = slice(first, min(first + _BLOCK, len(nearest)))
        queries = _float_rows(rows, some, unit, threads)
        nearest[some] = centres[index.search(queries, 1, n_threads=threads or None).indices[:, 0]]
    return nearest


def _float_rows(
    rows: StoredRows, which: slice | NDArray[np.int64], unit: bool, threads: int
) -> NDArray[np.float32]:
    data = rows.data[which]
    out = np.empty(data.shape, dtype=np.float32)
    _cpu.load_rows(
        data, rows.kind, rows.scale[which] if len(rows.scale) else rows.scale, out, threads, unit
    )
    return out


def _initial(initial: ArrayLike | None, n: int) -> NDArray[np.int64]:
    if initial is None:
        return _NO_ROWS
    rows = arguments.integer_array("initial", initial)
    if not len(rows):
        msg = "initial must have at least one row, got none"
        raise ValueError(msg)
    outside = np.flatnonzero((rows < 0) | (rows >= n))
    if len(outside):
        msg = f"initial must hold rows in 0..{n - 1}, entry {outside[0]} is {rows[outside[0]]}"
        raise ValueError(msg)
    order = np.argsort(rows, kind="stable")
    again = order[1:][rows[order][1:] == rows[order][:-1]]
    if len(again):
        entry = int(again.min())
        msg = f"initial must hold each row once, entry {entry} repeats row {rows[entry]}"
        raise ValueError(msg)
    return np.ascontiguousarray(rows, dtype=np.int64)


def _weights(weights: ArrayLike | None, n: int) -> NDArray[np.float32]:
    if weights is None:
        return _NO_WEIGHTS
    array = np.asarray(weights)
    if array.dtype.kind not in "fiu":
        msg = f"weights must hold numbers, got dtype {array.dtype}"
        raise TypeError(msg)
    if array.shape != (n,):
        msg = f"weights must have one number a row: shape ({n},), got {array.shape}"
        raise ValueError(msg)
    with np.errstate(over="ignore"):
        narrow = np.ascontiguousarray(array, dtype=np.float32)
    bad = np.flatnonzero(~((narrow >= 0) & np.isfinite(narrow)))
    if len(bad):
        msg = f"weights must be finite and at least 0, entry {bad[0]} is {array[bad[0]]}"
        raise ValueError(msg)
    return narrow
