"""Keyword labeling functions, and the one pass that runs all of a column's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from coverset import _arguments as arguments
from coverset import _cpu
from coverset.lf.base import (
    BlockVotes,
    LabelingFunction,
    column_argument,
    constant_votes,
    label_argument,
)
from coverset.lf.table import Block


class Keywords(LabelingFunction):
    """Votes where the text holds one of the words; made by :func:`keywords`."""

    def __init__(
        self,
        column: str,
        words: tuple[str, ...],
        label: int,
        match: str,
        case_sensitive: bool,
        name: str | None,
    ) -> None:
        default = f"keywords_{column}_{words[0].replace(' ', '_')}"
        super().__init__(name, default, (label,))
        self.column = column
        self.columns = (column,)
        self.words = words
        self.label = label
        self.match = match
        self.case_sensitive = case_sensitive

    def vote(self, block: Block, *, on_error: str, n_threads: int) -> BlockVotes:
        """Return votes for the rows with a match."""
        return constant_votes(scan(automaton([self]), [self], block, n_threads).rows, self.label)


def automaton(group: Sequence[Keywords]) -> _cpu.KeywordAutomaton:
    """Compile the keyword functions of one column into one automaton."""
    return _cpu.KeywordAutomaton(
        [
            (word.encode(), i, function.match == "word", not function.case_sensitive)
            for i, function in enumerate(group)
            for word in function.words
        ]
    )


class Hits(NamedTuple):
    """Rows and members of a group that fired, ascending by row, then by member."""

    rows: NDArray[np.int64]
    members: NDArray[np.int32]


def scan(
    compiled: _cpu.KeywordAutomaton, group: Sequence[Keywords], block: Block, n_threads: int
) -> Hits:
    """Return where each function of ``group``, whose automaton is ``compiled``, fires."""
    return Hits(*_cpu.scan_keywords(compiled, *block.text(group[0].column).buffers, n_threads))


def keywords(
    column: str,
    words: Iterable[str],
    label: int,
    *,
    match: str = "word",
    case_sensitive: bool = False,
    name: str | None = None,
) -> LabelingFunction:
    r"""Vote for ``label`` where the text holds at least one of ``words``.

    All keyword functions of a column run in one pass over its bytes, however many words there
    are (Aho & Corasick 1975).

    Parameters
    ----------
    column : str
        A text column.
    words : iterable of str
        Words or phrases, matched literally, spaces included.
    label : int
        The class to vote for.
    match : {"word", "substring"}
        ``"word"``: no ASCII letter, digit or underscore may touch the match, as in
        ``re.search(r"(?<!\w)...(?!\w)", text, re.ASCII)``. ``"substring"``: anywhere.
    case_sensitive : bool
        False: ASCII letters match in either case; other letters match exactly.
    name : str, optional
        By default made from the column and the first word.

    Returns
    -------
    LabelingFunction

    Raises
    ------
    ValueError
        If there is no word, a word is empty, or ``match`` is unknown.
    TypeError
        If ``words`` is a string or holds something else than strings.

    Examples
    --------
    >>> import coverset as cs
    >>> spam = cs.lf.keywords("text", ["subscribe", "check out"], label=1)
    >>> cs.apply([spam], {"text": ["Check out my channel", "subscribers", None]}).to_dense()
    array([[ 1],
           [-1],
           [-1]], dtype=int16)
    """
    arguments.one_of("match", match, ("word", "substring"))
    if isinstance(words, str):
        msg = f"words must be a list of strings, got the string {words!r}"
        raise TypeError(msg)
    given = tuple(words)
    if not given:
        msg = "words must hold at least one word, got none"
        raise ValueError(msg)
    for i, word in enumerate(given):
        if not isinstance(word, str):
            msg = f"words[{i}] must be a string, got {word!r}"
            raise TypeError(msg)
        if not word:
            msg = f"words[{i}] must not be empty"
            raise ValueError(msg)
        try:
            word.encode()
        except UnicodeEncodeError:
            msg = f"words[{i}] must be valid Unicode, got {word!r}"
            raise ValueError(msg) from None
    return Keywords(
        column_argument(column), given, label_argument("label", label), match, case_sensitive, name
    )
