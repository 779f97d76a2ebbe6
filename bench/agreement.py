"""lf_summary against Snorkel's LFAnalysis on real votes: the same columns, up to one rounding.

Needs Snorkel and COVERSET_TEST_DATA. Writes results/agreement.json and prints a line a set.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
from snorkel.labeling import LFAnalysis

import accuracy
import coverset as cs

COLUMNS = ("Coverage", "Overlaps", "Conflicts", "Correct", "Incorrect", "Emp. Acc.")
RESULTS = Path(__file__).parent / "results" / "agreement.json"


def largest_difference(L: cs.LabelMatrix, gold: np.ndarray) -> float:
    """Return the largest difference over all columns; infinity where polarities differ."""
    known = np.flatnonzero(gold >= 0)  # Snorkel knows no unknown gold
    L, gold = L[known], gold[known]
    ours = cs.lf_summary(L, gold).to_pandas()
    theirs = LFAnalysis(L.to_dense().astype(int)).lf_summary(gold.astype(int))
    if ours["Polarity"].tolist() != theirs["Polarity"].tolist():
        return float("inf")
    return max(float(np.abs(ours[name].values - theirs[name].values).max()) for name in COLUMNS)


def main() -> None:
    """Compare every set, print and write what differs."""
    folder = os.environ.get("COVERSET_TEST_DATA")
    if folder is None:
        sys.exit("COVERSET_TEST_DATA is not set: no real votes to compare on")
    differences = {}
    for split in accuracy.splits(Path(folder)):
        differences[split.name] = largest_difference(split.test, split.gold)
        print(f"{split.name:<24} {split.test!r}: largest difference {differences[split.name]:g}")
    facts = {"snorkel": metadata.version("snorkel"), "coverset": cs.__version__}
    RESULTS.write_text(json.dumps({**facts, "largest_difference": differences}, indent=1) + "\n")


if __name__ == "__main__":
    main()
