"""Label models of other libraries behind one call: from dense votes to probabilities.

Each at its defaults; None where it is not installed or does not end in reasonable time.
"""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd

Votes = np.ndarray
Proba = np.ndarray | None
_MOST_FLYINGSQUID = 80  # LFs: its triplets are a loop in Python


def snorkel(train: Votes, test: Votes, k: int) -> Proba:
    """Return Snorkel's LabelModel after 100 epochs, its default."""
    if importlib.util.find_spec("snorkel") is None or train.shape[1] < 3:
        return None
    from snorkel.labeling.model import LabelModel

    model = LabelModel(cardinality=k, verbose=False)
    model.fit(train, n_epochs=100, seed=0, progress_bar=False)
    return np.asarray(model.predict_proba(test))


def crowdkit(train: Votes, test: Votes, k: int) -> Proba:
    """Return crowd-kit's Dawid-Skene, 100 iterations, applied to the votes to score."""
    if importlib.util.find_spec("crowdkit") is None:
        return None
    from crowdkit.aggregation import DawidSkene

    rows, lfs = np.nonzero(train >= 0)
    answers = pd.DataFrame({"task": rows, "worker": lfs, "label": train[rows, lfs]})
    model = DawidSkene(n_iter=100).fit(answers)
    log_prior = np.log(model.priors_.reindex(range(k)).fillna(0.0).to_numpy() + 1e-12)
    z = np.tile(log_prior, (len(test), 1))
    errors = model.errors_
    for lf in range(test.shape[1]):
        for label in range(k):
            if (lf, label) not in errors.index:
                continue
            evidence = errors.loc[(lf, label)].reindex(range(k)).fillna(0.0).to_numpy(dtype=float)
            z[test[:, lf] == label] += np.log(evidence + 1e-12)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def flyingsquid(train: Votes, test: Votes, k: int) -> Proba:
    """Return FlyingSquid's closed form; more than two classes one against the rest."""
    if importlib.util.find_spec("flyingsquid") is None or train.shape[1] > _MOST_FLYINGSQUID:
        return None
    logging.getLogger("pgmpy").setLevel(logging.ERROR)
    from flyingsquid.label_model import LabelModel

    columns = []
    for y in range(k) if k > 2 else (1,):
        signs = [np.where(votes < 0, 0, np.where(votes == y, 1, -1)) for votes in (train, test)]
        model = LabelModel(train.shape[1])
        model.fit(signs[0])
        columns.append(np.asarray(model.predict_proba_marginalized(signs[1]), dtype=float))
    if k == 2:
        return np.stack([1 - columns[0], columns[0]], axis=1)
    p = np.nan_to_num(np.stack(columns, axis=1), nan=1 / k) + 1e-12
    return p / p.sum(axis=1, keepdims=True)


PEERS: dict[str, Callable[[Votes, Votes, int], Proba]] = {
    "Snorkel": snorkel,
    "crowd-kit Dawid-Skene": crowdkit,
    "FlyingSquid": flyingsquid,
}


def run(name: str, train: Votes, test: Votes, k: int) -> Proba:
    """Return a peer's probabilities, or None where it fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            proba = PEERS[name](train, test, k)
        except (ValueError, ZeroDivisionError, FloatingPointError, np.linalg.LinAlgError) as error:
            print(f"{name}: {error!r}")
            return None
    return None if proba is None or not np.isfinite(proba).all() else proba
