"""Core-sets of parts become one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import coverset._arguments as arguments
import coverset._metrics as metrics
from coverset._rows import Rows, check_rows, float_rows, stored_rows
from coverset.coreset.core_set import CoreSet
from coverset.coreset.traversal import radii_above, traverse


def k_center_merge(
    parts: Sequence[tuple[NDArray[Any] | Rows, CoreSet]],
    k: int,
    *,
    metric: str = "euclidean",
    n_threads: int | None = None,
) -> CoreSet:
    """Merge core-sets that were made of parts of the rows, such as one on each machine.

    Parameters
    ----------
    parts : sequence of (X, CoreSet)
        Each part's rows, of which only those taken are read, and its core-set; of k rows at least.
        Where the rows are elsewhere, pass those taken and a core-set of their positions.
    k : int
        At most the rows of all the core-sets.
    metric : {"euclidean", "cosine"}
        The one that the core-sets were made with.
    n_threads : int, optional
        By default the CPUs this process may use.

    Returns
    -------
    CoreSet
        ``indices`` number the rows of all parts through. ``radii`` bound the covering radius of
        all rows from above: that of the rows taken in the parts, and the largest of the parts,
        rounded up by what float32 distances may be off, (d/16 + 9) 2^-24 (but for underflow).

    Raises
    ------
    TypeError, ValueError
        If ``parts`` is empty or has other things, columns differ, k is out of range, or a row that
        was taken is one that :func:`k_center` refuses (the first is named).

    Notes
    -----
    Farthest first among the rows taken. With k rows or more from each part the radius is at most 4
    times the best of any k centers (Malkomes et al. 2015, theorem 1): 2 for the parts, 2 for the
    merge. More rows from each part bring it near 2.

    References
    ----------
    Malkomes et al., "Fast distributed k-center clustering with outliers on massive data", 2015.
    Ceccarello, Pietracaprina & Pucci, "Solving k-center clustering (with outliers) in MapReduce
    and streaming, almost as accurately as sequentially", 2019.

    Examples
    --------
    >>> import coverset as cs, numpy as np
    >>> X = np.float32([[0], [1], [10], [2], [11], [20]])
    >>> parts = [(part, cs.k_center(part, k=2)) for part in (X[:3], X[3:])]
    >>> c = cs.k_center_merge(parts, k=3)
    >>> c.indices, c.radii.round(3)
    (array([0, 5, 2]), array([29., 19., 11.], dtype=float32))
    """
    unit = metrics.checked("coreset", metric) == "cosine"
    measured = "cosine" if unit else "sqeuclidean"
    threads = arguments.threads(n_threads)
    if not isinstance(parts, list | tuple) or not parts:
        msg = f"parts must be a list of (X, CoreSet), got {parts!r:.80}"
        raise TypeError(msg)
    taken: list[NDArray[np.float32]] = []
    numbers: list[NDArray[np.int64]] = []
    first, largest = 0, 0.0
    for i, part in enumerate(parts):
        if not isinstance(part, tuple | list) or len(part) != 2 or not isinstance(part[1], CoreSet):
            msg = f"parts[{i}] must be (X, CoreSet), got {part!r:.80}"
            raise TypeError(msg)
        rows, chosen = stored_rows(f"parts[{i}][0]", part[0]), part[1]
        if len(chosen) and not 0 <= chosen.indices.min() <= chosen.indices.max() < len(rows.data):
            msg = f"parts[{i}] must have a core-set of its own rows, 0..{len(rows.data) - 1}, "
            raise ValueError(f"{msg}got row {chosen.indices.max()}")
        if taken and rows.data.shape[1] != taken[0].shape[1]:
            msg = f"parts[{i}] must have as many columns as parts[0], got {rows.data.shape[1]}"
            raise ValueError(msg)
        some = stored_rows("parts", float_rows(rows, chosen.indices, threads))
        check_rows(f"parts[{i}][0]", some, measured, threads, numbers=chosen.indices)
        if not np.isfinite(chosen.radii).all():
            msg = f"parts[{i}] must have a core-set of finite radii, got {chosen.radii}"
            raise ValueError(msg)
        taken.append(float_rows(some, slice(None), threads, unit=unit))
        numbers.append(first + chosen.indices)
        largest = max(largest, float(chosen.radii[-1]) if len(chosen) else 0.0)
        first += len(rows.data)
    together = np.concatenate(taken)
    most = arguments.whole_number("k", k, 1, len(together))
    found = traverse(stored_rows("parts", together), most, threads=threads)
    radii = radii_above(found.radii, largest, together.shape[1])
    return CoreSet(np.concatenate(numbers)[found.indices], radii, None, found.stats)
