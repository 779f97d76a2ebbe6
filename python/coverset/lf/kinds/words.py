"""Keyword labeling functions: words, phrases and gazetteers."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import coverset._arguments as arguments
from coverset.lf.base import LabelingFunction, column_argument, label_argument
from coverset.lf.engines import alphabet
from coverset.lf.engines.literals import Literal
from coverset.lf.engines.passes import Declarative
from coverset.lf.engines.text import TextPass


class Keywords(Declarative):
    """Votes where the text holds enough of the words; made by :func:`keywords`."""

    pass_type = TextPass

    def __init__(
        self,
        column: str,
        words: tuple[str, ...],
        label: int,
        match: str,
        case_sensitive: bool,
        unicode: bool,
        min_count: int,
        name: str | None,
    ) -> None:
        default = f"keywords_{column}_{words[0].replace(' ', '_')}"
        super().__init__(name, default, (label,))
        self.columns = (column,)
        self.words = words
        self.label = label
        self.match = match
        self.case_sensitive = case_sensitive
        self.unicode = unicode
        self.min_count = min_count
        self.characters = unicode  # whether it reads characters, not bytes

    def literals(self) -> list[Literal]:
        """Return what the scan looks for."""
        whole, fold = self.match == "word", not self.case_sensitive
        words = self.words
        if fold:
            words = tuple(alphabet.folded(word) if self.unicode else _lower(word) for word in words)
        return [Literal(word.encode(), fold, whole, whole) for word in dict.fromkeys(words)]


def keywords(
    column: str,
    words: Iterable[str] | os.PathLike[str],
    label: int,
    *,
    match: str = "word",
    case_sensitive: bool = False,
    unicode: bool = False,
    min_count: int = 1,
    name: str | None = None,
) -> LabelingFunction:
    r"""Vote for ``label`` where the text holds one of ``words``, or ``min_count`` of them.

    All keyword functions of a column run in one pass over its bytes, however many words there
    are: a SIMD sieve in front of an automaton (Aho & Corasick 1975).

    Parameters
    ----------
    column : str
        A text column. Bytes that are not UTF-8 match nothing but themselves, unless ``unicode``.
    words : iterable of str, or path
        Words or phrases, matched literally, spaces included: a list, an Arrow or pandas column
        (nulls are left out), or the path of a UTF-8 file with one a line (empty lines are left
        out).
    label : int
        The class to vote for.
    match : {"word", "substring"}
        ``"word"``: no ASCII letter, digit or underscore may touch the match, as in
        ``re.search(r"(?<!\w)...(?!\w)", text, re.ASCII)``. ``"substring"``: anywhere.
    case_sensitive : bool
        False: ASCII letters match in either case; other letters match exactly.
    unicode : bool
        True: word characters and case are those of all of Unicode, as ``re`` without ``re.ASCII``
        has them. The text must be valid UTF-8.
    min_count : int
        The number of occurrences needed; overlapping ones count, of every word, but a word that is
        there twice, in whatever case, counts once.
    name : str, optional
        By default made from the column and the first word.

    Returns
    -------
    LabelingFunction

    Raises
    ------
    ValueError
        If there is no word, a word is empty, ``match`` is unknown or ``min_count`` is below 1.
    TypeError
        If ``words`` is a string or holds something else than strings.
    FileNotFoundError
        If ``words`` is a path without a file.

    Examples
    --------
    >>> import coverset as cs
    >>> spam = cs.lf.keywords("text", ["subscribe", "check out"], label=1)
    >>> cs.apply([spam], {"text": ["Check out my channel", "subscribers", None]}).to_dense()
    array([[ 1],
           [-1],
           [-1]], dtype=int16)
    >>> shout = cs.lf.keywords("text", ["!"], label=1, match="substring", min_count=3)
    >>> cs.apply([shout], {"text": ["wow!", "wow!!!"]}).to_dense().ravel().tolist()
    [-1, 1]
    """
    arguments.one_of("match", match, ("word", "substring"))
    given = _words(words)
    return Keywords(
        column_argument(column),
        given,
        label_argument("label", label),
        match,
        case_sensitive,
        unicode,
        arguments.whole_number("min_count", min_count, 1, 2**31 - 1),
        name,
    )


def _lower(word: str) -> str:
    """Fold ASCII letters, and no others."""
    return word.encode().lower().decode()


def _words(words: Any) -> tuple[str, ...]:
    if isinstance(words, str):
        msg = f"words must be a list of strings, got the string {words!r}"
        raise TypeError(msg)
    if isinstance(words, os.PathLike):
        lines = Path(words).read_text(encoding="utf-8-sig").split("\n")
        given = tuple(line for line in lines if line)
    elif hasattr(words, "to_pylist"):
        given = tuple(word for word in words.to_pylist() if word is not None)
    else:
        for drop in ("dropna", "drop_nulls"):
            words = getattr(words, drop)() if hasattr(words, drop) else words
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
    return given
