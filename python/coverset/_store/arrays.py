"""Arrays as raw files: their types, their shapes, and a checksum for each 4 MiB.

A header's entry of an array has its file, its dtype, the checksums of its blocks, and ``length``
for one dimension or ``shape`` for more. bfloat16 is a dtype of its own; NumPy has none for it, so
that here, as in ``coverset.Rows``, a uint16 array is bfloat16's bits. A single number is no array:
it belongs with the facts.
"""

from __future__ import annotations

import math
import re
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from coverset._store.atomic import flush
from coverset._store.checked_json import damaged

BLOCK_BYTES = 1 << 22
FILE_NAME = re.compile(r"[a-z_]{1,32}-[0-9a-f]{16}\.bin")
_DTYPES = {
    name: np.dtype(name) for name in ("<i8", "<i4", "<i2", "|i1", "|u1", "<f8", "<f4", "<f2")
} | {"bfloat16": np.dtype("<u2")}
_MOST_DIMENSIONS = 32  # NumPy's own limit before version 2
_MOST_BYTES = 2**63 - 1


class Expected(NamedTuple):
    """What a reader wants of an array: one of some dtypes, and its number of dimensions."""

    dtypes: tuple[str, ...]
    ndim: int = 1


class StoredArray(NamedTuple):
    """An array on disk, whose file was found to have just the bytes that its shape takes."""

    name: str
    file: Path
    dtype: str  # as in the header
    shape: tuple[int, ...]
    checksums: Any  # one a block, unless the header lies

    @property
    def item(self) -> np.dtype[Any]:
        """NumPy's dtype: uint16 for bfloat16."""
        return _DTYPES[self.dtype]

    @property
    def n_bytes(self) -> int:
        """Bytes in all."""
        return math.prod(self.shape) * self.item.itemsize

    def damaged(self, why: str) -> ValueError:
        """Return the error for this array."""
        return damaged(self.file.parent, why)

    def block_checksums(self) -> list[Any]:
        """Return the checksums of the blocks, as many as there must be."""
        blocks = -(-self.n_bytes // BLOCK_BYTES)
        if not isinstance(self.checksums, list) or len(self.checksums) != blocks:
            raise self.damaged(f"array {self.name} needs {blocks} block checksums")
        return self.checksums

    def compare(self, block: int, checksum: int) -> None:
        """Raise if a block has another checksum than the header says."""
        if checksum != self.checksums[block]:
            msg = f"the block at byte {block * BLOCK_BYTES} does not match its checksum"
            raise self.damaged(f"array {self.name}: {msg}")


def bytes_of(array: NDArray[Any]) -> memoryview:
    """Return the bytes of a C-contiguous array, which are not copied."""
    return array.reshape(-1).view(np.uint8).data


def write_array(path: Path, array: NDArray[Any]) -> dict[str, Any]:
    """Write an array to a new file, and return its entry in the header."""
    given = np.asanyarray(array)
    if given.dtype.name == "bfloat16":  # that of ml_dtypes
        given = given.view(np.uint16)
    item = given.dtype.newbyteorder("<")
    name = "bfloat16" if item.str == "<u2" else item.str
    if name not in _DTYPES or not 1 <= given.ndim <= _MOST_DIMENSIONS:
        msg = f"array must have dimensions and one of the dtypes {', '.join(_DTYPES)}, "
        raise TypeError(f"{msg}got {array.dtype} of shape {given.shape}")
    data = bytes_of(np.ascontiguousarray(given, dtype=item))
    checksums = []
    with path.open("xb") as file:
        for start in range(0, len(data), BLOCK_BYTES):
            block = data[start : start + BLOCK_BYTES]
            checksums.append(zlib.crc32(block))
            file.write(block)
        flush(file)
    size = {"length": len(given)} if given.ndim == 1 else {"shape": list(given.shape)}
    return {"file": path.name, "dtype": name, **size, "crc32": checksums}


def stored_array(folder: Path, name: str, entry: Any, expected: Expected) -> StoredArray:
    """Return what a header's entry describes; its file must have just that size."""
    facts = entry if isinstance(entry, dict) else {}
    file_name, dtype = facts.get("file"), facts.get("dtype")
    if not isinstance(file_name, str) or not FILE_NAME.fullmatch(file_name):
        raise damaged(folder, f"array {name} has no valid file name, got {file_name!r}")
    shape = _shape(facts)
    if not isinstance(dtype, str) or dtype not in _DTYPES or shape is None:
        size = facts.get("shape", facts.get("length"))
        raise damaged(folder, f"array {name} has dtype {dtype!r} and shape {size!r:.200}")
    file = folder / file_name
    if file.is_symlink() or not file.is_file():
        raise damaged(folder, f"{file_name} is missing or not a plain file")
    stored = StoredArray(name, file, dtype, shape, facts.get("crc32"))
    want, got = stored.n_bytes, file.stat().st_size
    if want != got:
        raise damaged(folder, f"{file_name} must have {want} bytes, got {got}")
    if dtype not in expected.dtypes:
        wanted = " or ".join(expected.dtypes)
        raise damaged(folder, f"array {name} must have dtype {wanted}, got {dtype}")
    if len(shape) != expected.ndim:
        msg = f"array {name} must have {expected.ndim} dimensions, got shape {shape}"
        raise damaged(folder, msg)
    return stored


def _shape(entry: dict[str, Any]) -> tuple[int, ...] | None:
    """Return the shape of an entry; None if it cannot be one."""
    shape = entry.get("shape", [entry.get("length")])
    if not isinstance(shape, list) or ("length" in entry) != (len(shape) == 1):
        return None
    if not shape or ("shape" in entry and "length" in entry):
        return None
    if len(shape) > _MOST_DIMENSIONS or not all(type(n) is int and n >= 0 for n in shape):
        return None
    if len(shape) > 1 and 8 * math.prod(n for n in shape if n) > _MOST_BYTES:
        return None  # more than NumPy counts, even where a 0 among them leaves no bytes
    return tuple(shape)
