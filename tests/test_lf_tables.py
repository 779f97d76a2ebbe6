"""Tables of every make: the same rows give the same label matrix."""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest

import coverset as cs
import lf_reference as reference

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")

TEXT = ["Free money", "hi", None, "see http://x.org", "", "caf\u00e9 FREE", None, "free", "x" * 40]
N = [2, 1, 3, None, 0, 2**53 + 1, None, -7, 2**53]
P = [0.05, 0.5, 0.95, None, float("nan"), 0.1, 0.9, None, 1.0]
FLAG = [True, False, None, True, True, None, False, False, True]
ROWS = {"text": TEXT, "n": N, "p": P, "flag": FLAG}
FILLED = {
    "text": [text or "" for text in TEXT],
    "n": [number or 0 for number in N],
    "p": [float("nan") if score is None else score for score in P],
    "flag": [bool(flag) for flag in FLAG],
}


def entry(row, name):
    """Return a column of a row of any make."""
    try:
        return row[name]
    except TypeError:
        return getattr(row, name)


def plain(values):
    """Return a column of a batch as a list."""
    return values.to_pylist() if hasattr(values, "to_pylist") else list(values)


def starts_free(row):
    text = entry(row, "text")
    return 1 if isinstance(text, str) and text.lower().startswith("free") else -1


def is_short(batch):
    return [0 if isinstance(text, str) and len(text) < 3 else -1 for text in plain(batch["text"])]


LFS = [
    cs.lf.keywords("text", ["free", "caf\u00e9"], label=1),
    cs.lf.regex("text", "https?://|^$", label=0),
    cs.lf.compare("text", "==", "hi", label=0),
    cs.lf.compare("n", "==", 2**53 + 1, label=1),
    cs.lf.compare("n", "<", 2, label=0),
    cs.lf.score("p", 0.1, 0.9),
    cs.lf.compare("flag", "==", True, label=1),
    cs.labeling_function(starts_free),
    cs.batch_labeling_function(columns=["text"])(is_short),
]
NATIVE = LFS[:-2]


def votes_of(rows):
    text = rows["text"]
    return reference.side_by_side(
        reference.keyword_votes(text, ["free", "caf\u00e9"], 1),
        reference.regex_votes(text, "https?://|^$", 0),
        reference.compare_votes(text, "==", "hi", 0),
        reference.compare_votes(rows["n"], "==", 2**53 + 1, 1),
        reference.compare_votes(rows["n"], "<", 2, 0),
        reference.score_votes(rows["p"], 0.1, 0.9, (0, 1)),
        reference.compare_votes(rows["flag"], "==", True, 1),
        [starts_free({"text": item}) for item in text],
        [0 if item is not None and len(item) < 3 else -1 for item in text],
    ).tolist()


def dense(lfs, data, **options):
    return cs.apply(lfs, data, **options).to_dense().tolist()


@dataclass
class Record:
    text: object
    n: object
    p: object
    flag: object


class Stream:
    """Has the Arrow stream interface and nothing else."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


class Batch:
    """Has the Arrow array interface and nothing else."""

    def __init__(self, batch):
        self._batch = batch

    def __arrow_c_array__(self, requested_schema=None):
        return self._batch.__arrow_c_array__(requested_schema)


def records(rows):
    return [dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)]


def padded(values, kind=None):
    """Return an Arrow array that starts and ends inside a longer one."""
    array = pa.array([values[1], *values, values[0]], kind)
    return array.slice(1, len(values))


def chunks(values, cuts=(1, 1, 6), kind=None):
    array = pa.array(values, kind)
    parts = [array[low:high] for low, high in zip((0, *cuts), (*cuts, None), strict=True)]
    return pa.chunked_array(parts, type=array.type)


def arrow_dict(kind):
    return lambda rows: rows | {"text": padded(rows["text"], pa.string()).cast(kind)}


def dictionary(rows):
    return rows | {"text": padded(rows["text"]).dictionary_encode()}


def batches_of(rows, size):
    return pa.Table.from_batches(pa.table(rows).to_batches(max_chunksize=size))


def pandas_objects(rows):
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in rows.items()})


def pandas_nan(rows):
    frame = pandas_objects(rows)
    frame["text"] = pd.Series([np.nan if x is None else x for x in rows["text"]], dtype=object)
    return frame.set_index(pd.Index([3, 3, 1, 0, 0, 0, 9, -1, 5]))


def pandas_new_types(rows):
    return pd.DataFrame(
        {
            "text": pd.array(rows["text"], "str"),
            "n": pd.array(rows["n"], "Int64"),
            "p": pd.array(rows["p"], "float64"),
            "flag": pd.array(rows["flag"], "boolean"),
        },
        index=list("abcdefghi"),
    )


def pandas_arrow(rows):
    return pa.table(rows).to_pandas(types_mapper=pd.ArrowDtype)


def pandas_category(rows):
    frame = pandas_new_types(rows)
    frame["text"] = pd.Categorical(rows["text"])
    return frame


def pandas_sliced(rows):
    frame = pandas_new_types(rows)
    return pd.concat([frame.iloc[:2], frame, frame.iloc[:1]]).iloc[2:-1]


def polars_frame(rows):
    return pl.DataFrame({name: pl.Series(values, strict=False) for name, values in rows.items()})


MAKES = {
    "dict of lists": lambda rows: rows,
    "dict of tuples": lambda rows: {name: tuple(values) for name, values in rows.items()},
    "dict of object arrays": lambda rows: {k: np.array(v, object) for k, v in rows.items()},
    "dict of Arrow arrays": lambda rows: {k: padded(v) for k, v in rows.items()},
    "dict of large strings": arrow_dict(pa.large_string()),
    "dict of string views": arrow_dict(pa.string_view()),
    "dict of dictionaries": dictionary,
    "dict of uneven chunks": lambda rows: {k: chunks(v) for k, v in rows.items()},
    "dict of differing chunks": lambda rows: (
        {k: chunks(v, (2, 5)) for k, v in rows.items()} | {"text": chunks(rows["text"], (0, 3))}
    ),
    "dict of chunked dictionaries": lambda rows: (
        rows | {"text": chunks(rows["text"]).dictionary_encode()}
    ),
    "dict of pandas series": lambda rows: dict(pandas_new_types(rows).items()),
    "dict of polars series": lambda rows: {s.name: s for s in polars_frame(rows)},
    "Arrow table": pa.table,
    "Arrow table of one-row batches": lambda rows: batches_of(rows, 1),
    "Arrow table, sliced": lambda rows: pa.concat_tables([pa.table(rows)] * 3).slice(9, 9),
    "Arrow table of views": lambda rows: pa.table(arrow_dict(pa.string_view())(rows)),
    "Arrow table of dictionaries": lambda rows: pa.table(dictionary(rows)),
    "Arrow batch": pa.record_batch,
    "Arrow batch, sliced": lambda rows: pa.record_batch(
        {k: [*v, *v, *v] for k, v in rows.items()}
    ).slice(9, 9),
    "Arrow reader": lambda rows: batches_of(rows, 4).to_reader(),
    "Arrow dataset in memory": lambda rows: pa.dataset.dataset(batches_of(rows, 4)),
    "Arrow stream interface": lambda rows: Stream(batches_of(rows, 2)),
    "Arrow array interface": lambda rows: Batch(pa.record_batch(rows)),
    "pandas objects": pandas_objects,
    "pandas NaN, duplicate index": pandas_nan,
    "pandas new types": pandas_new_types,
    "pandas Arrow types": pandas_arrow,
    "pandas category": pandas_category,
    "pandas, sliced": pandas_sliced,
    "polars": polars_frame,
    "polars, two chunks": lambda rows: pl.concat(
        [polars_frame(rows)[:4], polars_frame(rows)[4:]], rechunk=False
    ),
    "list of dicts": records,
    "tuple of dicts": lambda rows: tuple(records(rows)),
    "list of dataclasses": lambda rows: [Record(**row) for row in records(rows)],
    "list of namespaces": lambda rows: [SimpleNamespace(**row) for row in records(rows)],
}


@pytest.mark.parametrize("make", MAKES)
def test_tables_of_every_make_give_the_same_votes(make):
    L, report = cs.apply(LFS, MAKES[make](ROWS), return_report=True)
    assert L.to_dense().tolist() == votes_of(ROWS)
    assert report.n_rows == len(TEXT)


# forms that cannot hold nulls

WHOLE = {
    "dict of NumPy": lambda rows: {name: np.array(values) for name, values in rows.items()},
    "dict of NumPy's variable strings": lambda rows: (
        rows | {"text": np.array(rows["text"], np.dtypes.StringDType())}
    ),
    "structured array": lambda rows: np.array(
        list(zip(*rows.values(), strict=True)),
        [("text", "U40"), ("n", "i8"), ("p", "f4"), ("flag", "?")],
    ),
    "records array": lambda rows: np.rec.fromarrays(list(rows.values()), names=list(rows)),
    "pandas from NumPy": pd.DataFrame,
}


@pytest.mark.parametrize("make", WHOLE)
def test_tables_without_nulls_give_the_same_votes(make):
    assert dense(LFS, WHOLE[make](FILLED)) == votes_of(FILLED)


def test_dictionary_with_a_null_value_abstains_there():
    array = pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 0]), pa.array(["free", None]))
    lfs = [LFS[0], cs.lf.regex("text", "r*", label=0)]
    assert dense(lfs, {"text": array}) == [[1, 0], [-1, -1], [-1, -1], [1, 0]]


def test_columns_with_names_that_are_no_strings_are_read_by_their_text():
    assert dense([cs.lf.compare("0", "<", 2, label=1)], pd.DataFrame([[1], [2]])) == [[1], [-1]]


def test_pandas_columns_of_one_name_do_not_matter_where_unread():
    frame = pd.DataFrame([[1, 2, 3]], columns=["n", "other", "other"])
    assert dense([cs.lf.compare("n", "<", 2, label=1)], frame) == [[1]]


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame([[1, 2]], columns=["n", "n"]),
        pa.table([[1], [2]], names=["n", "n"]),
    ],
)
def test_two_columns_of_one_name_are_an_error_where_read(data):
    with pytest.raises(ValueError, match=r"'n'"):
        cs.apply([cs.lf.compare("n", "<", 2, label=1)], data)


def test_empty_frames_give_empty_matrices(tmp_path):
    none = pa.table(ROWS).slice(0, 0)
    pa.parquet.write_table(none, tmp_path / "none.parquet")
    frames = [
        none,
        none.to_reader(),
        none.to_pandas(),
        pl.from_arrow(none),
        pa.dataset.dataset(tmp_path),
        pa.table(ROWS).schema.empty_table(),
        Stream(none),
        WHOLE["structured array"]({name: [] for name in ROWS}),
    ]
    for frame in frames:
        assert cs.apply(LFS, frame).shape == (0, len(LFS))


def test_empty_chunks_and_batches_change_nothing():
    table = pa.table(ROWS)
    parts = [table[:0], table[:4], table[4:4], table[4:], table[:0]]
    assert dense(LFS, pa.concat_tables(parts)) == votes_of(ROWS)
    batches = [batch for part in parts for batch in part.to_batches() or [empty_batch(part)]]
    reader = pa.RecordBatchReader.from_batches(table.schema, batches)
    assert dense(LFS, reader) == votes_of(ROWS)


def empty_batch(part):
    return pa.RecordBatch.from_pylist([], schema=part.schema)


# blocks


def many_rows(n=150_000):
    """Return columns of several blocks, with votes at the edges between them."""
    rng = np.random.default_rng(5)
    n_words = rng.integers(0, 100, n)
    text = np.where(rng.random(n) < 0.01, "free", "other").tolist()
    for edge in range(1 << 16, n, 1 << 16):
        text[edge - 1] = text[edge] = "free"
        n_words[[edge - 1, edge]] = -1
    text[0] = text[-1] = "free"
    return {"text": text, "n": n_words}


@pytest.fixture(scope="module")
def large():
    rows = many_rows()
    free = np.array(rows["text"]) == "free"
    want = np.stack([np.where(free, 1, -1), np.where(rows["n"] < 5, 0, -1)] * 2, axis=1)
    return rows, want


LARGE_LFS = [
    cs.lf.keywords("text", ["free"], label=1),
    cs.lf.compare("n", "<", 5, label=0),
    cs.lf.regex("text", "^fr", label=1),
    cs.batch_labeling_function(columns=["n"])(lambda b: np.where(np.asarray(b["n"]) < 5, 0, -1)),
]
LARGE_MAKES = {
    "dict": lambda rows: rows,
    "Arrow table": pa.table,
    "Arrow table, sliced": lambda rows: pa.concat_tables(
        [pa.table(rows)[:7], pa.table(rows)]
    ).combine_chunks()[7:],
    "uneven batches": lambda rows: batches_of(rows, 70_001).to_reader(),
    "many batches": lambda rows: batches_of(rows, 999),
    "chunks": lambda rows: {"text": chunks(rows["text"], (3, 65_535, 99_999)), "n": rows["n"]},
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
}


@pytest.mark.parametrize("make", LARGE_MAKES)
def test_no_row_is_lost_or_moved_between_blocks(large, make):
    rows, want = large
    L = cs.apply(LARGE_LFS, LARGE_MAKES[make](rows), n_threads=2)
    np.testing.assert_array_equal(L.to_dense(), want)


def test_objects_cross_blocks_in_order():
    n = 70_000
    objects = [{"n": i} for i in range(n)]
    lfs = [cs.lf.compare("n", ">=", 65_535, label=1), cs.labeling_function(lambda x: x["n"] % 7)]
    L = cs.apply(lfs, objects)
    numbers = np.arange(n)
    want = np.stack([np.where(numbers >= 65_535, 1, -1), numbers % 7], axis=1)
    np.testing.assert_array_equal(L.to_dense(), want)


def test_long_texts_lose_no_rows():
    texts = pa.array(["x" * 100_000] * 400 + ["free"])
    L = cs.apply(
        [cs.lf.keywords("text", ["free"], label=1)],
        pa.table({"text": texts}),
    )
    assert np.flatnonzero(L.covered).tolist() == [400]


def test_folder_of_parquet_files_keeps_its_order(large, tmp_path):
    rows, want = large
    table = pa.table(rows)
    cuts = [0, 10, 60_000, 60_001, 130_000, len(table)]
    for i, (low, high) in reversed(list(enumerate(itertools.pairwise(cuts)))):
        part = table.slice(low, high - low)
        pa.parquet.write_table(part, tmp_path / f"part-{i}.parquet", row_group_size=17_000)
    L = cs.apply(LARGE_LFS, pa.dataset.dataset(tmp_path))
    np.testing.assert_array_equal(L.to_dense(), want)


def test_dataset_with_columns_that_cannot_be_read_is_read_where_it_can(tmp_path):
    table = pa.table({"v": [[1.0], [2.0]], "n": [1, 9]})
    pa.parquet.write_table(table, tmp_path / "a.parquet")
    lf = cs.lf.compare("n", "<", 5, label=0)
    assert dense([lf], pa.dataset.dataset(tmp_path)) == [[0], [-1]]


def test_batch_function_of_no_columns_counts_the_rows_of_a_dataset():
    data = pa.dataset.dataset(pa.table({"n": [1, 2, 3]}))
    lf = cs.batch_labeling_function(columns=[])(lambda batch: [0, 1, 0])
    assert dense([lf], data) == [[0], [1], [0]]


def test_unknown_column_of_a_dataset_lists_all_its_columns():
    data = pa.dataset.dataset(pa.table({"text": ["a"], "n": [1]}))
    with pytest.raises(ValueError, match=r"column must be one of 'text', 'n', got 'txt'"):
        cs.apply([cs.lf.keywords("txt", ["a"], label=1)], data)


# memory


def seen_by_batch(data, name="x"):
    seen = []

    def look(batch):
        seen.append(batch[name])
        return [-1] * len(batch[name])

    cs.apply([cs.batch_labeling_function(columns=[name])(look)], data)
    return seen


def test_numpy_columns_are_read_in_place():
    values = np.arange(150_000)
    parts = seen_by_batch({"x": values})
    assert len(parts) > 1
    assert all(np.shares_memory(part, values) for part in parts)
    frame = np.zeros(5, [("x", "i4"), ("y", "f8")])
    assert np.shares_memory(seen_by_batch(frame)[0], frame)


def test_arrow_columns_are_read_in_place():
    values = pa.array(np.arange(150_000))
    for data in (pa.table({"x": values}), {"x": values}):
        for part in seen_by_batch(data):
            (chunk,) = part.chunks if isinstance(part, pa.ChunkedArray) else [part]
            assert chunk.buffers()[1].address == values.buffers()[1].address


def test_pandas_columns_reach_a_batch_as_arrow_numpy_or_list():
    frame = pd.DataFrame({"n": [1, 2], "s": ["a", "b"], "o": pd.Series(["a", 1], dtype=object)})
    for name in ("n", "s"):
        (part,) = seen_by_batch(frame, name)
        assert isinstance(part, np.ndarray | list | pa.Array | pa.ChunkedArray)


def test_torch_tensors_are_read_in_place():
    torch = pytest.importorskip("torch")
    lfs = [cs.lf.compare("x", "<", 2, label=0), cs.lf.score("p", 0.1, 0.9)]
    data = {"x": torch.arange(4), "p": torch.tensor([0.0, 0.5, 1.0, float("nan")])}
    assert dense(lfs, data) == [[0, 0], [0, -1], [-1, 1], [-1, -1]]
    (part,) = seen_by_batch(data)
    assert np.shares_memory(part, data["x"].numpy())
    strided = torch.arange(8)[::2]
    assert dense([lfs[0]], {"x": strided}) == [[0], [-1], [-1], [-1]]
    assert dense([lfs[0]], {"x": torch.tensor([True, False])}) == [[0], [0]]
    with pytest.raises(TypeError, match=r"column 'x'"):
        cs.apply([lfs[0]], {"x": torch.ones(2, requires_grad=True)})
    with pytest.raises(TypeError, match=r"column 'x'"):
        cs.apply([lfs[0]], {"x": torch.ones(2, dtype=torch.bfloat16)})


# data that do not fit


@pytest.mark.parametrize(
    "data",
    [
        {"a": [1, 2], "b": [1, 2, 3]},
        {"a": np.zeros(2), "b": np.zeros(3)},
        {"a": pa.array([1, 2]), "b": (1, 2, 3)},
    ],
)
def test_columns_of_unequal_length_are_named(data):
    message = r"columns must be of one length: 'a' has 2 rows, 'b' has 3"
    with pytest.raises(ValueError, match=message):
        cs.apply([cs.lf.compare("a", "<", 5, label=0)], data)


@pytest.mark.parametrize(
    ("data", "got"),
    [
        (3, "int"),
        ("text", "str"),
        (b"text", "bytes"),
        (None, "NoneType"),
        ({1, 2}, "set"),
        (np.zeros((2, 2)), "ndarray"),
        (iter([{"n": 1}]), "list_iterator"),
        (pd.Series([1, 2]), "Series"),
        (pl.Series([1, 2]), "Series"),
        (pl.LazyFrame({"n": [1]}), "LazyFrame"),
        (pa.array([1, 2]), "Array"),
        (pa.chunked_array([[1, 2]]), "ChunkedArray"),
    ],
)
def test_data_of_an_unknown_kind_are_refused_by_type(data, got):
    with pytest.raises(TypeError, match=rf"data must be .* got .*{got}"):
        cs.apply([cs.lf.compare("n", "<", 5, label=0)], data)


@pytest.mark.parametrize(
    "values",
    [
        pa.array([[1], [2]]),
        pa.array([1, 2], pa.timestamp("s")),
        pa.array([{"a": 1}, {"a": 2}]),
        pa.array([1, 2], pa.decimal128(5)),
        np.array(["2020-01-01", "2020-01-02"], "M8[s]"),
        np.array(["2020-01-01", "2020-01-02"], "M8[ns]"),
        np.array([1, 2], "m8[ns]"),
        np.array([1j, 2]),
        np.array([b"a", b"b"]),
        np.ones((2, 2)),
        [[1], [2]],
        [1j, 2],
        [{}, {}],
        pa.array([b"a", b"b"], pa.binary(1)),
    ],
)
def test_columns_of_an_unknown_kind_are_refused_by_name(values):
    for lf in (cs.lf.compare("x", "!=", 5, label=0), cs.lf.keywords("x", ["a"], label=1)):
        with pytest.raises(TypeError, match=rf"labeling function '{lf.name}': column 'x'"):
            cs.apply([lf], {"x": values})


@pytest.mark.parametrize("values", ["abc", 5, None, b"abc", {1, 2}])
def test_dict_values_that_are_no_columns_are_refused_by_name(values):
    with pytest.raises(TypeError, match=r"column 'x' must be an array or a list, got"):
        cs.apply([cs.lf.compare("x", "<", 5, label=0)], {"x": values})


def test_text_and_numbers_mixed_are_refused_with_the_row():
    lf = cs.lf.keywords("x", ["a"], label=1)
    with pytest.raises(TypeError, match=r"column 'x': row 1 must be a str or None, got int"):
        cs.apply([lf], {"x": ["a", 5]})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([{"n": 1}, {"m": 2}], r"row 1 has no entry 'n'"),
        ([SimpleNamespace(n=1), SimpleNamespace(m=1)], r"row 1 \(SimpleNamespace\) has no attr"),
        ([None], r"row 0 \(NoneType\) has no attribute 'n'"),
    ],
)
def test_objects_without_the_column_are_named_by_row(data, message):
    with pytest.raises(ValueError, match=message):
        cs.apply([cs.lf.compare("n", "<", 5, label=0)], data)


def test_error_inside_a_stream_passes_through():
    def batches():
        yield pa.record_batch({"n": [1]})
        raise OSError("disk on fire")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"n": pa.int64()}), batches())
    with pytest.raises(OSError, match="disk on fire"):
        cs.apply([cs.lf.compare("n", "<", 5, label=0)], reader)


# without pyarrow


@pytest.fixture
def no_pyarrow(monkeypatch):
    """Make every import of pyarrow fail, as where it is not installed."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)


WITHOUT_ARROW = [
    "dict of lists",
    "dict of tuples",
    "dict of object arrays",
    "list of dicts",
    "list of dataclasses",
]


@pytest.mark.parametrize("make", WITHOUT_ARROW)
def test_lists_and_numpy_need_no_pyarrow(make, no_pyarrow):
    assert dense(LFS, MAKES[make](ROWS)) == votes_of(ROWS)


@pytest.mark.parametrize("make", ["dict of NumPy", "structured array"])
def test_numpy_tables_need_no_pyarrow(make, no_pyarrow):
    assert dense(LFS, WHOLE[make](FILLED)) == votes_of(FILLED)


def test_pandas_frames_of_numpy_columns_need_no_pyarrow(no_pyarrow):
    frame = pd.DataFrame({"n": np.array([1, 9]), "text": pd.Series(["free", None], dtype=object)})
    lfs = [cs.lf.compare("n", "<", 5, label=0), cs.lf.keywords("text", ["free"], label=1)]
    assert dense(lfs, frame) == [[0, 1], [-1, -1]]


def test_report_without_pyarrow_says_that_python_ran_the_pattern(no_pyarrow):
    lf = cs.lf.regex("text", "a+b", label=1)
    _, report = cs.apply([lf], {"text": ["ab"]}, return_report=True)
    assert report.engines == ["python"]


@pytest.mark.parametrize("kind", ["__arrow_c_stream__", "__arrow_c_array__"])
@pytest.mark.parametrize("place", [lambda data: data, lambda data: {"n": data}])
def test_arrow_data_without_pyarrow_say_what_to_install(kind, place, no_pyarrow):
    data = type("Lender", (), {kind: lambda self, requested_schema=None: None})()
    with pytest.raises(ImportError, match=r"needs pyarrow: pip install 'coverset\[arrow\]'"):
        cs.apply([cs.lf.compare("n", "<", 5, label=0)], place(data))
