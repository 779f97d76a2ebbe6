"""What each labeling function did: coverage, overlaps, conflicts, accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
import coverset._cpu as _cpu
import coverset._plots as _plots
import coverset._tables as _tables
from coverset.label_matrix.matrix import LabelMatrix, matrix_argument

if TYPE_CHECKING:
    import pandas as pd


_BLOCK_ROWS = 1 << 16


class LFSummary(NamedTuple):
    """One entry for each LF; prints as a table, :meth:`to_pandas` makes a data frame."""

    names: tuple[str, ...]
    polarity: tuple[tuple[int, ...], ...]  # classes voted for
    coverage: NDArray[np.float64]  # share of rows with its vote
    overlaps: NDArray[np.float64]  # share of rows with its vote and another LF's
    conflicts: NDArray[np.float64]  # share of rows where another LF votes differently
    correct: NDArray[np.int64] | None  # votes equal to gold; None without gold
    incorrect: NDArray[np.int64] | None
    accuracy: NDArray[np.float64] | None  # correct / (correct + incorrect), 0 without either
    votes: NDArray[np.int64]  # (m, k): votes for each class
    class_names: tuple[str, ...]
    matrix: LabelMatrix | None = None  # what was summed up; plots read it again

    def plot(self, most: int = 40) -> Any:
        """Draw coverage, and the overlaps and conflicts of pairs of LFs; needs matplotlib.

        Parameters
        ----------
        most : int
            So many LFs at most, those with the largest coverage.

        Returns
        -------
        matplotlib.figure.Figure
            Three axes: bars of coverage; the share of rows with both votes; with different votes.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        plt = _plots.pyplot()
        shown = np.sort(np.argsort(-self.coverage, kind="stable")[: arguments.count("most", most)])
        names = [self.names[lf] for lf in shown]
        both, different = pair_shares(self.matrix, shown)
        figure, (first, second, third) = plt.subplots(1, 3, layout="constrained")
        figure.set_size_inches(14, 1.5 + 0.25 * max(len(names), 8))
        _plots.bars(first, names, self.coverage[shown])
        first.set_title("coverage")
        _plots.heat(second, names, both, "overlaps")
        _plots.heat(third, names, different, "conflicts")
        return figure

    def _columns(self) -> list[tuple[str, NDArray[np.generic] | list[list[int]]]]:
        columns: list[tuple[str, NDArray[np.generic] | list[list[int]]]] = [
            ("j", np.arange(len(self.names))),
            ("Polarity", [list(classes) for classes in self.polarity]),
            ("Coverage", self.coverage),
            ("Overlaps", self.overlaps),
            ("Conflicts", self.conflicts),
        ]
        if self.correct is not None and self.incorrect is not None and self.accuracy is not None:
            columns += [
                ("Correct", self.correct),
                ("Incorrect", self.incorrect),
                ("Emp. Acc.", self.accuracy),
            ]
        columns += [(f"Votes {name}", self.votes[:, y]) for y, name in enumerate(self.class_names)]
        return columns

    def to_pandas(self) -> pd.DataFrame:
        """Return a data frame with Snorkel's column names, plus votes for each class."""
        import pandas as pd

        return pd.DataFrame(dict(self._columns()), index=list(self.names))

    def __str__(self) -> str:
        """Return an aligned table."""
        columns = self._columns()
        rows = [["", *(title for title, _ in columns)]]
        for lf, name in enumerate(self.names):
            cells = (values[lf] for _, values in columns)
            rows.append([name, *(_cell(value) for value in cells)])
        return _tables.aligned(rows)

    def __repr__(self) -> str:
        """Return the table, so that it shows at a prompt."""
        return str(self)


def _cell(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def lf_summary(
    L: LabelMatrix, y: ArrayLike | None = None, *, n_threads: int | None = None
) -> LFSummary:
    """Sum up what each labeling function did, in one pass over the votes.

    Parameters
    ----------
    L : LabelMatrix
        Votes.
    y : (n,) integers, optional
        Gold classes, -1 where unknown; such rows count neither as correct nor as incorrect.
    n_threads : int, optional
        By default the CPUs this process may use.

    Returns
    -------
    LFSummary
        Shares are of all rows of ``L``. The columns of ``to_pandas()`` are those of Snorkel's
        ``LFAnalysis.lf_summary`` and the votes for each class.

    Raises
    ------
    ValueError
        If ``y`` has another length or a class out of range.

    Examples
    --------
    >>> L = LabelMatrix.from_dense([[0, 1], [0, -1], [-1, -1], [1, 1]], lf_names=["a", "b"])
    >>> print(lf_summary(L, y=[0, 0, 1, 1]))
       j  Polarity  Coverage  Overlaps  Conflicts  Correct  Incorrect  Emp. Acc.  Votes 0  Votes 1
    a  0    [0, 1]    0.7500    0.5000     0.2500        3          0     1.0000        2        1
    b  1       [1]    0.5000    0.5000     0.2500        1          1     0.5000        0        2
    """
    matrix_argument(L)
    (n, m), k = L.shape, L.cardinality
    gold = np.empty(0, dtype=np.int16) if y is None else arguments.gold_labels(y, n, k)
    votes = np.empty((m, k), dtype=np.int64)
    overlaps, conflicts, correct, incorrect = (np.empty(m, dtype=np.int64) for _ in range(4))
    threads = arguments.threads(n_threads)
    counts = (votes, overlaps, conflicts, correct, incorrect)
    _cpu.count_lfs(L.indptr, L.lfs, L.labels, k, gold, *counts, threads)
    known = correct + incorrect
    accuracy = np.divide(correct, known, out=np.zeros(m), where=known > 0)
    rows = max(n, 1)
    return LFSummary(
        L.lf_names or tuple(str(lf) for lf in range(m)),
        tuple(tuple(np.flatnonzero(row).tolist()) for row in votes),
        votes.sum(axis=1) / rows,
        overlaps / rows,
        conflicts / rows,
        None if y is None else correct,
        None if y is None else incorrect,
        None if y is None else accuracy,
        votes,
        L.class_names or tuple(str(c) for c in range(k)),
        L,
    )


def pair_shares(
    L: LabelMatrix | None, lfs: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the shares of rows with votes of both LFs, and with different votes: (m, m) each.

    A pair of an LF with itself is left at 0. Reads blocks of rows as dense arrays.
    """
    both = np.zeros((len(lfs), len(lfs)))
    different = np.zeros_like(both)
    if L is None or not len(L):
        return both, different
    some = L.select_lfs(lfs.tolist())
    for start in range(0, len(some), _BLOCK_ROWS):
        votes = some[start : start + _BLOCK_ROWS].to_dense()
        fires = (votes >= 0).astype(np.float64)
        alike = np.zeros_like(both)
        for label in range(L.cardinality):
            of_label = (votes == label).astype(np.float64)
            alike += of_label.T @ of_label
        together = fires.T @ fires
        both += together
        different += together - alike
    np.fill_diagonal(both, 0.0)
    return both / len(L), different / len(L)
