"""Functions over numbers: comparisons and scores."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coverset as cs
import lf_reference as reference
from lf_examples import (
    OPERATORS,
    column,
)

# compare

INTEGERS = ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")
FLOATS = ("f2", "f4", "f8")


@st.composite
def integer_columns(draw):
    """An integer column at its limits, and a whole number near them."""
    dtype = draw(st.sampled_from(INTEGERS))
    limits = np.iinfo(dtype)
    near = [limits.min, limits.max, 0, 1, 2**53, 2**53 + 1, 127, 128]
    inside = [number for number in near if limits.min <= number <= limits.max]
    item = st.sampled_from(inside) | st.integers(limits.min, limits.max)
    values = draw(st.lists(item, max_size=8))
    outside = st.sampled_from([*near, -1, limits.max + 1, limits.min - 1])
    return dtype, values, draw(outside | item)


@given(integer_columns(), st.sampled_from(OPERATORS))
def test_integers_compare_exactly(case, op):
    dtype, values, value = case
    want = reference.compare_votes(values, op, value, 1)
    lf = cs.lf.compare("x", op, value, label=1)
    assert column(lf, {"x": np.array(values, dtype)}) == want
    nulls = [*values, None]
    assert column(lf, {"x": pa.array(nulls, pa.from_numpy_dtype(dtype))}) == [*want, -1]


@given(integer_columns(), st.sampled_from(OPERATORS), st.sampled_from([-0.5, 0.5, 2.0**53, 127.0]))
def test_integers_meet_fractions_exactly(case, op, value):
    dtype, values, _ = case
    want = reference.compare_votes(values, op, value, 1, dtype)
    assert column(cs.lf.compare("x", op, value, label=1), {"x": np.array(values, dtype)}) == want


@given(
    st.sampled_from(FLOATS),
    st.lists(st.sampled_from([0.1, -0.1, 0.0, -0.0, 1.0, np.inf, -np.inf, np.nan]), max_size=8),
    st.sampled_from(OPERATORS),
    st.sampled_from([0.1, 0, 1, np.inf, -np.inf, -0.1]),
)
def test_floats_compare_in_their_own_type(dtype, values, op, value):
    array = np.array(values, dtype)
    want = reference.compare_votes(array.tolist(), op, value, 1, dtype)
    lf = cs.lf.compare("x", op, value, label=1)
    assert column(lf, {"x": array}) == want
    assert column(lf, {"x": pa.array([*array, None], pa.from_numpy_dtype(dtype))}) == [*want, -1]


@given(st.lists(st.none() | st.booleans(), max_size=6), st.sampled_from(OPERATORS), st.booleans())
def test_booleans_compare_as_zero_and_one(values, op, value):
    want = reference.compare_votes(values, op, value, 1)
    lf = cs.lf.compare("x", op, value, label=1)
    assert column(lf, {"x": values}) == want
    assert column(lf, {"x": pa.array(values, pa.bool_())}) == want
    whole = [bool(item) for item in values]
    want = reference.compare_votes(whole, op, int(value), 1)
    lf = cs.lf.compare("x", op, int(value), label=1)
    assert column(lf, {"x": np.array(whole, bool)}) == want


@given(
    st.lists(st.none() | st.integers(-3, 3) | st.sampled_from([0.5, np.nan, 2**53]), max_size=8),
    st.sampled_from(OPERATORS),
    st.sampled_from([0, 0.5, -2, 3]),
)
def test_lists_with_none_and_nan_compare_like_python(values, op, value):
    want = reference.compare_votes(values, op, value, 2)
    assert column(cs.lf.compare("x", op, value, label=2), {"x": values}) == want


@given(
    st.lists(
        st.none() | st.sampled_from(["", "a", "ab", "\u00e9", "e\u0301", "a\x00"]), max_size=8
    ),
    st.sampled_from(["==", "!="]),
    st.sampled_from(["", "a", "\u00e9", "a\x00", "zz"]),
)
def test_text_equals_or_differs(texts, op, value):
    want = reference.compare_votes(texts, op, value, 1)
    lf = cs.lf.compare("t", op, value, label=1)
    assert column(lf, {"t": texts}) == want
    assert column(lf, {"t": pa.array(["x", *texts, "x"], pa.string()).slice(1, len(texts))}) == want


def test_big_integers_beside_none_stay_exact():
    lf = cs.lf.compare("x", "==", 2**53 + 1, label=1)
    assert column(lf, {"x": [2**53, 2**53 + 1, None]}) == [-1, 1, -1]


@pytest.mark.parametrize("value", [np.int8(3), np.float64(3), np.uint64(3), np.float16(3)])
def test_compare_takes_numpy_scalars(value):
    assert column(cs.lf.compare("x", "==", value, label=1), {"x": [3, 4]}) == [1, -1]


def test_strided_and_swapped_columns_compare_alike():
    numbers = np.arange(10)
    lf = cs.lf.compare("x", "<", 4, label=1)
    assert column(lf, {"x": numbers[::2]}) == [1, 1, -1, -1, -1]
    assert column(lf, {"x": numbers[::-3]}) == [-1, -1, 1, 1]
    assert column(lf, {"x": numbers[:2].astype(">i4")}) == [1, 1]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"op": "="}, ValueError, r"op must be one of '<', '<=', '>', '>=', '==', '!=', got '='"),
        ({"value": float("nan")}, ValueError, r"value must not be NaN"),
        ({"value": np.float32("nan")}, ValueError, r"value must not be NaN"),
        ({"value": "a"}, ValueError, r"op must be '==' or '!=' for the string 'a', got '<'"),
        (
            {"value": None},
            TypeError,
            r"value must be a number, a bool, a date or a string",
        ),
        (
            {"value": [1]},
            TypeError,
            r"or a string, got \[1\]",
        ),
        ({"value": 1j}, TypeError, r"value must be a number, a bool, a date or a string, got 1j"),
        ({"label": 40_000}, ValueError, r"label must be in 0..32766, got 40000"),
        ({"column": None}, TypeError, r"column must be a string that is not empty, got None"),
    ],
)
def test_compare_rejects(change, error, message):
    with pytest.raises(error, match=message):
        cs.lf.compare(**{"column": "x", "op": "<", "value": 5, "label": 1} | change)


# score


@given(
    st.lists(
        st.none() | st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0, np.inf, -np.inf, np.nan]), max_size=9
    ),
    st.sampled_from([-np.inf, 0.0, 0.1]),
    st.sampled_from([0.5, 0.9, np.inf]),
    st.sampled_from([(0, 1), (1, 0), (-1, 1), (2, -1), (-1, -1), (1, 1)]),
)
def test_scores_match_reference(values, low, high, labels):
    want = reference.score_votes(values, low, high, labels)
    lf = cs.lf.score("s", low, high, labels)
    assert column(lf, {"s": values}) == want
    assert column(lf, {"s": pa.array(values, pa.float64())}) == want


def test_infinite_bounds_never_vote():
    lf = cs.lf.score("s", -np.inf, np.inf)
    assert column(lf, {"s": [-np.inf, 0.0, np.inf]}) == [-1, -1, -1]


def test_bounds_belong_to_their_sides():
    assert column(cs.lf.score("s", 0.25, 0.75), {"s": np.array([0.25, 0.5, 0.75])}) == [0, -1, 1]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"low": 0.9}, ValueError, r"low must be below high, got low=0.9, high=0.9"),
        ({"low": np.nan}, ValueError, r"low must be below high, got low=nan"),
        ({"labels": (0, 1, 2)}, ValueError, r"labels must be two classes, .* got \(0, 1, 2\)"),
        ({"labels": (0, -2)}, ValueError, r"labels\[1\] must be in 0..32766, got -2"),
        ({"labels": (0.5, 1)}, TypeError, r"labels\[0\] must be a whole number, got 0.5"),
    ],
)
def test_score_rejects(change, error, message):
    with pytest.raises(error, match=message):
        cs.lf.score(**{"column": "s", "low": 0.1, "high": 0.9} | change)
