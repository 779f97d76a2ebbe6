"""Keyword functions at random, and short ways to apply functions."""

from __future__ import annotations

from hypothesis import strategies as st

import coverset as cs
import lf_reference as reference

THREADS = (1, 2, 7)
OPERATORS = tuple(reference.OPERATORS)
# ASCII letters of both cases, word and other ASCII, e acute whole and combined, a byte-order
# mark, a curly quote, an emoji, NUL, and the Kelvin sign (which Unicode folds to k)
LETTERS = "aaabbABkK_1 .-(\n\u00e9e\u0301\ufeff\u2019\U0001f600\x00\u212a"

texts_of = st.lists(st.none() | st.text(LETTERS, max_size=14), max_size=12)
words_of = st.lists(st.text(LETTERS, min_size=1, max_size=4), min_size=1, max_size=4)


def dense(lfs, data, **options):
    return cs.apply(lfs, data, **options).to_dense().tolist()


def column(lf, data, **options):
    """Return the votes of one function as a list."""
    return [row[0] for row in dense([lf], data, **options)]


@st.composite
def keyword_functions(draw):
    """Arguments of one to five keyword functions on one column."""
    functions = []
    for _ in range(draw(st.integers(1, 5))):
        functions.append(
            {
                "words": draw(words_of),
                "label": draw(st.integers(0, 3)),
                "match": draw(st.sampled_from(["word", "substring"])),
                "case_sensitive": draw(st.booleans()),
            }
        )
    return functions


def as_keywords(functions):
    return [cs.lf.keywords("t", **arguments) for arguments in functions]


def keyword_matrix(functions, texts):
    votes = [reference.keyword_votes(texts, **arguments) for arguments in functions]
    return reference.side_by_side(*votes).tolist()


def batch(function, columns=("n",), **options):
    return cs.batch_labeling_function(columns=list(columns), **options)(function)
