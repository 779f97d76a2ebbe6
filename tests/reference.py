"""Slow, obvious versions of what coverset computes, on dense matrices where -1 is an abstain."""

from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction
from itertools import permutations

import numpy as np

ABSTAIN = -1


def dense_to_csr(dense):
    """Return (indptr, lfs, labels): the votes of each row, one after another."""
    indptr, lfs, labels = [0], [], []
    for row in np.asarray(dense).tolist():
        for lf, label in enumerate(row):
            if label != ABSTAIN:
                lfs.append(lf)
                labels.append(label)
        indptr.append(len(lfs))
    return np.array(indptr, np.int64), np.array(lfs, np.int32), np.array(labels, np.int16)


def csr_to_dense(indptr, lfs, labels, n_lfs):
    """Return the dense form of votes in CSR, sorted within rows or not."""
    dense = np.full((len(indptr) - 1, n_lfs), ABSTAIN, np.int16)
    for row in range(len(dense)):
        for at in range(indptr[row], indptr[row + 1]):
            dense[row, lfs[at]] = labels[at]
    return dense


def triplets_to_dense(rows, lfs, labels, shape, duplicates="error"):
    """Return (dense, (repeated, conflicting, abstained)) of loose answers, repeats merged."""
    answers = defaultdict(list)
    for row, lf, label in zip(rows, lfs, labels, strict=True):
        answers[int(row), int(lf)].append(int(label))
    dense = np.full(shape, ABSTAIN, np.int16)
    repeated = conflicting = abstained = 0
    for (row, lf), given in answers.items():
        if duplicates == "error" and len(given) > 1:
            msg = f"row {row} holds {len(given)} answers of LF {lf}"
            raise ValueError(msg)
        repeated += len(given) - 1
        conflicting += len(set(given)) > 1
        dense[row, lf] = given[-1] if duplicates == "last" else most_common(given)
        abstained += dense[row, lf] == ABSTAIN
    return dense, (repeated, conflicting, abstained)


def most_common(labels):
    """Return the label given most often, an abstain when two share the lead."""
    (label, most), *others = Counter(labels).most_common()
    return ABSTAIN if others and others[0][1] == most else label


def select_rows(dense, rows):
    """Return rows by number, repeats and negative numbers allowed."""
    return np.array([dense[row] for row in rows], np.int16).reshape(len(rows), dense.shape[1])


def select_lfs(dense, lfs):
    """Return columns by number."""
    return np.array([dense[:, lf] for lf in lfs], np.int16).reshape(len(lfs), len(dense)).T


def concat(parts):
    """Return the rows of all parts, one after another."""
    rows = [row for part in parts for row in part]
    return select_rows(np.array(rows).reshape(len(rows), parts[0].shape[1]), range(len(rows)))


def hstack(parts):
    """Return the columns of all parts, side by side."""
    return select_lfs(np.hstack(parts), range(sum(part.shape[1] for part in parts)))


def lf_summary(dense, cardinality, y=None):
    """Return the columns of an LF summary as a dict of lists, shares as exact fractions."""
    n, m = dense.shape
    columns = defaultdict(list)
    for lf in range(m):
        voted = overlaps = conflicts = correct = incorrect = 0
        votes = [0] * cardinality
        for row in range(n):
            label = int(dense[row, lf])
            if label == ABSTAIN:
                continue
            others = {int(v) for j, v in enumerate(dense[row]) if j != lf and v != ABSTAIN}
            voted += 1
            votes[label] += 1
            overlaps += bool(others)
            conflicts += bool(others - {label})
            if y is not None and y[row] != ABSTAIN:
                correct += label == y[row]
                incorrect += label != y[row]
        columns["polarity"].append(tuple(c for c in range(cardinality) if votes[c]))
        columns["coverage"].append(Fraction(voted, max(n, 1)))
        columns["overlaps"].append(Fraction(overlaps, max(n, 1)))
        columns["conflicts"].append(Fraction(conflicts, max(n, 1)))
        columns["correct"].append(correct)
        columns["incorrect"].append(incorrect)
        columns["accuracy"].append(Fraction(correct, max(correct + incorrect, 1)))
        columns["votes"].append(votes)
    return columns


def vote_fractions(dense, cardinality):
    """Return (n, k): the share of a row's votes for each class, uniform without votes."""
    shares = np.full((len(dense), cardinality), 1 / cardinality)
    for row, labels in enumerate(np.asarray(dense).tolist()):
        votes = [label for label in labels if label != ABSTAIN]
        if votes:
            shares[row] = [votes.count(c) / len(votes) for c in range(cardinality)]
    return shares


def krippendorff_alpha(dense):
    """Return Krippendorff's alpha for nominal labels: 1 - observed / expected disagreement.

    The textbook form, from ordered pairs of values of different coders (columns) on one unit
    (row); units with fewer than two values do not count. NaN where nothing could disagree.
    """
    pairs = defaultdict(Fraction)
    for row in np.asarray(dense).tolist():
        values = [label for label in row if label != ABSTAIN]
        for a, b in permutations(range(len(values)), 2):
            pairs[values[a], values[b]] += Fraction(1, len(values) - 1)
    totals = Counter()
    for (a, _), weight in pairs.items():
        totals[a] += weight
    n = sum(totals.values())
    observed = sum(weight for (a, b), weight in pairs.items() if a != b)
    expected = sum(totals[a] * totals[b] for a, b in permutations(totals, 2))
    return float(1 - (n - 1) * observed / expected) if expected else float("nan")


def assert_holds(L, dense, cardinality):
    """Fail unless the label matrix ``L`` holds just the votes of ``dense``, well formed."""
    dense = np.asarray(dense)
    assert L.shape == dense.shape
    assert L.cardinality == cardinality
    for name, want in zip(("indptr", "lfs", "labels"), dense_to_csr(dense), strict=True):
        got = getattr(L, name)
        assert got.dtype == want.dtype, name
        assert got.tobytes() == want.tobytes(), f"{name}: {got.tolist()} for {want.tolist()}"
        assert not got.flags.writeable, f"{name} is writeable"
