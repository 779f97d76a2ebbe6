"""JSON files that say what they are, with a checksum."""

from __future__ import annotations

import json
import os
import stat
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coverset._store.atomic import replacing

_MOST_BYTES = 1 << 28


def damaged(path: Path, why: str) -> ValueError:
    """Return the error for files that were changed, or were never what they say."""
    return ValueError(f"{path} is damaged: {why}")


def _canonical(body: Any) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def write_json(
    path: str | os.PathLike[str], magic: str, version: int, body: Mapping[str, Any]
) -> None:
    """Write a checked JSON file in one step."""
    whole = {
        "magic": magic,
        "version": version,
        "crc32": zlib.crc32(_canonical(body)),
        "body": body,
    }
    with replacing(path) as file:
        file.write(json.dumps(whole, indent=1, allow_nan=False).encode() + b"\n")


def read_json(path: str | os.PathLike[str], magic: str, version: int) -> dict[str, Any]:
    """Read a checked JSON file's body; ValueError where magic, version or checksum is wrong."""
    source = Path(path)
    status = source.stat()
    if not stat.S_ISREG(status.st_mode):
        raise damaged(source, "it is not a plain file")
    if status.st_size > _MOST_BYTES:
        raise damaged(source, f"{status.st_size} bytes are more than {_MOST_BYTES}")
    try:
        with source.open("rb") as file:
            whole = json.loads(file.read(status.st_size))
    except (ValueError, RecursionError) as error:
        msg = f"it is not valid JSON ({error})"
        raise damaged(source, msg) from None
    if not isinstance(whole, dict) or whole.get("magic") != magic:
        got = whole.get("magic") if isinstance(whole, dict) else type(whole).__name__
        msg = f"{source} must be a {magic} file, got {got!r}"
        raise ValueError(msg)
    if whole.get("version") != version:
        msg = (
            f"{source} has version {whole.get('version')!r}; this coverset reads version {version}"
        )
        raise ValueError(msg)
    body = whole.get("body")
    try:
        intact = isinstance(body, dict) and whole.get("crc32") == zlib.crc32(_canonical(body))
    except ValueError:  # NaN and infinity are not JSON
        intact = False
    if not intact:
        raise damaged(source, "its checksum does not match")
    facts: dict[str, Any] = whole["body"]
    return facts
