"""Named inputs: what a benchmark runs on, as data."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray


@functools.cache
def votes(n: int, m: int, k: int, density: float) -> NDArray[np.int64]:
    """(n, m) int64, -1 = abstain: each LF votes on ``density`` of the rows, 75 % of it right."""
    rng = np.random.default_rng([n, m, k, round(1e6 * density)])
    gold = rng.integers(k, size=n)
    dense = np.full((n, m), -1, dtype=np.int64)
    for lf in range(m):
        rows = np.flatnonzero(rng.random(n) < density)
        right = rng.random(len(rows)) < 0.75
        dense[rows, lf] = np.where(right, gold[rows], rng.integers(k, size=len(rows)))
    return dense


@functools.cache
def vocabulary(size: int) -> tuple[str, ...]:
    """Distinct lower-case words of 3 to 10 letters."""
    rng = np.random.default_rng(size)
    words: dict[str, None] = {}
    while len(words) < size:
        length = rng.integers(3, 11)
        words["".join(chr(97 + c) for c in rng.integers(26, size=length))] = None
    return tuple(words)


@functools.cache
def comments(n: int, words_each: int = 80) -> tuple[str, ...]:
    """``n`` texts of Zipf-distributed words, one in ten capitalized; about 550 bytes each."""
    rng = np.random.default_rng([n, words_each])
    vocabulary_ = np.array(vocabulary(20_000), dtype=object)
    ranks = np.minimum(rng.zipf(1.3, size=(n, words_each)) - 1, len(vocabulary_) - 1)
    capital = rng.random((n, words_each)) < 0.1
    return tuple(
        " ".join(
            word.title() if big else word for word, big in zip(vocabulary_[row], up, strict=True)
        )
        for row, up in zip(ranks, capital, strict=True)
    )


def keywords(count: int) -> tuple[str, ...]:
    """Words of the vocabulary, from common to rare."""
    all_words = vocabulary(20_000)
    places = np.geomspace(50, len(all_words) - 1, count).astype(int)
    return tuple(all_words[place] for place in np.unique(places))


@functools.cache
def gaussian(n: int, d: int) -> NDArray[np.float32]:
    """(n, d) rows without structure."""
    return np.random.default_rng([n, d]).standard_normal((n, d), dtype=np.float32)


@functools.cache
def clustered(n: int, d: int, clusters: int) -> NDArray[np.float32]:
    """(n, d) rows around ``clusters`` middles that lie four deviations from the origin."""
    rng = np.random.default_rng([n, d, clusters])
    middles = rng.standard_normal((clusters, d), dtype=np.float32) * 4
    rows = rng.standard_normal((n, d), dtype=np.float32)
    rows += middles[rng.integers(clusters, size=n)]
    return rows


def patches(digits: NDArray[np.uint8], n: int, d: int) -> NDArray[np.float32]:
    """(n, d) rows: 7 x 7 patches of 28 x 28 digits, 64 of each, projected at random."""
    rng = np.random.default_rng([n, d])
    images = digits[: -(-n // 64)].reshape(-1, 28, 28).astype(np.float32) / 255
    corners = [(i, j) for i in range(0, 22, 3) for j in range(0, 22, 3)]
    cut = np.stack([images[:, i : i + 7, j : j + 7].reshape(-1, 49) for i, j in corners], axis=1)
    flat = cut.reshape(-1, 49)[:n]
    noise = rng.standard_normal((n, d), dtype=np.float32) * np.float32(0.02)
    return flat @ rng.standard_normal((49, d), dtype=np.float32) / np.float32(7) + noise
