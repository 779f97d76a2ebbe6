"""Label matrices on disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from coverset import _arguments as arguments
from coverset import _cpu, _files

if TYPE_CHECKING:
    from coverset.label_matrix.matrix import LabelMatrix

_MAGIC = "coverset.label_matrix"
_VERSION = 1
_ARRAYS = {"indptr": "<i8", "lfs": "<i4", "labels": "<i2"}


def save(matrix: LabelMatrix, path: str | os.PathLike[str]) -> None:
    """Write ``matrix`` as a folder."""
    facts = {
        "n_lfs": matrix.n_lfs,
        "cardinality": matrix.cardinality,
        "lf_names": matrix.lf_names,
        "class_names": matrix.class_names,
        "polarity": matrix.polarity,
    }
    arrays = {name: getattr(matrix, name) for name in _ARRAYS}
    _files.write_folder(path, _MAGIC, _VERSION, facts, arrays)


def load(path: str | os.PathLike[str], *, mmap: bool, verify: bool) -> LabelMatrix:
    """Read a folder written by :func:`save`."""
    from coverset.label_matrix.matrix import LabelMatrix

    facts, arrays = _files.read_folder(path, _MAGIC, _VERSION, _ARRAYS, mmap=mmap, verify=verify)
    try:
        n_lfs = arguments.whole_number("n_lfs", facts["n_lfs"], 0, 2**31 - 1)
        cardinality = arguments.whole_number(
            "cardinality", facts["cardinality"], 1, _cpu.MOST_CLASSES
        )
        return LabelMatrix.from_csr(
            arrays["indptr"],
            arrays["lfs"],
            arrays["labels"],
            n_lfs=n_lfs,
            cardinality=cardinality,
            copy=False,
            lf_names=facts["lf_names"],
            class_names=facts["class_names"],
            polarity=facts["polarity"],
        )
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{os.fspath(path)} does not hold a valid label matrix: {error}"
        raise ValueError(msg) from None
