"""Labeling functions over the values of a column: comparisons, ranges, sets, scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

import coverset._arguments as arguments
from coverset.lf.base import LabelingFunction, column_argument, label_argument, vote_argument
from coverset.lf.engines import ranges
from coverset.lf.engines.ranges import Range
from coverset.lf.engines.values import NumberPass, StringPass, Valued

_OPERATORS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
_CLOSED = {"both": (">=", "<="), "left": (">=", "<"), "right": (">", "<="), "neither": (">", "<")}


class _Numeric(Valued):
    """Votes by ranges; ``terms`` are (label, conditions that must all hold)."""

    pass_type = NumberPass

    def __init__(
        self,
        column: str,
        terms: Sequence[tuple[int, Sequence[tuple[str, Any]]]],
        name: str | None,
        default: str,
    ) -> None:
        super().__init__(column, tuple(dict.fromkeys(label for label, _ in terms)), name, default)
        self._terms = terms

    def ranges(self, dtype: np.dtype[Any], unit: str | None) -> list[tuple[Range, int]]:
        """Return ranges of numbers and the label given there."""
        found: dict[Range, int] = {}  # values that the column's type takes for one: the first
        for label, conditions in self._terms:
            (op, value), *rest = conditions
            held = ranges.where(op, value, dtype, unit)
            for op, value in rest:
                held = ranges.both(held, ranges.where(op, value, dtype, unit))
            for one in held:
                found.setdefault(one, label)
        return list(found.items())


class _Stringy(Valued):
    """Votes by whole strings."""

    pass_type = StringPass

    def __init__(
        self,
        column: str,
        labels: Mapping[str, int],
        others: int | None,
        name: str | None,
        default: str,
    ) -> None:
        outcomes = tuple(dict.fromkeys([*labels.values(), *([] if others is None else [others])]))
        super().__init__(column, tuple(o for o in outcomes if o is not None), name, default)
        self._labels, self._others = labels, others

    def answers(self) -> tuple[Mapping[str, int], int | None]:
        """Return the label of each string, and that of every other."""
        return self._labels, self._others


def compare(
    column: str, op: str, value: Any, label: int, *, name: str | None = None
) -> LabelingFunction:
    """Vote for ``label`` where ``column op value`` holds; nulls and NaN abstain.

    All functions of this kind over one column run in one pass over it.

    Parameters
    ----------
    column : str
        A column of numbers, booleans or dates, or of text for ``"=="`` and ``"!="`` with a string.
    op : {"<", "<=", ">", ">=", "==", "!="}
    value : number, bool, date, datetime, numpy.datetime64 or str
        Integers, booleans and dates are compared exactly; floats in the column's own precision, as
        NumPy does. Times with a zone are taken to UTC; columns without one are taken as UTC.
    label : int
        The class to vote for.
    name : str, optional
        By default made from the arguments.

    Raises
    ------
    ValueError
        If ``op`` is unknown, ``value`` is NaN, or a string is to be ordered.
    TypeError
        If ``value`` is no number, bool, date or string.

    Examples
    --------
    >>> import coverset as cs
    >>> short = cs.lf.compare("n_words", "<", 5, label=0)
    >>> cs.apply([short], {"n_words": [2, 9, None]}).to_dense().ravel().tolist()
    [0, -1, -1]
    """
    arguments.one_of("op", op, tuple(_OPERATORS))
    name_of = f"compare_{column}_{_OPERATORS[op]}_{value}"
    where, vote = column_argument(column), label_argument("label", label)
    if not isinstance(value, str):
        return _Numeric(where, [(vote, [(op, ranges.checked("value", value))])], name, name_of)
    if op not in ("==", "!="):
        msg = f"op must be '==' or '!=' for the string {value!r}, got {op!r}"
        raise ValueError(msg)
    equal, others = ({value: vote}, None) if op == "==" else ({value: -1}, vote)
    return _Stringy(where, equal, others, name, name_of)


def between(
    column: str,
    low: Any,
    high: Any,
    label: int,
    *,
    closed: str = "both",
    name: str | None = None,
) -> LabelingFunction:
    """Vote for ``label`` where a number or date lies between two; nulls and NaN abstain.

    Parameters
    ----------
    column : str
        A column of numbers, booleans or dates.
    low, high : number, bool or date
        ``low`` is at most ``high``.
    label : int
        The class to vote for.
    closed : {"both", "left", "right", "neither"}
        Which ends belong to the range.
    name : str, optional
        By default made from the arguments.

    Raises
    ------
    ValueError
        If ``low`` is above ``high`` or NaN, or ``closed`` is unknown.
    TypeError
        If an end is no number, bool or date.

    Examples
    --------
    >>> import coverset as cs
    >>> teens = cs.lf.between("age", 13, 20, label=1, closed="left")
    >>> cs.apply([teens], {"age": [12, 13, 19, 20]}).to_dense().ravel().tolist()
    [-1, 1, 1, -1]
    """
    arguments.one_of("closed", closed, tuple(_CLOSED))
    low, high = ranges.checked("low", low), ranges.checked("high", high)
    try:
        falls = bool(low > high)
    except TypeError:
        msg = f"low and high must be alike, got low={low!r}, high={high!r}"
        raise TypeError(msg) from None
    if falls:
        msg = f"low must be at most high, got low={low!r}, high={high!r}"
        raise ValueError(msg)
    above, below = _CLOSED[closed]
    terms = [(label_argument("label", label), [(above, low), (below, high)])]
    return _Numeric(column_argument(column), terms, name, f"between_{column}_{low}_{high}")


def isin(column: str, values: Iterable[Any], label: int, *, name: str | None = None) -> Any:
    """Vote for ``label`` where the value is one of ``values``; nulls and NaN abstain.

    Parameters
    ----------
    column : str
        A column of text, numbers, booleans or dates.
    values : iterable
        All strings, or all numbers, booleans or dates: a list, or an Arrow or pandas column (nulls
        are left out).
    label : int
        The class to vote for.
    name : str, optional
        By default made from the column and the first value.

    Raises
    ------
    ValueError
        If there is no value.
    TypeError
        If ``values`` is a string or mixes strings with others.

    Examples
    --------
    >>> import coverset as cs
    >>> nordic = cs.lf.isin("country", ["NO", "SE", "FI"], label=1)
    >>> cs.apply([nordic], {"country": ["SE", "DE", None]}).to_dense().ravel().tolist()
    [1, -1, -1]
    """
    if isinstance(values, str):
        msg = f"values must be a list, got the string {values!r}"
        raise TypeError(msg)
    given = values.to_pylist() if hasattr(values, "to_pylist") else list(values)
    if hasattr(values, "dropna"):
        given = list(values.dropna())
    given = [value for value in given if value is not None]
    if not given:
        msg = "values must hold at least one value, got none"
        raise ValueError(msg)
    where, vote = column_argument(column), label_argument("label", label)
    labels = dict.fromkeys(_alike("values", given), vote)
    default = f"isin_{column}_{given[0]}"
    return _looked_up(where, labels, name, default)


def _alike(name: str, values: Iterable[Any]) -> list[Any]:
    """Return values that are all strings, or all numbers or dates."""
    values = [_plain(value) for value in values]
    strings = [isinstance(value, str) for value in values]
    if any(strings) and not all(strings):
        odd = values[strings.index(not strings[0])]
        msg = f"{name} must all be strings or all be numbers, got {values[0]!r} and {odd!r}"
        raise TypeError(msg)
    return values if any(strings) else [ranges.checked(f"each of {name}", v) for v in values]


def _plain(value: Any) -> Any:
    is_number = isinstance(value, np.generic) and not isinstance(value, np.datetime64)
    return value.item() if is_number else value


def _looked_up(
    column: str, labels: Mapping[Any, int], name: str | None, default: str
) -> _Numeric | _Stringy:
    if isinstance(next(iter(labels)), str):
        return _Stringy(column, labels, None, name, default)
    terms = [(label, [("==", value)]) for value, label in labels.items()]
    return _Numeric(column, terms, name, default)


def precomputed(
    column: str, mapping: Mapping[Any, int], *, name: str | None = None
) -> LabelingFunction:
    """Take votes that are there already: answers of a language model, an API, another labeler.

    Parameters
    ----------
    column : str
        A column of answers, text or numbers; nulls abstain.
    mapping : mapping of answer to label
        Answers are compared whole and exactly; label -1 is an answer that abstains. All keys are
        strings, or all are numbers.
    name : str, optional
        By default made from the column.

    Returns
    -------
    LabelingFunction
        An answer that ``mapping`` lacks abstains; the report counts those as ``unmapped``.

    Raises
    ------
    ValueError
        If ``mapping`` is empty or a label is below -1.
    TypeError
        If ``mapping`` is no mapping, or mixes strings with numbers.

    Examples
    --------
    >>> import coverset as cs
    >>> llm = cs.lf.precomputed("answer", {"spam": 1, "ham": 0, "not sure": -1})
    >>> table = {"answer": ["spam", "not sure", "Spam!", None, "ham"]}
    >>> L, report = cs.apply([llm], table, return_report=True)
    >>> L.to_dense().ravel().tolist(), report.unmapped
    ([1, -1, -1, -1, 0], [1])
    """
    if not isinstance(mapping, Mapping):
        msg = f"mapping must map answers to labels, got {mapping!r}"
        raise TypeError(msg)
    if not mapping:
        msg = "mapping must hold at least one answer, got none"
        raise ValueError(msg)
    answers = _alike("the answers of mapping", mapping)
    labels = [vote_argument(f"mapping[{key!r}]", label) for key, label in mapping.items()]
    made = _looked_up(
        column_argument(column),
        dict(zip(answers, labels, strict=True)),
        name,
        f"precomputed_{column}",
    )
    made.maps_answers = True
    return made


def score(
    column: str,
    low: float,
    high: float,
    labels: tuple[int, int] = (0, 1),
    *,
    name: str | None = None,
) -> LabelingFunction:
    """Let a model vote: ``labels[0]`` at ``low`` and below, ``labels[1]`` at ``high`` and above.

    Parameters
    ----------
    column : str
        A column of scores; nulls and NaN abstain, and so does everything between the bounds.
    low, high : float
        ``low < high``. Infinite bounds never vote.
    labels : (int, int)
        Classes for low and high scores; -1 abstains on that side.
    name : str, optional
        By default made from the column.

    Raises
    ------
    ValueError
        If ``low`` is not below ``high``, or a label is below -1.

    Examples
    --------
    >>> import coverset as cs
    >>> model = cs.lf.score("p_model", low=0.1, high=0.9)
    >>> cs.apply([model], {"p_model": [0.05, 0.5, 0.95]}).to_dense().ravel().tolist()
    [0, -1, 1]
    """
    if not low < high:
        msg = f"low must be below high, got low={low!r}, high={high!r}"
        raise ValueError(msg)
    if len(labels) != 2:
        msg = f"labels must be two classes, for low and for high scores, got {labels!r}"
        raise ValueError(msg)
    below, above = (vote_argument(f"labels[{i}]", label) for i, label in enumerate(labels))
    terms = []
    low, high = (
        arguments.real_number(name, value, -np.inf, np.inf)
        for name, value in (("low", low), ("high", high))
    )
    if low > -np.inf:
        terms.append((below, [("<=", low)]))
    if high < np.inf:
        # where a column cannot tell high from low, low it is
        terms.append((above, [(">=", high), (">", low)]))
    return _Numeric(column_argument(column), terms, name, f"score_{column}")
