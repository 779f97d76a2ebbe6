"""Regular expressions: every engine must find exactly what Python's re finds."""

from __future__ import annotations

import json
import re

import hypothesis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coverset as cs
import lf_reference as reference
from coverset.lf.engines import re2

# letters of both cases, the two that Unicode folds to k and s, every kind of white space, a
# separator that only Unicode calls space, an Arabic digit, NUL, syntax
LETTERS = "aAbBkKsSzZ_09 -[^$\\.\n\t\x0b\x0c\r\x1c\x00\u00e9\u00c9\u212a\u017f\u0661\U0001f600"
RANGES = ("a-z", "A-Z", "Z-a", "@-k", "0-9", "!-/", "\\x00-\\x1f", "\u00c0-\u00ff", "\u2100-\u2200")
CATEGORIES = (r"\d", r"\D", r"\w", r"\W", r"\s", r"\S")
ANCHORS = ("^", "$", r"\A", r"\Z", r"\b", r"\B")
QUANTIFIERS = (
    "*",
    "+",
    "?",
    "*?",
    "+?",
    "??",
    "{2}",
    "{1,2}",
    "{0}",
    "{,2}",
    "{1,}",
    "{0,2}?",
    "*+",
)
GROUPS = ("(?:{})", "({})", "(?i:{})", "(?-i:{})", "(?s:{})", "(?-s:{})", "(?i-s:{})", "(?m:{})")
FLAGS = (0, re.I, re.S, re.I | re.S, re.M, re.X, re.I | re.X)

texts_of = st.lists(st.text(LETTERS, max_size=8), min_size=1, max_size=6)
literals = st.sampled_from(LETTERS).map(re.escape) | st.sampled_from(["\\n", "\\x41", "\\u017f"])
members = st.sampled_from(LETTERS).map(re.escape) | st.sampled_from(RANGES + CATEGORIES)
sets = st.builds(
    "[{}{}]".format,
    st.sampled_from(["", "^"]),
    st.lists(members, min_size=1, max_size=3).map("".join),
)
anchors = st.sampled_from(ANCHORS)
atoms = literals | sets | st.sampled_from((*CATEGORIES, ".")) | anchors


def _wider(inner):
    parts = st.lists(inner, min_size=1, max_size=3)
    return (
        parts.map("".join)
        | parts.map("|".join).map("(?:{})".format)
        | st.builds("(?:{}){}".format, inner, st.sampled_from(QUANTIFIERS))
        | st.builds(str.format, st.sampled_from(GROUPS), inner)
        | st.builds("{}( |$)".format, inner)
    )


patterns = st.recursive(atoms, _wider, max_leaves=8)


def compiled(pattern, flags=0):
    """Return the pattern as Python reads it, or give the example up."""
    try:
        return re.compile(pattern, flags | re.ASCII)
    except re.error:
        hypothesis.reject()


def column(lf, texts):
    return cs.apply([lf], {"t": texts}).to_dense().ravel().tolist()


def found_by_re2(translated, texts):
    return pc.match_substring_regex(pa.array(texts), pattern=translated).to_pylist()


# against Python's re


@hypothesis.settings(max_examples=600)
@given(patterns, st.sampled_from(FLAGS), texts_of)
def test_translated_patterns_find_what_python_finds(pattern, flags, texts):
    program = compiled(pattern, flags)
    translated = re2.translate(program)
    hypothesis.assume(translated is not None)
    want = [program.search(text) is not None for text in texts]
    assert found_by_re2(translated, texts) == want


@hypothesis.settings(max_examples=200)
@given(sets | literals, st.sampled_from([0, re.I]))
def test_translated_sets_hold_the_same_characters(pattern, flags):
    program = compiled(pattern, flags)
    texts = [chr(code) for code in range(0x250)] + list(LETTERS) + ["\u2126", "\u212b", "\u0130"]
    translated = re2.translate(program)
    hypothesis.assume(translated is not None)
    assert found_by_re2(translated, texts) == [bool(program.search(text)) for text in texts]


@hypothesis.settings(max_examples=200)
@given(patterns, st.sampled_from(FLAGS), st.lists(st.none() | st.text(LETTERS, max_size=8)))
def test_regex_votes_match_reference(pattern, flags, texts):
    compiled(pattern, flags)
    lf = cs.lf.regex("t", pattern, label=1, flags=flags)
    want = reference.regex_votes(texts, pattern, 1, flags | re.ASCII)
    assert column(lf, texts) == want
    sliced = pa.array(["a", *texts, "b"], pa.large_string()).slice(1, len(texts))
    assert column(lf, sliced) == want


@hypothesis.settings(max_examples=100)
@given(patterns, st.sampled_from(FLAGS), texts_of)
def test_unicode_patterns_match_python_without_ascii(pattern, flags, texts):
    compiled(pattern, flags)
    lf = cs.lf.regex("t", pattern, label=1, flags=flags, unicode=True)
    assert lf.engine in ("python", "native")
    assert column(lf, texts) == reference.regex_votes(texts, pattern, 1, flags)


# differences between RE2 and re, by hand


@pytest.mark.parametrize(
    ("pattern", "text", "fires"),
    [
        (r"\s", "\x0b", True),  # RE2's own \s leaves the vertical tab out
        (r"\S", "\x0b", False),
        (r"[^\S]", "\x0b", True),
        (r"\s", "\x1c", False),  # white space for Python's Unicode rules only
        (r"\s", "\u00a0", False),
        (r"a$", "a\n", True),  # $ lets one newline follow
        (r"a$", "a\n\n", False),
        (r"a$", "a\nb", False),
        (r"a\Z", "a\n", False),
        (r"a( |$)", "a\n", True),
        (r"^b", "a\nb", False),
        (r"a.b", "a\nb", False),
        (r"a.b", "a\rb", True),
        (r"(?s)a.b", "a\nb", True),
        (r"(?s:a.)b.", "a\nb\n", False),
        (r"(?i)k", "\u212a", False),  # the Kelvin sign: no ASCII letter
        (r"(?i)[k-l]", "\u212a", False),
        (r"(?i)[^k]", "\u212a", True),
        (r"(?i)s", "\u017f", False),
        (r"(?i)\u00e9", "\u00c9", False),
        (r"(?i)[Z-a]", "z", True),
        (r"(?i)[@-C]", "b", True),
        (r"(?i)[^@-C]", "b", False),
        (r"(?i:a)b", "AB", False),
        (r"(?i)a(?-i:b)", "AB", False),
        (r"\bfree\b", "\u00e9free\u00e9", True),
        (r"\d", "\u0661", False),
        (r"\w", "\u00e9", False),
        ("a\x00b", "a\x00b", True),
        (r"\x00", "a\x00b", True),
        (r"[[]", "[", True),
        (r"a{,2}b", "b", True),  # RE2 reads {,2} as a literal
        (r"^a{2,3}?$", "aaa", True),
        (r"\U0001f600", "\U0001f600", True),
        (r"[\u00e9-\U0001f600]", "\u212a", True),
        (r"(?P<word>a)|b", "b", True),
        (r"(?x) a  b # both", "ab", True),
        (r"|a", "", True),
        (r"\.", "a", False),
        (r"\Qa", "Qa", None),  # not an escape of Python's
        (r"\pL", "a", None),
        (r"[[:alpha:]]", "a", None),  # a Python set of [, :, a, l, p, h, then ]
        (r"\C", "a", None),
        (r"\z", "a", None),
    ],
)
@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")
def test_syntax_and_meaning_are_those_of_python(pattern, text, fires):
    try:
        python = re.search(pattern, text, re.ASCII) is not None
    except re.error:
        assert fires is None
        with pytest.raises(ValueError, match="pattern must be a valid regular expression"):
            cs.lf.regex("t", pattern, label=1)
        return
    assert fires in (python, None)
    assert column(cs.lf.regex("t", pattern, label=1), [text]) == [1 if python else -1]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(?ui:k)", "\u212a"),  # u inside the group folds as Unicode does
        (r"(?ui:[s])", "\u017f"),
        (r"(?ui:\u00e9)", "\u00c9"),
        (r"(?i)[\U00010400-\U00010427]", "\U00010428"),  # ranges past the BMP fold by Unicode
        (r"(?i)[^\U00010400-\U00010427]", "\U00010428"),
        (r"(?i)[\u0100-\U00010000]", "\u00ff"),
    ],
)
def test_folding_that_python_does_by_unicode_under_ascii_is_kept(pattern, text):
    want = reference.regex_votes([text], pattern, 1)
    assert column(cs.lf.regex("t", pattern, label=1), [text]) == want


# engines


@pytest.mark.parametrize(
    "pattern",
    [
        r"https?://\S+\.org",
        r"( |^)(call|ringtone)[^\w]* ([^\s]+ )*(free|free)[^\w]*( |$)",
        r"(?i)subscribe|check\s+out",
        r"^\d{3,4}$",
        r"\bwin\b.*?\$",
        r"[^\w\s]+\Z",
    ],
)
def test_plain_patterns_run_on_re2(pattern):
    lf = cs.lf.regex("t", pattern, label=1)
    _, report = cs.apply([lf], {"t": ["a"]}, return_report=True)
    assert report.engines == [lf.engine] == ["re2"]


@pytest.mark.parametrize("pattern", [r"[^\W\d_]", r"[\D\n]", r"[\S\s]"])
def test_negated_classes_inside_sets_run_on_re2(pattern):
    assert cs.lf.regex("t", pattern, label=1).engine == "re2"


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        (r"a(?=b)", ["ab", "ac", None]),
        (r"a(?!b)", ["ab", "ac", None]),
        (r"(?<=a)b", ["ab", "cb", None]),
        (r"(?<!a)b", ["ab", "cb", None]),
        (r"(a|b)\1", ["aa", "ab", None]),
        (r"(?P<x>a|b)(?P=x)", ["bb", "ab", None]),
        (r"(a)?b(?(1)c|d)", ["abc", "bd", "bc"]),
        (r"(?m)^b", ["a\nb", "ab", None]),
        (r"(?m:a$)", ["a\nb", "ab", None]),
        (r"a\Bb", ["ab", "a b", None]),
        (r"\n$\n", ["\n\n", "\n", None]),
        (r"(?:a$)+", ["a\n", "ab", None]),
        (r"a++b", ["aab", "b", None]),
        (r"(?>a*)b", ["aab", "a", None]),
        (r"a{1001}", ["a" * 1001, "a" * 1000, None]),
        (r"(?!)", ["a", "", None]),
    ],
)
def test_patterns_without_an_equal_run_on_python(pattern, texts):
    lf = cs.lf.regex("t", pattern, label=1)
    assert lf.engine == "python"
    assert column(lf, texts) == reference.regex_votes(texts, pattern, 1)


@pytest.mark.parametrize(
    "pattern", [r"(?:a{30}){50}", r"(?:(?:a{9}){9}){15}", r"[\u0100-\uffff]{1000}"]
)
def test_patterns_that_re2_refuses_run_on_python(pattern):
    texts = ["a" * 1500, "a" * 1499, "\u0101" * 1000, None]
    lf = cs.lf.regex("t", pattern, label=1)
    L, report = cs.apply([lf], {"t": texts}, return_report=True)
    assert L.to_dense().ravel().tolist() == reference.regex_votes(texts, pattern, 1)
    assert report.engines == [lf.engine]
    assert column(lf, texts) == reference.regex_votes(texts, pattern, 1)


def test_unicode_covers_all_letters():
    texts = ["\u00e9", "\u0661", "a", None]
    assert column(cs.lf.regex("t", r"^\w$", label=1, unicode=True), texts) == [1, 1, 1, -1]
    assert column(cs.lf.regex("t", r"^\w$", label=1), texts) == [-1, -1, 1, -1]


def test_flags_are_those_of_re():
    texts = ["FREE\nNOW", "free now"]
    assert column(cs.lf.regex("t", "e.n", label=1, flags=re.I | re.S), texts) == [1, 1]
    assert column(cs.lf.regex("t", "e.n", label=1, flags=re.S), texts) == [-1, 1]
    assert column(cs.lf.regex("t", "^now", label=1, flags=re.I | re.M), texts) == [1, -1]


def test_long_and_many_texts_are_cut_without_losing_rows():
    rng = np.random.default_rng(3)
    texts = ["x" * int(size) for size in rng.integers(0, 3000, 6000)]
    hits = rng.choice(6000, 50, replace=False)
    for row in hits:
        texts[row] += "free"
    L = cs.apply([cs.lf.regex("t", "free$", label=1)], {"t": pa.array(texts)})
    assert np.flatnonzero(L.covered).tolist() == sorted(hits.tolist())


def test_default_name_holds_column_and_pattern():
    assert cs.lf.regex("t", "https?://", label=1).name == "regex_t_https?://"
    assert cs.lf.regex("t", "a", label=1, name="link").name == "link"


# errors


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"pattern": "("}, ValueError, r"pattern must be a valid regular expression, got '\('"),
        ({"pattern": "a**"}, ValueError, r"pattern must be a valid .* multiple repeat"),
        ({"pattern": "(?<=a*)b"}, ValueError, r"pattern must be .* fixed-width"),
        ({"pattern": "a{99999999999}"}, ValueError, r"pattern must be a valid regular expression"),
        ({"pattern": ""}, ValueError, r"pattern must not be empty: it would match every row"),
        ({"pattern": b"a"}, TypeError, r"pattern must be a string, got b'a'"),
        ({"pattern": None}, TypeError, r"pattern must be a string, got None"),
        ({"flags": re.UNICODE}, ValueError, r"ASCII and UNICODE flags are incompatible"),
        ({"label": -1}, ValueError, r"label must be in 0..32766, got -1"),
        ({"column": ""}, TypeError, r"column must be a string that is not empty, got ''"),
    ],
)
def test_regex_rejects(change, error, message):
    with pytest.raises(error, match=message):
        cs.lf.regex(**{"column": "t", "pattern": "a", "label": 1} | change)


# real rules


def test_sms_rules_reproduce_the_published_votes(test_data):
    lines = (test_data / "text/sms/rules.tsv").read_text(encoding="utf-8").splitlines()
    rules = [line.split("\t", 1) for line in lines if line]
    rows = (test_data / "text/sms/train.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(row)["text"] for row in rows]
    want = np.load(test_data / "label_matrices/sms.npz")["train_L"]
    lfs = [cs.lf.regex("text", pattern, label=int(label)) for label, pattern in rules]
    L, report = cs.apply(lfs, {"text": texts}, return_report=True)
    np.testing.assert_array_equal(L.to_dense(), want)
    assert report.engines == ["re2"] * len(rules)
