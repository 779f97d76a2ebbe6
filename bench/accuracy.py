"""Label models against majority vote on real votes: the sets that COVERSET_TEST_DATA names.

Fits on the training votes and scores on the test votes (crowd sets: on the same rows), by
accuracy or by F1 where the set says so; random ties are averaged over ten draws. One default
setting for all. Standard errors are by paired bootstrap over the scored rows.
Writes results/accuracy.json and prints a table.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

import coverset as cs
import peers_models

MATRICES = (
    *("youtube", "sms", "trec", "tennis", "llm_sms", "llm_youtube", "llm_youtube_paraphrased"),
)
CROWDS = ("bluebird", "rte", "dog", "web", "SP", "ZenCrowd_all", "product", "relevance")
DRAWS = 10
RESAMPLES = 200
RESULTS = Path(__file__).parent / "results" / "accuracy.json"


class Split(NamedTuple):
    """One set: votes to learn from, votes to score on."""

    name: str
    train: cs.LabelMatrix
    test: cs.LabelMatrix
    gold: np.ndarray
    metric: str


def splits(folder: Path) -> Iterator[Split]:
    """Yield the sets in the folder."""
    for name in MATRICES:
        data = np.load(folder / "label_matrices" / f"{name}.npz")
        k = int(data["cardinality"])
        train, test = (
            cs.LabelMatrix.from_dense(data[f"{part}_L"], k) for part in ("train", "test")
        )
        yield Split(name, train, test, data["test_y"], str(data["metric"]))
    for name in CROWDS:
        data = np.load(folder / "crowd" / f"{name}.npz")
        L = cs.LabelMatrix.from_triplets(
            *(data["rows"], data["lfs"], data["labels"]),
            shape=(int(data["n_rows"]), int(data["n_lfs"])),
            cardinality=int(data["cardinality"]),
            duplicates="majority",
        )
        yield Split(name, L, L, data["gold"], "accuracy")


def scores(proba: np.ndarray, split: Split) -> np.ndarray:
    """Return (draws, rows with gold): predicted classes, ties drawn at random ten times."""
    known = split.gold >= 0
    proba = proba[known].astype(np.float32)
    tied = proba >= proba.max(axis=1, keepdims=True) - 1e-6
    draws = [np.random.default_rng(seed).random(proba.shape) for seed in range(DRAWS)]
    return np.stack([np.where(tied, 1 + draw, 0).argmax(axis=1) for draw in draws])


def metric(predicted: np.ndarray, gold: np.ndarray, name: str, weight: np.ndarray) -> float:
    """Return accuracy or F1 of class 1 of weighted rows, averaged over draws."""
    if name == "accuracy":
        return float(((predicted == gold) @ weight).mean() / weight.sum())
    right = ((predicted == 1) & (gold == 1)) @ weight
    return float((2 * right / ((predicted == 1) @ weight + (gold == 1) @ weight)).mean())


def compared(ours: np.ndarray, theirs: np.ndarray, split: Split) -> tuple[float, float]:
    """Return the difference of two predictions, and its standard error by paired bootstrap."""
    gold = split.gold[split.gold >= 0]
    rng = np.random.default_rng(0)
    ones = np.ones(len(gold))
    difference = metric(ours, gold, split.metric, ones) - metric(theirs, gold, split.metric, ones)
    again = []
    for _ in range(RESAMPLES):
        weight = rng.multinomial(len(gold), ones / len(gold)).astype(float)
        again.append(
            metric(ours, gold, split.metric, weight) - metric(theirs, gold, split.metric, weight)
        )
    return difference, float(np.std(again))


OURS = {
    "label model": cs.LabelModel,
    "independent": lambda: cs.LabelModel(dependencies="none"),
    "by sgd": lambda: cs.LabelModel(solver="sgd"),
    "Dawid-Skene": cs.DawidSkene,
    "moments": cs.MomentModel,
    "triplets": cs.TripletModel,
}


def row_of(split: Split) -> dict[str, object]:
    """Return the scores of all models on one set."""
    k, gold = split.train.cardinality, split.gold[split.gold >= 0]
    ones = np.ones(len(gold))
    majority = scores(cs.MajorityVote().fit(split.train).predict_proba(split.test), split)
    row: dict[str, object] = {
        "set": split.name,
        "metric": split.metric,
        "majority vote": round(metric(majority, gold, split.metric, ones), 4),
    }
    for name, kind in OURS.items():
        model = kind().fit(split.train)
        predicted = scores(model.predict_proba(split.test), split)
        row[name] = round(metric(predicted, gold, split.metric, ones), 4)
        if name == "label model":
            difference, error = compared(predicted, majority, split)
            row["difference"], row["standard error"] = round(difference, 4), round(error, 4)
            row["reliability"] = round(model.reliability_, 3)
            row["patterns"], row["passes"] = model.n_patterns_, model.n_iter_
    train, test = split.train.to_dense().astype(np.int64), split.test.to_dense().astype(np.int64)
    for name in peers_models.PEERS:
        proba = peers_models.run(name, train, test, k)
        row[name] = None
        if proba is not None:
            predicted = scores(proba, split)
            row[name] = round(metric(predicted, gold, split.metric, ones), 4)
    return row


def main() -> None:
    """Score every set, print and write the table."""
    folder = os.environ.get("COVERSET_TEST_DATA")
    if folder is None:
        sys.exit("COVERSET_TEST_DATA is not set: no real votes to score")
    table = []
    for split in splits(Path(folder)):
        table.append(row_of(split))
        print(json.dumps(table[-1]), flush=True)
    names = ["majority vote", *OURS, *peers_models.PEERS]
    means = {}
    for name in names:
        scored = [row for row in table if row[name] is not None]
        if scored:
            beyond = [row[name] - row["majority vote"] for row in scored]
            means[name] = {"sets": len(scored), "beyond majority vote": round(np.mean(beyond), 4)}
    report = {"version": cs.__version__, "means": means, "sets": table}
    print(json.dumps(means, indent=1))
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
