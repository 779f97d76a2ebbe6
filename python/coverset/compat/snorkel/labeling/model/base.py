"""Predictions and scores that Snorkel's models share."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import coverset._store as _store
from coverset.compat.snorkel.utils import probs_to_preds
from coverset.label_model.estimation import encoding

_MAGIC = "coverset.compat.snorkel"
_VERSION = 1
Floats = NDArray[np.float64]


class BaseLabeler(ABC):
    """A model with ``predict_proba`` over dense label matrices."""

    def __init__(self, cardinality: int = 2, **kwargs: Any) -> None:
        self.cardinality = cardinality

    @abstractmethod
    def predict_proba(self, L: NDArray[Any]) -> Floats:
        """Return class probabilities, (n, cardinality)."""

    def predict(
        self,
        L: NDArray[Any],
        return_probs: bool | None = False,
        tie_break_policy: str = "abstain",
    ) -> Any:
        """Return the most probable classes, and with ``return_probs`` the probabilities."""
        probs = self.predict_proba(L)
        preds = probs_to_preds(probs, tie_break_policy)
        return (preds, probs) if return_probs else preds

    def score(
        self,
        L: NDArray[Any],
        Y: NDArray[Any],
        metrics: Sequence[str] | None = ("accuracy",),
        tie_break_policy: str = "abstain",
    ) -> dict[str, float]:
        """Return metrics against gold; all but coverage leave out abstains and unknown gold."""
        if tie_break_policy == "abstain":
            logging.warning("Metrics calculated over data points with non-abstain labels only")
        preds, probs = self.predict(L, return_probs=True, tie_break_policy=tie_break_policy)
        gold = np.asarray(Y).reshape(-1).astype(np.int64)
        if not len(gold):
            msg = "Cannot score empty labels"
            raise ValueError(msg)
        known = (gold != -1) & (preds != -1)
        result = {}
        for name in metrics or ():
            if name == "coverage":
                result[name] = float(np.mean(preds != -1))
            elif name in _METRICS:
                result[name] = float(_METRICS[name](gold[known], preds[known], probs[known]))
            else:
                msg = f"Unrecognized metric: {name}"
                raise ValueError(msg)
        return result

    def save(self, destination: str) -> None:
        """Write the model to one checked JSON file."""
        state = {name: encoding.encoded(value) for name, value in vars(self).items()}
        _store.write_json(destination, _MAGIC, _VERSION, {"kind": type(self).__name__, **state})

    def load(self, source: str) -> None:
        """Take over everything from a file written by :meth:`save`."""
        state = _store.read_json(source, _MAGIC, _VERSION)
        if state.pop("kind", None) != type(self).__name__:
            msg = f"{source} does not hold a {type(self).__name__}"
            raise ValueError(msg)
        names = set(state) - {"magic", "version", "checksum"}
        vars(self).update({name: encoding.decoded(state[name]) for name in names})


def _f1(gold: Any, preds: Any, average: str) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(gold, preds, average=average))


def _sklearn(name: str) -> Callable[..., float]:
    def metric(gold: Any, preds: Any, probs: Any) -> float:
        from sklearn import metrics

        return float(getattr(metrics, name)(gold, preds))

    return metric


def _roc_auc(gold: Any, preds: Any, probs: Any) -> float:
    from sklearn.metrics import roc_auc_score

    if probs.shape[1] != 2:
        msg = "Metric roc_auc is currently only defined for binary problems."
        raise ValueError(msg)
    return float(roc_auc_score(gold, probs[:, 1]))


_METRICS: dict[str, Callable[..., float]] = {
    "accuracy": lambda gold, preds, _: np.mean(gold == preds),
    "precision": _sklearn("precision_score"),
    "recall": _sklearn("recall_score"),
    "f1": lambda gold, preds, _: _f1(gold, preds, "binary"),
    "f1_micro": lambda gold, preds, _: _f1(gold, preds, "micro"),
    "f1_macro": lambda gold, preds, _: _f1(gold, preds, "macro"),
    "matthews_corrcoef": _sklearn("matthews_corrcoef"),
    "roc_auc": _roc_auc,
}
