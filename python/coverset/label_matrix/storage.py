"""Label matrices on disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from numpy.typing import NDArray

import coverset._arguments as arguments
import coverset._cpu as _cpu
import coverset._store as _store

Matrix = TypeVar("Matrix")

_MAGIC = "coverset.label_matrix"
_VERSION = 1
_ARRAYS = {
    name: _store.Expected((dtype,))
    for name, dtype in (("indptr", "<i8"), ("lfs", "<i4"), ("labels", "<i2"))
}


def save(
    path: str | os.PathLike[str], facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write a matrix as a folder."""
    _store.write_folder(path, _MAGIC, _VERSION, facts, arrays)


def load(
    path: str | os.PathLike[str], build: Callable[..., Matrix], *, mmap: bool, verify: bool
) -> Matrix:
    """Read a folder written by :func:`save`; ``build`` is ``LabelMatrix.from_csr``."""
    facts, arrays = _store.read_folder(path, _MAGIC, _VERSION, _ARRAYS, mmap=mmap, verify=verify)
    try:
        return build(
            arrays["indptr"],
            arrays["lfs"],
            arrays["labels"],
            n_lfs=arguments.whole_number("n_lfs", facts["n_lfs"], 0, 2**31 - 1),
            cardinality=arguments.whole_number(
                "cardinality", facts["cardinality"], 1, _cpu.MOST_CLASSES
            ),
            copy=False,
            lf_names=facts["lf_names"],
            class_names=facts["class_names"],
            polarity=facts["polarity"],
        )
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{os.fspath(path)} does not hold a valid label matrix: {error}"
        raise ValueError(msg) from None
