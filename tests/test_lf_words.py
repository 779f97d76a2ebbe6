"""Keyword functions, and text that is no text."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coverset as cs
from lf_examples import (
    LETTERS,
    THREADS,
    as_keywords,
    column,
    dense,
    keyword_functions,
    keyword_matrix,
    texts_of,
)

# keywords


@given(texts_of, keyword_functions())
def test_keywords_match_reference(texts, functions):
    L = cs.apply(as_keywords(functions), {"t": texts}, cardinality=4)
    assert L.to_dense().tolist() == keyword_matrix(functions, texts)
    assert L.nnz == int((L.to_dense() >= 0).sum())  # each (row, function) fires once


@given(texts_of, keyword_functions(), st.integers(0, 12), st.integers(0, 12))
def test_keywords_match_reference_on_sliced_arrow_arrays(texts, functions, start, length):
    want = keyword_matrix(functions, texts[start : start + length])
    for kind in (pa.string(), pa.large_string()):
        array = pa.array(texts, kind).slice(min(start, len(texts)), length)
        assert dense(as_keywords(functions), {"t": array}) == want


@given(st.lists(st.sampled_from(["ab", "b", "a", "ba", "bab", "abab"]), min_size=1, max_size=6))
def test_nested_and_overlapping_words_each_fire(words):
    texts = ["abab", "xabab", "ab ab", "bab", "babab a", "", "b", "aab abb"]
    functions = [
        {"words": [word], "label": 1, "match": match}
        for word in words
        for match in ("word", "substring")
    ]
    assert dense(as_keywords(functions), {"t": texts}) == keyword_matrix(functions, texts)


def test_threads_do_not_change_keyword_votes(simd_level):
    rng = np.random.default_rng(7)
    texts = ["".join(rng.choice(list(LETTERS), rng.integers(0, 60))) for _ in range(3000)]
    texts[::11] = [None] * len(texts[::11])
    functions = [
        {"words": ["ab", "b a", "k"], "label": 0, "match": match, "case_sensitive": sensitive}
        for match in ("word", "substring")
        for sensitive in (False, True)
    ]
    want = keyword_matrix(functions, texts)
    for threads in THREADS:
        assert dense(as_keywords(functions), {"t": texts}, n_threads=threads) == want


def test_two_thousand_words_match_reference():
    rng = np.random.default_rng(8)
    words = sorted({"".join(rng.choice(list("abcde"), 5)) for _ in range(3000)})[:2000]
    texts = [" ".join(rng.choice(words, 3)) + "z" * int(rng.integers(2)) for _ in range(60)]
    texts += ["abcd", "", None]
    functions = [{"words": [word], "label": 1} for word in words[:50]]
    functions += [{"words": words, "label": 0, "match": "substring"}, {"words": words, "label": 2}]
    found = [set(re.findall(r"\w+", text or "")) for text in texts]
    want = [[1 if word in held else -1 for word in words[:50]] for held in found]
    for row, held, text in zip(want, found, texts, strict=True):
        inside = any(word in (text or "") for word in words)
        row += [0 if inside else -1, 2 if held & set(words) else -1]
    assert dense(as_keywords(functions), {"t": texts}) == want


@pytest.mark.parametrize(
    ("word", "text", "fires"),
    [
        ("free", "free", True),
        ("free", "FrEe money", True),
        ("free", "freedom", False),
        ("free", "_free", False),
        ("free", "free1", False),
        ("free", "unfree free", True),
        ("free", "\u00e9free\u00e9", True),  # no ASCII letter touches it
        ("check out", "check  out", False),
        ("check out", "Check out!", True),
        (".com", "a.com", False),
        (".com", "a .com", True),
        ("c++", "c++", True),
        ("\u00e9", "\u00c9", False),  # only ASCII letters fold
        ("k", "\u212a", False),
        ("a\x00b", "a\x00b", True),
        ("caf\u00e9", "cafe\u0301", False),  # composed and combined forms differ
    ],
)
def test_word_match_by_hand(word, text, fires):
    assert column(cs.lf.keywords("t", [word], label=1), {"t": [text]}) == [1 if fires else -1]


def test_keyword_labels_are_those_given():
    lfs = [cs.lf.keywords("t", ["a"], label=label) for label in (0, 5, 32766)]
    assert dense(lfs, {"t": ["a"]}) == [[0, 5, 32766]]


def test_word_found_twice_votes_once():
    lf = cs.lf.keywords("t", ["a", "a", "A", "a b"], label=1)
    assert cs.apply([lf], {"t": ["a b a A a b"]}).nnz == 1


def test_functions_of_two_columns_do_not_mix():
    lfs = [cs.lf.keywords("x", ["a"], label=0), cs.lf.keywords("y", ["a"], label=1)]
    assert dense(lfs, {"x": ["a", "b"], "y": ["b", "a"]}) == [[0, -1], [-1, 1]]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"words": "spam"}, TypeError, r"words must be a list of strings, got the string 'spam'"),
        ({"words": []}, ValueError, r"words must hold at least one word, got none"),
        ({"words": ["a", ""]}, ValueError, r"words\[1\] must not be empty"),
        ({"words": ["a", 5]}, TypeError, r"words\[1\] must be a string, got 5"),
        ({"match": "prefix"}, ValueError, r"match must be one of 'word', 'substring', got 'pref"),
        ({"label": -1}, ValueError, r"label must be in 0..32766, got -1"),
        ({"label": 32767}, ValueError, r"label must be in 0..32766, got 32767"),
        ({"label": 1.0}, TypeError, r"label must be a whole number, got 1.0"),
        ({"label": True}, TypeError, r"label must be a whole number, got True"),
        ({"label": None}, TypeError, r"label must be a whole number, got None"),
        ({"column": ""}, TypeError, r"column must be a string that is not empty, got ''"),
        ({"column": 3}, TypeError, r"column must be a string that is not empty, got 3"),
        ({"name": ""}, ValueError, r"name must be a string that is not empty, got ''"),
    ],
)
def test_keywords_reject(change, error, message):
    arguments = {"column": "t", "words": ["a"], "label": 1} | change
    with pytest.raises(error, match=message):
        cs.lf.keywords(**arguments)


def test_word_that_is_no_unicode_text_is_refused_by_its_own_words():
    with pytest.raises(ValueError, match=r"words\[1\]"):
        cs.lf.keywords("t", ["a", "\ud800"], label=1)


# invalid text


def strings_from_bytes(rows, kind=pa.StringArray, dtype=np.int32):
    """Return an Arrow string array of any bytes, as a file or a peer may hand over."""
    ends = np.cumsum([0, *map(len, rows)], dtype=dtype)
    return kind.from_buffers(len(rows), pa.py_buffer(ends), pa.py_buffer(b"".join(rows) or b"\0"))


def first_undecodable(rows):
    for i, row in enumerate(rows):
        try:
            row.decode("utf-8")
        except UnicodeDecodeError:
            return i
    return None


pieces = st.sampled_from(
    [
        b"a" * 17,
        b"b",
        "\u00e9".encode(),
        "\u20ac".encode(),
        "\U0001f600".encode(),
        b"\xc3",
        b"\x80",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe2\x82",
        b"\xff",
    ]
)


@given(st.lists(st.lists(pieces, max_size=6).map(b"".join), max_size=8))
def test_first_row_of_invalid_utf8_is_named(simd_level, rows):
    bad = first_undecodable(rows)
    lf = cs.lf.keywords("t", ["b"], label=1, match="substring")
    regex = cs.lf.regex("t", "b", label=1)
    for kind, dtype in ((pa.StringArray, np.int32), (pa.LargeStringArray, np.int64)):
        array = strings_from_bytes(rows, kind, dtype)
        want = [1 if b"b" in row else -1 for row in rows]
        assert column(lf, {"t": array}) == want  # bytes
        if bad is None:
            assert column(regex, {"t": array}) == want
        else:
            with pytest.raises(ValueError, match=rf"column 't'.*valid UTF-8, row {bad} is not"):
                cs.apply([lf, regex], {"t": array})


def test_character_split_over_two_rows_is_invalid_in_the_first():
    array = strings_from_bytes([b"a", b"\xc3", b"\xa9"])
    with pytest.raises(ValueError, match=r"text must be valid UTF-8, row 1 is not"):
        cs.apply([cs.lf.regex("t", "a", label=1)], {"t": array})


def test_invalid_text_outside_a_slice_does_not_matter():
    array = strings_from_bytes([b"\xff", b"a", b"\xff"]).slice(1, 1)
    assert column(cs.lf.keywords("t", ["a"], label=1), {"t": array}) == [1]


def test_invalid_text_past_the_first_block_is_named_by_its_row_in_the_table():
    rows = [b"a"] * 70_000
    rows[69_990] = b"\xff"
    with pytest.raises(ValueError, match=r"row 69990\b"):
        cs.apply([cs.lf.regex("t", "a", label=1)], {"t": strings_from_bytes(rows)})


@pytest.mark.parametrize("texts", [["a", "b\ud800"], np.array(["a", "b\ud800"])])
def test_lone_surrogate_is_refused_by_column(texts):
    with pytest.raises(ValueError, match=r"labeling function 'keywords_t_a': column 't'"):
        cs.apply([cs.lf.keywords("t", ["a"], label=1)], {"t": texts})
