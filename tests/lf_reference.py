"""Slow, obvious votes of the declarative labeling functions, one Python list per function."""

from __future__ import annotations

import operator
import re
import string

import numpy as np

ABSTAIN = -1
OPERATORS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def keyword_found(text, word, match, case_sensitive):
    """Return whether one text holds one word; only ASCII letters fold."""
    if not case_sensitive:
        text, word = text.translate(_ASCII_LOWER), word.translate(_ASCII_LOWER)
    if match == "substring":
        return word in text
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.ASCII) is not None


def keyword_votes(texts, words, label, match="word", case_sensitive=False):
    """Return the votes of a keyword function; None abstains."""
    return [
        label
        if text is not None
        and any(keyword_found(text, word, match, case_sensitive) for word in words)
        else ABSTAIN
        for text in texts
    ]


def regex_votes(texts, pattern, label, flags=re.ASCII):
    """Return the votes of a pattern; None abstains."""
    return [
        label if text is not None and re.search(pattern, text, flags) else ABSTAIN for text in texts
    ]


def _is_null(value):
    return value is None or (isinstance(value, float) and value != value)


def compare_votes(values, op, value, label, dtype=None):
    """Return the votes of a comparison; None and NaN abstain.

    ``dtype`` is the column's own type: a float column rounds ``value`` to it. Python compares
    whole numbers with fractions exactly.
    """
    holds = OPERATORS[op]
    if dtype is not None and np.dtype(dtype).kind == "f":
        value = float(np.dtype(dtype).type(value))
        values = [None if item is None else float(item) for item in values]
    return [label if not _is_null(item) and holds(item, value) else ABSTAIN for item in values]


def score_votes(scores, low, high, labels):
    """Return the votes of a model's scores: an infinite bound never votes."""
    votes = []
    for item in scores:
        vote = ABSTAIN
        if not _is_null(item):
            if item <= low and low != float("-inf"):
                vote = labels[0]
            if item >= high and high != float("inf"):
                vote = labels[1]
        votes.append(vote)
    return votes


def side_by_side(*votes):
    """Return the dense (n, m) label matrix whose columns are these lists."""
    return np.array(votes, dtype=np.int16).reshape(len(votes), -1).T
