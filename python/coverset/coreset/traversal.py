"""One run of the kernel: weights go in scaled, squares come out as radii."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import coverset._cpu as _cpu
import coverset._metrics as metrics
from coverset._rows import StoredRows
from coverset.coreset.core_set import CoreSet

NO_ROWS = np.empty(0, dtype=np.int64)
NO_WEIGHTS = NO_RADII = np.empty(0, dtype=np.float32)


def traverse(
    rows: StoredRows,
    k: int,
    start: int = 0,
    initial: NDArray[np.int64] = NO_ROWS,
    weights: NDArray[np.float32] = NO_WEIGHTS,
    stop: float = -1.0,
    *,
    n_outliers: int = 0,
    unit: bool = False,
    threads: int = 0,
    advance: Callable[[int], object] | None = None,
) -> CoreSet:
    """Take k rows; everything is checked."""
    found, _ = traverse_from(
        *(rows, k, start, initial, weights, stop),
        n_outliers=n_outliers,
        unit=unit,
        threads=threads,
        advance=advance,
    )
    return found


def traverse_from(
    rows: StoredRows,
    k: int,
    start: int,
    initial: NDArray[np.int64],
    weights: NDArray[np.float32],
    stop: float,
    *,
    n_outliers: int = 0,
    unit: bool = False,
    threads: int = 0,
    advance: Callable[[int], object] | None = None,
) -> tuple[CoreSet, np.float32]:
    """Take k rows, and return also the radius before the first: 0 without ``initial``.

    ``advance`` hears how many more rows were taken, now and then.
    """
    largest = float(weights.max(initial=0.0))
    power = float(np.ldexp(1.0, int(np.frexp(largest)[1]))) if largest > 0 else 1.0
    indices, squares = np.full(k, -1, dtype=np.int64), np.empty(k, dtype=np.float32)
    least = metrics.largest_square(stop, lambda some: _radii(some, power))
    told = 0

    def tick() -> None:
        nonlocal told
        done = int(np.count_nonzero(indices >= 0))
        if advance is not None:
            advance(done - told)
        told = done

    scaled = (weights.astype(np.float64) / power).astype(np.float32)
    stats = _cpu.k_center(
        *(*rows, unit, start, initial, scaled, n_outliers, least, indices, squares, threads),
        tick=tick if advance is not None else None,
    )
    tick()
    taken, before = stats.pop("centers"), stats.pop("before")
    first = _radii(np.array([before], dtype=np.float32), power)[0]
    return CoreSet(indices[:taken], _radii(squares[:taken], power), None, stats), first


def added(stats: dict[str, int], more: dict[str, int]) -> dict[str, int]:
    """Return the work of two runs; of two projections the one of more dimensions counts."""
    total = {name: stats.get(name, 0) + done for name, done in more.items()}
    total["projection"] = max(stats.get("projection", 0), more["projection"])
    return total


def radii_above(radii: NDArray[np.float32], cover: float, d: int) -> NDArray[np.float32]:
    """Return what rows within ``cover`` of others are from centers at most: rounded up.

    Float32 distances of rows of d numbers may be off by half of what their squares may be,
    (d/16 + 8) 2^-23, and by the root's rounding.
    """
    if cover == 0:
        return radii
    above = (radii.astype(np.float64) + cover) * (1 + (d / 16 + 9) * 2.0**-24)
    with np.errstate(over="ignore"):
        nearest = above.astype(np.float32)
    return np.where(nearest < above, np.nextafter(nearest, np.float32(np.inf)), nearest)


def _radii(squares: NDArray[np.float32], power: float) -> NDArray[np.float32]:
    with np.errstate(over="ignore", under="ignore"):
        return (np.sqrt(squares) * np.float64(power)).astype(np.float32)
