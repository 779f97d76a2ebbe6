"""Hypothesis strategies and array layouts that several test files share."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import coverset as cs

CARDINALITIES = (1, 2, 3, 5, 32767)
SIGNED = ("i1", "i2", "i4", "i8", ">i2", ">i4", ">i8")
UNSIGNED = ("u1", "u2", "u4", "u8", ">u2", ">u4", ">u8")


@st.composite
def dense(draw, max_rows=12, max_lfs=9, cardinality=None, low=-1):
    """A dense label matrix with its cardinality: (int64 array, k)."""
    k = draw(st.sampled_from(CARDINALITIES)) if cardinality is None else cardinality
    shape = (draw(st.integers(0, max_rows)), draw(st.integers(0, max_lfs)))
    labels = st.integers(low, k - 1)
    return draw(hnp.arrays(np.int64, shape, elements=labels, fill=st.just(max(low, -1)))), k


@st.composite
def triplets(draw, max_answers=30):
    """Loose answers with many repeats: (rows, lfs, labels, shape, k)."""
    n, m, k = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 4))
    answers = st.tuples(st.integers(0, n - 1), st.integers(0, m - 1), st.integers(0, k - 1))
    given = draw(st.lists(answers, max_size=max_answers))
    rows, lfs, labels = (list(column) for column in zip(*given, strict=True)) if given else [[]] * 3
    return rows, lfs, labels, (n, m), k


@st.composite
def label_matrices(draw, **limits):
    """A label matrix with or without names and polarity."""
    cells, k = draw(dense(cardinality=draw(st.integers(1, 4)), **limits))
    m = cells.shape[1]
    names = st.none() | st.lists(st.text(max_size=4), min_size=m, max_size=m, unique=True)
    classes = st.none() | st.lists(st.text(max_size=4), min_size=k, max_size=k, unique=True)
    polarity = None
    if draw(st.booleans()):
        seen = [set(column[column >= 0].tolist()) for column in cells.T]
        polarity = [draw(st.none() | st.just(sorted(labels | {0}))) for labels in seen]
    return cs.LabelMatrix.from_dense(
        cells, k, lf_names=draw(names), class_names=draw(classes), polarity=polarity
    )


def _frozen(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def _spread(a):
    wide = np.full((2 * a.shape[0], 3 * a.shape[1]), 77, a.dtype)
    wide[::2, ::3] = a
    return wide[::2, ::3]


def _padded(a):
    wide = np.full((a.shape[0], a.shape[1] + 3), 77, a.dtype)
    wide[:, 2:-1] = a
    return wide[:, 2:-1]


def _unaligned(a):
    raw = np.zeros(a.nbytes + 1, np.uint8)
    raw[1:] = np.frombuffer(a.tobytes(), np.uint8)
    return raw[1:].view(a.dtype).reshape(a.shape)


# The same numbers, laid out in memory in every way that users hand them over.
LAYOUTS = {
    "C order": np.ascontiguousarray,
    "Fortran order": np.asfortranarray,
    "rows backwards": lambda a: a[::-1].copy()[::-1],
    "columns backwards": lambda a: a[:, ::-1].copy()[:, ::-1],
    "every other row, every third column": _spread,
    "rows with padding": _padded,
    "read-only": _frozen,
    "unaligned": _unaligned,
}
