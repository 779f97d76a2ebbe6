"""Saved arrays, mapped or read row by row."""

from __future__ import annotations

import os
import stat
import weakref
import zlib
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from coverset._store.arrays import BLOCK_BYTES, StoredArray, bytes_of

_MOST_AT_ONCE = 1 << 24  # bytes of a call, between which signals are heard


def map_array(stored: StoredArray, *, verify: bool) -> NDArray[Any]:
    """Map an array, read-only; with ``verify`` all of it is read once.

    A file that is truncated while it is mapped ends the process: that is how mapping works.
    """
    if not stored.n_bytes:
        return RowReader(stored, verify=verify).read(0, stored.shape[0])
    array: NDArray[Any] = np.memmap(stored.file, stored.item, "r", shape=stored.shape)
    if verify:
        data = bytes_of(array)
        for block in range(len(stored.block_checksums())):
            first = block * BLOCK_BYTES
            stored.compare(block, zlib.crc32(data[first : first + BLOCK_BYTES]))
    return array


class RowReader:
    """Reads ranges of rows (of entries, in one dimension) into memory; nothing is mapped.

    Several threads may read at once. The file stays open until ``close``, the end of a ``with``, or
    the last reference: rows are those of the folder that was opened, also once it is replaced.

    Parameters
    ----------
    stored : StoredArray
    verify : bool
        Compare the checksum of each block that a read touches; what a block has beyond the rows
        is read too.
    """

    def __init__(self, stored: StoredArray, *, verify: bool) -> None:
        self._stored, self._verify = stored, verify
        if verify:
            stored.block_checksums()
        self._file = os.open(stored.file, os.O_RDONLY | os.O_NOFOLLOW)
        self._close = weakref.finalize(self, os.close, self._file)
        status = os.fstat(self._file)
        if not stat.S_ISREG(status.st_mode) or status.st_size != stored.n_bytes:
            self.close()
            raise stored.damaged(f"{stored.file.name} was changed while it was opened")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return self._stored.shape[0]

    def close(self) -> None:
        """Close the file, once no thread reads."""
        self._close()

    def read(self, first: int, last: int, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return rows ``first..last - 1``, in ``out`` if that is given.

        Raises
        ------
        ValueError
            If there are no such rows, ``out`` is not a C-contiguous array of their dtype and shape,
            the file became shorter, or, with ``verify``, a block was changed; ``out`` may hold
            some of its bytes then.
        """
        if not self._close.alive:
            msg = f"{self._stored.file} is closed"
            raise ValueError(msg)
        if not 0 <= first <= last <= len(self):
            msg = f"rows must be in 0..{len(self)}, got {first}..{last}"
            raise ValueError(msg)
        shape = (last - first, *self._stored.shape[1:])
        if out is None:
            out = np.empty(shape, self._stored.item)
        writable = out.flags.c_contiguous and out.flags.writeable
        if out.shape != shape or out.dtype != self._stored.item or not writable:
            msg = f"out must be a C-contiguous, writable {self._stored.item} array of shape {shape}"
            raise ValueError(f"{msg}, got {out.dtype} of shape {out.shape}")
        data = bytes_of(out)
        if len(data):
            begin = first * (len(data) // shape[0])
            (self._fill_verified if self._verify else self._fill)(data, begin)
        return out

    def _fill(self, data: memoryview, begin: int) -> None:
        """Fill ``data`` with the bytes from ``begin`` on."""
        done = 0
        while done < len(data):
            more = os.preadv(self._file, [data[done : done + _MOST_AT_ONCE]], begin + done)
            if not more:
                name = self._stored.file.name
                raise self._stored.damaged(f"{name} became shorter while it was read")
            done += more

    def _fill_verified(self, data: memoryview, begin: int) -> None:
        """Fill ``data`` block by block, and compare the checksum of each block as a whole."""
        end = begin + len(data)
        for block in range(begin // BLOCK_BYTES, -(-end // BLOCK_BYTES)):
            first = block * BLOCK_BYTES
            last = min(first + BLOCK_BYTES, self._stored.n_bytes)
            wanted = data[max(first - begin, 0) : last - begin]
            before = memoryview(bytearray(max(begin - first, 0)))
            after = memoryview(bytearray(max(last - end, 0)))
            checksum = 0
            at = first
            for part in (before, wanted, after):
                self._fill(part, at)
                checksum = zlib.crc32(part, checksum)
                at += len(part)
            self._stored.compare(block, checksum)
