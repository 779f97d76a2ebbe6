"""Snorkel's ``LabelModel`` on the sparse kernels: the same loss, without anything dense."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import coverset._arguments as arguments
import coverset._progress as _progress
from coverset.compat.snorkel.labeling.model.base import BaseLabeler, Floats
from coverset.label_matrix import LabelMatrix
from coverset.label_model.estimation.moments import MomentProblem, smallest_probability
from coverset.label_model.estimation.statistics import PairStatistics

_DEFAULTS: dict[str, Any] = {
    "n_epochs": 100,
    "lr": 0.01,
    "l2": 0.0,
    "optimizer": "sgd",
    "optimizer_config": {
        "sgd_config": {"momentum": 0.9},
        "adam_config": {"amsgrad": False, "betas": (0.9, 0.999)},
        "adamax_config": {"betas": (0.9, 0.999), "eps": 1e-8},
    },
    "lr_scheduler": "constant",
    "lr_scheduler_config": {
        "warmup_steps": 0,
        "warmup_unit": "batches",
        "warmup_percentage": 0.0,
        "min_lr": 0.0,
        "exponential_config": {"gamma": 0.9},
        "step_config": {"gamma": 0.9, "step_size": 5},
    },
    "prec_init": 0.7,
    "seed": 0,
    "log_freq": 10,
    "mu_eps": None,
}


class LabelModel(BaseLabeler):
    """Learn the accuracies of labeling functions by matching moments (Ratner et al. 2019).

    The loss, its start and its steps are Snorkel's; random numbers are not. ``device`` is
    ``"cpu"``. :class:`coverset.LabelModel` is the model to prefer in new code.
    """

    mu: Floats  # (m * k, k)
    p: Floats

    def __init__(self, cardinality: int = 2, **kwargs: Any) -> None:
        super().__init__(cardinality)
        options = {"verbose": True, "device": "cpu", **kwargs}
        if len(options) > 2:
            msg = f"LabelModel got unexpected keyword arguments {sorted(kwargs)}"
            raise TypeError(msg)
        if options["device"] != "cpu":
            msg = f"device={options['device']} but CUDA not available."
            raise ValueError(msg)
        self.verbose = bool(options["verbose"])

    def fit(
        self,
        L_train: NDArray[Any],
        Y_dev: Any = None,
        class_balance: Any = None,
        progress_bar: bool = True,
        **kwargs: Any,
    ) -> None:
        """Learn from a dense label matrix; ``kwargs`` are Snorkel's.

        Raises
        ------
        ValueError
            For fewer than 3 LFs, votes beyond the cardinality, or a bad class balance.
        Exception
            If the loss diverges.
        """
        config = _updated(_DEFAULTS, kwargs)
        L = self._matrix(L_train)
        if not len(L):
            msg = "L_train must have rows"
            raise ValueError(msg)
        if L_train.max() + 1 > self.cardinality:
            msg = (
                f"L_train has cardinality {L_train.max() + 1}, "
                f"cardinality={self.cardinality} passed in."
            )
            raise ValueError(msg)
        balance = self._balance(class_balance, Y_dev)
        precision = _precision(config["prec_init"], L.n_lfs)
        rates = _rates(config)
        statistics = PairStatistics.of(L, None, arguments.threads(None))
        problem = MomentProblem(statistics, balance, precision)
        mu = float(np.random.default_rng(config["seed"]).random()) * problem.start
        shown = progress_bar and _progress.installed()
        with _progress.report(shown, len(rates), "fit", "epoch") as advance:
            moved = problem.descend(mu, rates, config["l2"], 0, **_optimizer(config))
            advance(len(rates))
        if not moved or not np.isfinite(problem.loss(mu, config["l2"], 0)):
            msg = "Loss is NaN. Consider reducing learning rate."
            raise Exception(msg)  # the class that scripts catch
        mu = problem.in_order(mu)
        eps = config["mu_eps"] or smallest_probability(len(L))
        k, table = self.cardinality, problem.table
        self.mu = np.full((L.n_lfs * k, k), eps)
        self.mu[table.lf * k + table.label] = np.clip(mu, eps, 1 - eps)
        self.p = balance
        self.coverage = (L_train >= 0).mean(axis=0)

    def _matrix(self, L: NDArray[Any]) -> LabelMatrix:
        if L.shape[1] < 3:
            msg = "L_train should have at least 3 labeling functions"
            raise ValueError(msg)
        k = max(self.cardinality, int(L.max(initial=-1)) + 1)
        return LabelMatrix.from_dense(L, k)

    def _balance(self, class_balance: Any, Y_dev: Any) -> Floats:
        k = self.cardinality
        if class_balance is not None:
            balance = np.array(class_balance, dtype=np.float64)
            if len(balance) != k:
                msg = (
                    f"class_balance has {len(balance)} entries. "
                    f"Does not match LabelModel cardinality {k}."
                )
                raise ValueError(msg)
        elif Y_dev is not None:
            classes, counts = np.unique(np.asarray(Y_dev), return_counts=True)
            if len(classes) != k:
                msg = (
                    f"Y_dev has {len(classes)} class(es). "
                    f"Does not match LabelModel cardinality {k}."
                )
                raise ValueError(msg)
            balance = counts / counts.sum()
        else:
            balance = np.full(k, 1 / k)
        if not balance.all():
            missing = np.flatnonzero(balance == 0).tolist()
            msg = f"Class balance prior is 0 for class(es) {missing}."
            raise ValueError(msg)
        return balance

    def predict_proba(self, L: NDArray[Any]) -> Floats:
        """Return class probabilities, (n, cardinality)."""
        self._matrix(L)
        k, m = self.cardinality, len(self.mu) // self.cardinality
        if L.shape[1] != m:
            msg = f"L must have {m} labeling functions, got {L.shape[1]}"
            raise ValueError(msg)
        z = np.tile(np.log(self.p), (len(L), 1))
        log_mu = np.log(self.mu)
        for lf in range(m):
            rows = np.flatnonzero((L[:, lf] >= 0) & (L[:, lf] < k))
            z[rows] += log_mu[lf * k + L[rows, lf]]
        probs: Floats = np.exp(z - z.max(axis=1, keepdims=True, initial=-np.inf))
        probs /= probs.sum(axis=1, keepdims=True)
        return probs

    def get_conditional_probs(self) -> Floats:
        """(m, k + 1, k): probability of an abstain (first) and of each vote, in each class."""
        k = self.cardinality
        votes = self.mu.reshape(-1, k, k)
        return np.concatenate([1 - votes.sum(axis=1, keepdims=True), votes], axis=1)

    def get_weights(self) -> Floats:
        """(m,): how often each LF's votes are right."""
        right = np.einsum(
            "jyy,y->j", self.mu.reshape(-1, self.cardinality, self.cardinality), self.p
        )
        weights: Floats = np.ones(len(right))
        np.divide(right, self.coverage, out=weights, where=self.coverage > 0)
        return weights.clip(1e-6, 1.0)


def _updated(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults with what was given; nested ones entry by entry."""
    unknown = sorted(set(given) - set(defaults))
    if unknown:
        msg = f"Got unexpected field names: {unknown}"
        raise ValueError(msg)
    result = copy.deepcopy(dict(defaults))
    for name, value in given.items():
        nested = isinstance(result[name], dict) and isinstance(value, Mapping)
        result[name] = _updated(result[name], value) if nested else value
    return result


def _precision(given: Any, m: int) -> Floats:
    if not isinstance(given, int | float | list | np.ndarray):
        msg = f"prec_init is of type {type(given)} which is not supported currently."
        raise TypeError(msg)
    precision = np.asarray(given, dtype=np.float64).reshape(-1)
    if len(precision) not in (1, m) or (np.ndim(given) and len(precision) != m):
        msg = f"prec_init must have shape {m}."
        raise ValueError(msg)
    return np.broadcast_to(precision, (m,))


def _optimizer(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the steps."""
    name, options = config["optimizer"], config["optimizer_config"]
    if name == "sgd":
        return {"optimizer": name, "momentum": float(options["sgd_config"]["momentum"])}
    if name == "adam":
        own = options["adam_config"]
        return {"optimizer": name, "betas": tuple(own["betas"]), "amsgrad": bool(own["amsgrad"])}
    if name == "adamax":
        own = options["adamax_config"]
        return {"optimizer": name, "betas": tuple(own["betas"]), "epsilon": float(own["eps"])}
    msg = f"Unrecognized optimizer option '{name}'"
    raise ValueError(msg)


def _rates(config: Mapping[str, Any]) -> Floats:
    """Return the length of each step: warm-up first, then the schedule."""
    n, lr, name = int(config["n_epochs"]), float(config["lr"]), config["lr_scheduler"]
    _optimizer(config)
    options = config["lr_scheduler_config"]
    warmup = _warmup(options, n)
    steps = np.arange(max(n - warmup, 0), dtype=np.float64)
    if name == "constant":
        factors = np.ones(len(steps))
    elif name == "linear":
        factors = 1 - steps / max(len(steps), 1)
    elif name == "exponential":
        factors = options["exponential_config"]["gamma"] ** steps
    elif name == "step":
        own = options["step_config"]
        factors = own["gamma"] ** (steps // own["step_size"])
    else:
        msg = f"Unrecognized lr scheduler option '{name}'"
        raise ValueError(msg)
    rising = np.arange(min(warmup, n)) / max(warmup, 1)
    rates: Floats = lr * np.concatenate([rising, factors])
    return np.maximum(rates, options["min_lr"]) if options["min_lr"] else rates


def _warmup(options: Mapping[str, Any], n: int) -> int:
    """Return the number of steps before the schedule begins."""
    if options["warmup_steps"]:
        if options["warmup_unit"] != "epochs":
            msg = "LabelModel does not support any warmup_unit other than 'epochs'."
            raise ValueError(msg)
        if options["warmup_steps"] < 0:
            msg = "warmup_steps much greater or equal than 0."
            raise ValueError(msg)
        return int(options["warmup_steps"])
    return int(options["warmup_percentage"] * n)
