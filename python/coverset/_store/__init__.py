"""Files: checked JSON, folders of arrays, and writes that are never half done.

A checked JSON file is one object ``{"magic", "version", "crc32", "body"}``; the checksum covers the
body's canonical text. A folder holds ``header.json``, such a file whose body lists the arrays, and
one raw little-endian file in C order for each array. Nothing is ever unpickled.
"""

from coverset._store.arrays import Expected, StoredArray
from coverset._store.atomic import replacing
from coverset._store.checked_json import read_json, write_json
from coverset._store.folder import open_folder, read_folder, write_folder
from coverset._store.reader import RowReader, map_array

__all__ = [
    "Expected",
    "RowReader",
    "StoredArray",
    "map_array",
    "open_folder",
    "read_folder",
    "read_json",
    "replacing",
    "write_folder",
    "write_json",
]
