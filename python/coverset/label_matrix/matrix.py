"""The label matrix: votes of labeling functions in CSR form."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
import coverset._cpu as _cpu
import coverset.label_matrix.construct as construct
import coverset.label_matrix.storage as storage

if TYPE_CHECKING:
    import scipy.sparse

Polarity = tuple[tuple[int, ...] | None, ...]
_FACTS = ("n_lfs", "cardinality", "lf_names", "class_names", "polarity")


class LabelMatrix:
    """Votes of m labeling functions (LFs) on n rows; an absent entry is an abstain.

    Made by :meth:`from_dense`, :meth:`from_csr`, :meth:`from_triplets`, :meth:`load` or
    :func:`coverset.apply`. Immutable: its arrays are read-only, every method returns a new matrix.

    Memory is 8 bytes a row and 6 bytes a vote.

    Attributes
    ----------
    indptr : (n + 1,) int64
        Votes of row i are entries ``indptr[i]`` to ``indptr[i + 1] - 1``.
    lfs : (nnz,) int32
        LF ids, ascending within a row.
    labels : (nnz,) int16
        The class each vote is for, in ``0..cardinality - 1``.
    cardinality : int
        Number of classes k, ``1 <= k <= 32767``.
    lf_names, class_names : tuple of str or None
        Unique names.
    polarity : tuple or None
        For each LF the classes it is declared to vote for, or None where nothing is declared.
    duplicates : DuplicateReport or None
        What :meth:`from_triplets` merged.

    Examples
    --------
    >>> L = LabelMatrix.from_dense([[0, -1, 0], [-1, 1, 1], [-1, -1, -1]])
    >>> L
    LabelMatrix(3 rows x 3 LFs, cardinality 2, 4 votes, 66.7% of rows covered)
    >>> L.labels
    array([0, 0, 1, 1], dtype=int16)
    """

    __slots__ = (
        "cardinality",
        "class_names",
        "duplicates",
        "indptr",
        "labels",
        "lf_names",
        "lfs",
        "n_lfs",
        "polarity",
    )
    __hash__ = None  # type: ignore[assignment]

    indptr: NDArray[np.int64]
    lfs: NDArray[np.int32]
    labels: NDArray[np.int16]
    n_lfs: int
    cardinality: int
    lf_names: tuple[str, ...] | None
    class_names: tuple[str, ...] | None
    polarity: Polarity | None
    duplicates: construct.DuplicateReport | None

    def __init__(self) -> None:
        msg = "make a LabelMatrix with from_dense, from_csr, from_triplets, load or coverset.apply"
        raise TypeError(msg)

    @classmethod
    def _of(
        cls,
        votes: construct.Votes,
        n_lfs: int,
        cardinality: int,
        lf_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        polarity: Sequence[Iterable[int] | None] | None = None,
        duplicates: construct.DuplicateReport | None = None,
        *,
        checked: bool = False,
    ) -> Self:
        """Wrap arrays that are known to be well formed; ``checked``: polarity holds as well."""
        declared = construct.declared_polarity(polarity, n_lfs, cardinality)
        if declared is not None and not checked:
            construct.check_polarity(votes, declared)
        self = object.__new__(cls)
        for name, value in {
            "indptr": construct.read_only(votes.indptr),
            "lfs": construct.read_only(votes.lfs),
            "labels": construct.read_only(votes.labels),
            "n_lfs": n_lfs,
            "cardinality": cardinality,
            "lf_names": arguments.names("lf_names", lf_names, n_lfs, "LFs"),
            "class_names": arguments.names("class_names", class_names, cardinality, "classes"),
            "polarity": declared,
            "duplicates": duplicates,
        }.items():
            object.__setattr__(self, name, value)
        return self

    def __setattr__(self, name: str, value: object) -> None:
        msg = f"a LabelMatrix does not change: {name} cannot be set"
        raise AttributeError(msg)

    def __delattr__(self, name: str) -> None:
        msg = f"a LabelMatrix does not change: {name} cannot be deleted"
        raise AttributeError(msg)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy by way of :meth:`from_csr`, so that votes are checked again."""
        facts = {name: getattr(self, name) for name in _FACTS}
        return _rebuilt, (type(self), self._votes, facts, self.duplicates)

    @classmethod
    def from_dense(
        cls,
        a: ArrayLike,
        cardinality: int | None = None,
        *,
        lf_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        polarity: Sequence[Iterable[int] | None] | None = None,
        n_threads: int | None = None,
    ) -> Self:
        """Keep the votes of a dense label matrix.

        Parameters
        ----------
        a : (n, m) integers
            -1 = abstain, else a class. Read in place when signed and contiguous within rows;
            other layouts and unsigned integers are copied once.
        cardinality : int, optional
            Number of classes; by default the largest label + 1, at least 2.
        lf_names, class_names, polarity
            Kept with the votes; see the class.
        n_threads : int, optional
            By default the CPUs this process may use.

        Raises
        ------
        ValueError
            If ``a`` is not two-dimensional, an entry is below -1 or not below ``cardinality``, or
            a vote is outside the declared polarity.
        TypeError
            If ``a`` does not hold integers.

        Examples
        --------
        >>> LabelMatrix.from_dense([[2, -1], [-1, 0]]).cardinality
        3
        """
        votes, n_lfs, k = construct.from_dense(a, cardinality, arguments.threads(n_threads))
        return cls._of(votes, n_lfs, k, lf_names, class_names, polarity)

    @classmethod
    def from_csr(
        cls,
        indptr: ArrayLike,
        lfs: ArrayLike,
        labels: ArrayLike,
        *,
        n_lfs: int,
        cardinality: int,
        copy: bool | None = None,
        lf_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        polarity: Sequence[Iterable[int] | None] | None = None,
        n_threads: int | None = None,
    ) -> Self:
        """Check votes in CSR form and keep them.

        Parameters
        ----------
        indptr, lfs, labels : integers of any dtype
            As the attributes of the class. LF ids need not ascend within a row; such votes are
            sorted in a copy.
        n_lfs, cardinality : int
            Number of LFs and of classes.
        copy : bool, optional
            None shares an array whose dtype matches and that is read-only, with all that it is a
            view of, and copies others (a writable view made earlier is not seen). False shares
            writable arrays too (do not change them afterwards) and raises where a copy cannot
            be avoided. True always copies.

        Raises
        ------
        ValueError
            If ``indptr`` does not start at 0, falls, or does not end at the number of votes; if
            an LF id or a label is out of range; if a row holds an LF twice; if ``copy=False``
            and a copy is needed. The message names the position.
        TypeError
            If an array does not hold integers.

        Examples
        --------
        >>> LabelMatrix.from_csr([0, 2, 3], [0, 2, 1], [1, 1, 0], n_lfs=3, cardinality=2).nnz
        3
        """
        m = arguments.whole_number("n_lfs", n_lfs, 0, 2**31 - 1)
        k = arguments.whole_number("cardinality", cardinality, 1, _cpu.MOST_CLASSES)
        votes = construct.from_csr(indptr, lfs, labels, m, k, copy, arguments.threads(n_threads))
        return cls._of(votes, m, k, lf_names, class_names, polarity)

    @classmethod
    def from_triplets(
        cls,
        rows: ArrayLike,
        lfs: ArrayLike,
        labels: ArrayLike,
        *,
        shape: tuple[int, int] | None = None,
        cardinality: int | None = None,
        duplicates: str = "error",
        lf_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        polarity: Sequence[Iterable[int] | None] | None = None,
        n_threads: int | None = None,
    ) -> Self:
        """Sort loose (row, LF, label) answers, such as crowd answers, into a matrix.

        Parameters
        ----------
        rows, lfs, labels : (nnz,) integers
            One answer each, in any order.
        shape : (n, m), optional
            By default the largest row and LF, each + 1.
        cardinality : int, optional
            By default the largest label + 1, at least 2.
        duplicates : {"error", "majority", "last"}
            What several answers of one LF on one row become: an error; the label given most
            often, or an abstain on a tie; the last answer. The counts are in ``duplicates``.

        Raises
        ------
        ValueError
            If lengths differ, a value is out of range, or answers repeat under ``"error"``.
        TypeError
            If an array does not hold integers.

        Examples
        --------
        >>> L = LabelMatrix.from_triplets([1, 0, 1, 1], [0, 1, 0, 0], [1, 0, 1, 0],
        ...                               duplicates="majority")
        >>> L.to_dense().tolist(), L.duplicates
        ([[-1, 0], [1, -1]], DuplicateReport(repeated=2, conflicting=1, abstained=0))
        """
        arguments.one_of("duplicates", duplicates, ("error", "majority", "last"))
        votes, n_lfs, k, counts = construct.from_triplets(
            rows, lfs, labels, shape, cardinality, duplicates, arguments.threads(n_threads)
        )
        report = construct.DuplicateReport(*counts)
        return cls._of(votes, n_lfs, k, lf_names, class_names, polarity, report)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and LFs, (n, m)."""
        return len(self.indptr) - 1, self.n_lfs

    @property
    def nnz(self) -> int:
        """Number of votes."""
        return len(self.lfs)

    @property
    def covered(self) -> NDArray[np.bool_]:
        """(n,) bool: rows with at least one vote."""
        return self.indptr[1:] > self.indptr[:-1]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.indptr) - 1

    def __repr__(self) -> str:
        n, m = self.shape
        covered = f"{np.count_nonzero(self.covered) / n:.1%}" if n else "0%"
        return (
            f"LabelMatrix({n:,} rows x {m:,} LFs, cardinality {self.cardinality}, "
            f"{self.nnz:,} votes, {covered} of rows covered)"
        )

    def __eq__(self, other: object) -> bool:
        """Return whether votes, shape, cardinality, names and polarity are all equal."""
        if not isinstance(other, LabelMatrix):
            return NotImplemented
        return (
            self.shape == other.shape
            and self.cardinality == other.cardinality
            and self.lf_names == other.lf_names
            and self.class_names == other.class_names
            and self.polarity == other.polarity
            and np.array_equal(self.indptr, other.indptr)
            and np.array_equal(self.lfs, other.lfs)
            and np.array_equal(self.labels, other.labels)
        )

    def _with(self, votes: construct.Votes) -> LabelMatrix:
        """Return other rows of the same LFs."""
        return LabelMatrix._of(
            votes,
            self.n_lfs,
            self.cardinality,
            self.lf_names,
            self.class_names,
            self.polarity,
            checked=True,
        )

    @property
    def _votes(self) -> construct.Votes:
        return construct.Votes(self.indptr, self.lfs, self.labels)

    def __getitem__(self, rows: int | slice | ArrayLike) -> LabelMatrix:
        """Return some rows as a label matrix: a slice, row numbers, a mask, or one row.

        Row numbers may repeat, and count from the end when negative. A slice of step 1 shares
        the votes; everything else copies them.

        Raises
        ------
        IndexError
            If a row number is out of range or a mask has another length.
        TypeError
            If ``rows`` is neither integers, booleans nor a slice.
        """
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step == 1:
                return self._with(construct.row_range(self._votes, start, max(start, stop)))
            return self._with(construct.take_rows(self._votes, np.arange(start, stop, step)))
        return self._with(construct.take_rows(self._votes, construct.row_ids(rows, len(self))))

    def select_lfs(self, lfs: Sequence[int] | Sequence[str]) -> LabelMatrix:
        """Return the matrix of some LFs, given by id or name, in that order.

        Raises
        ------
        ValueError
            If an LF is unknown or given twice.

        Examples
        --------
        >>> L = LabelMatrix.from_dense([[0, 1, 1]], lf_names=["a", "b", "c"])
        >>> L.select_lfs(["c", "a"]).to_dense()
        array([[1, 0]], dtype=int16)
        """
        ids = construct.lf_ids(lfs, self.n_lfs, self.lf_names)
        return LabelMatrix._of(
            construct.take_lfs(self._votes, ids, self.n_lfs),
            len(ids),
            self.cardinality,
            None if self.lf_names is None else [self.lf_names[lf] for lf in ids],
            self.class_names,
            None if self.polarity is None else [self.polarity[lf] for lf in ids],
            checked=True,
        )

    @classmethod
    def concat(cls, matrices: Sequence[LabelMatrix]) -> LabelMatrix:
        """Put the rows of several matrices under one another.

        Raises
        ------
        ValueError
            If there is none, or if LFs, cardinality, names or polarity differ.
        """
        matrices = list(matrices)
        first = construct.first_of(matrices, "concat")
        for i, other in enumerate(matrices):
            for fact in _FACTS:
                construct.require_same(fact, getattr(first, fact), getattr(other, fact), i)
        joined: LabelMatrix = first._with(construct.stack_rows([m._votes for m in matrices]))
        return joined

    @classmethod
    def hstack(cls, matrices: Sequence[LabelMatrix]) -> LabelMatrix:
        """Put the LFs of several matrices on the same rows side by side.

        Names are kept where every matrix has them.

        Raises
        ------
        ValueError
            If there is none, if rows, cardinality or class names differ, or two LFs share a name.
        """
        matrices = list(matrices)
        first = construct.first_of(matrices, "hstack")
        n_lfs = sum(other.n_lfs for other in matrices)
        arguments.whole_number("the number of LFs together", n_lfs, 0, 2**31 - 1)
        for i, other in enumerate(matrices):
            construct.require_same("number of rows", len(first), len(other), i)
            for fact in ("cardinality", "class_names"):
                construct.require_same(fact, getattr(first, fact), getattr(other, fact), i)
        names = None
        if all(other.lf_names is not None for other in matrices):
            names = [name for other in matrices for name in other.lf_names or ()]
        polarity: list[tuple[int, ...] | None] | None = None
        if any(other.polarity is not None for other in matrices):
            polarity = [p for other in matrices for p in other.polarity or (None,) * other.n_lfs]
        return cls._of(
            construct.stack_lfs([(other._votes, other.n_lfs) for other in matrices]),
            n_lfs,
            first.cardinality,
            names,
            first.class_names,
            polarity,
            checked=True,
        )

    def to_dense(self, *, n_threads: int | None = None) -> NDArray[np.int16]:
        """Return the dense form: (n, m) int16, -1 = abstain."""
        dense = np.empty(self.shape, dtype=np.int16)
        _cpu.to_dense(
            self.indptr, self.lfs, self.labels, self.n_lfs, dense, arguments.threads(n_threads)
        )
        return dense

    def to_scipy(self) -> scipy.sparse.csr_matrix:
        """Return a SciPy CSR matrix of label + 1, so that an absent entry (0) is an abstain.

        Needs SciPy. Shares ``lfs`` with this matrix; SciPy narrows ``indptr`` in a copy.
        """
        from scipy.sparse import csr_matrix

        return csr_matrix((self.labels + np.int16(1), self.lfs, self.indptr), shape=self.shape)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the matrix to a folder: ``header.json`` and one raw file for each array.

        The folder appears, or changes from its old to its new contents, in one step.

        Raises
        ------
        FileExistsError
            If ``path`` exists and is not a saved label matrix.
        """
        facts = {name: getattr(self, name) for name in _FACTS}
        storage.save(path, facts, self._votes._asdict())

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, mmap: bool = True, verify: bool = False
    ) -> LabelMatrix:
        """Read a matrix written by :meth:`save`.

        Header checksum and every length are compared with the files' sizes before anything is
        allocated, and the votes are checked as in :meth:`from_csr`, so a truncated or hostile
        folder is an error and never a crash. Files that are cut short after mapping are not.

        Parameters
        ----------
        mmap : bool
            Map the arrays instead of reading them.
        verify : bool
            Compare the checksum of every block of data as well.

        Raises
        ------
        ValueError
            If the folder is damaged, of another kind, or of a newer version.
        FileNotFoundError
            If there is none.
        """
        return storage.load(path, cls.from_csr, mmap=mmap, verify=verify)


def matrix_argument(L: Any) -> LabelMatrix:
    """Return ``L`` if it is a label matrix."""
    if not isinstance(L, LabelMatrix):
        msg = f"L must be a LabelMatrix (see LabelMatrix.from_dense), got {type(L).__name__}"
        raise TypeError(msg)
    return L


def _rebuilt(
    kind: type[LabelMatrix],
    votes: construct.Votes,
    facts: dict[str, Any],
    duplicates: construct.DuplicateReport | None,
) -> LabelMatrix:
    """Return a copied or unpickled matrix, its votes checked as if they came from outside."""
    checked = construct.from_csr(*votes, facts["n_lfs"], facts["cardinality"], None, 0)
    return kind._of(checked, **facts, duplicates=duplicates)
