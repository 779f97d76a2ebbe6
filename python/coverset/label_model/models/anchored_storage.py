"""The fit and the factors of a :class:`LabelModel` as JSON has them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import coverset._arguments as arguments
from coverset.label_model.estimation import vote_columns
from coverset.label_model.estimation.dependency_graph import DependencyGraph
from coverset.label_model.estimation.encoding import SMALLEST, Arrays, packed
from coverset.label_model.estimation.factors import (
    MOST_LFS,
    MOST_OUTCOMES,
    Component,
    FactorModel,
)
from coverset.label_model.models.storage import restored_columns

_LARGEST_PARAMETER = 1e6


def fit_arrays(fitted: vote_columns.Fitted) -> dict[str, NDArray[Any]]:
    """Return the arrays of a fit; "silent" is what files call the rows without votes."""
    table, state, _, without_votes = fitted
    return {**table._asdict(), **state._asdict(), "silent": without_votes}


def restored_fit(arrays: Arrays, settings: dict[str, Any], m: int, k: int) -> vote_columns.Fitted:
    """Return a fit, checked."""
    c = len(arrays.vector("label", "<i2"))
    table = restored_columns(
        *(arrays, m, k),
        {
            "annotator": arrays.take("annotator", "|u1", (m,)),
            "votes": arrays.take("votes", "<i8", (c,)),
            "weight": arrays.numbers("weight", (c,), SMALLEST, 1.0),
            "cluster": arrays.take("cluster", "<i4", (c,)),
        },
    )
    state = vote_columns.State(
        expected=arrays.numbers("expected", (c, k), 0.0),
        log_weight=arrays.numbers("log_weight", (c, k)),
        class_balance=arrays.numbers("class_balance", (k,), SMALLEST, 1.0),
        believed=arrays.numbers("believed", (c, k), 0.0),
        believed_rows=arrays.numbers("believed_rows", (k,), 0.0),
    )
    without_votes = arrays.numbers("silent", (k,), SMALLEST, 1.0)
    return vote_columns.Fitted(table, state, _settings(settings), without_votes)


def _settings(stored: dict[str, Any]) -> vote_columns.Settings:
    settings = vote_columns.Settings(**stored)
    if not isinstance(settings.balance_given, bool):
        msg = f"balance_given must be true or false, got {settings.balance_given!r}"
        raise TypeError(msg)
    arguments.real_number("anchor", settings.anchor, 0.0, 1.0)
    arguments.real_number("kappa", settings.kappa, 0.0, 1e6)
    arguments.real_number("annotator_share", settings.annotator_share, 0.0, 1.0)
    arguments.real_number("row_correlation", settings.row_correlation, 0.0, 1.0)
    return settings


def stored_factors(factors: FactorModel, graph: DependencyGraph) -> dict[str, Any]:
    """Return factors and the graph that they were chosen from."""
    parts = [
        {"lfs": list(c.lfs), "edges": c.edges.tolist(), "weight": c.weight, "at": packed(x)}
        for c, x in zip(factors.components, factors.parameters, strict=True)
    ]
    pairs = {"pairs": packed(graph.pairs), "strengths": packed(graph.strengths)}
    return {"components": parts, "graph": pairs, "lf_names": graph.lf_names}


def restored_factors(
    entry: dict[str, Any], fitted: vote_columns.Fitted
) -> tuple[FactorModel, DependencyGraph]:
    """Return the factors and their graph, checked against the columns."""
    table, balance = fitted.table, fitted.state.class_balance
    m, k = fitted.n_lfs, fitted.cardinality
    parts = [_component(part, table) for part in entry["components"]]
    lfs = [j for part in parts for j in part.lfs]
    if len(set(lfs)) != len(lfs):
        msg = "its factors are not in order"
        raise ValueError(msg)
    model = FactorModel(parts, m, k, balance)
    for own, part in zip(model.parameters, entry["components"], strict=True):
        own[:] = Arrays(part).numbers("at", own.shape, -_LARGEST_PARAMETER, _LARGEST_PARAMETER)
    graph = Arrays(entry["graph"])
    n = arguments.whole_number("pairs", entry["graph"]["pairs"]["shape"][0], 0, m * m)
    pairs = graph.take("pairs", "<i8", (n, 2))
    if ((pairs < 0) | (pairs >= m)).any():
        msg = "its pairs are out of range"
        raise ValueError(msg)
    names = None if entry["lf_names"] is None else tuple(map(str, entry["lf_names"]))
    return model, DependencyGraph(pairs, graph.take("strengths", "<f8", (n,)), m, names)


def _component(part: dict[str, Any], table: vote_columns.Table) -> Component:
    m = len(table.annotator)
    lfs = tuple(arguments.whole_number("lf", j, 0, m - 1) for j in part["lfs"])
    labels = tuple(tuple(table.label[table.indptr[j] : table.indptr[j + 1]].tolist()) for j in lfs)
    edges = np.array(part["edges"], dtype=np.uint8)
    weight = arguments.real_number("weight", part["weight"], 0.0, 1.0)
    outcomes = np.prod([len(some) + 1.0 for some in labels])
    few = 1 <= len(lfs) <= MOST_LFS and outcomes <= MOST_OUTCOMES
    if not few or edges.shape != (len(lfs), len(lfs)) or (edges > 1).any():
        msg = "its factors are not in order"
        raise ValueError(msg)
    return Component(lfs, labels, edges, weight)
