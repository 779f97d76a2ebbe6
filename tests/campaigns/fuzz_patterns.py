r"""Random patterns and word lists on random texts: every vote is that of Python's ``re``.

Patterns come from a grammar that knows most of what ``re`` does, or are syntax at random, which
must be a ValueError wherever ``re`` rejects it. Texts hold pieces made along with the patterns, so
that many match.

python tests/campaigns/fuzz_patterns.py SECONDS [SEED]
"""

from __future__ import annotations

import collections
import contextlib
import random
import re
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

import coverset as cs

WORDS = (
    "free",
    "win",
    "Call",
    "kiss",
    "sick",
    "a",
    "b",
    "x1",
    "_id",
    "go on",
    "\u00e9t\u00e9",
    "STRASSE",
)
# letters of either case that ASCII or all of Unicode folds, digits, what only Unicode calls a word
# character or a space, every kind of line end, NUL
LETTERS = "abkKsSiIzZ019_ -.,$\n\r\t\x0b\x1c\x00\x85\xa0"
OTHERS = (
    "\u00e9\u00c9\u00df\u1e9e\u212a\u017f\u0130\u0131\u03c3\u03c2\u03a3\u00b5\u03bc\u01c5\u0301\u2028"
    "\u0661\u65e5\u2126\u212b\ufb05\ufb06\u1e9b\u0390\u1fd3\U00010400\U00010428\U0001f600"
)
SYNTAX = r"()[]{}|*+?.^$\-,:<>=!#&~'09aAbBdDsSwWzZkuxiLmP" + " \n\u212a\u017f\u0130\u00e9"
# sets and letters that they may match
RANGES = {
    "a-k": "kK\u212a",
    "A-Z": "SZs\u017f",
    "0-9": "019",
    "Z-a": "Za_zA",
    "@-k": "@_iI\u0130",
    "!-/": "-.,$",
    "\\x00-\\x1f": "\x00\x1c\n",
    "\u00c0-\u00ff": "\u00c9\u00df\u1e9e",
    "\u2100-\u2200": "\u212a\u2126k",
    "\U00010400-\U00010427": "\U00010400\U00010428",
}
CATEGORIES = {
    r"\d": "7\u0661",
    r"\D": "x\u0661",
    r"\w": "k_\u212a\u00e9\U00010400",
    r"\W": "-\u0301\u00e9",
    r"\s": " \t\x0b\x0c\x1c\x85\xa0\u2028",
    r"\S": "s\x1c\x0b\x85",
}
ANCHORS = ("^", "$", r"\A", r"\Z", r"\b", r"\b", r"\b", r"\B")
QUANTIFIERS = (
    ("*", 2),
    ("+", 2),
    ("?", 1),
    ("{2}", 2),
    ("{1,3}", 3),
    ("{,2}", 1),
    ("{0}", 0),
    ("{2,}", 3),
)
FLAGS = (re.NOFLAG, re.NOFLAG, re.I, re.I, re.S, re.M, re.X, re.I | re.M | re.S)
REJECTED = (re.error, OverflowError, RecursionError, ValueError)
RE_SECONDS = 0.3
OUR_SECONDS = 20.0


class TimeUpError(BaseException):
    """What runs takes too long."""


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TimeUpError inside after so many seconds of computing."""

    def stop(_signal: int, _frame: Any) -> None:
        raise TimeUpError

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


class Grammar:
    """Makes patterns; each method returns a pattern and a text that it may match."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.groups = 0  # that are closed
        self.names: list[str] = []

    def letter(self) -> str:
        return self.draw.choice(LETTERS if self.draw.random() < 0.75 else OTHERS)

    def escaped(self, letter: str) -> str:
        """Write a letter in one of the ways there are."""
        kind = self.draw.randrange(8)
        if kind == 0 and ord(letter) < 0x100:
            return f"\\x{ord(letter):02x}"
        if kind == 1 and ord(letter) < 0x10000:
            return f"\\u{ord(letter):04x}"
        return re.escape(letter)

    def literal(self) -> tuple[str, str]:
        if self.draw.random() < 0.55:
            word = self.draw.choice(WORDS)
            return re.escape(word), word
        letter = self.letter()
        return self.escaped(letter), letter

    def set_of_letters(self) -> tuple[str, str]:
        parts, samples = [], []
        for _ in range(self.draw.randint(1, 4)):
            kind = self.draw.randrange(6)
            if kind == 0:
                parts.append(self.draw.choice(list(RANGES)))
                samples.append(self.draw.choice(RANGES[parts[-1]]))
            elif kind == 1:
                parts.append(self.draw.choice(list(CATEGORIES)))
                samples.append(self.draw.choice(CATEGORIES[parts[-1]]))
            else:
                samples.append(self.letter())
                parts.append(self.escaped(samples[-1]))
        negated = self.draw.random() < 0.2
        return f"[{'^' * negated}{''.join(parts)}]", self.letter() if negated else self.draw.choice(
            samples
        )

    def atom(self) -> tuple[str, str]:
        kind = self.draw.randrange(20)
        if kind < 10:
            return self.literal()
        if kind < 13:
            return self.set_of_letters()
        if kind < 15:
            category = self.draw.choice(list(CATEGORIES))
            return category, self.draw.choice(CATEGORIES[category])
        if kind < 16:
            return ".", self.letter()
        if kind < 17 and self.groups:
            if self.names and self.draw.random() < 0.5:
                return f"(?P={self.draw.choice(self.names)})", self.draw.choice(WORDS)
            return f"(?:\\{self.draw.randint(1, self.groups)})", self.draw.choice(WORDS)
        return self.draw.choice(ANCHORS), ""

    def group(self, depth: int) -> tuple[str, str]:
        kind = self.draw.randrange(12)
        if kind == 0 and self.groups:
            (yes, sample), (no, _) = self.sequence(depth), self.sequence(depth)
            return f"(?({self.draw.randint(1, self.groups)}){yes}|{no})", sample
        if kind in (1, 2):  # look-behind, which must be of fixed width
            inner, sample = self.literal()
            return f"(?<{self.draw.choice('=!')}{inner})", sample
        inner, sample = self.alternatives(depth)
        if kind in (3, 4):
            return f"(?{self.draw.choice('=!')}{inner})", sample if self.draw.random() < 0.5 else ""
        if kind in (5, 6):
            self.groups += 1
            return f"({inner})", sample
        if kind == 7:
            self.groups += 1
            self.names.append(f"n{self.groups}")
            return f"(?P<{self.names[-1]}>{inner})", sample
        start = self.draw.choice(
            [
                "?:",
                "?:",
                "?:",
                "?>",
                "?i:",
                "?-i:",
                "?s:",
                "?-s:",
                "?m:",
                "?x:",
                "?i-s:",
                "?a:",
                "?u:",
                "?ui:",
            ]
        )
        return f"({start}{inner})", sample

    def quantified(self, depth: int) -> tuple[str, str]:
        whole, sample = (
            self.group(depth - 1) if depth and self.draw.random() < 0.35 else self.atom()
        )
        if self.draw.random() < 0.7:
            return whole, sample
        how, times = self.draw.choice(QUANTIFIERS)
        how += self.draw.choice(["", "", "", "?", "+"])
        return f"(?:{whole}){how}", sample * times

    def sequence(self, depth: int) -> tuple[str, str]:
        parts = [self.quantified(depth) for _ in range(self.draw.randint(1, 4))]
        return "".join(p for p, _ in parts), "".join(s for _, s in parts)

    def alternatives(self, depth: int) -> tuple[str, str]:
        n = self.draw.choice([1, 1, 1, 2, 3])
        ways = [self.sequence(depth) for _ in range(n)]
        return "|".join(p for p, _ in ways), self.draw.choice(ways)[1]

    def plain(self) -> tuple[str, str]:
        """Make a pattern of little else than literals, as those that the scan alone can find."""
        pieces = [("", "")]
        for _ in range(self.draw.randint(1, 4)):
            inner, sample = self.literal()
            ways = ["{}", "{}", "(?i:{})", "(?:{})?", r"\b{}", r"{}\b", r"(?<!\w){}", r"{}(?!\w)"]
            pieces.append((self.draw.choice(ways).format(inner), sample))
        return "".join(p for p, _ in pieces), "".join(s for _, s in pieces)

    def pattern(self) -> tuple[str, str]:
        if self.draw.random() < 0.3:
            return self.plain()
        whole, sample = self.alternatives(self.draw.randrange(4))
        kind = self.draw.randrange(12)
        if kind == 0:
            flags = self.draw.choice(["i", "s", "m", "x", "im", "a", "u"])
            return f"(?{flags}){whole}", sample
        if kind == 1:
            return f"{whole}(?#{self.draw.choice(WORDS)})", sample
        return whole, sample


def garbage(draw: random.Random) -> tuple[str, str]:
    """Return a pattern of syntax at random, or a damaged one."""
    if draw.random() < 0.5:
        n = draw.randint(1, 12)
        return "".join(draw.choice(SYNTAX) for _ in range(n)), draw.choice(WORDS)
    whole, sample = Grammar(draw).pattern()
    letters = list(whole)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(letters) + 1)
        if draw.random() < 0.5:
            letters[at:at] = draw.choice(
                [*SYNTAX, "{99999}", "\\ud800", "\ud800", "[[", "--", "(?"]
            )
        else:
            del letters[at : at + 1]
    return "".join(letters), sample


# what is compared: functions as arguments, and what re says about them


def regex_arguments(draw: random.Random, pattern: str) -> dict[str, Any]:
    return {"pattern": pattern, "flags": draw.choice(FLAGS), "unicode": draw.random() < 0.3}


def keyword_arguments(draw: random.Random) -> tuple[dict[str, Any], list[str]]:
    make = Grammar(draw)
    words = [
        "".join(make.literal()[1] for _ in range(draw.randint(1, 3)))
        for _ in range(draw.randint(1, 8))
    ]
    words += [word.swapcase() for word in words if draw.random() < 0.2]
    arguments = {
        "words": words,
        "match": draw.choice(["word", "substring"]),
        "case_sensitive": draw.random() < 0.3,
        "unicode": draw.random() < 0.5,
        "min_count": draw.choice([1, 1, 1, 2, 3]),
    }
    return arguments, words


def compiled(arguments: dict[str, Any]) -> list[re.Pattern[str]]:
    """Return patterns that are found once for each occurrence; raise where re does."""
    if "pattern" in arguments:
        flags = arguments["flags"]
        return [
            re.compile(arguments["pattern"], flags if arguments["unicode"] else flags | re.ASCII)
        ]
    flags = re.NOFLAG if arguments["case_sensitive"] else re.IGNORECASE
    flags = flags if arguments["unicode"] else flags | re.ASCII
    different: list[str] = []
    for word in arguments["words"]:
        if not any(re.fullmatch(re.escape(known), word, flags) for known in different):
            different.append(word)
    ends = (r"(?<!\w)", r"(?!\w)") if arguments["match"] == "word" else ("", "")
    return [re.compile(f"{ends[0]}(?={re.escape(word)}{ends[1]})", flags) for word in different]


def expected(arguments: dict[str, Any], texts: list[str | None]) -> list[int]:
    programs = compiled(arguments)
    if "pattern" in arguments:
        return [-1 if t is None or programs[0].search(t) is None else 1 for t in texts]
    counts = [0 if t is None else sum(len(p.findall(t)) for p in programs) for t in texts]
    return [1 if n >= arguments["min_count"] else -1 for n in counts]


def made(arguments: dict[str, Any]) -> Any:
    make = cs.lf.regex if "pattern" in arguments else cs.lf.keywords
    return make("t", label=1, **arguments)


def column(draw: random.Random, texts: list[str | None]) -> Any:
    """Return the texts in one of the layouts there are."""
    kind = draw.randrange(6)
    if kind == 0:
        return texts
    if kind == 1:
        return pa.array(texts, pa.string()).dictionary_encode()
    array = pa.array(
        ["a", *texts, None], [pa.string(), pa.large_string(), pa.string_view()][kind % 3]
    )
    return array.slice(1, len(texts))


def votes(functions: list[dict[str, Any]], texts: Any, threads: int = 1) -> list[list[int]]:
    lfs = [made(arguments) for arguments in functions]
    return cs.apply(lfs, {"t": texts}, n_threads=threads).to_dense().T.tolist()


# a smaller example of a difference


def differs(arguments: dict[str, Any], text: str) -> bool:
    if not arguments.get("pattern", arguments.get("words")):
        return False
    try:
        with at_most(RE_SECONDS):
            want = expected(arguments, [text])
    except (TimeUpError, *REJECTED):
        return False
    try:
        return votes([arguments], [text]) != [want]
    except ValueError:
        return True


def smaller(arguments: dict[str, Any], text: str) -> tuple[dict[str, Any], str]:
    """Leave out characters and words as long as the votes differ."""

    def tries() -> Iterator[tuple[dict[str, Any], str]]:
        for size in (8, 4, 2, 1):
            for i in range(len(text)):
                yield arguments, text[:i] + text[i + size :]
            key = "pattern" if "pattern" in arguments else "words"
            whole = arguments[key]
            for i in range(len(whole)):
                yield arguments | {key: whole[:i] + whole[i + size :]}, text

    better: tuple[dict[str, Any], str] | None = (arguments, text)
    while better is not None:
        arguments, text = better
        better = next((other for other in tries() if differs(*other)), None)
    return arguments, text


def report(functions: list[dict[str, Any]], texts: list[str | None]) -> None:
    """Print the smallest example found."""
    for arguments in functions:
        for text in texts:
            if text is not None and differs(arguments, text):
                small, short = smaller(arguments, text)
                print(f"different from re: {small!r} on {short!r}")
                print(f"first seen as {arguments!r} on {text!r}")
                return
    print(f"different from re, only together: {functions!r} on {texts!r}")


# the campaign


def text_of(draw: random.Random, samples: list[str]) -> str | None:
    """Join samples, words and letters, some of them changed; or a few letters."""
    make = Grammar(draw)
    if draw.random() < 0.3:
        return "".join(make.letter() for _ in range(draw.randint(0, 3)))
    pieces = []
    for _ in range(draw.randint(0, 5)):
        kind = draw.randrange(6)
        piece = draw.choice(samples)[:24] if kind < 3 else make.literal()[1]
        if kind == 0:
            piece = piece.swapcase()
        if kind == 1 and piece:
            at = draw.randrange(len(piece))
            piece = piece[:at] + make.letter() + piece[at + 1 :]
        pieces += [piece, draw.choice(["", " ", "\n", ".", "_"])]
    return None if draw.random() < 0.05 else "".join(pieces)


def one_round(draw: random.Random, counts: collections.Counter[str]) -> bool:
    """Compare some functions on some texts; return whether all is as it should be."""
    functions, samples = [], [""]
    for _ in range(draw.randint(1, 6)):
        kind = draw.randrange(10)
        if kind < 3:
            arguments, found = keyword_arguments(draw)
        else:
            pattern, sample = garbage(draw) if kind < 5 else Grammar(draw).pattern()
            arguments, found = regex_arguments(draw, pattern), [sample]
        try:
            with at_most(RE_SECONDS):
                compiled(arguments)
            rejected = arguments.get("pattern") == ""
        except REJECTED:
            rejected = True
        except TimeUpError:
            counts["left out: slow in re"] += 1
            continue
        try:
            with at_most(OUR_SECONDS):
                lf = made(arguments)
        except ValueError as error:
            if not rejected:
                print(f"rejected: {arguments!r}: {error}")
                return False
            counts["rejected, as by re"] += 1
            continue
        except TimeUpError:
            print(f"too slow to compile: {arguments!r}")
            return False
        if rejected:
            print(f"not rejected: {arguments!r}")
            return False
        counts["keyword sets" if kind < 3 else f"patterns on {lf.engine}"] += 1
        counts["of syntax at random"] += 3 <= kind < 5
        functions.append(arguments)
        samples += [x.encode(errors="ignore").decode() for x in found]
    texts = [text_of(draw, samples) for _ in range(draw.choice([1, 10, 40]))]
    wanted, kept = [], []
    for arguments in functions:
        try:
            with at_most(RE_SECONDS):
                wanted.append(expected(arguments, texts))
            kept.append(arguments)
        except TimeUpError:
            counts["left out: slow in re"] += 1
    if not kept:
        return True
    data, threads = column(draw, texts), draw.choice([1, 2])
    try:
        with at_most(OUR_SECONDS):
            got = votes(kept, data, threads)
    except TimeUpError:
        print(f"too slow: {kept!r} on {texts!r}")
        return False
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
        report(kept, texts)
        return False
    counts["votes"] += sum(map(len, wanted))
    counts["votes that fire"] += sum(row.count(1) for row in wanted)
    if got != wanted:
        report(kept, texts)
        return False
    return True


def main() -> None:
    """Compare until the time is up; print what was compared."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    draw = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    warnings.simplefilter("ignore")  # re's, of sets that look nested
    counts: collections.Counter[str] = collections.Counter()
    end = time.monotonic() + seconds
    clean = True
    while clean and time.monotonic() < end:
        clean = one_round(draw, counts)
    print(f"in {seconds:g} s: " + ", ".join(f"{n} {what}" for what, n in sorted(counts.items())))
    print("every vote is that of re" if clean else "FAILED")
    sys.exit(not clean)


if __name__ == "__main__":
    main()
