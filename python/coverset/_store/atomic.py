"""Writes that are there as a whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO


def flush(file: IO[bytes]) -> None:
    """Return once the disk has what was written to a file."""
    file.flush()
    os.fsync(file.fileno())


def flush_folder(path: Path) -> None:
    """Return once the disk has a folder's list of files."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def draft_of(target: Path) -> Path:
    """Return a name beside ``target`` that nothing has."""
    return target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of ``path`` when the block ends without an error."""
    target = Path(path)
    draft = draft_of(target)
    try:
        with draft.open("xb") as file:
            yield file
            flush(file)
        draft.replace(target)
        flush_folder(target.parent)
    finally:
        draft.unlink(missing_ok=True)
