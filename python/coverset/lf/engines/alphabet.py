"""What letters are: word characters and case, as this Python's ``re`` has them."""

from __future__ import annotations

import functools
import re
import sys
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_SURROGATES = range(0xD800, 0xE000)


class Alphabet(NamedTuple):
    """Tables for the native scan; both empty: ASCII."""

    word_ranges: NDArray[np.uint32]  # first and last code point of each run of \\w, by turns
    folds: NDArray[np.uint32]  # a code point and what it folds to, by turns


_NOTHING = np.empty(0, dtype=np.uint32)
ASCII = Alphabet(_NOTHING, _NOTHING)


@functools.cache
def _word_ranges() -> NDArray[np.uint32]:
    points = ("\0" if point in _SURROGATES else chr(point) for point in range(sys.maxunicode + 1))
    runs = [(run.start(), run.end() - 1) for run in re.finditer(r"\w+", "".join(points))]
    return np.array(runs, dtype=np.uint32).ravel()


@functools.cache
def _folds() -> NDArray[np.uint32]:
    """Code points that IGNORECASE takes for one another go to the lowest of them."""
    from re import _casefix  # type: ignore[attr-defined]

    lowest = {}
    for lower, others in _casefix._EXTRA_CASES.items():
        lowest[lower] = min(lower, *others)
    pairs = []
    for point in range(sys.maxunicode + 1):
        lower = _lower(point)
        folded = lowest.get(lower, lower)
        if folded != point:
            pairs.append((point, folded))
    return np.array(pairs, dtype=np.uint32).ravel()


def _lower(point: int) -> int:
    import _sre  # type: ignore[import-not-found]

    return int(_sre.unicode_tolower(point))


def unicode(*, fold: bool) -> Alphabet:
    """Return the alphabet of ``re`` without ``re.ASCII``; with ``fold``, under IGNORECASE."""
    return Alphabet(_word_ranges(), _folds() if fold else _NOTHING)


def folded(word: str) -> str:
    """Return what IGNORECASE makes of a word: equal for words that it takes for one another."""
    return word.translate(_fold_table())


@functools.cache
def _fold_table() -> dict[int, int]:
    return {int(point): int(to) for point, to in _folds().reshape(-1, 2)}


def of(is_unicode: bool, fold: bool) -> Alphabet:
    """Return the alphabet of a scan."""
    return unicode(fold=fold) if is_unicode else ASCII
