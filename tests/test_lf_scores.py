"""Class scores: each layout and type against a loop over rows, ties, nulls, and every error."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coverset as cs
from lf_examples import THREADS


def expected(rows, thresholds, labels, dtype=np.float64):
    votes = []
    for row in rows:
        if row is None or any(x is None or x != x for x in row):
            votes.append(-1)
            continue
        limits = [dtype(t) for t in thresholds]
        reached = [(x, j) for j, x in enumerate(row) if dtype(x) >= limits[j] and x > -math.inf]
        best = max((x for x, _ in reached), default=None)
        winners = [j for x, j in reached if x == best]
        votes.append(labels[winners[0]] if len(winners) == 1 else -1)
    return votes


def votes(lf, table, **options):
    return cs.apply([lf], table, cardinality=9, **options).to_dense().ravel().tolist()


def test_each_class_has_its_threshold_and_ties_abstain():
    proba = np.array([[0.7, 0.2, 0.1], [0.4, 0.2, 0.4], [0.5, 0.1, 0.4], [0.4, 0.4, 0.2]])
    assert votes(cs.lf.scores("p", [0.6, 0.6, 0.4]), {"p": proba}) == [0, 2, 2, -1]
    assert votes(cs.lf.scores("p", [0.3, 0.3, 0.3]), {"p": proba}) == [0, -1, 0, -1]
    assert votes(cs.lf.scores("p", 0.4, labels=[4, -1, 8]), {"p": proba}) == [4, -1, 4, -1]


def test_a_threshold_of_infinity_never_votes_and_minus_infinity_takes_all():
    proba = np.array([[0.9, 0.1], [-math.inf, -math.inf], [math.inf, 5.0]])
    assert votes(cs.lf.scores("p", [math.inf, -math.inf]), {"p": proba}) == [1, -1, 0]
    assert votes(cs.lf.scores("p", [-math.inf, -math.inf]), {"p": proba}) == [0, -1, 0]


def test_thresholds_are_compared_in_the_scores_precision():
    narrow = np.array([[0.1, 0.05]], dtype=np.float32)
    assert votes(cs.lf.scores("p", [0.1, 0.1]), {"p": narrow}) == [0]
    assert votes(cs.lf.scores("p", [np.nextafter(0.1, 1)] * 2), {"p": np.float64([[0.1, 0]])}) == [
        -1
    ]


SCORE = st.one_of(st.sampled_from([0.0, 0.25, 0.5, math.nan, -math.inf]), st.floats(0, 1, width=32))


@given(
    st.integers(1, 6).flatmap(
        lambda k: st.tuples(
            st.lists(st.lists(SCORE, min_size=k, max_size=k), max_size=150),
            st.lists(st.floats(0, 1, width=16), min_size=k, max_size=k),
        )
    ),
    st.sampled_from(["f4", "f8"]),
    st.booleans(),
)
def test_any_scores_equal_the_loop(scores, dtype, as_columns):
    rows, thresholds = scores
    k = len(thresholds)
    matrix = np.array(rows, dtype=dtype).reshape(-1, k)
    want = expected(rows, thresholds, range(k))
    if as_columns:
        names = [f"c{j}" for j in range(k)]
        table = {name: matrix[:, j] for j, name in enumerate(names)}
        lf = cs.lf.scores(names, thresholds)
    else:
        lf, table = cs.lf.scores("p", thresholds), {"p": matrix}
    for threads in THREADS:
        assert votes(lf, table, n_threads=threads) == want


def test_many_rows_in_many_blocks():
    rows = np.random.default_rng(3).integers(0, 8, (20_011, 5)).astype(np.float32)
    want = expected(rows.tolist(), [3] * 5, range(5))
    for threads in THREADS:
        assert votes(cs.lf.scores("p", [3] * 5), {"p": rows}, n_threads=threads) == want
        fortran = np.asfortranarray(rows)
        assert votes(cs.lf.scores("p", [3] * 5), {"p": fortran[::1]}, n_threads=threads) == want
        assert votes(cs.lf.scores("p", [3] * 5), {"p": rows[::-1]}, n_threads=threads) == want[::-1]


ROWS = [[0.9, 0.1], None, [0.2, 0.8], [0.5, 0.5]]
FLAT = [[0.9, None, 0.2, 0.5], [0.1, 0.3, 0.8, 0.5]]


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.float64()), pa.list_(pa.float32(), 2), pa.large_list(pa.float16())],
    ids=str,
)
def test_nulls_abstain_in_every_layout(kind):
    rows = [None if r is None else [np.float16(x) for x in r] for r in ROWS]
    column = pa.array(rows, type=kind) if pa.types.is_large_list(kind) else pa.array(ROWS, kind)
    lf = cs.lf.scores("p", [0.6, 0.6])
    assert votes(lf, pa.table({"p": column})) == [0, -1, 1, -1]
    assert votes(lf, pa.table({"p": column}).slice(1)) == [-1, 1, -1]


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()], ids=str)
def test_columns_with_nulls(kind):
    first, second = (pa.array(column, kind) for column in FLAT)
    lf = cs.lf.scores(["a", "b"], [0.6, 0.2])
    assert votes(lf, pa.table({"a": first, "b": second})) == [0, -1, 1, 1]
    assert votes(lf, {"a": first, "b": np.array([0, 1, 1, 0])}) == [0, -1, 1, -1]
    assert votes(lf, pa.table({"a": first, "b": second}).slice(2)) == [1, 1]
    assert votes(lf, {"a": [None, None], "b": [0.9, 0.9]}) == [-1, -1]


def test_it_joins_combinations_and_plans():
    lf = cs.lf
    both = lf.all_of([lf.scores("p", [0.6, 0.6]), lf.compare("n", ">", 1, 0)], 1)
    table = {"p": np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]]), "n": [2, 1, 3]}
    assert votes(both, table) == [1, -1, -1]
    assert lf.scores("p", [0.5, 0.5], labels=[3, -1]).labels == (3,)
    L = cs.apply([lf.scores("p", [0.6, 0.6]), lf.scores("p", [0.5, 0.5])], table)
    assert L.to_dense().tolist() == [[0, 0], [1, 1], [-1, -1]]
    assert L.lf_names == ("scores_p", "scores_p_2")


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("p", 0.5), ValueError, "labels must be given for one column of vectors and one thresh"),
        (((), 0.5), ValueError, "columns must hold at least one column, got none"),
        ((["a", ""], 0.5), TypeError, "each column must be a string that is not empty, got ''"),
        ((3, 0.5), TypeError, "columns must be a column or a list of columns, got 3"),
        (("p", [0.5, math.nan]), ValueError, "thresholds must not be NaN, entry 1 is"),
        (("p", ["a"]), TypeError, "thresholds must be numbers, got"),
        (("p", [[0.5]]), ValueError, r"thresholds must be a number or one .* shape \(1, 1\)"),
        (("p", []), ValueError, r"thresholds must be a number or one .* shape \(0,\)"),
        (
            (["a", "b"], [0.5] * 3),
            ValueError,
            "thresholds must be one for each of 2 classes, got 3",
        ),
        (("p", [0.5] * 3, [0, 1]), ValueError, "thresholds must be one for each of 2 classes, go"),
        ((["a"], 0.5, [0, 1]), ValueError, "columns must be one for each of 2 classes, got 1"),
        (("p", [0.5], [-2]), ValueError, r"labels\[0\] must be in 0..\d+, got -2"),
        (("p", [0.5], [-1]), ValueError, r"labels must hold at least one class, got \[-1\]"),
    ],
)
def test_bad_arguments(arguments, error, says):
    with pytest.raises(error, match=says):
        cs.lf.scores(*arguments)


@pytest.mark.parametrize(
    ("column", "error", "says"),
    [
        (
            np.zeros((3, 2)),
            ValueError,
            "'s': column 'p' must have a score for each of 3",
        ),
        (["a", "b", "c"], TypeError, "'s': column 'p'"),
        ([[0.1, 0.2, 0.3], [0.1]], TypeError, "vectors of one length"),
    ],
)
def test_bad_vectors(column, error, says):
    with pytest.raises(error, match=says):
        cs.apply([cs.lf.scores("p", [0.5] * 3, name="s")], {"p": column})


def test_bad_columns():
    lf = cs.lf.scores(["a", "b"], 0.5, name="s")
    with pytest.raises(TypeError, match="'s': column 'b' must hold numbers, got text"):
        cs.apply([lf], {"a": [0.5], "b": ["x"]})
    with pytest.raises(TypeError, match="'s': column 'b' must hold scores, got"):
        cs.apply([lf], {"a": [0.5], "b": np.array(["2020-01-01"], dtype="M8[D]")})
    with pytest.raises(ValueError, match="column must be one of 'a', got 'b'"):
        cs.apply([lf], {"a": [0.5]})
