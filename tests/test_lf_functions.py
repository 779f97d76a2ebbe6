"""Functions written in Python: a row at a time, or a batch."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest

import coverset as cs
from coverset.lf.base import BlockVotes
from lf_examples import (
    batch,
    column,
)

# row functions

TABLE = {"text": ["so good", "one two three", None], "n": [1, 2, 3]}


@pytest.mark.parametrize(
    "data", [TABLE, pa.table(TABLE), [{"text": text} for text in TABLE["text"]]]
)
def test_rows_are_read_by_item(data):
    @cs.labeling_function
    def short(x):
        return None if x["text"] is None else int(len(x["text"].split()) > 2)

    assert column(short, data) == [0, 1, -1]


@pytest.mark.parametrize("data", [TABLE, pa.table(TABLE)])
def test_rows_are_read_by_attribute(data):
    @cs.labeling_function()
    def short(x):
        return -1 if x.text is None else x.n - 1

    assert column(short, data) == [0, 1, -1]


def test_column_named_like_a_method_is_read_by_item():
    assert column(cs.labeling_function(lambda x: x["keys"]), {"keys": [1, 0]}) == [1, 0]


def test_row_function_reads_columns_that_nothing_else_can():
    @cs.labeling_function
    def long(x):
        return int(len(x.parts) > 1)

    assert column(long, pa.table({"parts": [[1], [1, 2]]})) == [0, 1]


def test_resources_reach_every_call():
    @cs.labeling_function(name="listed", resources={"names": {"ann": 1}, "other": 0})
    def by_name(x, names, other):
        return names.get(x.name, other)

    L = cs.apply([by_name], {"name": ["ann", "bob"]})
    assert L.to_dense().tolist() == [[1], [0]]
    assert L.lf_names == ("listed",)


def test_pre_steps_run_in_turn():
    @cs.labeling_function(pre=[lambda x: x.n + 1, lambda n: n * 10])
    def twenty(n):
        return 1 if n == 20 else 0

    assert column(twenty, {"n": [1, 2]}) == [1, 0]


def test_row_functions_can_be_called_on_a_row():
    @cs.labeling_function
    def first(x):
        """Vote for one."""
        return 1 if x["n"] else None

    assert first({"n": 1}) == 1
    assert first({"n": 0}) == -1
    assert first.__doc__ == "Vote for one."


@pytest.mark.parametrize("kind", [int, np.int8, np.uint64, np.int64])
def test_numpy_integers_are_votes(kind):
    assert column(cs.labeling_function(lambda x: kind(x.n)), {"n": [0, 3, 5]}) == [0, 3, 5]


@pytest.mark.parametrize("value", [True, np.True_, 1.0, np.float64(1), "1", [1], 32767, -2])
def test_return_value_that_is_no_class_names_function_row_and_value(value):
    @cs.labeling_function
    def odd(x):
        return value if x.n == 7 else None

    message = rf"labeling function 'odd': row 2, Row\(n=7\): .*got {re.escape(repr(value))}"
    with pytest.raises(ValueError, match=message):
        cs.apply([odd], {"n": [1, 2, 7]})
    L, report = cs.apply([odd], {"n": [1, 2, 7]}, on_error="abstain", return_report=True)
    assert L.nnz == 0
    assert report.errors == [1]


def test_raising_function_is_named_with_row_value_and_cause():
    @cs.labeling_function
    def divide(x):
        return 1 // x.n

    with pytest.raises(ValueError, match=r"'divide': row 1, Row\(n=0\): ZeroDivisionError") as seen:
        cs.apply([divide], {"n": [1, 0, 1]})
    assert isinstance(seen.value.__cause__, ZeroDivisionError)


def test_raising_function_abstains_on_its_row_alone():
    @cs.labeling_function
    def divide(x):
        return 6 // x.n

    lfs = [divide, cs.lf.compare("n", ">=", 0, label=1)]
    L, report = cs.apply(lfs, {"n": [6, 0, 3, 0]}, on_error="abstain", return_report=True)
    assert L.to_dense().tolist() == [[1, 1], [-1, 1], [2, 1], [-1, 1]]
    assert report.errors == [2, 0]
    assert re.search(r"row 1, .*ZeroDivisionError", report.first_errors[0])
    assert report.first_errors[1] is None


def test_row_past_the_first_block_is_named_by_its_row_in_the_table():
    n = 70_000

    @cs.labeling_function
    def late(x):
        return "no" if x == n - 1 else -1

    with pytest.raises(ValueError, match=rf"row {n - 1}, {n - 1}: "):
        cs.apply([late], list(range(n)))


def test_long_rows_are_cut_in_messages():
    def fail(x):
        raise RuntimeError

    with pytest.raises(ValueError, match=r"row 0, .*\.\.\.: RuntimeError") as seen:
        cs.apply([cs.labeling_function(fail)], {"t": ["x" * 100_000]})
    assert len(str(seen.value)) < 1000


def test_missing_column_of_a_row_lists_the_columns():
    with pytest.raises(ValueError, match=r"AttributeError: .*'txt'.*text, n"):
        cs.apply([cs.labeling_function(lambda x: x.txt)], TABLE)
    with pytest.raises(ValueError, match=r"KeyError: 'txt'"):
        cs.apply([cs.labeling_function(lambda x: x["txt"])], TABLE)


@pytest.mark.parametrize("on_error", ["raise", "abstain"])
@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit])
def test_interrupts_pass_through(on_error, signal):
    def stop(x):
        raise signal

    batch = cs.batch_labeling_function(columns=["n"])(stop)
    for lf in (cs.labeling_function(stop), batch):
        with pytest.raises(signal):
            cs.apply([lf], {"n": [1]}, on_error=on_error)


@pytest.mark.parametrize("value", [3, "name"])
def test_decorator_takes_its_arguments_by_name(value):
    with pytest.raises(TypeError, match=r"labeling_function takes keyword arguments"):
        cs.labeling_function(value)


# batch functions


def test_batches_hold_the_named_columns_as_they_came():
    seen = []

    def look(data):
        seen.append(data)
        return [-1] * len(data["n"])

    numbers = np.arange(3)
    cs.apply([batch(look)], {"n": numbers, "t": ["a", "b", "c"]})
    cs.apply([batch(look, ["t", "n"])], pa.table({"n": numbers, "t": ["a", "b", "c"]}))
    cs.apply([batch(look)], {"n": [1, 2, 3]})
    assert set(seen[0]) == {"n"}
    assert np.shares_memory(seen[0]["n"], numbers)
    assert set(seen[1]) == {"n", "t"}
    assert all(isinstance(column, pa.Array) for column in seen[1].values())
    assert isinstance(seen[2]["n"], list | np.ndarray)


@pytest.mark.parametrize(
    "result",
    [
        [0, None, -1, 2],
        (0, -1, -1, 2),
        np.array([0, -1, -1, 2], np.int8),
        np.array([0, -1, -1, 2], ">i4"),
        np.array([9, 9, 0, 9, -1, 9, -1, 9, 2])[2::2],
        np.array([0, None, -1, 2], object),
        pa.array([0, None, -1, 2]),
        pa.array([0, None, -1, 2], pa.int8()),
        pa.chunked_array([[0, None], [-1, 2]]),
    ],
)
def test_batch_results_may_be_any_integers_with_none(result):
    assert column(batch(lambda _: result), {"n": [1, 2, 3, 4]}) == [0, -1, -1, 2]


def test_batch_that_abstains_everywhere_gives_no_vote():
    assert cs.apply([batch(lambda data: [None, None])], {"n": [1, 2]}).nnz == 0


def test_batch_function_takes_resources_and_name():
    @cs.batch_labeling_function(columns=["n"], name="few", resources={"limit": 2})
    def few(data, limit):
        """Vote for few."""
        return np.where(data["n"] < limit, 0, -1)

    L = cs.apply([few], {"n": np.array([1, 2])})
    assert L.to_dense().tolist() == [[0], [-1]]
    assert L.lf_names == ("few",)
    assert few({"n": np.array([1, 5])}).tolist() == [0, -1]


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ([0], r"it must return one label a row, \(2,\), got shape \(1,\)"),
        (0, r"it must return one label a row, \(2,\), got shape \(\)"),
        (np.zeros((2, 1), int), r"it must return one label a row, \(2,\), got shape \(2, 1\)"),
        (np.zeros(2), r"it must return integers, got dtype float64"),
        (np.zeros(2, bool), r"it must return integers, got dtype bool"),
        (["a", "b"], r"it must return integers, got dtype <U1"),
        ([0, -2], r"must be in -1..32766, got -2"),
        (np.array([0, 32767]), r"must be in -1..32766, got 32767"),
        (np.array([0, 2**63], np.uint64), r"must be in -1..32766, got 9223372036854775808"),
        ([None, 1.5], r"it must return a class, -1 or None, got 1.5"),
        ([None, True], r"it must return a class, -1 or None, got True"),
    ],
)
def test_batch_result_that_is_no_label_a_row_is_refused(result, message):
    lf = batch(lambda _: result, name="odd")
    with pytest.raises(ValueError, match=rf"labeling function 'odd': rows 0\.\.1: .*{message}"):
        cs.apply([lf], {"n": [1, 2]})
    L, report = cs.apply([lf], {"n": [1, 2]}, on_error="abstain", return_report=True)
    assert L.nnz == 0
    assert report.errors == [2]
    assert re.search(message, report.first_errors[0])


def test_raising_batch_function_is_named_with_its_cause():
    def fail(data):
        raise LookupError("no model")

    with pytest.raises(ValueError, match=r"'fail': rows 0..1: LookupError: no model") as seen:
        cs.apply([batch(fail)], {"n": [1, 2]})
    assert isinstance(seen.value.__cause__, LookupError)


@pytest.mark.parametrize("data", [pa.table({"v": [[1.0], [2.0]]}), {"v": np.ones((2, 3))}])
def test_batch_function_reads_embeddings(data):
    lf = batch(lambda data: [1] * len(data["v"]), ["v"])
    assert column(lf, data) == [1, 1]


def test_columns_of_a_batch_function_are_a_list():
    with pytest.raises(TypeError, match=r"columns must be a list of column names, got the string"):
        cs.batch_labeling_function(columns="n")
    with pytest.raises(TypeError, match=r"column must be a string that is not empty, got 3"):
        cs.batch_labeling_function(columns=[3])


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        (np.array([5]), np.array([1], np.int16), "rows in 0..1"),
        (np.array([-1]), np.array([1], np.int16), "rows in 0..1"),
        (np.array([0]), np.array([-7], np.int16), "labels of at least 0"),
        (np.array([0, 1]), np.array([1], np.int16), "vote must return"),
        (np.array([0.0]), np.array([1], np.int16), "vote must return"),
    ],
)
def test_votes_of_a_function_of_ones_own_kind_are_checked(rows, labels, message):
    class Own(cs.lf.LabelingFunction):
        def vote(self, block, *, on_error, n_threads):
            return BlockVotes(rows, labels)

    with pytest.raises((TypeError, ValueError), match=f"labeling function 'own': .*{message}"):
        cs.apply([Own("own", "own", None)], {"n": [1, 2]})
