"""Small matrices and facts that several test files use."""

from __future__ import annotations

import contextlib

import numpy as np

THREADS = (1, 2, 7)
EXAMPLE = [[0, -1, 2], [-1, -1, -1], [1, 1, -1], [-1, 0, 2]]
FACTS = {
    "lf_names": ["a", "b", "c"],
    "class_names": ["ham", "spam", "eggs"],
    "polarity": [(0, 1), None, (2,)],
}


@contextlib.contextmanager
def trying(**parameters):
    """Name the parameters of what fails inside: for loops over more cases than tests should be."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"with {parameters}")
        raise


def bytes_of(L):
    return [array.tobytes() for array in (L.indptr, L.lfs, L.labels)]


def random_dense(n, m, k, seed=()):
    """Return votes of which about two thirds abstain."""
    rng = np.random.default_rng([n, m, k, *seed])
    return np.where(rng.random((n, m)) < 1 / 3, rng.integers(0, k, (n, m)), -1)


def frozen(values, dtype):
    """Return an array that owns its data and is read-only."""
    array = np.array(values, dtype)
    array.flags.writeable = False
    return array


def csr_arrays(array=np.array):
    return (
        array([0, 1, 3], np.int64),
        array([0, 0, 2], np.int32),
        array([1, 0, 1], np.int16),
    )
