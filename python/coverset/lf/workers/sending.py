"""What is sent to worker processes: rows, and functions, by name where they have one."""

from __future__ import annotations

import importlib
import io
import os
import pickle
import sys
from collections.abc import Sequence
from functools import reduce
from types import FunctionType
from typing import Any

from coverset.lf.tables.vectors import SparseColumn, sparse_column


def _main_travels() -> bool:
    """Return whether a new process can import this one's main module: not that of a notebook."""
    main = sys.modules["__main__"]
    if main.__spec__ is not None:
        return not main.__spec__.name.endswith("__main__")
    return os.path.isfile(getattr(main, "__file__", None) or "")


def _import(module: str, name: str, inner: str | None) -> Any:
    found = reduce(getattr, name.split("."), importlib.import_module(module))
    return found if inner is None else getattr(found, inner)


def _read_array(data: bytes) -> Any:
    import pyarrow as pa

    return pa.ipc.open_stream(data).read_next_batch().column(0)


def _reduce_arrow(item: Any) -> Any:
    """Write an array as a stream; pickle would write all the memory that it is a part of."""
    import pyarrow as pa

    if not isinstance(item, pa.Array):
        return NotImplemented  # batches and chunked arrays are pickled as arrays
    batch, sink = pa.record_batch([item], [""]), pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write(batch)
    return _read_array, (sink.getvalue().to_pybytes(),)


def _reduce(item: Any) -> Any:
    """Return how a worker gets ``item``; NotImplemented leaves that to pickle."""
    if type(item).__module__ == "pyarrow.lib":
        return _reduce_arrow(item)
    if isinstance(item, SparseColumn):
        return sparse_column, (item._matrix[item._start : item._stop],)
    if not isinstance(item, FunctionType | type):
        return NotImplemented
    module, name = item.__module__, item.__qualname__
    if module == "__main__" and not _main_travels():
        return NotImplemented
    try:
        found = reduce(getattr, name.split("."), sys.modules[module])
    except (AttributeError, KeyError):
        return NotImplemented
    if found is item:  # cloudpickle would copy it from a script
        return (_import, (module, name, None)) if module == "__main__" else NotImplemented
    holds = getattr(found, "__dict__", {}).items()  # a decorator gave its name to another object
    inner = next((key for key, value in holds if value is item), None)
    return NotImplemented if inner is None else (_import, (module, name, inner))


def described(error: Exception) -> str:
    """Return an error as text."""
    return f"{type(error).__name__}: {error}"


class _Pickler(pickle.Pickler):
    def reducer_override(self, item: Any) -> Any:
        reduced = _reduce(item)
        named = reduced is NotImplemented and isinstance(item, FunctionType | type)
        if named and item.__module__ == "__main__":
            msg = f"another process cannot import {item.__qualname__!r}"
            raise pickle.PicklingError(msg)
        return reduced


def _cloud_pickler() -> Any:
    """Return a pickler for lambdas, closures and notebooks; None without cloudpickle."""
    try:
        cloudpickle = importlib.import_module("cloudpickle")
    except ImportError:
        return None

    class CloudPickler(cloudpickle.Pickler):  # type: ignore[misc, name-defined]
        def reducer_override(self, item: Any) -> Any:
            reduced = _reduce(item)
            return super().reducer_override(item) if reduced is NotImplemented else reduced

    return CloudPickler


def _dumped_by(kind: Any, items: Sequence[Any], names: Sequence[str]) -> bytes:
    data = io.BytesIO()
    pickler = kind(data, protocol=pickle.HIGHEST_PROTOCOL)  # just one: what items share goes once
    for item, name in zip(items, names, strict=True):
        try:
            pickler.dump(item)
        except Exception as error:
            msg = f"{name} cannot be sent to another process: {described(error)}"
            raise ValueError(msg) from error
    return data.getvalue()


def dumped(items: Sequence[Any], names: Sequence[str]) -> bytes:
    """Return items as bytes; ValueError, with its name, for one that cannot be sent."""
    try:
        return _dumped_by(_Pickler, items, names)
    except ValueError as error:
        cloud = _cloud_pickler()
        if cloud is None:
            advice = "define it at the top level of a module, or pip install cloudpickle"
            msg = f"{error}; {advice}"
            raise ValueError(msg) from error.__cause__
    return _dumped_by(cloud, items, names)


def loaded(data: bytes) -> list[Any]:
    """Return what was dumped."""
    stream, items = io.BytesIO(data), []
    unpickler = pickle.Unpickler(stream)
    while stream.tell() < len(data):
        items.append(unpickler.load())
    return items
