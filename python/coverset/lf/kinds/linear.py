"""Linear labeling functions over sparse features."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
import coverset._cpu as _cpu
from coverset.lf.base import LabelingFunction, column_argument, label_argument
from coverset.lf.engines.passes import Declarative, Member, Part, Pass, RuleBook, Running, named
from coverset.lf.tables.blocks import Block


class _LinearPass(Pass):
    """All weights of a column's functions as one sparse matrix, by feature."""

    def compile(self, members: Sequence[Member], rules: RuleBook) -> list[list[int]]:
        """Sort the weights by feature."""
        self.column = members[0].lf.columns[0]
        lfs: list[Any] = [member.lf for member in members]
        own = [rules.add(member, lf.label) for member, lf in zip(members, lfs, strict=True)]
        features = np.concatenate([lf.features for lf in lfs])
        order = np.argsort(features, kind="stable")
        which = np.repeat(np.arange(len(lfs), dtype=np.int32), [len(lf.features) for lf in lfs])
        self._features = features[order]
        self._which = which[order]
        self._weights = np.concatenate([lf.weights for lf in lfs])[order]
        self._bias = np.array([lf.bias for lf in lfs], dtype=np.float64)
        self._rules = np.array(own, dtype=np.int32)
        return [[rule] for rule in own]

    def run(self, block: Block, running: Running, n_threads: int) -> list[Part]:
        """Multiply, add and compare."""
        with running.timed(self.members):
            column = named(self.members, block.sparse, self.column)
            n = column.n_features
            for member in self.members:
                named([member], self._check, member.lf, n)
            indptr = np.searchsorted(self._features, np.arange(n + 1)).astype(np.int64)
            hits = named(
                self.members, _cpu.match_features, *column.arrays,
                indptr, self._which, self._weights, self._bias, self._rules, n_threads,
            )  # fmt: skip
            return [Part(*hits)]

    def _check(self, lf: Any, n_features: int) -> None:
        if len(lf.features) and lf.features.max() >= n_features:
            msg = (
                f"weights must be for features below {n_features}, those of column "
                f"{self.column!r}, got {lf.features.max()}"
            )
            raise ValueError(msg)
        if lf.dense and lf.dense != n_features:
            msg = f"weights must be {n_features}, one a feature of {self.column!r}, got {lf.dense}"
            raise ValueError(msg)


class _Linear(Declarative):
    """Votes where a weighted sum is not negative; made by :func:`linear`."""

    pass_type = _LinearPass

    def __init__(
        self,
        column: str,
        features: NDArray[np.int64],
        weights: NDArray[np.float64],
        dense: int,
        bias: float,
        label: int,
        name: str | None,
    ) -> None:
        super().__init__(name, f"linear_{column}", (label,))
        self.columns = (column,)
        self.features, self.weights, self.dense = features, weights, dense
        self.bias = bias
        self.label = label


def linear(
    column: str,
    weights: Mapping[int, float] | ArrayLike,
    bias: float,
    label: int,
    *,
    name: str | None = None,
) -> LabelingFunction:
    """Vote for ``label`` where ``features @ weights + bias >= 0``.

    All linear functions of a column run as one sparse product, row by row (Gustavson 1978), whose
    sums are compared at once and never stored. Sums are float64, in the order of a row's entries.

    Parameters
    ----------
    column : str
        A column of sparse features: a SciPy sparse matrix or array with n rows, in a dict of
        columns; CSR with float32 or float64 values is read in place.
    weights : mapping of feature to weight, or (d,) array
        Features that are left out, or 0, weigh nothing.
    bias : float
        Rows without any weighted feature fire where this is at least 0.
    label : int
        The class to vote for.
    name : str, optional
        By default made from the column.

    Raises
    ------
    ValueError
        If a weight or the bias is not finite, or a feature is negative; when applied, if a feature
        is none of the matrix's columns.
    TypeError
        If ``weights`` are no numbers.

    Examples
    --------
    >>> import coverset as cs, numpy as np, scipy.sparse as sp
    >>> features = sp.csr_array(np.array([[1.0, 0, 2], [0, 3, 0], [0, 0, 1]]))
    >>> spam = cs.lf.linear("features", {0: 1.5, 2: -0.5}, bias=-0.5, label=1)
    >>> cs.apply([spam], {"features": features}).to_dense().ravel().tolist()
    [1, -1, -1]
    """
    if isinstance(weights, Mapping):
        features = np.array(list(weights), dtype=object)
        values: NDArray[Any] = np.array(list(weights.values()))
        dense = 0
        if not all(isinstance(f, int | np.integer) and 0 <= f < 2**31 for f in features):
            msg = f"weights must be for features in 0..{2**31 - 1}, got {list(weights)[:3]}"
            raise ValueError(msg)
    else:
        values = np.asarray(weights.toarray() if hasattr(weights, "toarray") else weights)
        values = values.ravel() if values.ndim == 2 and 1 in values.shape else values
        features, dense = np.arange(values.size), values.size
    if (values.size and values.dtype.kind not in "iufb") or values.ndim != 1:
        msg = f"weights must be numbers, one a feature, got {values.dtype} of shape {values.shape}"
        raise TypeError(msg)
    bias = arguments.real_number("bias", bias, -np.inf, np.inf)
    if not np.isfinite(values.astype(float)).all() or not math.isfinite(bias):
        msg = "weights and bias must be finite"
        raise ValueError(msg)
    kept = values != 0
    return _Linear(
        column_argument(column),
        features[kept].astype(np.int64),
        values[kept].astype(np.float64),
        dense,
        bias,
        label_argument("label", label),
        name,
    )
