"""Folders of arrays: a header, and a file for each array."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from coverset._store.arrays import FILE_NAME, Expected, StoredArray, stored_array, write_array
from coverset._store.atomic import draft_of, flush_folder
from coverset._store.checked_json import damaged, read_json, write_json
from coverset._store.reader import RowReader, map_array

HEADER = "header.json"
_LEFT_BEHIND = re.compile(rf"{FILE_NAME.pattern}|\.{re.escape(HEADER)}\.[0-9a-f]{{16}}\.tmp")


def write_folder(
    path: str | os.PathLike[str],
    magic: str,
    version: int,
    facts: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
) -> None:
    """Write a folder of arrays, or replace one of the same kind, in one step.

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
    draft = target if exists else draft_of(target)
    files = {name: draft / f"{name}-{secrets.token_hex(8)}.bin" for name in arrays}
    try:
        draft.mkdir(exist_ok=exists)
        table = {name: write_array(files[name], array) for name, array in arrays.items()}
        write_json(draft / HEADER, magic, version, {**facts, "arrays": table})
        if not exists:
            draft.rename(target)
            flush_folder(target.parent)
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


def _remove_unnamed(folder: Path, named: set[str]) -> None:
    for path in folder.iterdir():
        if _LEFT_BEHIND.fullmatch(path.name) and path.name not in named:
            path.unlink(missing_ok=True)


def open_folder(
    path: str | os.PathLike[str], magic: str, version: int, expected: Mapping[str, Expected]
) -> tuple[dict[str, Any], dict[str, StoredArray]]:
    """Read a folder's facts, and find its arrays: just those that are expected.

    Every length is compared with its file's size; no array is read.
    """
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        msg = f"{folder} must be a folder that holds a {magic}, got a file"
        raise ValueError(msg)
    body = read_json(folder / HEADER, magic, version)
    table = body.pop("arrays", None)
    if not isinstance(table, dict) or set(table) != set(expected):
        raise damaged(folder, f"its header must list the arrays {sorted(expected)}")
    return body, {
        name: stored_array(folder, name, table[name], wanted) for name, wanted in expected.items()
    }


def read_folder(
    path: str | os.PathLike[str],
    magic: str,
    version: int,
    expected: Mapping[str, Expected],
    *,
    mmap: bool,
    verify: bool,
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read a folder's facts and arrays as a whole, mapped or into memory."""
    facts, table = open_folder(path, magic, version, expected)
    arrays: dict[str, NDArray[Any]] = {}
    for name, stored in table.items():
        if mmap:
            arrays[name] = map_array(stored, verify=verify)
        else:
            with RowReader(stored, verify=verify) as reader:
                arrays[name] = reader.read(0, len(reader))
    return facts, arrays
