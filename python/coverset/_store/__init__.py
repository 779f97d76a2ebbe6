"""Files: checked JSON, folders of mappable arrays, and writes that are never half done.

A checked JSON file is one object ``{"magic", "version", "crc32", "body"}``; the checksum covers the
body's canonical text. A folder holds ``header.json``, such a file whose body lists the arrays, and
one raw little-endian file for each array. Nothing is ever unpickled.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import stat
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

HEADER = "header.json"
_BLOCK_BYTES = 1 << 22
_MOST_HEADER_BYTES = 1 << 28
_DTYPES = {name: np.dtype(name) for name in ("<i8", "<i4", "<i2", "<f8", "|u1")}
_FILE_NAME = re.compile(r"[a-z_]{1,32}-[0-9a-f]{16}\.bin")
_LEFT_BEHIND = re.compile(rf"{_FILE_NAME.pattern}|\.{re.escape(HEADER)}\.[0-9a-f]{{16}}\.tmp")


def _flush(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _flush_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a new file that takes the place of ``path`` when the block ends without an error."""
    target = Path(path)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        with draft.open("xb") as file:
            yield file
            _flush(file)
        draft.replace(target)
        _flush_folder(target.parent)
    finally:
        draft.unlink(missing_ok=True)


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


def _damaged(path: Path, why: str) -> ValueError:
    return ValueError(f"{path} is damaged: {why}")


def read_json(path: str | os.PathLike[str], magic: str, version: int) -> dict[str, Any]:
    """Read a checked JSON file's body; ValueError where magic, version or checksum is wrong."""
    source = Path(path)
    status = source.stat()
    if not stat.S_ISREG(status.st_mode):
        raise _damaged(source, "it is not a plain file")
    if status.st_size > _MOST_HEADER_BYTES:
        raise _damaged(source, f"{status.st_size} bytes are more than {_MOST_HEADER_BYTES}")
    try:
        with source.open("rb") as file:
            whole = json.loads(file.read(status.st_size))
    except (ValueError, RecursionError) as error:
        msg = f"it is not valid JSON ({error})"
        raise _damaged(source, msg) from None
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
        raise _damaged(source, "its checksum does not match")
    facts: dict[str, Any] = whole["body"]
    return facts


def _block_checksums(array: NDArray[Any]) -> list[int]:
    data = memoryview(array.data).cast("B")
    return [
        zlib.crc32(data[start : start + _BLOCK_BYTES])
        for start in range(0, len(data), _BLOCK_BYTES)
    ]


def _write_array(path: Path, array: NDArray[Any]) -> dict[str, Any]:
    stored = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    with path.open("xb") as file:
        stored.tofile(file)
        _flush(file)
    return {
        "file": path.name,
        "dtype": stored.dtype.str,
        "length": len(stored),
        "crc32": _block_checksums(stored) if len(stored) else [],
    }


def _remove_unnamed(folder: Path, named: set[str]) -> None:
    for path in folder.iterdir():
        if _LEFT_BEHIND.fullmatch(path.name) and path.name not in named:
            path.unlink(missing_ok=True)


def write_folder(
    path: str | os.PathLike[str],
    magic: str,
    version: int,
    facts: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
) -> None:
    """Write a folder of one-dimensional arrays, or replace one of the same kind, in one step.

    New arrays get new file names; the header that names them is renamed into place last, and only
    then are files that it does not name removed. One writer at a time.
    """
    target = Path(path)
    exists = target.is_dir()
    if exists:
        try:
            read_json(target / HEADER, magic, version)
        except (OSError, ValueError):
            msg = f"{target} exists and does not hold a {magic}; it was left as it is"
            raise FileExistsError(msg) from None
    elif target.exists():
        msg = f"{target} exists and is not a folder; it was left as it is"
        raise FileExistsError(msg)
    draft = target if exists else target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    files = {name: draft / f"{name}-{secrets.token_hex(8)}.bin" for name in arrays}
    try:
        draft.mkdir(exist_ok=exists)
        table = {name: _write_array(files[name], array) for name, array in arrays.items()}
        write_json(draft / HEADER, magic, version, {**facts, "arrays": table})
        if not exists:
            draft.rename(target)
            _flush_folder(target.parent)
    except BaseException:
        if not exists:
            shutil.rmtree(draft, ignore_errors=True)
        elif not _names(draft / HEADER, files.values()):
            for file in files.values():
                file.unlink(missing_ok=True)
        raise
    _remove_unnamed(target, {file.name for file in files.values()})


def _names(header: Path, files: Iterable[Path]) -> bool:
    """Return whether the header on disk names the files: then the new contents are in place."""
    text = header.read_bytes()
    return all(file.name.encode() in text for file in files)


def _checked_entry(folder: Path, name: str, entry: Any) -> tuple[Path, np.dtype[Any], int]:
    """Return file, dtype and length of an array whose file has just that size."""
    file_name, dtype, length = (
        (entry.get("file"), entry.get("dtype"), entry.get("length"))
        if isinstance(entry, dict)
        else (None, None, None)
    )
    if not isinstance(file_name, str) or not _FILE_NAME.fullmatch(file_name):
        raise _damaged(folder, f"array {name} has no valid file name, got {file_name!r}")
    if not isinstance(dtype, str) or dtype not in _DTYPES or type(length) is not int or length < 0:
        raise _damaged(folder, f"array {name} has dtype {dtype!r} and length {length!r}")
    file = folder / file_name
    if file.is_symlink() or not file.is_file():
        raise _damaged(folder, f"{file_name} is missing or not a plain file")
    want, got = length * _DTYPES[dtype].itemsize, file.stat().st_size
    if want != got:
        raise _damaged(folder, f"{file_name} must have {want} bytes, got {got}")
    return file, _DTYPES[dtype], length


def _verify(folder: Path, name: str, array: NDArray[Any], checksums: Any) -> None:
    got = _block_checksums(array) if len(array) else []
    if got == checksums:
        return
    if not isinstance(checksums, list) or len(checksums) != len(got):
        raise _damaged(folder, f"array {name} needs {len(got)} block checksums")
    block = next(i for i, (a, b) in enumerate(zip(got, checksums, strict=True)) if a != b)
    first = block * _BLOCK_BYTES
    raise _damaged(folder, f"array {name}: the block at byte {first} does not match its checksum")


def read_folder(
    path: str | os.PathLike[str],
    magic: str,
    version: int,
    names: Mapping[str, str],
    *,
    mmap: bool,
    verify: bool,
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read a folder's facts and arrays; ``names`` gives the dtype that each array must have.

    Every length is compared with its file's size before anything is allocated or mapped.
    """
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        msg = f"{folder} must be a folder that holds a {magic}, got a file"
        raise ValueError(msg)
    body = read_json(folder / HEADER, magic, version)
    table = body.pop("arrays", None)
    if not isinstance(table, dict) or set(table) != set(names):
        raise _damaged(folder, f"its header must list the arrays {sorted(names)}")
    entries = {name: _checked_entry(folder, name, table[name]) for name in names}
    arrays: dict[str, NDArray[Any]] = {}
    for name, (file, dtype, length) in entries.items():
        if dtype.str != names[name]:
            raise _damaged(folder, f"array {name} must have dtype {names[name]}, got {dtype.str}")
        if mmap and length:
            arrays[name] = np.memmap(file, dtype=dtype, mode="r", shape=(length,))
        else:
            arrays[name] = np.fromfile(file, dtype=dtype)
            if len(arrays[name]) != length:
                raise _damaged(folder, f"{file.name} became shorter while it was read")
        if verify:
            _verify(folder, name, arrays[name], table[name].get("crc32"))
    return body, arrays
