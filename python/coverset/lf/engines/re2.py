r"""Python patterns in RE2's syntax, where both mean the same.

The pattern is written anew from the tree that ``re`` itself parses, so that no difference in
syntax matters, and what means something else in RE2 is spelled out: ``\s`` includes the vertical
tab, ``$`` allows one final newline, letters under IGNORECASE become two-letter classes (RE2 would
also fold U+017F and U+212A). Only whether a match exists is kept, not where: groups become plain
groups and greediness is dropped. What has no certain equal (look-around, back-references, ``\B``,
multi-line anchors, ``$`` before the end) is left to Python.
"""

from __future__ import annotations

import re
from typing import Any

_LAST_FOLDED_BY_ASCII = 0xFFFF  # beyond it, re folds ranges as Unicode does, re.ASCII or not
_MOST_REPEATS = 1000  # RE2's own limit
_CLASSES = {
    "CATEGORY_DIGIT": "0-9",
    "CATEGORY_SPACE": r"\t\n\x0b\f\r ",
    "CATEGORY_WORD": "0-9A-Za-z_",
}
# written out, as RE2 takes no complement within a set that has other members
_COMPLEMENTS = {
    "CATEGORY_NOT_DIGIT": r"\x00-/:-\x{10ffff}",
    "CATEGORY_NOT_SPACE": r"\x00-\x08\x0e-\x1f!-\x{10ffff}",
    "CATEGORY_NOT_WORD": r"\x00-/:-@\[-\^`\{-\x{10ffff}",
}


class _NoEqualError(Exception):
    """The pattern has a part without an equal in RE2."""


def translate(pattern: re.Pattern[str]) -> str | None:
    """Return an RE2 pattern that matches the same texts, or None."""
    try:
        from re import _parser  # type: ignore[attr-defined]

        tree = _parser.parse(pattern.pattern, pattern.flags)
        return _sequence(list(tree), pattern.flags, at_end=True)
    except (ImportError, _NoEqualError, RecursionError):
        return None


def _sequence(items: list[Any], flags: int, *, at_end: bool) -> str:
    last = len(items) - 1
    return "".join(
        _item(str(op), argument, flags, at_end=at_end and i == last)
        for i, (op, argument) in enumerate(items)
    )


def _code(point: int) -> str:
    if 0xD800 <= point <= 0xDFFF:
        raise _NoEqualError
    return f"\\x{{{point:x}}}"


def _cases(point: int, flags: int) -> list[int]:
    """Return the code points that match ``point``: under ASCII folding both cases of a letter."""
    letter = chr(point)
    if not flags & re.IGNORECASE or not (letter.isascii() and letter.isalpha()):
        return [point]
    return [ord(letter.lower()), ord(letter.upper())]


def _set_member(op: str, argument: Any, flags: int) -> str:
    if op == "LITERAL":
        return "".join(_code(point) for point in _cases(argument, flags))
    if op == "RANGE":
        low, high = argument
        if flags & re.IGNORECASE and high > _LAST_FOLDED_BY_ASCII:
            raise _NoEqualError
        parts = [f"{_code(low)}-{_code(high)}"]
        if flags & re.IGNORECASE:
            for first in ("a", "A"):
                start, stop = max(low, ord(first)), min(high, ord(first) + 25)
                if start <= stop:
                    parts.append(f"{_code(start ^ 32)}-{_code(stop ^ 32)}")
        return "".join(parts)
    if op == "CATEGORY" and str(argument) in _CLASSES:
        return _CLASSES[str(argument)]
    if op == "CATEGORY" and str(argument) in _COMPLEMENTS:
        return _COMPLEMENTS[str(argument)]
    raise _NoEqualError


def _repeat(argument: Any, flags: int) -> str:
    low, high, inner = argument
    unlimited = str(high) == "MAXREPEAT"
    if low > _MOST_REPEATS or (not unlimited and high > _MOST_REPEATS):
        raise _NoEqualError
    bounds = f"{low}," if unlimited else f"{low},{high}"
    return f"(?:{_sequence(list(inner), flags, at_end=False)}){{{bounds}}}"


def _item(op: str, argument: Any, flags: int, *, at_end: bool) -> str:
    if op == "LITERAL":
        cases = _cases(argument, flags)
        text = "".join(_code(point) for point in cases)
        return f"[{text}]" if len(cases) > 1 else text
    if op == "NOT_LITERAL":
        return f"[^{_set_member('LITERAL', argument, flags)}]"
    if op == "ANY":
        return "(?s:.)" if flags & re.DOTALL else r"[^\n]"
    if op == "IN":
        return _set(argument, flags)
    if op == "BRANCH":
        parts = (_sequence(list(part), flags, at_end=at_end) for part in argument[1])
        return f"(?:{'|'.join(parts)})"
    if op == "SUBPATTERN":
        _, add, remove, inner = argument
        if add & re.UNICODE:
            raise _NoEqualError
        return f"(?:{_sequence(list(inner), (flags | add) & ~remove, at_end=at_end)})"
    if op in ("MAX_REPEAT", "MIN_REPEAT"):
        return _repeat(argument, flags)
    if op == "AT":
        return _anchor(str(argument), flags, at_end=at_end)
    raise _NoEqualError


def _set(members: list[Any], flags: int) -> str:
    negate = bool(members) and str(members[0][0]) == "NEGATE"
    rest = members[1:] if negate else members
    return f"[{'^' * negate}{''.join(_set_member(str(op), a, flags) for op, a in rest)}]"


def _anchor(where: str, flags: int, *, at_end: bool) -> str:
    if where == "AT_BEGINNING_STRING" or (where == "AT_BEGINNING" and not flags & re.MULTILINE):
        return r"\A"
    if where == "AT_END_STRING":
        return r"\z"
    if where == "AT_END" and not flags & re.MULTILINE and at_end:
        return r"\n?\z"
    if where == "AT_BOUNDARY":
        return r"\b"
    raise _NoEqualError
