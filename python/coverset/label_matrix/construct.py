"""Making label matrices from arrays and from each other: checks, allocation, kernel calls."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

import coverset._arguments as arguments
import coverset._cpu as _cpu

_MOST_LFS = 2**31 - 1
_MOST_ROWS = 2**59  # so that 8 bytes a row can be counted


class Votes(NamedTuple):
    """The three arrays of a label matrix."""

    indptr: NDArray[np.int64]
    lfs: NDArray[np.int32]
    labels: NDArray[np.int16]

    def frozen(self) -> Votes:
        """Forbid writing to arrays that this library allocated."""
        for array in self:
            array.flags.writeable = False
        return self


class DuplicateReport(NamedTuple):
    """Repeated answers that :meth:`LabelMatrix.from_triplets` merged."""

    repeated: int  # answers on top of a first one for the same (row, LF)
    conflicting: int  # (row, LF) pairs whose answers differed
    abstained: int  # pairs without a vote because their majority was a tie


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only view, so that nobody changes votes after they were checked."""
    view = array.view()
    view.flags.writeable = False
    return view


def _room(indptr: NDArray[np.int64]) -> Votes:
    """Allocate the votes that ``indptr`` counts."""
    nnz = int(indptr[-1])
    return Votes(indptr, np.empty(nnz, dtype=np.int32), np.empty(nnz, dtype=np.int16))


def _inferred(cardinality: int | None, largest: int) -> int:
    if cardinality is not None:
        return cardinality
    return max(2, largest + 1)


def from_dense(a: ArrayLike, cardinality: int | None, threads: int) -> tuple[Votes, int, int]:
    """Return the votes of a dense matrix, its number of LFs, and the cardinality."""
    cells = arguments.integer_array("L", a, ndim=2)
    if cells.dtype.kind == "u":
        # an unsigned 255 is a label, never an abstain: one step wider and signed, or range-checked
        if cells.dtype.itemsize == 8:
            _refuse_beyond_int64(cells, cardinality)
        cells = cells.astype(f"i{min(2 * cells.dtype.itemsize, 8)}")
    arguments.whole_number("L.shape[1]", cells.shape[1], 0, _MOST_LFS)
    if cells.shape[1] > 1 and cells.strides[1] != cells.itemsize:
        cells = np.ascontiguousarray(cells)
    if cardinality is not None:
        cardinality = arguments.whole_number("cardinality", cardinality, 1, _cpu.MOST_CLASSES)
    indptr = np.empty(len(cells) + 1, dtype=np.int64)
    limit = _cpu.MOST_CLASSES if cardinality is None else cardinality
    largest = _cpu.count_dense(cells, limit, indptr, threads)
    votes = _room(indptr)
    _cpu.fill_dense(cells, *votes, threads)
    return votes.frozen(), cells.shape[1], _inferred(cardinality, largest)


def _refuse_beyond_int64(cells: NDArray[np.uint64], cardinality: int | None) -> None:
    beyond = cells > np.uint64(2**63 - 1)
    if beyond.any():
        row, lf = (int(i) for i in np.argwhere(beyond)[0])
        rule = f"-1 (abstain) or in 0..{(cardinality or _cpu.MOST_CLASSES) - 1}"
        msg = f"L[{row}, {lf}] must be {rule}, got {cells[row, lf]}"
        raise ValueError(msg)


def _shareable(array: NDArray[Any], dtype: type, copy: bool | None) -> bool:
    """Return whether ``array`` may be kept as it is."""
    if array.dtype != dtype or not array.flags.c_contiguous or not array.flags.aligned:
        return False
    if copy is not None:
        return not copy
    owner: Any = array
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return False
        owner = owner.base
    if owner is None:
        return True
    try:
        return memoryview(owner).readonly
    except TypeError:  # who knows what it lends
        return False


def _stored(
    name: str, values: ArrayLike, dtype: type, high: int, copy: bool | None, threads: int
) -> NDArray[Any]:
    """Return ``values`` in the storage type, shared where allowed, range-checked where narrowed."""
    array = arguments.integer_array(name, values)
    given = values if isinstance(values, np.ndarray) else None
    as_given = given is not None and given.dtype == array.dtype and given.flags.aligned
    if as_given and _shareable(array, dtype, copy):
        return array
    if copy is False:
        got = getattr(values, "dtype", type(values).__name__)
        msg = f"copy=False: {name} must be a contiguous {np.dtype(dtype)} array, got {got}"
        raise ValueError(msg)
    stored: NDArray[Any] = np.empty(len(array), dtype=dtype)
    _cpu.narrow(name, np.ascontiguousarray(array), 0, high, stored, threads)
    stored.flags.writeable = False
    return stored


def from_csr(
    indptr: ArrayLike,
    lfs: ArrayLike,
    labels: ArrayLike,
    n_lfs: int,
    cardinality: int,
    copy: bool | None,
    threads: int,
) -> Votes:
    """Return checked votes, sorted within rows."""
    votes = Votes(
        _stored("indptr", indptr, np.int64, 2**63 - 1, copy, threads),
        _stored("lfs", lfs, np.int32, n_lfs - 1, copy, threads),
        _stored("labels", labels, np.int16, cardinality - 1, copy, threads),
    )
    if _cpu.check_votes(*votes, n_lfs, cardinality, threads):
        return votes
    if copy is False:
        msg = "copy=False: LF ids must ascend within each row"
        raise ValueError(msg)
    votes = Votes(votes.indptr, votes.lfs.copy(), votes.labels.copy())
    _cpu.sort_rows(*votes, threads)
    return votes.frozen()


def _in_range(
    name: str, values: NDArray[Any], dtype: type, limit: int, threads: int
) -> NDArray[Any]:
    """Return a copy of values in ``0..limit - 1`` in the storage type, safe from later writes."""
    stored: NDArray[Any] = np.empty(len(values), dtype=dtype)
    _cpu.narrow(name, values, 0, limit - 1, stored, threads)
    return stored


def from_triplets(
    rows: ArrayLike,
    lfs: ArrayLike,
    labels: ArrayLike,
    shape: tuple[int, int] | None,
    cardinality: int | None,
    duplicates: str,
    threads: int,
) -> tuple[Votes, int, int, tuple[int, int, int]]:
    """Return sorted votes, number of LFs, cardinality and counts of merged answers."""
    given = {
        name: np.ascontiguousarray(arguments.integer_array(name, values))
        for name, values in (("rows", rows), ("lfs", lfs), ("labels", labels))
    }
    lengths = {name: len(values) for name, values in given.items()}
    if len(set(lengths.values())) > 1:
        msg = f"rows, lfs and labels must be of one length, got {tuple(lengths.values())}"
        raise ValueError(msg)
    largest = {name: int(v.max()) if len(v) else -1 for name, v in given.items()}
    if shape is None:
        shape = (largest["rows"] + 1, largest["lfs"] + 1)
    n, m = shape
    n = arguments.whole_number("shape[0]", n, 0)
    if n > _MOST_ROWS:
        msg = f"shape[0] must be in 0..{_MOST_ROWS}, got {n}"
        raise ValueError(msg)
    m = arguments.whole_number("shape[1]", m, 0, _MOST_LFS)
    if cardinality is not None:
        cardinality = arguments.whole_number("cardinality", cardinality, 1, _cpu.MOST_CLASSES)
    k = _inferred(cardinality, min(largest["labels"], _cpu.MOST_CLASSES - 1))
    nnz = lengths["rows"]
    stored = Votes(
        _in_range("rows", given["rows"], np.int64, n, threads),
        _in_range("lfs", given["lfs"], np.int32, m, threads),
        _in_range("labels", given["labels"], np.int16, k, threads),
    )
    indptr = np.empty(n + 1, dtype=np.int64)
    out_lfs, out_labels = np.empty_like(stored.lfs), np.empty_like(stored.labels)
    kept, *counts = _cpu.from_triplets(*stored, duplicates, indptr, out_lfs, out_labels, threads)
    if kept < nnz:
        out_lfs, out_labels = out_lfs[:kept].copy(), out_labels[:kept].copy()
    return Votes(indptr, out_lfs, out_labels).frozen(), m, k, (counts[0], counts[1], counts[2])


def row_range(votes: Votes, start: int, stop: int) -> Votes:
    """Return rows ``start..stop - 1``; the votes are shared, not copied."""
    indptr = votes.indptr[start : stop + 1]
    first, last = int(indptr[0]), int(indptr[-1])
    return Votes(indptr - indptr[0], votes.lfs[first:last], votes.labels[first:last])


def row_ids(rows: Any, n: int) -> NDArray[np.int64]:
    """Return row numbers in ``0..n - 1`` from one number, numbers or a mask."""
    if isinstance(rows, tuple):
        msg = f"rows must be integers, a boolean mask or a slice, got the tuple {rows!r}"
        raise TypeError(msg)
    array = np.asarray(rows)
    if array.size == 0 and array.dtype.kind == "f":
        array = array.astype(np.int64)
    if array.dtype.kind == "b":
        if array.shape != (n,):
            msg = f"a mask must have one entry a row, ({n},), got shape {array.shape}"
            raise IndexError(msg)
        return np.flatnonzero(array).astype(np.int64)
    if array.dtype.kind not in "iu":
        msg = f"rows must be integers, a boolean mask or a slice, got dtype {array.dtype}"
        raise TypeError(msg)
    if array.ndim > 1:
        msg = f"rows must have one dimension, got shape {array.shape}"
        raise IndexError(msg)
    ids = np.atleast_1d(array)
    outside = (ids < -n) | (ids >= n) if ids.dtype.kind == "i" else ids >= n
    if outside.any():
        at = int(outside.argmax())
        msg = f"rows[{at}] must be in {-n}..{n - 1}, got {ids[at]}"
        raise IndexError(msg)
    ids = ids.astype(np.int64)
    return np.where(ids < 0, ids + n, ids)


def take_rows(votes: Votes, rows: NDArray[np.int64]) -> Votes:
    """Return the rows numbered ``rows``, in that order."""
    rows = np.ascontiguousarray(rows, dtype=np.int64)
    indptr = np.empty(len(rows) + 1, dtype=np.int64)
    _cpu.size_rows(votes.indptr, rows, indptr, 0)
    taken = _room(indptr)
    _cpu.fill_rows(*votes, rows, *taken, 0)
    return taken.frozen()


def lf_ids(
    lfs: Sequence[int] | Sequence[str], n_lfs: int, names: Sequence[str] | None
) -> list[int]:
    """Return distinct LF ids from ids or names."""
    ids = []
    if len(lfs) and isinstance(lfs[0], bool | np.bool_):
        msg = "lfs must be ids or names, got a mask; use np.flatnonzero(mask)"
        raise TypeError(msg)
    for lf in [lfs] if isinstance(lfs, str) else lfs:
        if isinstance(lf, str):
            if names is None or lf not in names:
                msg = f"lfs must name LFs of this matrix, got {lf!r}"
                raise ValueError(msg)
            ids.append(list(names).index(lf))
        else:
            number = operator.index(lf)
            arguments.whole_number("lfs", number, -n_lfs, n_lfs - 1)
            ids.append(number % n_lfs)
    if len(set(ids)) < len(ids):
        twice = next(lf for lf in ids if ids.count(lf) > 1)
        msg = f"lfs must be distinct, got LF {twice} twice"
        raise ValueError(msg)
    return ids


def take_lfs(votes: Votes, ids: list[int], n_lfs: int) -> Votes:
    """Return the votes of some LFs, renumbered by their place in ``ids``."""
    new_id = np.full(n_lfs, -1, dtype=np.int32)
    new_id[ids] = np.arange(len(ids))
    indptr = np.empty_like(votes.indptr)
    _cpu.size_lfs(votes.indptr, votes.lfs, new_id, indptr, 0)
    taken = _room(indptr)
    _cpu.fill_lfs(*votes, new_id, *taken, 0)
    return taken.frozen()


def votes_for(votes: Votes, label: int) -> Votes:
    """Return the votes for one label, as label 1."""
    indptr = np.empty_like(votes.indptr)
    _cpu.size_label(*votes, label, indptr, 0)
    found = _room(indptr)
    _cpu.fill_label(*votes, label, indptr, found.lfs, 0)
    found.labels[:] = 1
    return found.frozen()


def first_of(matrices: Sequence[Any], caller: str) -> Any:
    """Return the first matrix, or raise if there is none."""
    if not matrices:
        msg = f"{caller} needs at least one label matrix, got none"
        raise ValueError(msg)
    for i, matrix in enumerate(matrices):
        if type(matrix) is not type(matrices[0]) or not hasattr(matrix, "indptr"):
            msg = f"{caller} takes label matrices, got {type(matrix).__name__} at {i}"
            raise TypeError(msg)
    return matrices[0]


def require_same(fact: str, want: Any, got: Any, position: int) -> None:
    """Raise unless matrix ``position`` agrees with matrix 0."""
    if want != got:
        msg = f"{fact} must be the same: matrix 0 has {want!r}, matrix {position} has {got!r}"
        raise ValueError(msg)


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the parts one after another, copied in pieces so that Ctrl-C is heard between."""
    piece = 1 << 22
    joined = np.empty(sum(map(len, parts)), dtype=parts[0].dtype)
    at = 0
    for part in parts:
        for start in range(0, len(part), piece):
            copied = part[start : start + piece]
            joined[at : at + len(copied)] = copied
            at += len(copied)
    return joined


def stack_rows(parts: Sequence[Votes]) -> Votes:
    """Return the rows of all parts, one after another; a single part as it is."""
    if len(parts) == 1:
        return parts[0].frozen()
    indptr = np.empty(1 + sum(len(part.indptr) - 1 for part in parts), dtype=np.int64)
    indptr[0] = row = votes = 0
    for part in parts:
        n = len(part.indptr) - 1
        np.add(part.indptr[1:], votes, out=indptr[row + 1 : row + 1 + n])
        row, votes = row + n, votes + len(part.lfs)
    return Votes(
        indptr,
        _joined([part.lfs for part in parts]),
        _joined([part.labels for part in parts]),
    ).frozen()


def stack_lfs(parts: Sequence[tuple[Votes, int]]) -> Votes:
    """Return the LFs of all parts side by side."""
    indptr: NDArray[np.int64] = np.stack([votes.indptr for votes, _ in parts]).sum(axis=0)
    stacked = _room(indptr)
    filled = np.zeros(len(indptr) - 1, dtype=np.int64)
    first_lf = 0
    for votes, n_lfs in parts:
        _cpu.append_lfs(*votes, first_lf, stacked.indptr, filled, stacked.lfs, stacked.labels, 0)
        first_lf += n_lfs
    return stacked.frozen()


def declared_polarity(
    polarity: Sequence[Iterable[int] | None] | None, n_lfs: int, cardinality: int
) -> tuple[tuple[int, ...] | None, ...] | None:
    """Return the classes declared for each LF, sorted, or None."""
    if polarity is None:
        return None
    if len(polarity) != n_lfs:
        msg = f"polarity must have one entry for each of {n_lfs} LFs, got {len(polarity)}"
        raise ValueError(msg)
    declared: list[tuple[int, ...] | None] = []
    for lf, classes in enumerate(polarity):
        if classes is None:
            declared.append(None)
            continue
        labels = sorted({operator.index(label) for label in classes})
        for label in labels:
            arguments.whole_number(f"polarity[{lf}]", label, 0, cardinality - 1)
        declared.append(tuple(labels))
    return tuple(declared)


def check_polarity(votes: Votes, polarity: Sequence[tuple[int, ...] | None]) -> None:
    """Raise at the first vote that its LF's declared polarity rules out."""
    cardinality = 1 + max((max(p) for p in polarity if p), default=0)
    allowed = np.zeros(
        (len(polarity), max(cardinality, 1 + int(votes.labels.max(initial=0)))), bool
    )
    for lf, classes in enumerate(polarity):
        allowed[lf, slice(None) if classes is None else list(classes)] = True
    inside = allowed[votes.lfs, votes.labels]
    if not inside.all():
        at = int(np.argmin(inside))
        lf = int(votes.lfs[at])
        row = int(np.searchsorted(votes.indptr, at, side="right")) - 1
        rule = f"LF {lf} must vote within its declared polarity {polarity[lf]}"
        msg = f"row {row}: {rule}, got {votes.labels[at]}"
        raise ValueError(msg)
