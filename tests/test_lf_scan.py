"""The scan of a text column against Python's re: words, layouts, ends of blocks, Unicode, rules."""

from __future__ import annotations

import ctypes
import functools
import json
import mmap
import random
import re
import sys

import hypothesis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coverset as cs
from examples import trying
from lf_examples import THREADS, column, dense

# both cases, letters that begin and end nothing, NUL, and letters of which re has its own view
LETTERS = "abABkKsS_19 .-\x00\n\u00e9\u00c9\u00df\u1e9e\u212a\u017f\u0131\u0130\u03c3\U0001f600"
SEPARATORS = ("", "", " ", ".", "_", "\u00e9", "\x00", " " * 15)
EITHER = ("word", "substring")
SIZES = (8, 63, 64, 65, 127, 128, 4095, 4096, 4097, 8192)
# what Unicode folds in ways of its own: long s, Kelvin, dotted and dotless i, eszett, iota below,
# final sigma, ligatures, digraphs in title case, letters with two lower cases
SPECIAL = (
    "\u212a\u212b\u017f\u0130\u0131\u0345\u03b9\u1fbe\u03c2\u03c3\u03a3\u1e9e\u00df\ufb05\ufb06"
    "\u01c4\u01c5\u01c6\u01c8\u01cb\u01f2\u00b5\u03bc\u0390\u1fd3\u03b0\u1fe3\u1e61\u1e9b\u0432"
    "\u1c80\u1c88\ua64b\u13a0\uab70\u10a0\u2d00\u10d0\u1c90\u1f80\u1f88\U00010400\U0001e900"
)


def occurrences(word, match="word", case_sensitive=False, unicode=False):
    """Return a pattern that is found once for each occurrence of a word, overlapping or not."""
    pattern = re.escape(word.decode("latin-1") if isinstance(word, bytes) else word)
    pattern = rf"(?<!\w)(?={pattern}(?!\w))" if match == "word" else f"(?={pattern})"
    flags = re.NOFLAG if case_sensitive else re.IGNORECASE
    if isinstance(word, bytes):
        return re.compile(pattern.encode("latin-1"), flags)
    return re.compile(pattern, flags if unicode else flags | re.ASCII)


def different(words, case_sensitive=False, unicode=False, **_):
    """Return the words without those that an earlier one matches: they count once."""
    flags = re.NOFLAG if case_sensitive else re.IGNORECASE
    flags = flags if unicode else flags | re.ASCII
    kept, patterns = [], []
    for word in words:
        text = word.decode("latin-1") if isinstance(word, bytes) else word
        if not any(pattern.fullmatch(text) for pattern in patterns):
            kept.append(word)
            patterns.append(re.compile(re.escape(text), flags))
    return kept


def votes(texts, words, label, min_count=1, **options):
    """Return the votes of a keyword function as its documentation has them."""
    patterns = [occurrences(word, **options) for word in different(words, **options)]
    found = [0 if t is None else sum(len(p.findall(t)) for p in patterns) for t in texts]
    return [label if n >= min_count else -1 for n in found]


def matrix(functions, texts):
    return np.array([votes(texts, **f) for f in functions]).T.reshape(len(texts), -1).tolist()


def keywords(functions):
    return [cs.lf.keywords("t", **arguments) for arguments in functions]


def arrow(kind, read=lambda text: text):
    return lambda texts: pa.array([None if x is None else read(x) for x in texts], kind)


def dictionary(texts, kind, index, unused=0):
    """Encode by hand: nulls stand among the indices and among the values, by turns."""
    values = [None, *sorted({*texts} - {None})]
    nulls = iter([0, None] * len(texts))
    codes = [next(nulls) if text is None else values.index(text) for text in texts]
    values += ["ab unused"] * unused
    return pa.DictionaryArray.from_arrays(pa.array(codes, index), pa.array(values, kind))


LAYOUTS = {
    "list": list,
    "string": arrow(pa.string()),
    "large_string": arrow(pa.large_string()),
    "string_view": arrow(pa.string_view()),
    "binary": arrow(pa.binary(), str.encode),
    "large_binary": arrow(pa.large_binary(), str.encode),
    "binary_view": arrow(pa.binary_view(), str.encode),
    "dictionary": lambda texts: dictionary(texts, pa.string(), pa.int8()),
    "dictionary of large strings": lambda texts: dictionary(texts, pa.large_string(), pa.uint16()),
    "dictionary of many values": lambda texts: dictionary(texts, pa.string(), pa.int8(), unused=30),
    "chunks": lambda texts: pa.chunked_array([texts[:1], [], texts[1:]], pa.large_string()),
}


def sliced(layout, texts):
    """Return the texts as a slice whose offset is no multiple of eight."""
    around = ["ab", None, "b a" * 7]
    return LAYOUTS[layout]([*around, *texts, *around])[3 : 3 + len(texts)]


@st.composite
def vocabularies(draw):
    """1 to 40 words: many begin as others do, or are parts of them."""
    words = draw(st.lists(st.text(LETTERS, min_size=1, max_size=9), min_size=1, max_size=8))
    places = st.tuples(st.integers(0, 39), st.integers(0, 39), st.integers(0, 9), st.integers(0, 9))
    for i, j, start, stop in draw(st.lists(places, max_size=32)):
        left, right = words[i % len(words)], words[j % len(words)]
        words.append((left[start:] + right[:stop])[:20] or left)
    return words


@st.composite
def scans(draw):
    """Functions on one column, and texts made of pieces of their words."""
    words = draw(vocabularies())
    function = st.fixed_dictionaries(
        {
            "words": st.just(words) | st.lists(st.sampled_from(words), min_size=1),
            "label": st.integers(0, 3),
            "match": st.sampled_from(EITHER),
            "case_sensitive": st.booleans(),
            "unicode": st.booleans(),
            "min_count": st.sampled_from([1, 1, 1, 2, 3, 4]),
        }
    )
    whole = st.sampled_from(words)
    piece = whole | whole.map(str.swapcase) | whole.map(lambda word: word[1:] or word)
    joined = st.tuples(st.sampled_from(SEPARATORS), piece).map("".join)
    text = st.lists(joined, max_size=8).map("".join)
    texts = draw(st.lists(st.none() | text | text, min_size=1, max_size=8))
    return draw(st.lists(function, min_size=1, max_size=5)), texts + texts[:1]


def check_layouts(functions, texts, layouts, threads=1):
    want, plan = matrix(functions, texts), cs.LFPlan(keywords(functions))
    for layout in layouts:
        for array in (LAYOUTS[layout](texts), sliced(layout, texts)):
            assert dense(plan, {"t": array}, n_threads=threads) == want, layout


@hypothesis.settings(max_examples=100)
@given(scans(), st.sampled_from(THREADS))
def test_words_are_found_as_re_finds_them(simd_level, scan, threads):
    check_layouts(*scan, ["large_string", "string_view"], threads)


@hypothesis.settings(max_examples=40)
@given(scans())
def test_layouts_of_arrow_do_not_matter(scan):
    check_layouts(*scan, LAYOUTS)


@given(st.lists(st.lists(st.sampled_from([b"ab", b"\xc3", b"\xa9", b" ", b"\xff"])), min_size=1))
def test_bytes_that_are_not_utf8_match_only_themselves(rows):
    rows = [b"".join(row) for row in rows]
    lfs, want = [], []
    for word in ("ab", "b", "\u00e9", "b\u00e9a", "\u00e9 ", " "):
        for options in ({}, {"match": "substring"}, {"case_sensitive": True}):
            lfs.append(cs.lf.keywords("t", [word], 1, **options))
            want.append(votes(rows, [word.encode()], 1, **options))
    for array in (pa.array(rows), pa.array(rows, pa.binary_view()), *guarded_texts(rows)):
        assert dense(lfs, {"t": array}) == np.array(want).T.tolist()


def test_dictionary_of_views_may_have_more_values_than_rows():
    texts = dictionary(["a", None, "b", "a", None], pa.string_view(), pa.int8(), unused=9)
    assert column(cs.lf.keywords("t", ["a"], 1), {"t": texts}) == [1, -1, -1, 1, -1]


def test_chunks_of_dictionaries_may_hold_nulls_as_values():
    chunks = [dictionary(texts, pa.string(), pa.int8()) for texts in (["a", None], ["b", "a"])]
    lf = cs.lf.keywords("t", ["a"], 1)
    assert column(lf, {"t": pa.chunked_array(chunks)}) == [1, -1, -1, 1]


def guarded(data):
    """Return a buffer of just these bytes: the one after them cannot be read."""
    page, size = mmap.PAGESIZE, -(-max(1, len(data)) // mmap.PAGESIZE) * mmap.PAGESIZE
    memory = mmap.mmap(-1, size + page)
    memory[size - len(data) : size] = data
    first = ctypes.c_char.from_buffer(memory)
    start = ctypes.addressof(first)
    assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(start + size), page, 0) == 0
    return pa.foreign_buffer(start + size - len(data), len(data), base=(memory, first))


def guarded_texts(rows):
    """Return the rows as strings and as views, none with anything behind it."""
    ends = guarded(np.cumsum([0, *map(len, rows)], dtype=np.int32).tobytes())
    yield pa.StringArray.from_buffers(len(rows), ends, guarded(b"".join(rows)))
    views, long = bytearray(), bytearray()
    for row in rows:
        place = row[:4] + bytes(4) + len(long).to_bytes(4, "little")
        views += len(row).to_bytes(4, "little") + (place if len(row) > 12 else row.ljust(12, b"\0"))
        long += row
    buffers = [None, guarded(views), guarded(long)]
    yield pa.Array.from_buffers(pa.string_view(), len(rows), buffers)


@pytest.mark.parametrize("size", SIZES)
def test_word_across_the_end_of_a_block_is_found(simd_level, size):
    for word in (b"q", b"qz", b"qrz", b"qrstuvwz", b"qrstuvwxz", b"q rstuvwxyz r stuvwz"):
        plan = cs.LFPlan([cs.lf.keywords("t", [word.decode()], 1, match=m) for m in EITHER])
        rows, want = [], []
        for at in range(max(0, size - len(word) - 1), size + 2):
            for filler in (b"-", b"x"):
                for after in (0, 1 + at % 3 * 66):
                    rows.append(filler * at + word + filler * after)
                    touched = filler == b"x" and (at or after)
                    want.append([-1 if touched else 1, 1])
                    [alone, _] = guarded_texts(rows[-1:])
                    assert dense(plan, {"t": alone}) == want[-1:], (word, at, filler, after)
        for array in guarded_texts(rows):
            assert dense(plan, {"t": array}) == want


def test_nothing_is_read_behind_short_texts(simd_level):
    lfs = [cs.lf.keywords("t", ["ab", "b", ".a", "abababababab"], 1, match=m) for m in EITHER]
    lfs += [cs.lf.keywords("t", ["\u00e9", "b"], 1, unicode=True), cs.lf.regex("t", "a+b", 1)]
    for size in range(130):
        text = ("ab. \u00e9" * 30)[:size]
        want = dense(lfs, {"t": ["", text, text]})
        for array in guarded_texts([b"", text.encode(), text.encode()]):
            assert dense(lfs, {"t": array}) == want


def test_folded_word_across_the_end_of_a_block_is_found(simd_level):
    """A dotted I folds to one byte of two, a Kelvin sign to one of three, the euro stays three."""
    texts = [
        other * (size // len(other.encode()) - 2) + "." * at + "\u212aelvi\u0130n" + end
        for size in SIZES
        for at in range(10)
        for other in ("\u0130", "\u20ac", "\u212a.", "x")
        for end in ("", "\u20ac", "\u00e9")
    ]
    functions = [{"words": ["kelViin"], "label": 1, "match": m, "unicode": True} for m in EITHER]
    assert dense(keywords(functions), {"t": texts}) == matrix(functions, texts)


def test_long_row_holds_every_word_in_it(simd_level):
    row = bytearray(b"-" * 3_000_000)
    starts = range(4096 - 5, len(row) - 10, 4096)
    for i, at in enumerate(starts):
        row[at + i % 7 : at + i % 7 + 3] = b"Abc"
    row[-3:] = b"abc"
    count = len(starts) + 1
    kinds = [{"match": m, "min_count": n} for m in EITHER for n in (1, count, count + 1)]
    lfs = [cs.lf.keywords("t", ["abc"], 1, **kind) for kind in kinds]
    for threads in (1, 2):
        for array in guarded_texts([b"", bytes(row), b"abc"]):
            got = dense(lfs, {"t": array}, n_threads=threads)
            assert got == [[-1] * 6, [1, 1, -1] * 2, [1, -1, -1] * 2]


def test_threads_do_not_change_votes_on_many_tiny_rows(simd_level):
    rng = random.Random(11)
    texts = rng.choices([None, "", "a", "b", "ab", "a b", "bA", "\u00e9a", "a.a"], k=100_000)
    functions = [
        {"words": ["a", "b a"], "label": 0},
        {"words": ["A"], "label": 1, "case_sensitive": True, "match": "substring"},
        {"words": ["a"], "label": 1, "unicode": True},
        {"words": ["a", "b"], "label": 2, "min_count": 2},
    ]
    kinds = sorted({*texts} - {None})
    known = {None: [-1] * 4} | dict(zip(kinds, matrix(functions, kinds), strict=True))
    want = np.array([known[text] for text in texts])
    plan, plain = cs.LFPlan(keywords(functions)), pa.array(texts)
    for array in (plain, plain.cast(pa.string_view()), plain.dictionary_encode()):
        for threads in THREADS:
            got = cs.apply(plan, {"t": array}, n_threads=threads).to_dense()
            np.testing.assert_array_equal(got, want)


def made_up(rng, n, letters="abcdefgh", most=8):
    words = {"".join(rng.choices(letters, k=rng.randint(3, most))) for _ in range(2 * n)}
    return rng.sample(sorted(words), n)


def test_five_thousand_words_from_any_source(tmp_path):
    rng = random.Random(12)
    words = made_up(rng, 5000)
    others = words + made_up(rng, 5000)
    texts = [" ".join(rng.choices(others, k=2)) + rng.choice(["", "z", "."]) for _ in range(400)]
    (tmp_path / "words.txt").write_text("\r\n\r\n".join(words) + "\r\n", encoding="utf-8")
    known = set(words)
    whole = [1 if known & set(re.findall(r"\w+", text)) else -1 for text in texts]
    inside = [1 if any(word in text for word in words) else -1 for text in texts]
    assert {*whole, *inside} == {-1, 1}
    for given_words in (words, tmp_path / "words.txt", pa.array([None, *words, None])):
        lfs = [cs.lf.keywords("t", given_words, 1, match=m) for m in EITHER]
        assert dense(lfs, {"t": texts}) == np.array([whole, inside]).T.tolist()


def test_nulls_among_words_of_a_pandas_column_are_left_out():
    words = pytest.importorskip("pandas").Series(["a", None, "b"])
    assert cs.lf.keywords("t", words, 1).words == ("a", "b")


@functools.cache
def phrases_of(first, n):
    """Functions on phrases that begin with one word, texts of them, and the votes."""
    rng = random.Random(n)
    tails = [rng.choice(["", " ", " ", "-"]) + word for word in made_up(rng, 300)]
    phrases = [first + tail for tail in ["", " york", " york city", "_x", "-york", *tails][:n]]
    texts = [" ".join(rng.choices([*phrases, first, first[:3], "york"], k=6)) for _ in range(20)]
    functions = [{"words": [phrase], "label": 1} for phrase in phrases[:7]]
    functions += [{"words": phrases, "label": 1, "min_count": k} for k in range(1, 9)]
    functions += [{"words": phrases, "label": 1, "case_sensitive": True, "min_count": 4}]
    return functions, texts, matrix(functions, texts)


@pytest.mark.parametrize("first", ["new", "international", "7"])
def test_phrases_of_one_first_word_are_all_counted(simd_level, first):
    for n in (1, 3, 4, 5, 6, 9, 300):
        functions, texts, want = phrases_of(first, n)
        with trying(n=n):
            assert dense(keywords(functions), {"t": texts}) == want


def test_scan_of_one_repeated_letter_is_linear():
    n, long = 1_000_000, 50_000
    words = ["a" * long, "a" * long + "b", "b" + "a" * long]
    counts = [(words, k) for k in (1, n - long + 1, n - long + 2)]
    counts += [(["a" * 7], k) for k in (n - 6, n - 5)]
    lfs = [cs.lf.keywords("t", w, 1, match="substring", min_count=k) for w, k in counts]
    lfs.append(cs.lf.keywords("t", words, 1))
    assert dense(lfs, {"t": ["a" * n, "b" * n]}) == [[1, 1, -1, 1, -1, -1], [-1] * 6]


def test_scan_for_a_long_phrase_of_one_repeated_word_is_linear():
    phrase = "a " * 200_000
    lfs = [cs.lf.keywords("t", [phrase + end], 1) for end in ("b", ".")]
    assert dense(lfs, {"t": ["a " * 1_000_000, phrase + "B"]}) == [[-1, -1], [1, -1]]


@pytest.mark.parametrize("bad", [b"\xff", b"b\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"])
@pytest.mark.parametrize("read", [cs.lf.keywords, cs.lf.regex])
def test_invalid_text_is_named_by_function_column_and_row(bad, read):
    rows = [b"b"] * 40_000
    rows[33_333] = bad
    word = ["b"] if read is cs.lf.keywords else "b"
    lfs = [cs.lf.keywords("t", ["a"], 1), read("t", word, 1, unicode=True, name="it")]
    for array in (pa.array(rows, pa.large_binary()), *guarded_texts(rows)):
        for n in (1, 2):
            with pytest.raises(ValueError, match=r"function 'it': column 't': .* row 33333 is not"):
                cs.apply(lfs, {"t": array}, n_threads=n)
        assert cs.apply(lfs[:1], {"t": array}).nnz == 0


def test_case_is_that_of_re_for_every_cased_character():
    cased = [c for c in map(chr, range(sys.maxunicode + 1)) if c.lower() != c or c.upper() != c]
    cased += sorted({*SPECIAL, *"aZ09_ \u0661\u3042"} - {*cased})
    text, rows = "".join(cased), {c: i for i, c in enumerate(cased)}
    want = np.full((len(cased), len(cased)), -1)
    for i, c in enumerate(cased):
        want[[rows[x] for x in re.findall(re.escape(c), text, re.IGNORECASE)], i] = 1
    lfs = [cs.lf.keywords("t", [c], 1, match="substring", unicode=True) for c in cased]
    wrong = np.argwhere(cs.apply(lfs, {"t": cased}).to_dense() != want)
    assert [(cased[j], cased[i]) for i, j in wrong[:20]] == []


def test_word_characters_are_those_of_re():
    points = [*range(0x3000), *range(0x3000, sys.maxunicode + 1, 97)]
    letters = [chr(point) for point in points if not 0xD800 <= point < 0xE000] + [*SPECIAL]
    texts = [c + "ab" for c in letters] + ["ab" + c for c in letters]
    texts += [c + "\u00e9 " for c in letters] + [f"-{c}\u00c9" for c in letters]
    functions = [{"words": [w], "label": 1, "unicode": True} for w in ("ab", "\u00e9")]
    assert dense(keywords(functions), {"t": texts}) == matrix(functions, texts)


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def rules_of(path):
    return [(pattern, int(label)) for label, pattern in (x.split("\t") for x in lines(path) if x)]


@pytest.mark.parametrize(
    ("unicode", "part"),
    [(False, 3), (True, 2), *(pytest.param(u, 1, marks=pytest.mark.slow) for u in (False, True))],
)
def test_rules_and_keywords_of_one_column_vote_as_re_does(test_data, unicode, part):
    paths = sorted((test_data / "text").glob("*/*.jsonl"))
    texts = [json.loads(line)["text"] for path in paths for line in lines(path)]
    texts = (texts[2000:] if unicode else texts)[::part]  # re needs seconds for the long ones
    rules = rules_of(test_data / "text/sms/rules.tsv")
    words = rules_of(test_data / "text/imdb/rules.tsv")
    assert (len(rules), len(words)) == (73, 136)
    flags = re.NOFLAG if unicode else re.ASCII
    programs = [re.compile(pattern, flags) for pattern, _ in rules]
    found = [[program.search(text) is not None for text in texts] for program in programs]
    folded = [text.casefold() for text in texts]
    for word, _ in words:
        held = np.flatnonzero([word in text for text in folded])  # re is slow on all the others
        whole = occurrences(word, unicode=unicode)
        found.append(np.zeros(len(texts), dtype=bool))
        found[-1][held] = [whole.search(texts[i]) is not None for i in held]
    want = np.where(np.array(found).T, [label for _, label in rules + words], -1)
    lfs = [cs.lf.regex("t", pattern, label, unicode=unicode) for pattern, label in rules]
    lfs += [cs.lf.keywords("t", [word], label, unicode=unicode) for word, label in words]
    order = np.random.default_rng(14).permutation(len(lfs))
    plan, plain = cs.LFPlan([lfs[i] for i in order]), pa.array(texts)
    for array in (texts, plain.cast(pa.string_view()), plain.dictionary_encode()):
        for threads in (1, 2):
            got = cs.apply(plan, {"t": array}, n_threads=threads).to_dense()
            np.testing.assert_array_equal(got, want[:, order])
