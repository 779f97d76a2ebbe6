"""One HTML page about a labeling run: no scripts, no links, nothing to load."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coverset._versions import __version__
from coverset.label_matrix import LabelMatrix, lf_summary
from coverset.label_model.analysis.dependencies import learn_dependencies
from coverset.label_model.analysis.review import compare_with_majority, suggest_rows
from coverset.label_model.models.anchored import LabelModel
from coverset.label_model.models.base import BaseLabelModel
from coverset.label_model.models.calibration import Calibration

_EXAMPLES = 20
_STRONGEST = 20
_MOST_TEXT = 300  # characters of an example
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; background: #fff; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .55rem; text-align: right; border-bottom: 1px solid #ddd;
         vertical-align: top; }
th:first-child, td:first-child, .text { text-align: left; }
div.table { overflow-x: auto; }
td.text { max-width: 34rem; overflow-wrap: anywhere; }
h2 { margin-top: 2.2rem; } p.note { color: #666; }
"""

ReadRows = Callable[[NDArray[np.int64]], Sequence[str]]


def report_page(
    L: LabelMatrix,
    model: BaseLabelModel,
    y: ArrayLike | None = None,
    read_rows: ReadRows | None = None,
) -> str:
    """Return a page: labeling functions, what a model learned, dependencies, examples.

    Parameters
    ----------
    L : LabelMatrix
    model : label model
        Fitted on ``L``.
    y : (n,) integers, optional
        Gold, -1 where unknown: adds accuracies, what changed, and a calibration curve.
    read_rows : function of rows to texts, optional
        Shows rows whose votes disagree.
    """
    parts = [_facts(L, model), _functions(L, model, y)]
    if isinstance(model, LabelModel):
        parts.append(_dependencies(L, model))
    parts.append(_changes(L, model, y))
    if y is not None:
        parts.append(_calibration(model.calibration(L, y)))
    if read_rows is not None:
        parts.append(_examples(L, model, read_rows))
    title = "Labels of " + f"{len(L):,} rows"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{title}</h1>\n"
        + "\n".join(parts)
        + f'\n<p class="note">coverset {__version__}</p></body></html>\n'
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a table; strings are escaped, floats get three digits, SVG stays."""

    def cell(value: Any) -> str:
        if isinstance(value, _Svg):
            return f"<td>{value}</td>"
        if isinstance(value, str):
            return f'<td class="text">{html.escape(value)}</td>'
        if isinstance(value, float):
            return f"<td>{'' if np.isnan(value) else format(value, '.3f')}</td>"
        return f"<td>{value:,}</td>"

    first = rows[0] if rows else [0] * len(head)
    kinds = [' class="text"' if type(value) is str else "" for value in first]
    titles = "".join(
        f"<th{kind}>{html.escape(title)}</th>" for title, kind in zip(head, kinds, strict=True)
    )
    body = "\n".join("<tr>" + "".join(map(cell, row)) + "</tr>" for row in rows)
    return (
        f'<div class="table"><table><thead><tr>{titles}</tr></thead>'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


class _Svg(str):
    """A drawing, which is not escaped."""

    __slots__ = ()


def _bar(share: float, low: float | None = None, high: float | None = None) -> _Svg:
    """Return a bar of a share, and a line for its interval."""
    if np.isnan(share):
        return _Svg("")
    line = ""
    if low is not None and high is not None:
        line = (
            f'<line x1="{100 * low:.1f}" x2="{100 * high:.1f}" y1="6" y2="6" stroke="#b30" '
            'stroke-width="2"/>'
        )
    return _Svg(
        f'<svg width="104" height="12" role="img" aria-label="{share:.3f}"><rect width="100" '
        f'height="12" fill="#eee"/><rect width="{100 * share:.1f}" height="12" fill="#7aa6d6"/>'
        f"{line}</svg>"
    )


def _facts(L: LabelMatrix, model: BaseLabelModel) -> str:
    covered = int(np.count_nonzero(L.covered))
    text = (
        f"{L.nnz:,} votes of {L.n_lfs:,} labeling functions; {covered:,} of {len(L):,} rows have "
        f"one. Model: {model!r}."
    )
    more = ""
    if isinstance(model, LabelModel):
        balance = ", ".join(f"{p:.3f}" for p in model.class_balance_)
        more = f"<p>Agreement beyond chance (Krippendorff's alpha) {model.reliability_:.3f}; "
        more += f"class balance {balance}.</p>"
    return f"<p>{html.escape(text)}</p>{more}"


def _functions(L: LabelMatrix, model: BaseLabelModel, y: ArrayLike | None) -> str:
    summary = lf_summary(L, y)
    head = ["labeling function", "classes", "coverage", "", "overlaps", "conflicts"]
    names = L.class_names or tuple(str(label) for label in range(L.cardinality))
    columns: list[Sequence[Any]] = [
        summary.names,
        [", ".join(names[label] for label in classes) for classes in summary.polarity],
        summary.coverage.tolist(),
        [_bar(share) for share in summary.coverage.tolist()],
        summary.overlaps.tolist(),
        summary.conflicts.tolist(),
    ]
    if summary.accuracy is not None:
        head.append("accuracy by gold")
        columns.append(summary.accuracy.tolist())
    if isinstance(model, LabelModel):
        interval = model.lf_accuracy_intervals_.tolist()
        learned = model.lf_accuracies_.tolist()
        head += ["learned accuracy", "with 95 % interval", "weight"]
        columns += [
            learned,
            [_bar(a, *ends) for a, ends in zip(learned, interval, strict=True)],
            model.lf_weights_.tolist(),
        ]
    return "<h2>Labeling functions</h2>" + _table(head, list(zip(*columns, strict=True)))


def _dependencies(L: LabelMatrix, model: LabelModel) -> str:
    graph = learn_dependencies(L, model=model)
    names = L.lf_names or tuple(str(lf) for lf in range(L.n_lfs))
    rows = [
        (f"{names[a]} — {names[b]}", float(strength))
        for (a, b), strength in zip(
            graph.pairs[:_STRONGEST].tolist(), graph.strengths.tolist(), strict=False
        )
    ]
    if not rows:
        return "<h2>Dependencies</h2><p>No pair depends on each other beyond the class.</p>"
    note = f"{len(graph.pairs):,} pairs; the {len(rows)} strongest."
    return f"<h2>Dependencies</h2><p>{note}</p>" + _table(["pair", "strength"], rows)


def _changes(L: LabelMatrix, model: BaseLabelModel, y: ArrayLike | None) -> str:
    changes = compare_with_majority(L, model, y)
    head, columns = ["majority vote", "model", "rows"], [changes.rows.tolist()]
    names = L.class_names or tuple(str(label) for label in range(L.cardinality))

    def name(label: int) -> str:
        return "undecided" if label < 0 else names[label]

    if changes.right_before is not None and changes.right_after is not None:
        head += ["right before", "right after"]
        columns += [changes.right_before.tolist(), changes.right_after.tolist()]
    rows = [
        (name(before), name(after), *counts)
        for before, after, *counts in zip(
            changes.majority.tolist(), changes.model.tolist(), *columns, strict=True
        )
    ]
    return "<h2>Against majority vote</h2>" + _table(head, rows)


def _calibration(curve: Calibration) -> str:
    """Draw accuracy over confidence; the diagonal is a model that knows how sure to be."""
    low = float(curve.edges[0])

    def place(x: float) -> float:
        return 260 * (x - low) / (1 - low) if low < 1 else 260.0

    dots = "".join(
        f'<circle cx="{20 + place(c):.1f}" cy="{280 - place(max(a, low)):.1f}" '
        f'r="{2 + 8 * (n / curve.counts.max()) ** 0.5:.1f}" fill="#7aa6d6" stroke="#357"/>'
        for c, a, n in zip(
            curve.confidence.tolist(), curve.accuracy.tolist(), curve.counts.tolist(), strict=True
        )
        if n
    )
    return (
        "<h2>Calibration</h2><p>Share right over confidence, rows with known gold; the size of a "
        f"dot is its rows. Expected calibration error {curve.error:.3f}.</p>"
        '<svg width="340" height="330" role="img" aria-label="calibration curve" font-size="12">'
        '<g transform="translate(36 0)">'
        '<rect x="20" y="20" width="260" height="260" fill="none" stroke="#999"/>'
        f'<line x1="20" y1="280" x2="280" y2="20" stroke="#bbb"/>{dots}'
        f'<text x="20" y="296" text-anchor="middle">{low:.2f}</text>'
        '<text x="280" y="296" text-anchor="middle">1.00</text>'
        '<text x="150" y="314" text-anchor="middle">confidence</text>'
        f'<text x="14" y="284" text-anchor="end">{low:.2f}</text>'
        '<text x="14" y="24" text-anchor="end">1.00</text>'
        '<text x="-8" y="150" text-anchor="middle" transform="rotate(-90 -8 150)">right</text>'
        "</g></svg>"
    )


def _examples(L: LabelMatrix, model: BaseLabelModel, read_rows: ReadRows) -> str:
    rows = suggest_rows(L, model, "conflict", _EXAMPLES)
    if not len(rows):
        return "<h2>Disagreement</h2><p>No row has votes for different classes.</p>"
    names = L.class_names or tuple(str(label) for label in range(L.cardinality))
    lfs = L.lf_names or tuple(str(lf) for lf in range(L.n_lfs))
    proba = model.predict_proba(L[rows])
    shown = []
    for i, (row, text) in enumerate(zip(rows.tolist(), read_rows(rows), strict=True)):
        first, last = L.indptr[row], L.indptr[row + 1]
        votes = ", ".join(
            f"{lfs[lf]}: {names[label]}"
            for lf, label in zip(
                L.lfs[first:last].tolist(), L.labels[first:last].tolist(), strict=True
            )
        )
        best = int(proba[i].argmax())
        label = f"{names[best]} ({proba[i, best]:.2f})"
        shown.append((f"{row:,}", text[:_MOST_TEXT], votes, label))
    return "<h2>Disagreement</h2>" + _table(["row", "text", "votes", "model"], shown)
