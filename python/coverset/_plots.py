"""Drawings that several rooms share; matplotlib is looked for when one is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def pyplot() -> Any:
    """Return matplotlib's pyplot; ImportError that says how to install it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        msg = "plots need matplotlib: pip install 'coverset[plot]'"
        raise ImportError(msg) from None
    return plt


def axes(ax: Any = None) -> Any:
    """Return the axes that were given, or the current ones."""
    return pyplot().gca() if ax is None else ax


def bars(
    ax: Any, names: Sequence[str], values: NDArray[Any], interval: NDArray[Any] | None = None
) -> None:
    """Draw one horizontal bar for each name, the first on top, perhaps with an interval."""
    place = np.arange(len(names))
    errors = None if interval is None else np.abs(interval.T - values)
    ax.barh(place, values, xerr=errors, color="#7aa6d6", ecolor="#b30", capsize=2)
    ax.set_yticks(place, names)
    ax.invert_yaxis()
    ax.set_xlim(0, 1)


def heat(ax: Any, names: Sequence[str], values: NDArray[Any], title: str) -> None:
    """Draw a square table of shares as colors."""
    image = ax.imshow(values, cmap="Blues", vmin=0)
    place = np.arange(len(names))
    ax.set_xticks(place, names, rotation=90)
    ax.set_yticks(place, names)
    ax.set_title(title)
    ax.figure.colorbar(image, ax=ax, shrink=0.8)
