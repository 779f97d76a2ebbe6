"""Average-linkage clusters of similar things, from the pairs that are similar at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import coverset._cpu as _cpu

Ints = NDArray[np.int64]


def connected(size: int, first: Ints, second: Ints) -> Ints:
    """Return, for each of ``size`` things, the lowest one that a chain of pairs leads to."""
    lowest = np.arange(size)
    while True:
        before = lowest.copy()
        np.minimum.at(lowest, first, before[second])
        np.minimum.at(lowest, second, before[first])
        lowest = lowest[lowest]
        if (lowest == before).all():
            return lowest


def average_linkage(
    size: int,
    first: Ints,
    second: Ints,
    similarity: NDArray[np.float64],
    least: float,
    threads: int,
) -> Ints:
    """Merge the two most similar clusters while their mean similarity is at least ``least``.

    Pairs that are not given have similarity 0. Returns the lowest member of each thing's cluster.
    Only things that a chain of pairs of at least ``least`` connects can meet, so that each such
    component is merged for itself: O(s^2) for one of s things, O(s^3) at worst.
    """
    strong = similarity >= least
    component = connected(size, first[strong], second[strong])
    cluster = np.arange(size)
    place = np.full(size, -1)
    inside = component[first] == component[second]
    of_pair = component[first[inside]]
    order = np.argsort(of_pair, kind="stable")
    pairs = np.flatnonzero(inside)[order]
    ends = np.searchsorted(of_pair[order], np.unique(of_pair), side="right")
    for some in np.split(pairs, ends[:-1]):
        if not len(some):
            continue
        members = np.flatnonzero(component == component[first[some[0]]])
        place[members] = np.arange(len(members))
        table = np.zeros((len(members), len(members)))
        a, b = place[first[some]], place[second[some]]
        table[a, b] = table[b, a] = similarity[some]
        merged = np.empty(len(members), dtype=np.int64)
        _cpu.merge_nearest_clusters(table, least, merged, threads)
        cluster[members] = members[merged]
    return cluster
