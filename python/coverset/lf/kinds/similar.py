"""Labeling functions over embeddings: rows near a prototype."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._cpu as _cpu
import coverset._metrics as metrics
from coverset.lf.base import LabelingFunction, column_argument, label_argument
from coverset.lf.engines.passes import Declarative, Member, Part, Pass, RuleBook, Running, named
from coverset.lf.tables.blocks import Block
from coverset.lf.tables.vectors import Embeddings

_SLICE_BYTES = 1 << 23  # of float32, where rows of another type are converted


class _SimilarPass(Pass):
    """All prototypes of a column and metric against each row, which is read once."""

    def compile(self, members: Sequence[Member], rules: RuleBook) -> list[list[int]]:
        """Stack the prototypes."""
        self.column = members[0].lf.columns[0]
        lfs: list[Any] = [member.lf for member in members]
        own = [rules.add(member, lf.label) for member, lf in zip(members, lfs, strict=True)]
        self._cosine = lfs[0].metric == "cosine"
        self._prototypes = [lf.prototypes for lf in lfs]
        sizes = [len(lf.prototypes) for lf in lfs]
        self._thresholds = np.repeat(np.array([lf.threshold for lf in lfs], dtype=float), sizes)
        self._rules = np.repeat(np.array(own, dtype=np.int32), sizes)
        return [[rule] for rule in own]

    def run(self, block: Block, running: Running, n_threads: int) -> list[Part]:
        """Compare the rows of a block."""
        with running.timed(self.members):
            embeddings: Embeddings = named(self.members, block.embeddings, self.column)
            for member, prototypes in zip(self.members, self._prototypes, strict=True):
                named([member], self._check, prototypes, embeddings)
            return named(self.members, self._match, embeddings, block.start, n_threads)  # type: ignore[no-any-return]

    def _check(self, prototypes: NDArray[np.float32], embeddings: Embeddings) -> None:
        d, wanted = embeddings.rows.shape[1], prototypes.shape[1]
        if d != wanted and embeddings.validity.mask.any():
            msg = f"prototypes must have the dimension of column {self.column!r}, {d}, got {wanted}"
            raise ValueError(msg)

    def _match(self, embeddings: Embeddings, start: int, n_threads: int) -> list[Part]:
        rows, validity = embeddings
        if not validity.mask.any():
            return []
        prototypes = np.concatenate(self._prototypes)
        step = len(rows)
        if rows.dtype != np.float32 or rows.strides[1] != rows.itemsize:
            step = max(1, _SLICE_BYTES // (4 * rows.shape[1]))
        parts = []
        for first in range(0, len(rows), max(1, step)):
            with np.errstate(over="ignore"):  # the kernel names the row
                some = rows[first : first + step]
                if some.dtype != np.float32 or some.strides[1] != some.itemsize:
                    some = np.ascontiguousarray(some, dtype=np.float32)
            offset = validity.offset + first if len(validity.bits) else 0
            near, rules = _cpu.match_embeddings(
                some, validity.bits, offset, prototypes, self._thresholds, self._rules,
                self._cosine, start + first, n_threads,
            )  # fmt: skip
            parts.append(Part(near + np.int32(first), rules))
        return [
            Part(
                np.concatenate([part.rows for part in parts]),
                np.concatenate([part.rules for part in parts]),
            )
        ]


class _Similar(Declarative):
    """Votes near its prototypes; made by :func:`similar`."""

    pass_type = _SimilarPass

    def __init__(
        self,
        column: str,
        prototypes: NDArray[np.float32],
        threshold: float,
        label: int,
        metric: str,
        name: str | None,
    ) -> None:
        super().__init__(name, f"similar_{column}_{threshold:g}", (label,))
        self.columns = (column,)
        self.prototypes = prototypes
        self.threshold = threshold
        self.label = label
        self.metric = metric

    @property
    def shares(self) -> tuple[str, ...]:
        """Functions of one column, metric and dimension share this run as one."""
        return (*self.columns, self.metric, str(self.prototypes.shape[1]))


def similar(
    column: str,
    prototypes: ArrayLike,
    threshold: float,
    label: int,
    *,
    metric: str = "cosine",
    name: str | None = None,
) -> LabelingFunction:
    """Vote for ``label`` where an embedding lies near any of ``prototypes``.

    Distances are canonical float32 (the same bits on any thread count and SIMD level); all
    functions of a column read it once. Cost: n times prototypes times d multiplications.

    Parameters
    ----------
    column : str
        A column of vectors: an (n, d) array, or Arrow lists of floats. Nulls abstain; float16 and
        float64 are rounded to float32.
    prototypes : array of shape (d,) or (p, d)
        Rounded to float32.
    threshold : float
        Votes where the cosine similarity is at least ``threshold``, or the Euclidean distance at
        most ``threshold``.
    label : int
        The class to vote for.
    metric : {"cosine", "euclidean"}
        Under cosine, rows of norm 0 abstain. ``"l2"`` is an old name of ``"euclidean"``.
    name : str, optional
        By default made from the column and the threshold.

    Raises
    ------
    ValueError
        If prototypes are not finite, empty or, under cosine, of norm 0; if the threshold is outside
        -1..1 (cosine) or negative (euclidean); when applied, if a row is not finite or its squared
        norm overflows float32.
    TypeError
        If ``prototypes`` are no numbers.

    Examples
    --------
    >>> import coverset as cs, numpy as np
    >>> near = cs.lf.similar("embedding", [1.0, 0.0], threshold=0.8, label=1)
    >>> rows = np.array([[2, 0.1], [0, 1], [1, 0.5]], dtype=np.float32)
    >>> cs.apply([near], {"embedding": rows}).to_dense().ravel().tolist()
    [1, -1, 1]
    """
    if metric == "l2":
        msg = "metric 'l2' is deprecated and will be removed; use 'euclidean'"
        warnings.warn(msg, FutureWarning, stacklevel=2)
        metric = "euclidean"
    metrics.checked("lf.similar", metric)
    rows = _prototypes(prototypes)
    if metric == "cosine" and not (rows.astype(np.float64) ** 2).sum(axis=1).all():
        msg = "prototypes must not have norm 0 under the cosine metric"
        raise ValueError(msg)
    limits = (-1.0, 1.0) if metric == "cosine" else (0.0, float("inf"))
    if not limits[0] <= threshold <= limits[1]:
        msg = f"threshold must be in {limits[0]:g}..{limits[1]:g} for {metric!r}, got {threshold!r}"
        raise ValueError(msg)
    return _Similar(
        column_argument(column),
        rows,
        float(threshold),
        label_argument("label", label),
        metric,
        name,
    )


def _prototypes(prototypes: ArrayLike) -> NDArray[np.float32]:
    given = np.asarray(prototypes)
    if given.dtype.kind not in "iuf":
        msg = f"prototypes must be numbers, got dtype {given.dtype}"
        raise TypeError(msg)
    with np.errstate(over="ignore"):
        rows = np.ascontiguousarray(np.atleast_2d(given), dtype=np.float32)
    if rows.ndim != 2 or not rows.size:
        msg = f"prototypes must be (d,) or (p, d) and not empty, got shape {given.shape}"
        raise ValueError(msg)
    with np.errstate(over="ignore"):
        finite = np.isfinite((rows * rows).sum(axis=1))
    if not finite.all():
        msg = f"prototypes must be finite, and so their squared norms, row {finite.argmin()} is not"
        raise ValueError(msg)
    return rows
