"""Literals that patterns need: never one too many, and exact only where re.search agrees."""

from __future__ import annotations

import json
import re
import sys

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverset.lf.engines.literals import Literal, required

A, I, M, S = re.ASCII, re.IGNORECASE, re.MULTILINE, re.DOTALL  # noqa: E741
WORD = frozenset(b"0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def occurs(literal, text):
    """Whether a literal occurs in bytes, by its definition."""
    text = text.lower() if literal.fold else text  # bytes: ASCII letters alone
    if literal.text not in text:
        return False
    for start in range(len(text)):
        stop = start + len(literal.text)
        if text[start:stop] != literal.text:
            continue
        starts = start == 0 or text[start - 1] not in WORD
        ends = stop == len(text) or text[stop] not in WORD
        if (starts or not literal.word_start) and (ends or not literal.word_end):
            return True
    return False


def literal(shown):
    """Return the literal that ``shown`` stands for: ``i:`` folds, ``|`` is the edge of a word."""
    fold = shown.startswith("i:")
    shown = shown.removeprefix("i:")
    text = shown.removeprefix("|").removesuffix("|").encode()
    return Literal(text, fold, shown.startswith("|"), shown.endswith("|"))


def check(pattern, texts):
    """Check the literals of a compiled pattern on texts; return how many could and do match."""
    requirement = required(pattern)
    if requirement is None:
        return None
    literals = requirement.literals
    assert 1 <= len(literals) <= 64
    assert list(literals) == sorted(set(literals))
    for x in literals:
        assert x.text.decode()
        assert not x.fold or x.text == x.text.lower() != x.text.upper()
    could = does = 0
    for text in texts:
        found = pattern.search(text) is not None
        candidate = any(occurs(x, text.encode()) for x in literals)
        assert candidate or not found, (requirement, text)
        assert found or not candidate or not requirement.exact, (requirement, text)
        could += candidate
        does += found
    return could, does


# by hand


@pytest.mark.parametrize(
    ("pattern", "flags", "literals", "exact"),
    [
        # words and their edges
        (r"free", A, "free", True),
        (r"\bfree\b", A, "|free|", True),
        (r"\bfree\w*", A, "|free", True),
        (r"free.*", A, "free", True),
        (r".*?free\s*", A, "free", True),
        (r"free\w*\b", A, "free", False),
        (r"\w+free", A, "free", False),
        (r"(?<!\w)\$5(?!\w)", A, "|$5|", True),
        (r"(?<![0-9A-Za-z_])5(?![\w-])", A, "|5|", False),
        (r"(?<!\S)free(?=\s|$)", A, "|free|", False),
        (r"(?<![a-z])free(?!\d)", A, "free", False),
        (r"\$\b", A, "$", False),
        (r"\bfree\B", A, "|free", False),
        (r"free\b win", A, "free win", True),
        (r"free\bwin|prize", A, "prize", True),
        (r"^free$", A, "|free|", False),
        (r"\Afree\Z", A, "|free|", False),
        (r"(?m)^free$", A, "|free|", False),
        (r"free[^\w]*( |$)", A, "free|", False),
        (r"( |^)(won|won)[^\w]*( |$)", A, "|won|", False),
        (r"(^|\W)free(\W|$)", A, "|free|", False),
        # several literals
        (r"https?://", A, "http:// / https://", True),
        (r"frees?", A, "free", True),
        (r"\bfree(?:dom)?\b", A, "|free| / |freedom|", True),
        (r"(?i)\b(?:win|prize)s?\b", A, "i:|prize| / i:|prizes| / i:|win| / i:|wins|", True),
        (r"\b(?:free\w*|win)\b", A, "|free / |win|", False),
        (r"cheap|free.*money|won", A, "cheap / money / won", False),
        (r"gr[ae]y", A, "gray / grey", True),
        (r"[Ff]ree", A, "Free / free", True),
        (r"a[0-9]", A, "a0 / a1 / a2 / a3 / a4 / a5 / a6 / a7 / a8 / a9", True),
        (r"zoom[a-z]+", A, "zoom", False),
        (r"zoom[a-z]*", A, "zoom", True),
        (r"ha{3}|(?:ho){2,3}", A, "haaa / hoho", True),
        (r"h(?:o){1,}w", A, "ho", False),
        (r"check\s+out", A, "check|", False),
        (r"call [0-9]{5,} now", A, "call ", False),
        # folding
        (r"(?i)win 5!", A, "i:win 5!", True),
        (r"(?i)5!", A, "5!", True),
        (r"(?i:free)", A, "i:free", True),
        (r"(?i)k", A, "i:k", True),
        (r"(?i)caf\u00e9", A, "i:caf\u00e9", True),
        (r"(?i:f)ree", A, "i:free", False),
        (r"(?i)mon(?-i:ey)", A, "i:money", False),
        # Unicode
        (r"\bfree\b", 0, "|free|", False),
        (r"(?a:\bfree\b)", 0, "|free|", True),
        (r"\b\u00e9t\u00e9\b", 0, "|\u00e9t\u00e9|", False),
        (r"\b\u00e9t\u00e9\b", A, "\u00e9t\u00e9", False),
        (r"(?<!\w)free", 0, "|free", False),
        (r"(?i)free", 0, "i:free", True),
        (r"(?i)ok", 0, "i:ok / i:o\u212a", True),
        (r"(?i)zip", 0, "i:zip / i:z\u0130p / i:z\u0131p", True),
        (r"(?i)yes", 0, "i:yes / i:ye\u017f", True),
        (r"(?i)caf\u00e9", 0, "i:caf|", False),
        (r"(?i)\u4e2d\u6587", 0, "\u4e2d\u6587", True),
        (r"[\u00e9\u00e8]t", A, "\u00e8t / \u00e9t", True),
        # what helps nothing
        (r"free(?=x)(?!y)", A, "free", False),
        (r"(?<=a)free", A, "free", False),
        (r"(a|b)mid\1", A, "amid / bmid", False),
        (r"(x)?mid(?(1)y|z)", A, "mid", False),
        (r"(?>a*)mid", A, "mid", False),
        (r"mi++d", A, "mi", False),
        (r"e", A, "e", True),
    ],
)
def test_literals_by_hand(pattern, flags, literals, exact):
    got = required(re.compile(pattern, flags))
    assert got is not None
    assert (set(got.literals), got.exact) == (set(map(literal, literals.split(" / "))), exact)


@pytest.mark.parametrize(
    "pattern",
    [
        r"",
        r"^$",
        r"\b",
        r"\w+",
        r"a*",
        r"free|",
        r"(?:free)?",
        r"free|\d{4}",
        r"free|\b",
        r" ",  # far too common, and more than the one literal
        r"[^a]",
        r"e\w",
        r"(?=free)",
        r"\ud800",  # no text holds a surrogate
        r"a\bb",  # nothing matches
        r"(?!)",
        "|".join(f"{i:02}x" for i in range(65)),
    ],
)
def test_patterns_without_useful_literals(pattern):
    got = required(re.compile(pattern, re.ASCII))
    assert got is None or (pattern == " " and got.exact)


def test_as_many_as_64_literals_are_returned():
    got = required(re.compile("|".join(f"{i:02}x" for i in range(64)), re.ASCII))
    assert got is not None
    assert (len(got.literals), got.exact) == (64, True)


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("x" * 3000, ["x" * 2999, "x" * 3000]),
        ("(?:(?:(?:ab){30}){30}){30}", ["ab" * 40]),
        ("(?:(?:a?){9}){9}b", ["b", "aab", "a"]),
        ("(?:){4294967294}b", []),
        ("(?:a|b|cd)" * 60 + "z", ["cd" * 60 + "z", "ab" * 29 + "cdz"]),
        ("(?i)" + "kiss" * 60, ["KISS" * 60, "Ki\u017fs" * 60, "kiss"]),
        ("(" * 90 + "free" + ")" * 90, ["free", "fre"]),
        ("|".join(f"{i}a?b?c?d?" for i in range(400)), ["399ad", "ad"]),
    ],
    ids=range(8),
)
def test_long_patterns_stay_cheap(pattern, texts):
    for flags in (0, A):
        check(re.compile(pattern, flags), texts)


@pytest.mark.parametrize("flags", [0, A])
def test_letters_fold_as_the_module_assumes(flags):
    everything = "".join(map(chr, [*range(0xD800), *range(0xE000, sys.maxunicode + 1)]))
    inside = set(re.findall(r"(?i)[\x00-\x7f]", everything, flags))
    assert inside == {chr(code) for code in range(128)} | (
        set() if flags else set("\u0130\u0131\u017f\u212a")
    )
    if flags:
        assert set(re.findall("(?i)[\u00e9\u017f\u212a]", everything, flags)) == set(
            "\u00e9\u017f\u212a"
        )
        return
    _sre = pytest.importorskip("_sre")
    folding = {char for char in everything if not char.lower() == char == char.upper()}
    assert {char for char in everything if _sre.unicode_iscased(ord(char))} <= folding


def test_a_pattern_that_warns_or_prints_does_so_once(capsys):
    with pytest.warns(FutureWarning):
        pattern = re.compile("[[a]free", re.DEBUG)
    capsys.readouterr()
    assert required(pattern) is not None
    assert capsys.readouterr().out == ""


# at random

LETTERS = "aakKsSiIeE5_ -\n\u00e9\u00c9\u212a\u017f\u0131\u0130\u4e2d"
WORDS = ("ask", "Is", "kiss", "e-", "\u00e9a", "sea 5", "_a")
CLASSES = (
    "[ak]",
    "[^a]",
    "[Kk]",
    "[a-f]",
    "[i-k5]",
    "[^\\w]",
    "[^\\s]",
    "[\u00e9a]",
    "[\\w-]",
    ".",
)
CATEGORIES = (r"\w", r"\W", r"\d", r"\s", r"\S", r"[^\W]")
ANCHORS = ("^", "$", r"\A", r"\Z", r"\b", r"\b", r"\B")
LOOKS = ("(?<!\\w)", "(?!\\w)", "(?<!\\S)", "(?=\\s|$)", "(?={})", "(?!{})", "(?<=a)", "(?<![ak])")
QUANTIFIERS = ("?", "?", "*", "+", "*?", "+?", "{2}", "{1,2}", "{,2}", "{0}", "{2,}", "++", "?+")
GROUPS = (
    "(?:{})",
    "({})",
    "(?i:{})",
    "(?-i:{})",
    "(?a:{})",
    "(?u:{})",
    "(?s-i:{})",
    "(?>{})",
    "(?ai:{})",
)
FLAGS = (A, A, A | I, A | I, 0, I, A | M, I | S)

literals = st.sampled_from(LETTERS).map(re.escape)
words = st.sampled_from(WORDS).map(re.escape)
atoms = (
    words
    | literals
    | st.sampled_from(ANCHORS + CLASSES + CATEGORIES)
    | st.builds(str.format, st.sampled_from(LOOKS), literals)
)


def _wider(inner):
    parts = st.lists(inner, min_size=2, max_size=4)
    return (
        parts.map("".join)
        | parts.map("|".join).map("(?:{})".format)
        | st.builds("(?:{}){}".format, inner, st.sampled_from(QUANTIFIERS))
        | st.builds(str.format, st.sampled_from(GROUPS), inner)
        | st.builds("( |^)({})[^\\w]*( |$)".format, inner)
        | st.builds(r"\b{}\b".format, inner)
        | st.builds(r"({})e\1".format, inner)
    )


patterns = st.recursive(atoms, _wider, max_leaves=7)
fragments = st.sampled_from(tuple(LETTERS) + WORDS + tuple(map(str.upper, WORDS)))
texts_of = st.lists(st.lists(fragments, max_size=8).map("".join), min_size=10, max_size=10)


def check_random(program, texts):
    try:
        check(program, texts)
    except SystemError:  # a fault of re: it loses track of a group
        hypothesis.reject()


def compiled(pattern, flags):
    """Return the compiled pattern, or give the example up."""
    try:
        return re.compile(pattern, flags)
    except re.error:  # a quantifier after an anchor, a group numbered twice
        hypothesis.reject()


@given(patterns, st.sampled_from(FLAGS), texts_of)
def check_matches(pattern, flags, texts):
    check_random(compiled(pattern, flags), texts)


@given(patterns, st.sampled_from(FLAGS), texts_of, st.data())
def check_around(pattern, flags, texts, data):
    """Texts at random seldom hold all of a long literal."""
    program = compiled(pattern, flags)
    requirement = required(program)
    hypothesis.assume(requirement is not None)
    for i, text in enumerate(texts):
        chosen = data.draw(st.sampled_from(requirement.literals)).text.decode()
        texts[i] = text[:3] + (chosen.upper() if i % 3 == 0 else chosen) + text[3:]
    check_random(program, texts)


often = pytest.mark.parametrize("share", [1, pytest.param(4, marks=pytest.mark.slow)])


@often
def test_matches_hold_a_literal_and_exact_ones_are_matches(share):
    hypothesis.settings(max_examples=250 * share)(check_matches)()


@often
def test_texts_around_the_literals_themselves(share):
    hypothesis.settings(max_examples=100 * share)(check_around)()


# real rules


def test_sms_rules_on_real_texts(test_data):
    folder = test_data / "text/sms"
    rules = [x.split("\t", 1)[1] for x in (folder / "rules.tsv").read_text().splitlines() if x]
    texts = [
        json.loads(line)["text"]
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert len(rules) == 73
    counts = [check(re.compile(rule, re.ASCII), texts) for rule in rules]
    assert None not in counts
    could, does = map(sum, zip(*counts, strict=True))
    assert does <= could <= 4 * does
