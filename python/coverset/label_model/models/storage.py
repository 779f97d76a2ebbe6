"""Label models on disk: one checked JSON file, arrays as base64."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

import coverset._arguments as arguments
import coverset._cpu as _cpu
import coverset._files as _files
from coverset.label_model.estimation import columns
from coverset.label_model.estimation.factors import MOST_LFS, Component, FactorModel
from coverset.label_model.estimation.graph import DependencyGraph

Model = TypeVar("Model")

_MAGIC = "coverset.label_model"
_VERSION = 1
_DAMAGES = (
    *(AttributeError, KeyError, TypeError, ValueError, OverflowError, MemoryError),
    binascii.Error,
)
_FACTS = ("cardinality_", "n_lfs_", "reliability_", "n_patterns_", "n_iter_", "solver_")


def _packed(array: NDArray[Any]) -> dict[str, Any]:
    stored = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return {
        "dtype": stored.dtype.str,
        "shape": list(stored.shape),
        "data": base64.b64encode(stored.tobytes()).decode(),
    }


def _unpacked(entry: dict[str, Any], dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    data = base64.b64decode(entry["data"], validate=True)
    if entry["dtype"] != dtype or tuple(entry["shape"]) != shape:
        msg = f"an array must have dtype {dtype} and shape {shape}"
        raise ValueError(msg)
    return np.frombuffer(data, dtype=dtype).reshape(shape).copy()


def encoded(value: Any) -> Any:
    """Return an array, or a plain value, as JSON has it."""
    return {"array": _packed(value)} if isinstance(value, np.ndarray) else _plain(value)


def decoded(entry: Any) -> Any:
    """Return what :func:`encoded` was given."""
    if not isinstance(entry, dict) or set(entry) != {"array"}:
        return entry
    array = entry["array"]
    return _unpacked(array, array["dtype"], tuple(array["shape"]))


def _plain(value: Any) -> Any:
    """Return a parameter as JSON has it."""
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, str) else np.asarray(value).tolist()


class Arrays:
    """The arrays of a file, each checked when it is taken."""

    def __init__(self, entries: dict[str, Any]) -> None:
        self._entries = entries

    def take(self, name: str, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return an array of that type and shape; ValueError otherwise."""
        return _unpacked(self._entries[name], dtype, shape)

    def numbers(self, name: str, shape: tuple[int, ...], low: float, high: float) -> NDArray[Any]:
        """Return finite float64 numbers in low..high."""
        return _numbers(self._entries, name, shape, lambda x: (x >= low) & (x <= high))

    def columns(self, m: int, k: int) -> columns.Table:
        """Return the (LF, label) columns in order, with votes that count in full."""
        label = np.frombuffer(
            base64.b64decode(self._entries["label"]["data"], validate=True), "<i2"
        )
        c = len(label)
        table = columns.Table(
            self.take("indptr", "<i8", (m + 1,)),
            self.take("label", "<i2", (c,)),
            np.ones(m, dtype=np.uint8),
            np.ones(c, dtype=np.int64),
            np.ones(c),
            np.arange(c, dtype=np.int32),
        )
        _require_order(table, k)
        return table


def write(model: Any, path: str | os.PathLike[str], magic: str, facts: tuple[str, ...]) -> None:
    """Write the facts, parameters and arrays of a fitted model."""
    body = {
        "parameters": {name: _plain(value) for name, value in model.get_params().items()},
        "facts": {name: getattr(model, name) for name in facts},
        "arrays": {name: _packed(array) for name, array in model._arrays().items()},
    }
    _files.write_json(path, magic, _VERSION, body)


def read(
    kind: type[Model], path: str | os.PathLike[str], magic: str, facts: tuple[str, ...]
) -> Model:
    """Read a model written by :func:`write`."""
    body = _files.read_json(path, magic, _VERSION)
    try:
        model: Any = kind(**body["parameters"])
        for name in facts:
            setattr(model, name, body["facts"][name])
        arguments.whole_number("cardinality_", model.cardinality_, 1, _cpu.MOST_CLASSES)
        arguments.whole_number("n_lfs_", model.n_lfs_, 0, 2**31 - 1)
        model._check(model.cardinality_)
        model._restore(Arrays(body["arrays"]))
    except _DAMAGES as error:
        msg = f"{os.fspath(path)} does not hold a valid {kind.__name__}: {error!r}"
        raise ValueError(msg) from None
    restored: Model = model
    return restored


def save(model: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted model."""
    model._require_fitted()
    facts = {name: getattr(model, name) for name in _FACTS}
    if np.isnan(facts["reliability_"]):
        facts["reliability_"] = None
    table, state, settings, without_votes = model._fitted
    arrays: dict[str, NDArray[Any]] = {
        "indptr": table.indptr,
        "label": table.label,
        "annotator": table.annotator,
        "votes": table.votes,
        "expected": state.expected,
        "log_weight": state.log_weight,
        "class_balance": state.class_balance,
        "believed": state.believed,
        "believed_rows": state.believed_rows,
        "weight": table.weight,
        "cluster": table.cluster,
        "silent": without_votes,
    }
    body = {
        "parameters": {name: _plain(value) for name, value in model.get_params().items()},
        "facts": facts,
        "settings": settings._asdict(),
        "factors": _factors_entry(model),
        "arrays": {name: _packed(array) for name, array in arrays.items()},
    }
    _files.write_json(path, _MAGIC, _VERSION, body)


def load(path: str | os.PathLike[str], kind: type[Model]) -> Model:
    """Read a model written by :func:`save`."""
    body = _files.read_json(path, _MAGIC, _VERSION)
    try:
        return _restored(kind, body)
    except _DAMAGES as error:
        msg = f"{os.fspath(path)} does not hold a valid label model: {error!r}"
        raise ValueError(msg) from None


def _restored(kind: type[Model], body: dict[str, Any]) -> Model:
    model: Any = kind(**body["parameters"])
    for name in _FACTS:
        setattr(model, name, body["facts"][name])
    if model.reliability_ is None:
        model.reliability_ = float("nan")
    k = arguments.whole_number("cardinality_", model.cardinality_, 1, _cpu.MOST_CLASSES)
    m = arguments.whole_number("n_lfs_", model.n_lfs_, 0, 2**31 - 1)
    arrays = body["arrays"]
    table = _table(arrays, m, k)
    c = len(table.label)
    state = columns.State(
        expected=_numbers(arrays, "expected", (c, k), lambda x: x >= 0),
        log_weight=_numbers(arrays, "log_weight", (c, k), np.isfinite),
        class_balance=_numbers(arrays, "class_balance", (k,), lambda x: (x > 0) & (x <= 1)),
        believed=_numbers(arrays, "believed", (c, k), lambda x: x >= 0),
        believed_rows=_numbers(arrays, "believed_rows", (k,), lambda x: x >= 0),
    )
    without_votes = _numbers(arrays, "silent", (k,), lambda x: (x > 0) & (x <= 1))
    model._fitted = columns.Fitted(table, state, _settings(body["settings"]), without_votes)
    if body["factors"] is not None:
        model._factors, model._graph = _factors(body["factors"], table, state.class_balance)
    model._show()
    restored: Model = model
    return restored


def _factors_entry(model: Any) -> dict[str, Any] | None:
    if model._factors is None:
        return None
    parts = [
        {"lfs": list(c.lfs), "edges": c.edges.tolist(), "weight": c.weight, "at": _packed(x)}
        for c, x in zip(model._factors.components, model._factors.parameters, strict=True)
    ]
    graph = {"pairs": _packed(model._graph.pairs), "strengths": _packed(model._graph.strengths)}
    return {"components": parts, "graph": graph, "lf_names": model._graph.lf_names}


def _factors(entry: dict[str, Any], table: columns.Table, balance: NDArray[Any]) -> Any:
    """Return the factors and their graph, checked against the columns."""
    m, k = len(table.annotator), len(balance)
    seen: set[int] = set()
    parts = []
    for part in entry["components"]:
        lfs = tuple(arguments.whole_number("lf", j, 0, m - 1) for j in part["lfs"])
        labels = tuple(
            tuple(table.label[table.indptr[j] : table.indptr[j + 1]].tolist()) for j in lfs
        )
        edges = np.array(part["edges"], dtype=np.uint8)
        weight = arguments.real_number("weight", part["weight"], 0.0, 1.0)
        fits = 1 <= len(lfs) <= MOST_LFS and edges.shape == (len(lfs), len(lfs))
        if not fits or seen & set(lfs) or len(set(lfs)) != len(lfs) or (edges > 1).any():
            msg = "its factors are not in order"
            raise ValueError(msg)
        seen |= set(lfs)
        parts.append(Component(lfs, labels, edges, weight))
    model = FactorModel(parts, m, k, balance)
    for i, part in enumerate(entry["components"]):
        given = _unpacked(part["at"], "<f8", model.parameters[i].shape)
        if not np.isfinite(given).all() or np.abs(given).max(initial=0.0) > 1e6:
            msg = "its factors hold numbers that no fit gives"
            raise ValueError(msg)
        model.parameters[i][:] = given
    pairs = entry["graph"]["pairs"]
    n = arguments.whole_number("pairs", pairs["shape"][0], 0, m * m)
    found = _unpacked(pairs, "<i8", (n, 2))
    if ((found < 0) | (found >= m)).any():
        msg = "its pairs are out of range"
        raise ValueError(msg)
    strengths = _unpacked(entry["graph"]["strengths"], "<f8", (n,))
    names = None if entry["lf_names"] is None else tuple(map(str, entry["lf_names"]))
    return model, DependencyGraph(found, strengths, m, names)


def _numbers(
    arrays: dict[str, Any],
    name: str,
    shape: tuple[int, ...],
    rule: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
) -> NDArray[np.float64]:
    values = _unpacked(arrays[name], "<f8", shape)
    if not (np.isfinite(values) & rule(values)).all():
        msg = f"{name} holds numbers that no fit gives"
        raise ValueError(msg)
    return values


def _table(arrays: dict[str, Any], m: int, k: int) -> columns.Table:
    """Return columns that kernels can trust."""
    label = np.frombuffer(base64.b64decode(arrays["label"]["data"], validate=True), "<i2")
    c = len(label)
    table = columns.Table(
        _unpacked(arrays["indptr"], "<i8", (m + 1,)),
        _unpacked(arrays["label"], "<i2", (c,)),
        _unpacked(arrays["annotator"], "|u1", (m,)),
        _unpacked(arrays["votes"], "<i8", (c,)),
        _numbers(arrays, "weight", (c,), lambda x: (x > 0) & (x <= 1)),
        _unpacked(arrays["cluster"], "<i4", (c,)),
    )
    _require_order(table, k)
    below = (table.cluster >= 0) & (table.cluster <= np.arange(c))
    if not below.all() or (table.annotator > 1).any():
        msg = "its columns are not in order"
        raise ValueError(msg)
    return table


def _require_order(table: columns.Table, k: int) -> None:
    """Raise unless kernels can trust the columns."""
    indptr, label = table.indptr, table.label
    ordered = indptr[0] == 0 and (np.diff(indptr) >= 0).all() and indptr[-1] == len(label)
    inside = ordered and ((label >= 0) & (label < k)).all()
    if not inside or not (np.diff(table.lf * k + label) > 0).all():
        msg = "its columns are not in order"
        raise ValueError(msg)


def _settings(stored: dict[str, Any]) -> columns.Settings:
    settings = columns.Settings(**stored)
    if not isinstance(settings.balance_given, bool):
        msg = f"balance_given must be true or false, got {settings.balance_given!r}"
        raise TypeError(msg)
    arguments.real_number("anchor", settings.anchor, 0.0, 1.0)
    arguments.real_number("kappa", settings.kappa, 0.0, 1e6)
    arguments.real_number("annotator_share", settings.annotator_share, 0.0, 1.0)
    arguments.real_number("row_correlation", settings.row_correlation, 0.0, 1.0)
    return settings
