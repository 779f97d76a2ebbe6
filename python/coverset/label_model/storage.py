"""Label models on disk: one checked JSON file, arrays as base64."""

from __future__ import annotations

import base64
import binascii
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from coverset import _cpu, _files
from coverset.label_model import columns

if TYPE_CHECKING:
    from coverset.label_model.anchored import LabelModel

_MAGIC = "coverset.label_model"
_VERSION = 1
_FACTS = ("cardinality_", "n_lfs_", "reliability_", "n_patterns_", "n_iter_", "solver_")
_OPTIONS = ("anchor", "kappa", "annotator_share", "row_correlation", "balance_given")


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


def _plain(value: Any) -> Any:
    """Return a parameter as JSON has it."""
    return np.asarray(value).tolist() if value is not None and not np.isscalar(value) else value


def save(model: LabelModel, path: str | os.PathLike[str]) -> None:
    """Write a fitted model."""
    if not model.__sklearn_is_fitted__():
        from coverset.label_model.base import NotFittedError

        msg = "this LabelModel is not fitted yet; call fit first"
        raise NotFittedError(msg)
    facts = {name: getattr(model, name) for name in _FACTS}
    if np.isnan(facts["reliability_"]):
        facts["reliability_"] = None
    body = {
        "parameters": {name: _plain(value) for name, value in model.get_params().items()},
        "facts": facts,
        "options": {name: getattr(model._options_, name) for name in _OPTIONS},
        "arrays": {
            "indptr": _packed(model._table.indptr),
            "label": _packed(model._table.label),
            "annotator": _packed(model._table.annotator),
            "votes": _packed(model._table.votes),
            "expected": _packed(model._state.expected),
            "log_weight": _packed(model._state.log_weight),
            "class_balance": _packed(model._state.class_balance),
            "silent": _packed(model._silent),
        },
    }
    _files.write_json(path, _MAGIC, _VERSION, body)


def load(path: str | os.PathLike[str]) -> LabelModel:
    """Read a model written by :func:`save`."""
    body = _files.read_json(path, _MAGIC, _VERSION)
    try:
        return _restored(body)
    except (KeyError, TypeError, ValueError, OverflowError, binascii.Error) as error:
        msg = f"{os.fspath(path)} does not hold a valid label model: {error!r}"
        raise ValueError(msg) from None


def _restored(body: dict[str, Any]) -> LabelModel:
    from coverset.label_model.anchored import LabelModel

    model = LabelModel(**body["parameters"])
    for name in _FACTS:
        setattr(model, name, body["facts"][name])
    if model.reliability_ is None:
        model.reliability_ = float("nan")
    k, m = model.cardinality_, model.n_lfs_
    arrays = body["arrays"]
    c = len(base64.b64decode(arrays["label"]["data"], validate=True)) // 2
    table = columns.Table(
        _unpacked(arrays["indptr"], "<i8", (m + 1,)),
        _unpacked(arrays["label"], "<i2", (c,)),
        _unpacked(arrays["annotator"], "|u1", (m,)),
        _unpacked(arrays["votes"], "<i8", (c,)),
    )
    _check_table(table, k)
    state = columns.State(table, _unpacked(arrays["class_balance"], "<f8", (k,)))
    state.expected = _unpacked(arrays["expected"], "<f8", (c, k))
    state.log_weight = _unpacked(arrays["log_weight"], "<f8", (c, k))
    model._table, model._state = table, state
    model._silent = _unpacked(arrays["silent"], "<f8", (k,))
    model._options_ = _cpu.FitOptions()
    for name in _OPTIONS:
        setattr(model._options_, name, body["options"][name])
    model.class_balance_ = state.class_balance
    model.lf_accuracies_ = columns.accuracies(table, state)
    return model


def _check_table(table: columns.Table, k: int) -> None:
    """Raise unless kernels can trust the columns."""
    lf = np.arange(len(table.indptr) - 1, dtype=np.int32)
    ascending = np.diff(table.label.astype(np.int64) + k * table.lf) > 0 if len(table.label) else lf
    if (
        table.indptr[0] != 0
        or (np.diff(table.indptr) < 0).any()
        or table.indptr[-1] != len(table.label)
        or (table.label < 0).any()
        or (table.label >= k).any()
        or not np.all(ascending)
    ):
        msg = "its columns are not in order"
        raise ValueError(msg)
