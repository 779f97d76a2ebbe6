"""Regular-expression labeling functions: RE2 where it means the same, Python's re elsewhere."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from coverset.lf import re2
from coverset.lf.base import (
    BlockVotes,
    LabelingFunction,
    column_argument,
    constant_votes,
    label_argument,
)
from coverset.lf.columns import Text
from coverset.lf.table import Block

_SLICE_BYTES = 1 << 22  # of text between two looks at signals


class Regex(LabelingFunction):
    """Votes where a pattern is found; made by :func:`regex`."""

    def __init__(
        self, column: str, pattern: str, label: int, flags: int, unicode: bool, name: str | None
    ) -> None:
        super().__init__(name, f"regex_{column}_{pattern[:24]}", (label,))
        self.column = column
        self.columns = (column,)
        self.pattern = pattern
        self.label = label
        self._compiled = re.compile(pattern, flags if unicode else flags | re.ASCII)
        self._re2 = None if unicode else re2.translate(self._compiled)
        has_arrow = importlib.util.find_spec("pyarrow") is not None
        self.engine = "re2" if self._re2 is not None and has_arrow else "python"

    def vote(self, block: Block, *, on_error: str, n_threads: int) -> BlockVotes:
        """Return votes for the rows where the pattern is found."""
        text = block.text(self.column)
        rows = self._find_by_re2(text) if self._re2 is not None and text.arrow is not None else None
        self.engine = "python" if rows is None else "re2"
        if rows is None:
            search: Callable[[str], Any] = self._compiled.search
            found = (i for i, row in enumerate(text.strings) if row is not None and search(row))
            rows = np.fromiter(found, dtype=np.int64)
        return constant_votes(rows, self.label)

    def _find_by_re2(self, text: Text) -> np.ndarray[Any, np.dtype[np.int64]] | None:
        """Return matching rows, or None where RE2 refuses the pattern."""
        import pyarrow as pa
        import pyarrow.compute as pc

        step = max(1, _SLICE_BYTES * len(text) // (int(text.offsets[-1] - text.offsets[0]) + 1))
        parts = [np.empty(0, dtype=np.int64)]
        for start in range(0, len(text), step):
            try:
                mask = pc.match_substring_regex(text.arrow.slice(start, step), pattern=self._re2)
            except pa.ArrowInvalid:
                self._re2 = None
                return None
            hits = mask.fill_null(False).to_numpy(zero_copy_only=False)
            parts.append(np.flatnonzero(hits) + start)
        return np.concatenate(parts)


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

    Patterns that RE2 can express run on RE2 (with pyarrow installed), translated so that they mean
    exactly what Python's ``re`` means; others run on ``re``.

    Parameters
    ----------
    column : str
        A text column; nulls abstain.
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
