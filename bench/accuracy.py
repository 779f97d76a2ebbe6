"""Label models against majority vote on real votes: the sets that COVERSET_TEST_DATA names.

Fits on the training votes and scores on the test votes (crowd sets: on the same rows), by
accuracy or by F1 where the set says so; random ties are averaged over ten seeds. One default
setting for all.
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

MATRICES = (
    *("youtube", "sms", "trec", "tennis", "llm_sms", "llm_youtube", "llm_youtube_paraphrased"),
)
CROWDS = ("bluebird", "rte", "dog", "web", "SP", "ZenCrowd_all", "product", "relevance")
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


def score(model: cs.MajorityVote | cs.LabelModel, split: Split) -> float:
    """Return the mean score over ten draws of random ties."""
    scores = []
    for seed in range(10):
        model.set_params(seed=seed)
        scores.append(model.score(split.test, split.gold, split.metric, "random"))
    return float(np.mean(scores))


def main() -> None:
    """Score every set, print and write the table."""
    folder = os.environ.get("COVERSET_TEST_DATA")
    if folder is None:
        sys.exit("COVERSET_TEST_DATA is not set: no real votes to score")
    table = []
    for split in splits(Path(folder)):
        majority = score(cs.MajorityVote().fit(split.train), split)
        model = cs.LabelModel().fit(split.train)
        learned = score(model, split)
        sgd = score(cs.LabelModel(solver="sgd").fit(split.train), split)
        table.append(
            {
                "set": split.name,
                "metric": split.metric,
                "majority_vote": round(majority, 4),
                "label_model": round(learned, 4),
                "difference": round(learned - majority, 4),
                "label_model_sgd": round(sgd, 4),
                "reliability": round(model.reliability_, 3),
                "rows": len(split.train),
                "patterns": model.n_patterns_,
                "passes": model.n_iter_,
            }
        )
        row = table[-1]
        print(
            f"{row['set']:<24}{row['metric']:<10}{majority:.3f}  {learned:.3f}  "
            f"{learned - majority:+.3f}  (sgd {sgd:.3f})"
        )
    differences = [row["difference"] for row in table]
    below = [row["set"] for row in table if row["difference"] < 0]
    summary = {"mean_difference": round(float(np.mean(differences)), 4), "below_majority": below}
    print(f"mean difference {summary['mean_difference']:+.3f}; below majority vote: {below}")
    RESULTS.write_text(
        json.dumps({"version": cs.__version__, **summary, "sets": table}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
