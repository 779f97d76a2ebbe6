"""Regular-expression labeling functions: RE2 where it means the same, Python's re elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coverset.lf.base import BlockVotes, LabelingFunction, column_argument, label_argument
from coverset.lf.engines import literals, re2
from coverset.lf.engines.passes import Declarative
from coverset.lf.engines.text import TextPass
from coverset.lf.tables.blocks import Block
from coverset.lf.tables.columns import Text

_SLICE_BYTES = 1 << 22  # of text between two looks at signals
_SHORT = 4  # letters that many words begin with
_RARE = 0.004  # literals expected a byte


def _are_rare(some: Sequence[literals.Literal]) -> bool:
    """Return whether few rows are likely to hold one: more do if it may go on to a longer word."""
    short = any(len(text.strip()) <= _SHORT and not end for text, _, _, end in some)
    return not short and literals.expected_rate(tuple(some)) <= _RARE


class Regex(Declarative):
    """Votes where a pattern is found; made by :func:`regex`."""

    pass_type = TextPass
    unicode = False  # its literals are bytes
    case_sensitive = False
    min_count = 1
    characters = True

    def __init__(
        self, column: str, pattern: str, label: int, flags: int, unicode: bool, name: str | None
    ) -> None:
        super().__init__(name, f"regex_{column}_{pattern[:24]}", (label,))
        self.columns = (column,)
        self.pattern = pattern
        self.label = label
        self._compiled = re.compile(pattern, flags if unicode else flags | re.ASCII)
        required = literals.required(self._compiled)
        first = required.literals if required is not None else ()
        second = () if not first or required is None or required.exact else self._also()
        self.required = [list(some) for some in (first, second) if some]
        self.has_rare_literals = bool(first) and _are_rare(first)
        self._re2 = None if unicode else re2.translate(self._compiled)
        if required is not None and required.exact:
            self.engine = "native"
        elif self._re2 is not None and _re2_takes(self._re2):
            self.engine = "re2"
        else:
            self.engine = "python"

    def _also(self) -> tuple[literals.Literal, ...]:
        return literals.also_required(self._compiled)

    def literals(self) -> list[literals.Literal]:
        """Return literals that the pattern is made of, where it is made of nothing else."""
        return self.required[0]

    @property
    def translated(self) -> str | None:
        """The pattern in RE2's syntax, if it has an equal there."""
        return self._re2

    def vote(self, block: Block, *, on_error: str, n_threads: int) -> BlockVotes:
        """Return votes on a block by itself, as in a worker process."""
        rows = self.find(block.text(self.columns[0]), None).astype(np.int64)
        return BlockVotes(rows, np.full(len(rows), self.label, dtype=np.int16))

    def find(self, text: Text, rows: NDArray[np.int32] | None) -> NDArray[np.int32]:
        """Return the rows where the pattern is found, among ``rows`` or all; ascending."""
        if rows is None:
            rows = np.flatnonzero(text.validity.mask).astype(np.int32)
        step = max(1, _SLICE_BYTES // text.mean_bytes)
        parts = [np.empty(0, dtype=np.int32)]
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            parts.append(some[self._matches(text.take(some))])
        return np.concatenate(parts)

    def _matches(self, text: Text) -> NDArray[Any]:
        """Return the places of the strings in which the pattern is found."""
        if self.engine == "re2" and text.arrow is not None:
            import pyarrow.compute as pc

            mask = pc.match_substring_regex(text.arrow, pattern=self._re2)
            return np.flatnonzero(mask.to_numpy(zero_copy_only=False))
        search: Callable[[str], Any] = self._compiled.search
        hits = (i for i, string in enumerate(text.strings()) if search(string or ""))
        return np.fromiter(hits, dtype=np.int64)


def _re2_takes(pattern: str) -> bool:
    """Return whether pyarrow's RE2 is there and takes a pattern: some grow too large for it."""
    try:
        import pyarrow as pa
        import pyarrow.compute as pc
    except ImportError:
        return False
    try:
        pc.match_substring_regex(pa.array([""]), pattern=pattern)
    except pa.ArrowInvalid:
        return False
    return True


def regex(
    column: str,
    pattern: str,
    label: int,
    *,
    flags: int = 0,
    unicode: bool = False,
    name: str | None = None,
) -> LabelingFunction:
    r"""Vote for ``label`` where ``re.search(pattern, text, re.ASCII)`` finds the pattern.

    Literals that a match must hold join the scan that the keywords of the column run in; where the
    pattern is nothing but literals, that is all. Else a regular-expression engine searches the rows
    that hold one: RE2 (with pyarrow installed) where the pattern can be translated so that it means
    exactly what Python's ``re`` means, ``re`` itself for the rest.

    Parameters
    ----------
    column : str
        A text column, of valid UTF-8; nulls abstain.
    pattern : str
        In the syntax of Python's ``re``.
    label : int
        The class to vote for.
    flags : int
        Flags of ``re``, such as ``re.IGNORECASE``.
    unicode : bool
        True: ``\w``, ``\b``, ``\d``, ``\s`` and case folding cover all of Unicode, as is
        Python's default. Runs on ``re``.
    name : str, optional
        By default made from the column and the pattern.

    Raises
    ------
    ValueError
        If ``re`` rejects the pattern, or the pattern is empty.

    Examples
    --------
    >>> import coverset as cs
    >>> link = cs.lf.regex("text", r"https?://", label=1)
    >>> cs.apply([link], {"text": ["see http://x.org", "http", None]}).to_dense().ravel().tolist()
    [1, -1, -1]
    """
    if not isinstance(pattern, str):
        msg = f"pattern must be a string, got {pattern!r}"
        raise TypeError(msg)
    if not pattern:
        msg = "pattern must not be empty: it would match every row"
        raise ValueError(msg)
    try:
        return Regex(
            column_argument(column), pattern, label_argument("label", label), flags, unicode, name
        )
    except (re.error, OverflowError, RecursionError) as error:
        msg = f"pattern must be a valid regular expression, got {pattern!r}: {error}"
        raise ValueError(msg) from None
