"""Pairwise factors: labeling functions that depend on each other, with exact normalizers."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import coverset._cpu as _cpu
from coverset.label_matrix import LabelMatrix
from coverset.label_model.estimation import rows_without_votes, vote_columns
from coverset.label_model.estimation.dependency_graph import DependencyGraph
from coverset.label_model.estimation.evidence import Evidence, posterior

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_LFS = 12  # of a component: all their joint outcomes are visited
MOST_OUTCOMES = 1 << 20
_RIDGE = 1.0  # pseudo-rows that hold a component's parameters to 0
_PSEUDO_VOTES = 0.5  # of each outcome of an LF that stands alone


class Component(NamedTuple):
    """LFs with factors between them, or one alone."""

    lfs: tuple[int, ...]
    labels: tuple[tuple[int, ...], ...]  # that each LF votes for
    edges: NDArray[np.uint8]  # (s, s): 1 above the diagonal where two LFs have a factor
    weight: float  # how much of its evidence counts: 1 unless it fell out of a large component

    @property
    def n_outcomes(self) -> int:
        """Number of joint outcomes."""
        return int(np.prod([len(some) + 1 for some in self.labels]))

    def arrays(self) -> tuple[Ints, NDArray[np.int16], NDArray[np.uint8]]:
        """What the kernels take."""
        indptr = np.concatenate([[0], np.cumsum([len(some) for some in self.labels])])
        flat = np.array([label for some in self.labels for label in some], dtype=np.int16)
        return indptr.astype(np.int64), flat, self.edges


class Outcomes(NamedTuple):
    """Rows as the outcomes of their components, but for those without votes."""

    indptr: Ints
    outcome: Ints  # distinct numbers of outcomes, ascending
    column: NDArray[np.int32]  # of each entry, among ``outcome``


class FactorModel:
    """The components, their parameters, and the class balance."""

    def __init__(self, components: list[Component], n_lfs: int, k: int, balance: Floats) -> None:
        self.components = components
        self.n_lfs, self.k = n_lfs, k
        self.balance = balance
        self.parameters = [
            np.zeros(k * sum(map(len, c.labels)) + len(c.lfs) ** 2) for c in components
        ]
        self._starts = np.cumsum([0, *(c.n_outcomes for c in components)], dtype=np.int64)
        self._arrays = [c.arrays() for c in components]
        self._place = self._places()

    def _places(self) -> tuple[Ints, Ints]:
        """Return each LF's component, and what a vote (LF, label) adds to its outcome's number."""
        of_lf = np.full(self.n_lfs, -1)
        added = np.zeros((self.n_lfs, self.k), dtype=np.int64)
        for number, component in enumerate(self.components):
            stride = 1
            for lf, labels in zip(component.lfs[::-1], component.labels[::-1], strict=True):
                of_lf[lf] = number
                added[lf, list(labels)] = stride * np.arange(1, len(labels) + 1)
                stride *= len(labels) + 1
        return of_lf, added

    def rows(self, L: LabelMatrix, threads: int) -> Outcomes:
        """Return ``L`` as outcomes with votes.

        Votes for a label that an LF was not seen with say nothing.
        """
        votes = L.indptr, L.lfs, L.labels, *self._place, self._starts[:-1]
        indptr = np.empty(len(L) + 1, dtype=np.int64)
        _cpu.size_outcomes(*votes, indptr, threads)
        outcome = np.empty(int(indptr[-1]), dtype=np.int64)
        _cpu.fill_outcomes(*votes, indptr, outcome, threads)
        used, column = vote_columns.numbered(outcome, int(self._starts[-1]))
        return Outcomes(indptr, used, column.astype(np.int32, copy=False))

    def evidence(self, threads: int) -> tuple[Floats, Floats]:
        """Return what outcomes say more than no votes do, (outcomes, k), and what no votes say."""
        tables = []
        no_votes = _cpu.logs(self.balance)
        every = zip(self.components, self._arrays, self.parameters, strict=True)
        for component, arrays, parameters in every:
            table = np.empty((self.k, component.n_outcomes))
            _cpu.factor_log_probabilities(*arrays, parameters, table, threads)
            no_votes = no_votes + component.weight * table[:, 0]
            tables.append(component.weight * (table - table[:, :1]).T)
        beyond = np.concatenate(tables) if tables else np.empty((0, self.k))
        return np.ascontiguousarray(beyond), no_votes

    def posterior(self, rows: Outcomes, threads: int) -> NDArray[np.float32]:
        """Return class probabilities of rows."""
        log_weight, prior = self.evidence(threads)
        evidence = Evidence(
            rows.column, np.ascontiguousarray(log_weight[rows.outcome]), prior,
            rows_without_votes.by_log_prior(prior),
        )  # fmt: skip
        return posterior(rows.indptr, evidence, threads)

    def maximize(self, rows: Outcomes, mass: Floats, of_class: Floats, threads: int) -> None:
        """Set the parameters that make the rows most likely.

        They count ``mass`` (n, k), together ``of_class`` (k,).
        """
        sums = np.empty((len(rows.outcome), self.k))
        _cpu.add_by_column(rows.indptr, rows.column, mass, self.k, sums, threads)
        counts = np.zeros((self.k, int(self._starts[-1])))
        counts[:, rows.outcome] = sums.T
        for number, component in enumerate(self.components):
            first, last = self._starts[number], self._starts[number + 1]
            own = np.ascontiguousarray(counts[:, first:last])
            own[:, 0] = np.maximum(of_class - own.sum(axis=1), 0.0)
            if len(component.lfs) == 1:
                share = _cpu.logs(own + _PSEUDO_VOTES)
                self.parameters[number][:-1] = (share[:, 1:] - share[:, :1]).ravel()
            else:
                parameters = self.parameters[number]
                _cpu.fit_factors(*self._arrays[number], own, _RIDGE, parameters, threads)

    def strengths(self) -> list[tuple[int, int, float]]:
        """Return (LF, LF, factor), the lower LF first."""
        found = []
        for component, parameters in zip(self.components, self.parameters, strict=True):
            s = len(component.lfs)
            pair = parameters[len(parameters) - s * s :].reshape(s, s)
            for i, j in np.argwhere(component.edges).tolist():
                found.append((component.lfs[i], component.lfs[j], float(pair[i, j])))
        return sorted(found)

    def tables(self) -> dict[tuple[int, ...], tuple[Floats, Floats]]:
        """Return, by component, (s, k, k) parameters of LF, class and label, and (s, s) factors."""
        found = {}
        for component, parameters in zip(self.components, self.parameters, strict=True):
            s, k = len(component.lfs), self.k
            unary = parameters[: len(parameters) - s * s].reshape(k, -1)
            a, at = np.zeros((s, k, k)), 0
            for j, labels in enumerate(component.labels):
                a[j][:, list(labels)] = unary[:, at : at + len(labels)]
                at += len(labels)
            c = parameters[len(parameters) - s * s :].reshape(s, s)
            found[component.lfs] = a, c + c.T
        return found


def components_of(
    graph: DependencyGraph, table: vote_columns.Table, weights: Floats
) -> list[Component]:
    """Return the components of a graph; LFs of those that are too large stand alone.

    Warns
    -----
    UserWarning
        For each component that is too large.
    """
    labels = [
        tuple(table.label[first:last].tolist())
        for first, last in zip(table.indptr[:-1], table.indptr[1:], strict=True)
    ]
    edges = {(a, b) for a, b in graph.to_pairs()}
    alone = set(range(graph.n_lfs))
    weight = np.ones(graph.n_lfs)
    found = []
    for lfs in graph.components():
        outcomes = np.prod([len(labels[j]) + 1.0 for j in lfs])
        if len(lfs) > MOST_LFS or outcomes > MOST_OUTCOMES:
            weight[list(lfs)] = weights[list(lfs)]
            msg = (
                f"{len(lfs)} labeling functions depend on each other, at most {MOST_LFS} can have "
                "factors: they count by cluster weights"
            )
            warnings.warn(msg, UserWarning, stacklevel=5)
            continue
        alone -= set(lfs)
        edge = np.array([[(a, b) in edges for b in lfs] for a in lfs], dtype=np.uint8)
        found.append(Component(lfs, tuple(labels[j] for j in lfs), edge, 1.0))
    lone = np.zeros((1, 1), dtype=np.uint8)
    found += [
        Component((j,), (labels[j],), lone, float(weight[j])) for j in sorted(alone) if labels[j]
    ]
    return found


def learn(
    model: FactorModel,
    grouped: vote_columns.Grouped,
    start: Floats,
    options: dict[str, Any],
    threads: int,
) -> tuple[Floats, int]:
    """Learn by EM from the class probabilities ``start`` of each pattern; return the last ones.

    ``options``: anchor, max_iter, tol, and balance, which may be None.
    """
    rows = model.rows(grouped.matrix, threads)
    weight, gold = grouped.weight, grouped.gold
    counts = np.diff(grouped.matrix.indptr)
    majority = np.empty((grouped.n_patterns, model.k), dtype=np.float32)
    matrix = grouped.matrix
    _cpu.vote_fractions(*(matrix.indptr, matrix.lfs, matrix.labels), model.k, majority, threads)
    anchor = np.where(counts > 0, options["anchor"], 0.0)[:, None]
    anchored, rest = anchor * majority, 1 - anchor
    known = gold >= 0
    post, passes = start, 0
    while passes < options["max_iter"]:
        passes += 1
        mass = rest * post
        mass += anchored
        mass[known] = np.eye(model.k)[gold[known]]
        mass *= weight[:, None]
        of_class = mass.sum(axis=0)
        if options["balance"] is None:
            model.balance = (of_class + 2 / model.k) / (of_class.sum() + 2)
        model.maximize(rows, mass, of_class, threads)
        before, post = post, model.posterior(rows, threads).astype(np.float64)
        moved = np.abs(np.subtract(post, before, out=before), out=before)
        moved[known] = 0.0
        if moved.max(initial=0.0) <= options["tol"]:
            break
    return post, passes
