"""The path that both parts of the demo walk, and how it is printed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

import coverset as cs
import coverset._tables as _tables
from coverset.lf import LabelingFunction


class Part(NamedTuple):
    """Rows of two classes: some to label, some held out."""

    classes: tuple[str, str]
    lfs: Sequence[LabelingFunction]
    table: pa.Table  # what the labeling functions read; rows to label only
    rows: NDArray[np.int64]  # their numbers in the whole data
    features: Any  # what the classifier reads: a dense or a CSR matrix
    gold: NDArray[np.int64]
    held_out_features: Any
    held_out_gold: NDArray[np.int64]


class Labels(NamedTuple):
    """What the labeling functions and the label model made of the rows."""

    votes: cs.LabelMatrix
    model: cs.LabelModel
    proba: NDArray[np.float32]  # (n, 2), by ``model``


@dataclass
class Page:
    """Headings, tables and timings on a stream."""

    stream: TextIO
    seconds: list[tuple[str, float]] = field(default_factory=list)

    def line(self, text: str = "") -> None:
        """Print a line, at once."""
        print(text, file=self.stream, flush=True)

    def heading(self, text: str) -> None:
        """Print a heading."""
        self.line(f"\n{text}\n{'=' * len(text)}")

    def grid(self, *rows: Sequence[object]) -> None:
        """Print rows as a table: fractions with four digits, all but the first flush right."""
        cells = [
            [f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row]
            for row in rows
        ]
        self.line(f"\n{_tables.aligned(cells)}")

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage for :meth:`timings`."""
        started = time.perf_counter()
        yield
        self.seconds.append((name, time.perf_counter() - started))

    def timings(self) -> None:
        """Print what each stage took."""
        self.line("\nTime: " + ", ".join(f"{name} {spent:.3f} s" for name, spent in self.seconds))


def train(features: Any, proba: NDArray[np.floating[Any]]) -> Any:
    """Train on class probabilities: a row counts once for each class, weighted by it.

    A row whose probabilities are all 0 is left out.
    """
    rows, labels = np.nonzero(proba)
    classifier = LogisticRegression(max_iter=1000)
    return classifier.fit(features[rows], labels, sample_weight=proba[rows, labels])


def walk(part: Part, page: Page, *, progress: bool) -> Labels:
    """Label the rows, train on the labels, and print how each step compares with gold."""
    page.line(
        f"{len(part.gold):,} rows to label, {len(part.held_out_gold):,} held out; class 0 is "
        f"{part.classes[0]}, class 1 {part.classes[1]} ({part.gold.mean():.1%} of rows to label)."
    )
    with page.stage("apply"):
        L = cs.apply(part.lfs, part.table, cardinality=2, progress=progress)
    with page.stage("label model"):
        model = cs.LabelModel().fit(L)
        proba = model.predict_proba(L)
    labels = Labels(L, model, proba)
    _show_functions(part, labels, page)
    _show_labels(part, labels, page)
    _show_classifiers(part, labels, page)
    page.timings()
    return labels


def _show_functions(part: Part, labels: Labels, page: Page) -> None:
    """Print the columns of ``lf_summary`` that fit on a line, and the learned accuracies."""
    L = labels.votes
    summary = cs.lf_summary(L, part.gold)
    kinds = [part.classes[polarity[0]] if polarity else "-" for polarity in summary.polarity]
    columns = (
        *(summary.names, kinds),
        *(summary.coverage.tolist(), summary.overlaps.tolist(), summary.conflicts.tolist()),
        *(np.asarray(summary.accuracy).tolist(), labels.model.lf_accuracies_.tolist()),
    )
    page.grid(
        ("Labeling function", "class", "coverage", "overlaps", "conflicts", "accuracy", "learned"),
        *zip(*columns, strict=True),
    )
    page.line("(accuracy: by gold; learned: what the label model made of it, without gold)")
    n, n_covered = len(L), int(np.count_nonzero(L.covered))
    page.line(f"\n{L.nnz:,} votes; {n_covered:,} of {n:,} rows have one ({n_covered / n:.1%}).")


def _show_labels(part: Part, labels: Labels, page: Page) -> None:
    """Print how far majority vote and label model are right, where anything was voted."""
    covered, gold = labels.votes[labels.votes.covered], part.gold[labels.votes.covered]
    page.grid(
        ("Labels of covered rows, ties to class 0", "accuracy", "F1", "ties"),
        *(
            (name, way.score(covered, gold), way.score(covered, gold, "f1"), _ties(way, covered))
            for name, way in (
                ("majority vote", cs.MajorityVote().fit(covered)),
                ("label model", labels.model),
            )
        ),
    )


def _show_classifiers(part: Part, labels: Labels, page: Page) -> None:
    """Train one classifier on each kind of label and print how it does on the held-out rows."""
    L, _, proba = labels
    teachers: dict[str, NDArray[np.floating[Any]]] = {
        "label model": proba * L.covered[:, None],
        "majority vote": cs.MajorityVote().fit(L).predict_proba(L) * L.covered[:, None],
        "gold": np.eye(2)[part.gold],
    }
    scores: list[tuple[object, ...]] = []
    with page.stage(f"{len(teachers)} classifiers"):
        for name, teacher in teachers.items():
            p_1 = train(part.features, teacher).predict_proba(part.held_out_features)[:, 1]
            scores.append((name, *_scores(part.held_out_gold, p_1)))
    larger = np.full(len(part.held_out_gold), part.gold.mean())
    scores.append(("none: always the larger class", *_scores(part.held_out_gold, larger)))
    page.grid(("Classifier trained on, held-out rows", "accuracy", "F1", "AUC"), *scores)


def _ties(way: cs.MajorityVote | cs.LabelModel, covered: cs.LabelMatrix) -> int:
    return int(np.count_nonzero(way.predict(covered) == -1))


def _scores(gold: NDArray[np.int64], p_1: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return accuracy and F1 of class 1 at 0.5, and the area under the ROC curve."""
    label = p_1 > 0.5
    return (
        float(accuracy_score(gold, label)),
        float(f1_score(gold, label, zero_division=0.0)),
        float(roc_auc_score(gold, p_1)),
    )


def write_labels(path: Path, part: Part, labels: Labels) -> Path:
    """Write one line for each labeled row: row, p_0, p_1, label (-1: none) and n_votes."""
    L, model, proba = labels
    columns = {
        "row": part.rows,
        "p_0": proba[:, 0],
        "p_1": proba[:, 1],
        "label": model.predict(L),
        "n_votes": np.diff(L.indptr),
    }
    pq.write_table(pa.table(columns), path)
    return path
