r"""Literals that a pattern needs: where none of them occurs, ``re.search`` need not run.

A pattern is read, from the tree that ``re`` itself parses, as a few paths: the ways to go through
it. A path is a row of characters, zero-width conditions and gaps; of a gap only the edges are
known. Every match takes a path, so one literal of each path is enough. What would make too many
paths becomes a gap. What a class or a folded letter matches is asked of ``re``, not worked out.
"""

from __future__ import annotations

import math
import re
import string
import warnings
from collections.abc import Iterable
from functools import reduce
from itertools import dropwhile
from operator import or_
from typing import Any, NamedTuple

_MOST_LITERALS = 64
_MOST_TOKENS = 128  # of a path, so that repeats of repeats stay short
_MOST_OF_CLASS = 10  # characters that become paths of their own
_LIMITS = (_MOST_LITERALS, 8, 1)  # of paths: the fewer, the fewer and shorter literals
_HOPELESS = 0.02  # literals per byte
_WORTH_A_SECOND = 0.002  # likewise: a second look-up costs less than what it saves
_COST = 1e-5  # of one more literal, in the same unit
_WORDS_PER_BYTE = 1 / 6
# of the bytes of English text, roughly
_FREQUENCIES = [0.002] * 128 + [0.02] * 128
for _group, _frequency in (
    ("e", 0.1),
    ("taoinshr", 0.06),
    ("dlcumwfgypb.,", 0.02),
    ("vk'", 0.008),
    (string.digits, 0.004),
    ("jxqz", 0.001),
    (" ", 0.17),
):
    for _char in _group:
        _FREQUENCIES[ord(_char)] = _frequency

_ASCII = "".join(map(chr, range(128)))
_WORD = frozenset(string.ascii_letters + string.digits + "_")
_FOLD_TO_ASCII = "\u0130\u0131\u017f\u212a"  # to i, i, s and k, without re.ASCII
_ONE_CHARACTER = ("LITERAL", "NOT_LITERAL", "ANY", "IN")
_TYPES = re.ASCII | re.LOCALE | re.UNICODE
# what may stand at an edge: a word character; another or no character; what the neighbor has there
_IS_WORD, _NO_WORD, _OPEN = 1, 2, 4


class Literal(NamedTuple):
    """Bytes to look for, and where."""

    text: bytes  # UTF-8, not empty
    fold: bool  # ASCII letters match in either case (here lower); other bytes exactly
    word_start: bool  # no ASCII word byte, [0-9A-Za-z_], directly before
    word_end: bool  # none directly after


class Requirement(NamedTuple):
    """Literals of which at least one occurs in every text that matches."""

    literals: tuple[Literal, ...]
    exact: bool  # and every text in which one occurs matches


class _Char(NamedTuple):
    char: str
    fold: bool  # an ASCII letter, in either case


class _At(NamedTuple):
    """A zero-width condition: what follows from it."""

    before: bool = False  # no word character before
    after: bool = False
    exact: bool = False  # nothing else is asked for
    boundary: str = ""  # "ascii" or "unicode": a \b, until a neighbor is known


class _Gap(NamedTuple):
    first: int
    last: int
    optional: bool  # may be empty, whatever is around it
    inside: tuple[Literal, ...] = ()  # one of them occurs in it, if any is given


_Token = _Char | _At | _Gap
_Path = tuple[_Token, ...]
_ANYTHING = _Gap(_IS_WORD | _NO_WORD | _OPEN, _IS_WORD | _NO_WORD | _OPEN, optional=False)


def required(pattern: re.Pattern[str]) -> Requirement | None:
    r"""Return literals that every match of ``pattern`` needs, or None where none are useful.

    Examples
    --------
    >>> import re
    >>> from coverset.lf.engines.literals import required
    >>> required(re.compile(r"\w+ wins\b", re.ASCII)).literals
    (Literal(text=b' wins', fold=False, word_start=False, word_end=True),)
    """
    tries = [_needed(paths) for paths in _ways(pattern)]
    found = [x for x in tries if x and (x.exact or expected_rate(x.literals) <= _HOPELESS)]
    return min(found, key=lambda x: (not x.exact, _score(x.literals)), default=None)


def also_required(pattern: re.Pattern[str]) -> tuple[Literal, ...]:
    r"""Return the next rarest literals of which every match needs one as well, or none.

    Examples
    --------
    >>> import re
    >>> from coverset.lf.engines.literals import also_required
    >>> also_required(re.compile(r"\bdogs\W+(?:\w+\W+){0,3}cats\b", re.ASCII))
    (Literal(text=b'cats', fold=False, word_start=True, word_end=True),)
    """
    tries = [_needed(paths, second=True) for paths in _ways(pattern)]
    found = [x.literals for x in tries if x and expected_rate(x.literals) <= _WORTH_A_SECOND]
    return min(found, key=_score, default=())


def _ways(pattern: re.Pattern[str]) -> list[list[_Path]]:
    """Return the paths of a pattern, for each limit of their number."""
    flags = pattern.flags & ~re.DEBUG
    try:
        from re import _parser  # type: ignore[attr-defined]

        with warnings.catch_warnings():  # given when the pattern was compiled
            warnings.simplefilter("ignore")
            tree = list(_parser.parse(pattern.pattern, flags))
        return [_sequence(tree, flags, most) for most in _LIMITS]
    except (ImportError, RecursionError):
        return []


# from the tree to paths, at most ``most`` of them


def _sequence(items: Iterable[Any], flags: int, most: int) -> list[_Path]:
    paths: list[_Path] = [()]
    for op, argument in items:
        following = _item(str(op), argument, flags, most)
        if not _fits(paths, following, most):
            if len(paths) >= len(following):
                paths = [(_gap(paths),)]
            else:
                following = [(_gap(following),)]
        paths = _product(paths, following)
    return paths


def _fits(left: list[_Path], right: list[_Path], most: int) -> bool:
    length = max(map(len, left)) + max(map(len, right))
    return len(left) * len(right) <= most and length <= _MOST_TOKENS


def _product(left: list[_Path], right: list[_Path]) -> list[_Path]:
    return list(dict.fromkeys(a + b for a in left for b in right))


def _gap(paths: list[_Path]) -> _Gap:
    """Return what the paths have in common, as a gap."""
    needed = _needed(paths)
    return _Gap(
        reduce(or_, (_edge(path, ahead=True) for path in paths)),
        reduce(or_, (_edge(path, ahead=False) for path in paths)),
        any(all(map(_is_optional, path)) for path in paths),
        needed.literals if needed else (),
    )


def _item(op: str, argument: Any, flags: int, most: int) -> list[_Path]:
    if op in _ONE_CHARACTER:
        return _characters(op, argument, flags, most)
    if op == "BRANCH":
        ways = [path for part in argument[1] for path in _sequence(part, flags, most)]
        paths = list(dict.fromkeys(ways))
        return paths if len(paths) <= most else [(_gap(paths),)]
    if op == "SUBPATTERN":
        _, add, remove, inner = argument
        kept = flags & ~_TYPES if add & _TYPES else flags
        return _sequence(inner, (kept | add) & ~remove, most)
    if op in ("MAX_REPEAT", "MIN_REPEAT"):
        return _repeat(flags, most, *argument)
    if op == "POSSESSIVE_REPEAT":
        return [(_At(), *path, _At()) for path in _repeat(flags, most, *argument)]
    if op == "ATOMIC_GROUP":
        return [(_At(), *path, _At()) for path in _sequence(argument, flags, most)]
    if op == "AT":
        return [(_anchor(str(argument), flags),)]
    if op in ("ASSERT", "ASSERT_NOT"):
        return [(_look(op == "ASSERT", flags, most, *argument),)]
    return [(_ANYTHING,)]


def _matched(op: str, argument: Any, flags: int) -> tuple[set[str], bool]:
    """Return characters that an item matches: all in ASCII, and if not True, all others too."""
    from re import _compiler, _parser  # type: ignore[attr-defined]

    members = argument if op == "IN" else [(op, argument)]
    named = [chr(value) for kind, value in members if str(kind) == "LITERAL"]
    item = _parser.SubPattern(_parser.State(), [(getattr(_parser, op), argument)])
    chars = _compiler.compile(item, flags).findall(_ASCII + _FOLD_TO_ASCII + "".join(named))
    return set(chars), any(_has_more(str(kind), value, flags) for kind, value in members)


def _has_more(kind: str, value: Any, flags: int) -> bool:
    """Whether a member of a set may match other characters than those ``_matched`` tries."""
    if kind == "LITERAL":
        char = chr(value)
        folds = flags & re.IGNORECASE and not flags & re.ASCII and not char.isascii()
        cased = not char.lower() == char == char.upper()
        return bool(folds and cased) or "\ud800" <= char <= "\udfff"
    if kind == "RANGE":
        return bool(value[1] > 127)
    return not (flags & re.ASCII and kind == "CATEGORY" and "_NOT_" not in str(value))


def _characters(op: str, argument: Any, flags: int, most: int) -> list[_Path]:
    chars, more = _matched(op, argument, flags)
    both = {x for x in chars if x in string.ascii_letters and x.swapcase() in chars}
    folded = both if flags & re.IGNORECASE else set()
    different = sorted(chars - folded | {x.lower() for x in folded})
    if different and not more and len(different) <= min(most, _MOST_OF_CLASS):
        return [(_Char(x, x in folded),) for x in different]
    kinds = reduce(or_, map(_kind, chars), _NO_WORD if more else 0)
    return [(_Gap(kinds, kinds, optional=False),)]


def _repeat(flags: int, most: int, low: int, high: int, inner: Any) -> list[_Path]:
    once = _sequence(inner, flags, most)
    has_gap = any(isinstance(x, _Gap) for path in once for x in path)
    wanted = high if high == 1 or (high <= most and not has_gap) else low
    paths: list[_Path] = [()]
    done = 0
    while done < min(wanted, _MOST_TOKENS):
        following = once if done < low else [(), *once]
        if not _fits(paths, following, most):
            break
        paths = _product(paths, following)
        done += 1
    if done == high:
        return paths
    rest = _gap(once)._replace(optional=False)
    if done >= low:
        rest = _Gap(rest.first | _OPEN, rest.last | _OPEN, optional=True)
    return _product(paths, [(rest,)])


def _anchor(where: str, flags: int) -> _At:
    if where == "AT_BOUNDARY":
        return _At(boundary="ascii" if flags & re.ASCII else "unicode")
    return _At(before=where.startswith("AT_BEGINNING"), after=where.startswith("AT_END"))


def _look(positive: bool, flags: int, most: int, direction: int, inner: Any) -> _At:
    ahead = direction > 0
    no_word = exact = False
    if positive:
        no_word = _gap(_sequence(inner, flags, most))[0 if ahead else 1] == _NO_WORD
    elif len(inner) == 1 and str(inner[0][0]) in _ONE_CHARACTER:
        chars, more = _matched(str(inner[0][0]), inner[0][1], flags)
        no_word, exact = chars >= _WORD, chars == _WORD and not more
    return _At(no_word and not ahead, no_word and ahead, exact)


# from paths to literals


def _needed(paths: list[_Path], *, second: bool = False) -> Requirement | None:
    """Return literals of which a match needs one; ``second``: one more, beside the best."""
    literals: dict[Literal, bool] = {}
    for path in (settled for x in paths if (settled := _settled(x)) is not None):
        ranked = sorted(_literals(path), key=_score)
        best = next(iter(ranked[second:]), ())
        literals |= {x: literals.get(x, False) or _is_exact(path) for x in best}
        if not best or len(literals) > _MOST_LITERALS:
            return None
    least = [x for x in literals if not any(_is_in(y, x) for y in literals if y != x)]
    return Requirement(tuple(sorted(least)), all(literals[x] for x in least)) if least else None


def _kind(char: str) -> int:
    return _IS_WORD if char in _WORD else _NO_WORD


def _edge(path: _Path, *, ahead: bool) -> int:
    """Return what may be the first (or, not ``ahead``, the last) character."""
    seen = 0
    for token in path if ahead else reversed(path):
        if isinstance(token, _Char):
            return seen | _kind(token.char)
        if isinstance(token, _Gap):
            edge = token.first if ahead else token.last
            seen |= edge & ~_OPEN
            if not edge & _OPEN:
                return seen
        elif token.after if ahead else token.before:
            return seen | _NO_WORD
    return seen | _OPEN


def _settled(path: _Path) -> _Path | None:
    """Return the path less what its characters decide, or None if nothing can match it."""
    kept: list[_Token] = []
    for i, token in enumerate(path):
        if isinstance(token, _At):
            settled = _decided(token, _next_char(path[:i][::-1]), _next_char(path[i + 1 :]))
            if settled is False:
                return None
            kept += [settled] if isinstance(settled, _At) else []
        else:
            kept.append(token)
    return tuple(kept)


def _next_char(path: _Path) -> str | None:
    token = next((x for x in path if not isinstance(x, _At)), None)
    return token.char if isinstance(token, _Char) else None


def _decided(at: _At, left: str | None, right: str | None) -> _At | bool:
    """Return whether a condition holds between two characters, or what is left of it."""
    if at.boundary:
        unicode = at.boundary == "unicode"
        words = [x in _WORD or (unicode and x.isalnum()) for x in (left, right) if x is not None]
        if len(words) == 2:
            return words[0] != words[1]
        if words == [True]:
            return _At(left is None, right is None, exact=not unicode)
        return _At()
    for no_word, char in ((at.before, left), (at.after, right)):
        if no_word and char is not None:
            return False if char in _WORD else at.exact or _At()
    return at


def _literals(path: _Path) -> list[tuple[Literal, ...]]:
    """Return sets of literals; of each set, one occurs in whatever takes this path."""
    found = [x.inside for x in path if isinstance(x, _Gap) and x.inside]
    gaps = [i for i, x in enumerate(path) if isinstance(x, _Gap)]
    for start, stop in zip([0, *gaps], [*gaps, len(path)], strict=True):
        places = [i for i in range(start, stop) if isinstance(path[i], _Char)]
        if places:
            chars = [x for x in path[start:stop] if isinstance(x, _Char)]
            fold = any(x.fold for x in chars)
            text = "".join(x.char for x in chars).encode()
            word_start = _edge(path[: places[0]], ahead=False) == _NO_WORD
            word_end = _edge(path[places[-1] + 1 :], ahead=True) == _NO_WORD
            found.append((Literal(text.lower() if fold else text, fold, word_start, word_end),))
    return found


def _is_optional(token: _Token) -> bool:
    return isinstance(token, _Gap) and token.optional


def _is_exact(path: _Path) -> bool:
    """Whether the path is its literal: what may be empty at its ends is never missed."""
    core = tuple(dropwhile(_is_optional, path))[::-1]
    core = tuple(dropwhile(_is_optional, core))
    folds = {x.fold for x in core if isinstance(x, _Char) and x.char in string.ascii_letters}
    plain = all(not isinstance(x, _Gap) and (isinstance(x, _Char) or x.exact) for x in core)
    return plain and len(folds) < 2


def _is_in(part: Literal, whole: Literal) -> bool:
    """Whether ``part`` occurs wherever ``whole`` does."""
    if whole.fold and not part.fold and part.text.lower() != part.text.upper():
        return False
    text = whole.text.lower() if part.fold else whole.text
    start = text.find(part.text)
    while start >= 0:
        stop = start + len(part.text)
        before = chr(text[start - 1]) not in _WORD if start else whole.word_start
        after = chr(text[stop]) not in _WORD if stop < len(text) else whole.word_end
        if before >= part.word_start and after >= part.word_end:
            return True
        start = text.find(part.text, start + 1)
    return False


def expected_rate(literals: tuple[Literal, ...]) -> float:
    """Return how many of the literals to expect per byte of English text."""
    return math.fsum(
        math.prod(_FREQUENCIES[byte] for byte in x.text) * (_WORDS_PER_BYTE if x.word_start else 1)
        for x in literals
    )


def _score(literals: tuple[Literal, ...]) -> float:
    return expected_rate(literals) + _COST * len(literals)
