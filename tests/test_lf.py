"""Labeling functions together: names, columns, apply and its report."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest

import coverset as cs
from lf_examples import (
    batch,
    dense,
)

# names


def test_default_names_come_from_the_arguments():
    @cs.labeling_function
    def short(x):
        return -1

    lfs = [
        cs.lf.keywords("text", ["free money", "x"], label=1),
        cs.lf.compare("n_words", "<", 3, label=0),
        cs.lf.score("p", 0.1, 0.9),
        short,
    ]
    names = cs.apply(lfs, {"text": ["a"], "n_words": [1], "p": [0.5]}).lf_names
    assert names == ("keywords_text_free_money", "compare_n_words_lt_3", "score_p", "short")


def test_repeated_defaults_get_numbers():
    lf = cs.lf.score("p", 0.1, 0.9)
    assert cs.apply([lf] * 3, {"p": [0.5]}).lf_names == ("score_p", "score_p_2", "score_p_3")


def test_default_steps_aside_for_a_given_name():
    lfs = [
        cs.lf.score("p", 0.1, 0.9),
        cs.lf.score("p", 0.1, 0.9, name="score_p"),
        cs.lf.score("p", 0.1, 0.9),
        cs.lf.score("p", 0.1, 0.9, name="score_p_2"),
    ]
    names = cs.apply(lfs, {"p": [0.5]}).lf_names
    assert names == ("score_p_3", "score_p", "score_p_4", "score_p_2")


def test_given_names_must_be_unique():
    lfs = [cs.lf.score("p", 0, 1, name="p"), cs.lf.keywords("t", ["a"], label=1, name="p")]
    with pytest.raises(ValueError, match=r"names of labeling functions must be unique, got 'p' tw"):
        cs.apply(lfs, {"p": [0.5], "t": ["a"]})


def test_error_names_the_second_of_two_functions_of_one_default_name():
    def one(x):
        return 0

    def two(x):
        raise RuntimeError

    one.__name__ = two.__name__ = "same"
    with pytest.raises(ValueError, match=r"labeling function 'same_2': row 0"):
        cs.apply([cs.labeling_function(one), cs.labeling_function(two)], {"x": [1]})


# columns that do not fit


def test_unknown_column_names_the_function_and_lists_the_columns():
    lfs = [
        cs.lf.keywords("txt", ["a"], label=1),
        cs.lf.regex("txt", "a", label=1),
        cs.lf.compare("txt", "<", 1, label=1),
        cs.lf.score("txt", 0, 1),
        batch(lambda data: [0], ["txt"], name="b"),
    ]
    for lf in lfs:
        for data in ({"text": ["a"], "n": [1]}, pa.table({"text": ["a"], "n": [1]})):
            with pytest.raises(
                ValueError,
                match=rf"'{re.escape(lf.name)}': column must be one of 'text', 'n', got 'txt'",
            ):
                cs.apply([lf], data)


def test_many_keyword_functions_on_one_unknown_column_are_cut_short():
    lfs = [cs.lf.keywords("txt", ["a"], label=1, name=f"lf{i}") for i in range(5)]
    with pytest.raises(ValueError, match=r"labeling function 'lf0', 'lf1', 'lf2', \.\.\.: column"):
        cs.apply(lfs, {"text": ["a"]})


@pytest.mark.parametrize(
    ("lf", "values", "message"),
    [
        (cs.lf.keywords("x", ["a"], label=1), [1, 2], r"column 'x' must hold text, got int64"),
        (cs.lf.regex("x", "a", label=1), [0.5, None], r"column 'x' must hold text, got float64"),
        (cs.lf.compare("x", "==", "a", label=1), [True], r"column 'x' must hold text, got bool"),
        (cs.lf.compare("x", "<", 1, label=1), ["a"], r"column 'x' must hold numbers, got text"),
        (cs.lf.score("x", 0, 1), ["a", None], r"column 'x' must hold numbers, got text"),
    ],
)
def test_column_of_the_wrong_kind_names_the_function(lf, values, message):
    for data in ({"x": values}, pa.table({"x": values})):
        with pytest.raises(
            TypeError, match=rf"labeling function '{re.escape(lf.name)}': {message}"
        ):
            cs.apply([lf], data)


@pytest.mark.parametrize("values", [[None, None], pa.nulls(2), pa.array([None, None], pa.string())])
def test_columns_of_nulls_have_any_kind(values):
    lfs = [
        cs.lf.keywords("x", ["a"], label=1),
        cs.lf.regex("x", "a?", label=1),
        cs.lf.compare("x", "!=", "a", label=1),
        cs.lf.compare("x", "!=", 1, label=1),
        cs.lf.score("x", 0, 1),
    ]
    assert dense(lfs, {"x": values}) == [[-1] * 5] * 2


# apply


LFS = [
    cs.lf.keywords("t", ["a"], label=1),
    cs.lf.compare("n", "<", 2, label=0),
    cs.labeling_function(lambda x: 1 // x.n, name="inverse"),
]


def test_report_holds_engines_votes_and_errors():
    L, report = cs.apply(
        [*LFS, batch(lambda data: [1, 1, 1], name="all")],
        {"t": ["a", "b", "a"], "n": [0, 1, 2]},
        on_error="abstain",
        return_report=True,
    )
    assert report.names == L.lf_names
    assert report.engines == ["native", "native", "python", "batch"]
    assert report.votes == [2, 2, 2, 3] == (L.to_dense() >= 0).sum(axis=0).tolist()
    assert report.errors == [0, 0, 1, 0]
    assert [bool(error) for error in report.first_errors] == [False, False, True, False]
    assert report.n_rows == 3
    assert len(report.seconds) == 4
    assert all(0 <= seconds <= report.elapsed for seconds in report.seconds)


def test_report_prints_a_line_a_function_and_the_first_errors():
    _, report = cs.apply(
        LFS, {"t": ["a"] * 1200, "n": [0] * 1200}, on_error="abstain", return_report=True
    )
    header, *lines = str(report).splitlines()
    assert header.split() == ["engine", "votes", "errors", "seconds"]
    assert lines[0].split()[:4] == ["keywords_t_a", "native", "1,200", "0"]
    assert lines[2].split()[:4] == ["inverse", "python", "0", "1,200"]
    assert lines[3].startswith("inverse: row 0, Row(t='a', n=0): ZeroDivisionError")
    assert lines[4].startswith("1,200 rows in ")
    assert len({len(line) for line in [header, *lines[:3]]}) == 1


def test_progress_is_called_with_rows_done_and_rows():
    calls = []
    n = 2_500_000
    data = {"n": np.zeros(n, np.int8)}
    cs.apply([LFS[1]], data, progress=lambda done, total: calls.append((done, total)))
    done = [call[0] for call in calls]
    assert {call[1] for call in calls} == {n}
    assert done == sorted(set(done))
    assert len(done) > 1
    assert done[-1] == n


def test_progress_of_a_stream_has_no_total():
    calls = []
    reader = pa.table({"n": [1, 2, 3]}).to_reader()
    cs.apply([LFS[1]], reader, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (3, None)


def test_progress_bar_runs_on_standard_error(capsys):
    pytest.importorskip("tqdm")
    cs.apply([LFS[1]], {"n": [1, 2, 3]}, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "apply" in err


def test_nothing_prints_by_default(capsys):
    cs.apply(LFS, {"t": ["a"], "n": [1]})
    assert capsys.readouterr() == ("", "")


def test_error_of_the_progress_function_passes_through():
    def stop(done, total):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        cs.apply([LFS[1]], {"n": [1]}, progress=stop)


@pytest.mark.parametrize(
    "data",
    [
        {"t": [], "n": []},
        {"t": np.empty(0, "U1"), "n": np.empty(0)},
        {"t": pa.array([], pa.string()), "n": pa.array([], pa.int8())},
        pa.table({"t": pa.array([], pa.string()), "n": pa.array([], pa.int8())}),
        pa.record_batch({"t": pa.array([], pa.string()), "n": pa.array([], pa.int8())}),
        [],
    ],
)
def test_empty_tables_give_empty_matrices(data):
    L, report = cs.apply(LFS, data, return_report=True)
    assert L.shape == (0, 3)
    assert L.cardinality == 2
    assert L.lf_names == ("keywords_t_a", "compare_n_lt_2", "inverse")
    assert report.n_rows == 0
    assert report.votes == [0, 0, 0]


def test_cardinality_is_that_of_the_largest_label_declared_or_voted():
    one = cs.lf.keywords("t", ["a"], label=4)
    row = cs.labeling_function(lambda x: 6)
    data = {"t": ["b"]}
    assert cs.apply([cs.lf.keywords("t", ["a"], label=0)], data).cardinality == 2
    assert cs.apply([one], data).cardinality == 5
    assert cs.apply([one, row], data).cardinality == 7
    assert cs.apply([one], data, cardinality=9).cardinality == 9
    assert cs.apply([one], data, class_names=list("abcdef")).cardinality == 6


def test_class_names_are_kept():
    L = cs.apply([LFS[0]], {"t": ["a"]}, class_names=["ham", "spam"])
    assert L.class_names == ("ham", "spam")


def test_declared_polarity_is_kept():
    lfs = [*LFS, cs.lf.score("n", 0, 1, labels=(2, -1)), cs.lf.score("n", 0, 1, labels=(3, 0))]
    polarity = cs.apply(lfs, {"t": ["b"], "n": [1]}).polarity
    assert polarity == ((1,), (0,), None, (2,), (0, 3))


def test_declared_label_outside_the_classes_is_refused_before_any_work():
    called = []
    spy = cs.labeling_function(called.append)
    lfs = [spy, cs.lf.keywords("t", ["a"], label=2, name="third")]
    with pytest.raises(ValueError, match=r"function 'third': label must be in 0..1, got 2"):
        cs.apply(lfs, {"t": ["b"]}, cardinality=2)
    with pytest.raises(ValueError, match=r"function 'third': label must be in 0..1, got 2"):
        cs.apply(lfs, {"t": ["b"]}, class_names=["a", "b"])
    assert not called


def test_voted_label_outside_the_classes_names_function_and_row():
    lfs = [cs.labeling_function(lambda x: x.n, name="n"), batch(lambda data: data["n"], name="b")]
    for lf in lfs:
        message = rf"labeling function '{lf.name}': row 1: the label must be in 0..1, got 2"
        with pytest.raises(ValueError, match=message):
            cs.apply([lf], {"n": [1, 2, 0, 5]}, cardinality=2)
        L, report = cs.apply(
            [lf], {"n": [1, 2, 0, 5]}, cardinality=2, on_error="abstain", return_report=True
        )
        assert L.to_dense().ravel().tolist() == [1, -1, 0, -1]
        assert report.errors == [2]
        assert "row 1" in report.first_errors[0]
        assert report.votes == [2]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"lfs": []}, ValueError, r"lfs must hold at least one labeling function, got none"),
        ({"lfs": [len]}, TypeError, r"lfs\[0\] must be a labeling function, got <built-in fun"),
        ({"on_error": "skip"}, ValueError, r"on_error must be one of 'raise', 'abstain', got 'sk"),
        ({"n_threads": 0}, ValueError, r"n_threads must be at least 1, got 0"),
        ({"n_threads": 1.5}, TypeError, r"n_threads must be a whole number, got 1.5"),
        ({"cardinality": 0}, ValueError, r"cardinality must be in 1..32767, got 0"),
        ({"cardinality": 2.0}, TypeError, r"cardinality must be a whole number, got 2.0"),
        ({"class_names": "ab"}, TypeError, r"class_names must be .* got the string 'ab'"),
        ({"class_names": ["a", "a"]}, ValueError, r"class_names must be unique, got 'a' twice"),
        (
            {"class_names": ["a", "b"], "cardinality": 3},
            ValueError,
            r"class_names must have one name for each of 3 classes, got 2",
        ),
        ({"data": 5}, TypeError, r"data must be a data frame, .* got int"),
        ({"data": "abc"}, TypeError, r"data must be a data frame, .* got str"),
        ({"data": None}, TypeError, r"data must be a data frame, .* got NoneType"),
    ],
)
def test_apply_rejects(change, error, message):
    with pytest.raises(error, match=message):
        cs.apply(**{"lfs": [LFS[0]], "data": {"t": ["a"]}} | change)


def test_unknown_column_of_an_empty_table_is_refused():
    with pytest.raises(ValueError, match=r"column must be one of 't', got 'n'"):
        cs.apply([LFS[1]], {"t": []})


def test_apply_leaves_its_functions_as_they_were():
    L1 = cs.apply(LFS, {"t": ["a"], "n": [1]})
    L2 = cs.apply(LFS, {"t": ["a"], "n": [1]})
    assert L1 == L2
    assert [lf.name for lf in LFS] == ["keywords_t_a", "compare_n_lt_2", "inverse"]
