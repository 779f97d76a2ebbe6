"""Label models on disk: one checked JSON file for each, and one way to write and read it.

Its body has ``parameters``, ``facts`` (attributes that are numbers or words), ``arrays``, parts of
some models' own, and ``statistics``: what the model learned from, or null. Bodies without that key
are older: they hold parameters as plain JSON, and ``MajorityVote``'s holds three numbers.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

import coverset._arguments as arguments
import coverset._cpu as _cpu
import coverset._store as _store
from coverset.label_model.estimation import vote_columns
from coverset.label_model.estimation.encoding import Arrays, decoded, encoded, packed

Model = TypeVar("Model")

_VERSION = 1
_MOST_BYTES = 250_000_000  # with statistics: a file of more than 2^28 is not read
_DAMAGES = (
    *(AttributeError, LookupError, TypeError, ValueError, OverflowError, MemoryError),
    RecursionError,
)


def save(model: Any, path: str | os.PathLike[str], *, statistics: bool) -> None:
    """Write a fitted model, with what it learned from if asked for."""
    model._require_fitted()
    names = ("cardinality_", "n_lfs_", *model._facts)
    body = {
        "parameters": {name: encoded(value) for name, value in model.get_params().items()},
        "facts": {name: _plain(getattr(model, name)) for name in names},
        "arrays": {name: packed(array) for name, array in model._arrays().items()},
        "statistics": None,
        **model._parts(),
    }
    if statistics and model._statistics is not None:
        body["statistics"] = model._statistics.stored()
        if (size := _size(body)) > _MOST_BYTES:
            body["statistics"] = None
            msg = f"saved without statistics: with them a model file would have {size:,} bytes"
            warnings.warn(msg, UserWarning, stacklevel=3)
    _store.write_json(path, model._magic, _VERSION, body)


def _plain(fact: Any) -> Any:
    return None if isinstance(fact, float) and np.isnan(fact) else fact


def _size(entry: Any) -> int:
    """Return about how many bytes an entry takes in a file."""
    if isinstance(entry, dict):
        return sum(_size(item) for item in entry.values())
    if isinstance(entry, list | tuple):
        return sum(_size(item) for item in entry)
    return len(str(entry))


def load(kind: type[Model], path: str | os.PathLike[str]) -> Model:
    """Read a model written by :func:`save`."""
    magic: str = kind._magic  # type: ignore[attr-defined]
    body = _store.read_json(path, magic, _VERSION)
    try:
        return _restored(kind, body)
    except _DAMAGES as error:
        msg = f"{os.fspath(path)} does not hold a valid {kind.__name__}: {error!r}"
        raise ValueError(msg) from None


def _restored(kind: type[Model], body: dict[str, Any]) -> Model:
    older = "statistics" not in body
    if older and "parameters" not in body:
        facts = {"cardinality_": body["cardinality"], "n_lfs_": body["n_lfs"]}
        body = {"parameters": {"seed": body["seed"]}, "facts": facts, "arrays": {}}
    parameters = body["parameters"].items()
    model: Any = kind(**{name: value if older else decoded(value) for name, value in parameters})
    facts = body["facts"]
    k = arguments.whole_number("cardinality_", facts["cardinality_"], 1, _cpu.MOST_CLASSES)
    m = arguments.whole_number("n_lfs_", facts["n_lfs_"], 0, 2**31 - 1)
    model.cardinality_, model.n_lfs_ = k, m
    for name, type_ in model._facts.items():
        setattr(model, name, _fact(name, facts[name], type_))
    model._check(k)
    model._restore(Arrays(body["arrays"]), body)
    if body.get("statistics") is not None:
        model._statistics = model._statistics_type.restored(body["statistics"], m, k)
    restored: Model = model
    return restored


def _fact(name: str, value: Any, type_: type) -> Any:
    if type_ is float:
        return np.nan if value is None else arguments.real_number(name, value, -np.inf, np.inf)
    if type_ is int:
        return arguments.whole_number(name, value, 0)
    if type(value) is not type_:
        msg = f"{name} must be of type {type_.__name__}, got {value!r}"
        raise TypeError(msg)
    return value


def restored_columns(
    arrays: Arrays, m: int, k: int, stored: Mapping[str, Any] | None = None
) -> vote_columns.Table:
    """Return (LF, label) columns that kernels can trust; what is not ``stored`` counts in full."""
    label = arrays.vector("label", "<i2")
    c = len(label)
    table = vote_columns.Table(
        arrays.take("indptr", "<i8", (m + 1,)),
        label,
        np.ones(m, dtype=np.uint8),
        np.ones(c, dtype=np.int64),
        np.ones(c),
        np.arange(c, dtype=np.int32),
    )._replace(**(stored or {}))
    indptr, cluster = table.indptr, table.cluster
    ordered = indptr[0] == 0 and (np.diff(indptr) >= 0).all() and indptr[-1] == c
    inside = ordered and ((label >= 0) & (label < k)).all()
    below = ((cluster >= 0) & (cluster <= np.arange(c))).all()
    known = below and (table.annotator <= 1).all()
    if not inside or not known or not (np.diff(table.lf * k + label) > 0).all():
        msg = "its columns are not in order"
        raise ValueError(msg)
    return table
