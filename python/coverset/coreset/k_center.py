"""k-center greedy: farthest first, exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
import coverset._cpu as _cpu
import coverset._metrics as metrics
from coverset._progress import Progress, report
from coverset._rows import Rows, StoredRows, check_rows, stored_rows
from coverset.coreset.core_set import CoreSet
from coverset.coreset.groups import k_center_of_groups
from coverset.coreset.streamed import k_center_of_stream
from coverset.coreset.traversal import NO_ROWS, NO_WEIGHTS, traverse, traverse_from


def k_center(
    X: NDArray[Any] | Rows | Iterator[NDArray[Any] | Rows],
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
    progress: Progress = False,
) -> CoreSet:
    """Take k rows one after another, each the farthest from those taken before.

    The greedy algorithm for k-center, as core-set selection uses it. Lazy and exact: distances to
    the nearest center only shrink, so that few rows are measured again, and the canonical distance
    decides: the rows that a plain float32 loop takes, on any thread count and SIMD level. Ties go
    to the lower row; where every radius is 0 the lowest rows not yet taken follow.

    Parameters
    ----------
    X : (n, d) array or Rows, or an iterator of them
        float32 or float16, mapped files and Arrow columns of lists included, or :class:`Rows` of
        bfloat16 or int8. An iterator of blocks is read once, see below; of the options it takes
        ``metric`` and ``n_threads``.
    k : int
        New rows to take, 1..n - ``n_outliers`` - ``initial``. With ``groups`` shared out evenly, or
        a dict of rows for each group.
    start : int, optional
        The first row taken: row 0, with ``weights`` the heaviest row. Not with ``initial`` or
        ``groups``.
    initial : (m,) int, optional
        Rows that are centers already, such as labeled ones; they are not taken again.
    metric : {"euclidean", "cosine"}
        Cosine: Euclidean between rows divided by their length, |u - v|^2 = 2 - 2 cos.
    weights : (n,) float, optional
        The row of the largest weight times distance is taken, such as uncertainty times
        distance. At least 0; computed with as float32.
    n_outliers : int
        Rows that need not be covered: that many of the farthest rows are ignored.
    stop_radius : float, optional
        Ends once ``radii`` is at most that, rounded to float32; each group by itself.
    groups : (n,) int, optional
        Classes: each is covered by rows of its own. The group of the largest radius comes next;
        without a row it is infinite. Rows are copied, one group at a time.
    assign : bool
        Also find the nearest center of every row.
    n_threads : int, optional
        By default the CPUs this process may use.
    progress : bool or callable
        True: a bar, with tqdm, of rows taken; of a stream, of rows read. A function is called as
        ``progress(done, total)`` now and then; what it raises ends the run.

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
    ``radii[-1]`` is at most twice the smallest radius that any k centers have (Gonzalez 1985), and
    ``radii[-1] / 2`` bounds that from below for these data, if none of ``initial``, ``weights``,
    ``n_outliers`` and ``groups`` is given. With weights, the heaviest row first, it is within 3
    times (Dyer & Frieze 1985). With z outliers at most z of the rows taken are such that the best
    solution leaves out, and each other is in a part of it that had none: the radius after k + z
    rows is at most twice the best of k centers and z outliers.

    Of a stream it keeps 4 k rows at most, by doubling (Charikar et al. 1997): every row read is
    within 8 times the best radius of 2 k centers from one of those, of which k are taken. So the
    radius is at most 10 times the best of k centers; ``radii`` bound it from above.

    Beyond X it holds 8 bytes a row, d bytes a row taken, 100 bytes for each of ``n_outliers``, and
    some 40 MiB; where a projection to p dimensions pays (``stats["projection"]``), 4 p + 4 bytes a
    row more, at most 512 MiB.

    References
    ----------
    Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985. Dyer & Frieze, "A
    simple heuristic for the p-center problem", 1985. Charikar et al., "Incremental clustering and
    dynamic information retrieval", 1997. Sener & Savarese, "Active learning for convolutional
    neural networks: a core-set approach", 2018.

    Examples
    --------
    >>> import coverset as cs, numpy as np
    >>> X = np.float32([[0, 0], [1, 0], [10, 0], [10, 2], [5, 0]])
    >>> c = cs.k_center(X, k=3)
    >>> c.indices, c.radii
    (array([0, 3, 4]), array([10.198039,  5.      ,  2.      ], dtype=float32))
    >>> cs.k_center(X, k=1, initial=[0, 2], assign=True).assignment
    array([0, 0, 2, 2, 4])
    """
    threads = arguments.threads(n_threads)
    unit = metrics.checked("coreset", metric) == "cosine"
    if isinstance(X, Iterator):
        options = {"start": start, "initial": initial, "weights": weights, "groups": groups}
        options |= {"stop_radius": stop_radius, "n_outliers": n_outliers or None}
        given = [name for name, value in options.items() if value is not None]
        if given or assign:
            msg = f"{given[0] if given else 'assign'} must not be given with an iterator"
            raise ValueError(msg)
        return k_center_of_stream(X, arguments.count("k", k), unit, threads, progress)
    rows = stored_rows("X", X)
    n = len(rows.data)
    if n == 0:
        msg = "X must have at least one row, got none"
        raise ValueError(msg)
    centers = _initial(initial, n)
    weight = _weights(weights, n)
    skipped = arguments.whole_number("n_outliers", n_outliers, 0, n - 1)
    stop = -1.0
    if stop_radius is not None:
        stop = arguments.real_number("stop_radius", stop_radius, 0.0, np.inf)
    if start is not None and (initial is not None or groups is not None):
        msg = f"start must not be given with initial or groups, got start={start!r}"
        raise ValueError(msg)
    check_rows("X", rows, "cosine" if unit else "sqeuclidean", threads)
    if groups is not None:
        if skipped:
            msg = f"n_outliers must be 0 with groups, got {skipped}"
            raise ValueError(msg)
        run = partial(traverse_from, unit=unit, threads=threads)
        found = k_center_of_groups(rows, k, groups, centers, weight, run, stop, progress)
    else:
        most = n - len(centers) - skipped
        wanted = arguments.whole_number("k", k, 1, max(most, 1))
        if most < 1:
            msg = f"k, initial and n_outliers must leave a row, got {n} rows"
            raise ValueError(msg)
        first = 0 if weight is NO_WEIGHTS else int(np.argmax(weight))
        if start is not None:
            first = arguments.whole_number("start", start, 0, n - 1)
        with report(progress, wanted, "k_center") as advance:
            found = traverse(
                *(rows, wanted, first, centers, weight, stop),
                n_outliers=skipped,
                unit=unit,
                threads=threads,
                advance=advance if progress else None,
            )
    if not assign:
        return found
    nearest = _assignment(rows, np.concatenate([centers, found.indices]), unit, threads)
    return CoreSet(found.indices, found.radii, nearest, found.stats)


def _assignment(
    rows: StoredRows, centers: NDArray[np.int64], unit: bool, threads: int
) -> NDArray[np.int64]:
    nearest = np.empty(len(rows.data), dtype=np.int64)
    _cpu.assign_nearest(*rows, unit, centers, nearest, threads)
    return nearest


def _initial(initial: ArrayLike | None, n: int) -> NDArray[np.int64]:
    if initial is None:
        return NO_ROWS
    rows = arguments.row_numbers("initial", initial, n)
    if not len(rows):
        msg = "initial must have at least one row, got none"
        raise ValueError(msg)
    order = np.argsort(rows, kind="stable")
    again = order[1:][rows[order][1:] == rows[order][:-1]]
    if len(again):
        entry = int(again.min())
        msg = f"initial must hold each row once, entry {entry} repeats row {rows[entry]}"
        raise ValueError(msg)
    return rows


def _weights(weights: ArrayLike | None, n: int) -> NDArray[np.float32]:
    if weights is None:
        return NO_WEIGHTS
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
