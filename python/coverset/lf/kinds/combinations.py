"""Boolean combinations of labeling functions: what fires, and where that is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import and_, or_

import numpy as np
from numpy.typing import NDArray

from coverset.lf.base import LabelingFunction, label_argument

Mask = NDArray[np.bool_]


class Truth:
    """By row: whether a function fires, and whether it does not, for certain."""

    def __init__(self, fires: Mask, fails: Mask) -> None:
        self.fires = fires
        self.fails = fails


class Combination(LabelingFunction):
    """Votes by what its parts do; made by :func:`all_of`, :func:`any_of` and :func:`not_`."""

    def __init__(
        self, kind: str, parts: Sequence[LabelingFunction], label: int, name: str | None
    ) -> None:
        super().__init__(name, f"{kind}_{'_'.join(part.name for part in parts)}"[:80], (label,))
        self.kind = kind
        self.parts = tuple(parts)
        self.label = label
        self.columns = tuple(dict.fromkeys(c for part in parts for c in part.columns))

    def combine(self, truths: Sequence[Truth]) -> Truth:
        """Return the combination's truth by that of its parts (Kleene's three values)."""
        fires = [truth.fires for truth in truths]
        fails = [truth.fails for truth in truths]
        if self.kind == "not":
            return Truth(fails[0], fires[0])
        if self.kind == "all_of":
            return Truth(reduce(and_, fires), reduce(or_, fails))
        return Truth(reduce(or_, fires), reduce(and_, fails))


def _combination(
    kind: str, lfs: Sequence[LabelingFunction], label: int, name: str | None
) -> LabelingFunction:
    if isinstance(lfs, LabelingFunction) or not isinstance(lfs, Sequence | Mapping):
        msg = f"lfs must be a list of labeling functions, got {lfs!r}"
        raise TypeError(msg)
    if not lfs:
        msg = "lfs must hold at least one labeling function, got none"
        raise ValueError(msg)
    for i, lf in enumerate(lfs):
        if not isinstance(lf, LabelingFunction):
            msg = f"lfs[{i}] must be a labeling function, got {lf!r}"
            raise TypeError(msg)
    return Combination(kind, lfs, label_argument("label", label), name)


def all_of(
    lfs: Sequence[LabelingFunction], label: int, *, name: str | None = None
) -> LabelingFunction:
    """Vote for ``label`` where every one of ``lfs`` votes, for whatever class.

    Parameters
    ----------
    lfs : sequence of LabelingFunction
        Of any kind; declarative ones run in the passes of their columns. They do not vote.
    label : int
        The class to vote for.
    name : str, optional
        By default made from the parts' names.

    Raises
    ------
    ValueError
        If ``lfs`` is empty.
    TypeError
        If an element is no labeling function.

    Examples
    --------
    >>> import coverset as cs
    >>> parts = [cs.lf.keywords("text", ["free"], 1), cs.lf.compare("n_words", "<", 4, 1)]
    >>> table = {"text": ["free money", "free as in speech", "hi"], "n_words": [2, 4, 1]}
    >>> cs.apply([cs.lf.all_of(parts, 1)], table).to_dense().ravel().tolist()
    [1, -1, -1]
    """
    return _combination("all_of", lfs, label, name)


def any_of(
    lfs: Sequence[LabelingFunction], label: int, *, name: str | None = None
) -> LabelingFunction:
    """Vote for ``label`` where at least one of ``lfs`` votes, for whatever class.

    Parameters
    ----------
    lfs : sequence of LabelingFunction
        Of any kind; they do not vote themselves.
    label : int
        The class to vote for.
    name : str, optional
        By default made from the parts' names.

    Raises
    ------
    ValueError
        If ``lfs`` is empty.
    TypeError
        If an element is no labeling function.

    Examples
    --------
    >>> import coverset as cs
    >>> parts = [cs.lf.keywords("text", ["free"], 1), cs.lf.compare("n_words", "<", 2, 1)]
    >>> table = {"text": ["free money", "good morning", "hi"], "n_words": [2, 2, 1]}
    >>> cs.apply([cs.lf.any_of(parts, 1)], table).to_dense().ravel().tolist()
    [1, -1, 1]
    """
    return _combination("any_of", lfs, label, name)


def not_(lf: LabelingFunction, label: int, *, name: str | None = None) -> LabelingFunction:
    """Vote for ``label`` where ``lf`` does not vote, and its columns are not null.

    What a declarative function says of a null is unknown, and stays so under ``not_``: neither
    ``lf`` nor ``not_(lf)`` votes there. A null test is always known; so is a Python function.

    Parameters
    ----------
    lf : LabelingFunction
        Of any kind; it does not vote itself.
    label : int
        The class to vote for.
    name : str, optional
        By default made from the function's name.

    Raises
    ------
    TypeError
        If ``lf`` is no labeling function.

    Examples
    --------
    >>> import coverset as cs
    >>> polite = cs.lf.not_(cs.lf.keywords("text", ["damn"], 0), 1)
    >>> cs.apply([polite], {"text": ["damn you", "thank you", None]}).to_dense().ravel().tolist()
    [-1, 1, -1]
    """
    if not isinstance(lf, LabelingFunction):
        msg = f"lf must be a labeling function, got {lf!r}"
        raise TypeError(msg)
    return _combination("not", [lf], label, name)
