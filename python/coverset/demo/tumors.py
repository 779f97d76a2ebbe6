"""Benign or malignant: rules over the cell nuclei of a biopsy.

The table is scikit-learn's copy of the Wisconsin breast-cancer data: 569 biopsies; the mean, the
standard error and the mean of the three worst of ten measures of their cell nuclei.
"""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import numpy as np
import pyarrow as pa
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import coverset as cs
import coverset.demo.report as report
from coverset.lf import LabelingFunction

CLASSES = ("malignant", "benign")
MALIGNANT, BENIGN = range(2)

RULES: tuple[tuple[str, str, float, int], ...] = (
    # Large nuclei, dented outlines, sizes that vary.
    ("worst radius", ">", 18, MALIGNANT),
    ("worst concave points", ">", 0.18, MALIGNANT),
    ("mean concavity", ">", 0.15, MALIGNANT),
    ("area error", ">", 50, MALIGNANT),
    # Weaker signs.
    ("worst texture", ">", 30, MALIGNANT),
    ("worst smoothness", ">", 0.15, MALIGNANT),
    # Small, round nuclei, alike in size.
    ("worst radius", "<", 13, BENIGN),
    ("worst concave points", "<", 0.08, BENIGN),
    ("worst compactness", "<", 0.15, BENIGN),
    ("area error", "<", 20, BENIGN),
    # Weaker signs.
    ("mean texture", "<", 16, BENIGN),
    ("worst symmetry", "<", 0.25, BENIGN),
)


def labeling_functions() -> list[LabelingFunction]:
    """Return one comparison for each rule, named as it reads."""
    return [
        cs.lf.compare(column, op, value, label, name=f"{column} {op} {value:g}")
        for column, op, value, label in RULES
    ]


def load() -> report.Part:
    """Return the biopsies, three in ten of each class held out."""
    data = load_breast_cancer()
    gold = data.target.astype(np.int64)
    rows = np.arange(len(gold))
    to_label, held_out = train_test_split(rows, test_size=0.3, stratify=gold, random_state=0)
    to_label, held_out = np.sort(to_label), np.sort(held_out)
    scaler = StandardScaler().fit(data.data[to_label])
    columns = zip(data.feature_names.tolist(), data.data[to_label].T, strict=True)
    return report.Part(
        CLASSES,
        labeling_functions(),
        pa.table(dict(columns)),
        to_label,
        scaler.transform(data.data[to_label]),
        gold[to_label],
        scaler.transform(data.data[held_out]),
        gold[held_out],
    )


def run(out: Path, *, progress: bool, stream: TextIO) -> list[Path]:
    """Run this part and return the files it wrote."""
    page = report.Page(stream)
    page.heading("Tumors: rules over scikit-learn's breast-cancer table")
    part = load()
    labels = report.walk(part, page, progress=progress)
    return [report.write_labels(out / "tumors_labels.parquet", part, labels)]
