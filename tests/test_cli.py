"""The command line: files in, labels out, and what it says when it cannot."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet
import pytest

import coverset as cs
from coverset.cli import main

LF_FILE = """
import coverset as cs

lfs = [
    cs.lf.keywords("text", ["free", "win"], label=1),
    cs.lf.compare("n_words", "<", 3, label=0),
    cs.lf.regex("text", "https?://", label=1),
]
cardinality = 2
"""
ROWS = {
    "text": ["free money now ok", "hi", "see http://x.org now", "free", "a b c d", "win win win"],
    "n_words": [4, 1, 3, 1, 4, 3],
}
VOTES = [[1, -1, -1], [-1, 0, -1], [-1, -1, 1], [1, 0, -1], [-1, -1, -1], [1, -1, -1]]


def write_folder(path):
    """Write the rows as three files; their order is that of their names."""
    path.mkdir()
    table = pa.table(ROWS)
    for name, low, high in (("c", 4, 6), ("a", 0, 1), ("b", 1, 4)):
        pa.parquet.write_table(table[low:high], path / f"{name}.parquet", row_group_size=2)


def write_jsonl(path):
    rows = zip(*ROWS.values(), strict=True)
    lines = [json.dumps(dict(zip(ROWS, row, strict=True))) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


TABLES = {
    "rows.parquet": lambda path: pa.parquet.write_table(pa.table(ROWS), path),
    "rows.csv": lambda path: pa.csv.write_csv(pa.table(ROWS), path),
    "rows.jsonl": write_jsonl,
    "folder": write_folder,
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Go to a folder with a table of every kind and an LF file."""
    monkeypatch.chdir(tmp_path)
    for name, write in TABLES.items():
        write(tmp_path / name)
    (tmp_path / "lfs.py").write_text(LF_FILE, encoding="utf-8")
    return tmp_path


def label(*options, table="rows.parquet", lfs="lfs.py", out="out.parquet"):
    return main(["label", table, "--lfs", lfs, "--out", out, *options])


def read(path="out.parquet"):
    return pa.parquet.read_table(path).to_pydict()


def expected(model):
    L = cs.LabelMatrix.from_dense(VOTES, 2)
    fitted = model.fit(L)
    return fitted.predict_proba(L), fitted.predict(L)


# labels


@pytest.mark.parametrize("table", TABLES)
def test_tables_of_every_kind_are_labeled_in_their_order(folder, table):
    assert label(table=table) == 0
    found = read()
    assert list(found) == ["row", "p_0", "p_1", "label", "n_votes"]
    assert found["row"] == [0, 1, 2, 3, 4, 5]
    assert found["n_votes"] == [1, 1, 1, 2, 0, 1]
    proba, labels = expected(cs.LabelModel())
    np.testing.assert_array_equal(np.transpose([found["p_0"], found["p_1"]]), proba)
    assert found["label"] == labels.tolist()


@pytest.mark.parametrize(
    ("name", "model"), [("label-model", cs.LabelModel), ("majority-vote", cs.MajorityVote)]
)
def test_labels_are_those_of_the_model(folder, name, model):
    assert label("--model", name) == 0
    found = read()
    proba, labels = expected(model())
    np.testing.assert_array_equal(np.transpose([found["p_0"], found["p_1"]]), proba)
    assert found["label"] == labels.tolist()


def test_majority_vote_by_hand(folder):
    assert label("--model", "majority-vote") == 0
    found = read()
    assert found["label"] == [1, 0, 1, -1, -1, 1]  # a tie, and a row without a vote
    assert found["p_1"][:3] == [1.0, 0.0, 1.0]


def test_class_names_name_the_columns(folder):
    text = LF_FILE.replace("cardinality = 2", "class_names = ['ham', 'spam']")
    (folder / "lfs.py").write_text(text, encoding="utf-8")
    assert label() == 0
    assert list(read()) == ["row", "p_ham", "p_spam", "label", "n_votes"]


def test_cardinality_of_the_file_counts_the_classes(folder):
    text = LF_FILE.replace("cardinality = 2", "cardinality = 4")
    (folder / "lfs.py").write_text(text, encoding="utf-8")
    assert label() == 0
    assert list(read())[1:5] == ["p_0", "p_1", "p_2", "p_3"]


def test_cardinality_may_be_left_out(folder):
    text = LF_FILE.replace("cardinality = 2", "")
    (folder / "lfs.py").write_text(text, encoding="utf-8")
    assert label() == 0
    assert list(read())[1:3] == ["p_0", "p_1"]


def test_many_rows_keep_their_order(folder):
    n = 70_000
    rng = np.random.default_rng(4)
    n_words = rng.integers(0, 6, n)
    table = pa.table({"text": ["a"] * n, "n_words": n_words})
    pa.parquet.write_table(table, "big.parquet", row_group_size=9000)
    assert label("--model", "majority-vote", table="big.parquet") == 0
    found = pa.parquet.read_table("out.parquet")
    assert found["row"].to_pylist() == list(range(n))
    np.testing.assert_array_equal(found["label"], np.where(n_words < 3, 0, -1))


def test_existing_output_is_replaced(folder):
    (folder / "out.parquet").write_bytes(b"old")
    assert label() == 0
    assert len(read()["row"]) == 6


def test_threads_do_not_change_the_labels(folder):
    assert label("--threads", "1", out="one.parquet") == 0
    assert label("--threads", "3", out="three.parquet") == 0
    assert (folder / "one.parquet").read_bytes() == (folder / "three.parquet").read_bytes()


def test_lf_file_may_hold_dataclasses(folder):
    text = """
from __future__ import annotations

from dataclasses import dataclass

import coverset as cs


@dataclass
class Rule:
    word: str

    def __call__(self, x) -> int:
        return 1 if self.word in x.text else -1


lfs = [cs.labeling_function(Rule("free"), name="rule"), cs.lf.compare("n_words", "<", 3, label=0)]
"""
    (folder / "lfs.py").write_text(text, encoding="utf-8")
    assert label() == 0
    assert read()["n_votes"] == [1, 1, 0, 2, 0, 0]


# what it prints


def test_summary_report_and_file_are_printed(folder, capsys):
    assert label() == 0
    out, err = capsys.readouterr()
    assert err == ""
    for part in ("keywords_text_free", "compare_n_words_lt_3", "Coverage", "engine", "out.parquet"):
        assert part in out
    decided = sum(label >= 0 for label in read()["label"])
    assert f"{decided} of 6 rows labeled by LabelModel" in out


def test_quiet_prints_nothing(folder, capsys):
    assert label("--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_versions_are_printed(capsys):
    assert main(["versions"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert cs.__version__ in out
    for part in ("SIMD level", "threads", "CUDA", "numpy", "pyarrow"):
        assert part in out


def test_version_is_printed(capsys):
    with pytest.raises(SystemExit) as seen:
        main(["--version"])
    assert seen.value.code == 0
    assert capsys.readouterr().out == f"coverset {cs.__version__}\n"


@pytest.mark.parametrize("command", [[], ["label"], ["versions"], ["demo"]])
def test_help_is_printed(command, capsys):
    with pytest.raises(SystemExit) as seen:
        main([*command, "--help"])
    assert seen.value.code == 0
    assert capsys.readouterr().out.startswith("usage: coverset")


def test_command_runs_as_a_process(folder):
    code = "import sys; from coverset.cli import main; sys.exit(main())"
    arguments = ["label", "rows.csv", "--lfs", "lfs.py", "--out", "out.parquet"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "wrote out.parquet" in done.stdout
    assert len(read()["row"]) == 6


# what goes wrong


def fails(capsys, code, message, *options, **files):
    """Run a command that must fail: its code, one line on stderr, and no file touched."""
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert label(*options, **files) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert re.search(rf"^coverset: error: .*{message}", err), err
    assert "Traceback" not in err
    after = {
        path: path.read_bytes()
        for path in Path().rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert after == before


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"table": "none.parquet"}, r"none.parquet: there is no such file or folder"),
        ({"lfs": "none.py"}, r"--lfs none.py: there is no such file"),
        ({"lfs": "folder"}, r"--lfs folder: there is no such file"),
        ({"lfs": "rows.csv"}, r"--lfs rows.csv: it must be a Python file"),
        ({"table": "lfs.py"}, r"lfs.py: it must end in .parquet, .csv or .jsonl"),
        ({"out": "none/out.parquet"}, r"--out none/out.parquet: there is no folder none"),
        ({"out": "folder"}, r"--out folder: it must be a file to write, got a folder"),
    ],
)
def test_wrong_paths_are_usage_errors(folder, capsys, files, message):
    fails(capsys, 2, message, **files)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 / 0", r"--lfs lfs.py: ZeroDivisionError: division by zero"),
        ("def (", r"--lfs lfs.py: SyntaxError"),
        ("import no_such_module", r"--lfs lfs.py: ModuleNotFoundError: .*no_such_module"),
        ("cardinality = 2", r"--lfs lfs.py: it must define `lfs`, a list"),
        ("lfs = []", r"--lfs lfs.py: it must define `lfs`, a list"),
        ("lfs = 3", r"--lfs lfs.py: it must define `lfs`, a list"),
    ],
)
def test_lf_files_without_functions_are_usage_errors(folder, capsys, text, message):
    (folder / "lfs.py").write_text(text, encoding="utf-8")
    fails(capsys, 2, message)


@pytest.mark.parametrize(
    ("lfs", "message"),
    [
        ("[cs.lf.keywords('txt', ['a'], label=1)]", r"'keywords_txt_a': column must be .*'txt'"),
        ("[cs.lf.keywords('n_words', ['a'], label=1)]", r"column 'n_words' must hold text"),
        ("[cs.lf.compare('n_words', '<', 3, label=2)]", r"label must be in 0..1, got 2"),
        ("[cs.labeling_function(lambda x: 1 // 0, name='f')]", r"'f': row 0, Row.*ZeroDivision"),
        ("[len]", r"lfs\[0\] must be a labeling function"),
    ],
)
def test_functions_that_do_not_fit_the_data_are_data_errors(folder, capsys, lfs, message):
    (folder / "out.parquet").write_bytes(b"old")
    text = f"import coverset as cs\ncardinality = 2\nlfs = {lfs}\n"
    (folder / "lfs.py").write_text(text, encoding="utf-8")
    fails(capsys, 1, message)


@pytest.mark.parametrize("name", ["bad.parquet", "bad.jsonl"])
def test_files_of_another_kind_are_errors(folder, capsys, name):
    (folder / name).write_bytes(b"\x00\xff no table")
    assert label(table=name) in (1, 2)
    assert capsys.readouterr().err.startswith(f"coverset: error: {name}: ")
    assert not (folder / "out.parquet").exists()


def test_truncated_file_of_a_folder_is_a_data_error(folder, capsys):
    path = folder / "folder" / "c.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    fails(capsys, 1, "", table="folder")


def test_column_found_twice_is_a_data_error(folder, capsys):
    (folder / "twice.csv").write_text("text,n_words,n_words\na,1,2\n", encoding="utf-8")
    fails(capsys, 1, r".*n_words", table="twice.csv")


def test_raising_functions_may_abstain(folder, capsys):
    text = """
import coverset as cs
lfs = [cs.labeling_function(lambda x: 1 // (x.n_words - 1) and 0, name="f")]
"""
    (folder / "lfs.py").write_text(text, encoding="utf-8")
    fails(capsys, 1, r"'f': row 1, .*ZeroDivisionError")
    assert label("--on-error", "abstain") == 0
    assert "f: row 1, " in capsys.readouterr().out
    assert read()["n_votes"] == [1, 0, 1, 0, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: command"),
        (["paint"], "invalid choice: 'paint'"),
        (["label"], "required: table, --lfs, --out"),
        (["label", "a", "--lfs", "b", "--out", "c", "--fast"], "unrecognized arguments: --fast"),
        (
            ["label", "a", "--lfs", "b", "--out", "c", "--model", "x"],
            "--model: invalid choice: 'x'",
        ),
        (["label", "a", "--lfs", "b", "--out", "c", "--threads", "x"], "--threads: invalid int"),
        (["label", "a", "--lfs", "b", "--out", "c", "--on-error", "x"], "--on-error: invalid"),
    ],
)
def test_unknown_options_are_usage_errors(arguments, message, capsys):
    with pytest.raises(SystemExit) as seen:
        main(arguments)
    assert seen.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


def test_threads_must_be_positive(folder, capsys):
    text = r"n_threads must be at least 1, got 0"
    assert label("--threads", "0") in (1, 2)
    assert text in capsys.readouterr().err
    assert not (folder / "out.parquet").exists()


def test_interrupt_ends_with_130(folder, capsys):
    text = """
import coverset as cs


def stop(x):
    raise KeyboardInterrupt


lfs = [cs.labeling_function(stop)]
"""
    (folder / "lfs.py").write_text(text, encoding="utf-8")
    assert label() == 130
    assert capsys.readouterr().err == "coverset: interrupted\n"
    assert not (folder / "out.parquet").exists()


def test_missing_pyarrow_says_what_to_install(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert label() in (1, 2)
    assert "pip install 'coverset[arrow]'" in capsys.readouterr().err


def test_failed_write_leaves_the_old_file(folder, capsys, monkeypatch):
    def fail(*_, **__):
        raise OSError("no space left")

    (folder / "out.parquet").write_bytes(b"old")
    monkeypatch.setattr(pyarrow.parquet, "write_table", fail)
    fails(capsys, 1, "no space left")


def test_empty_table_is_labeled_or_refused_in_words(folder, capsys):
    pa.parquet.write_table(pa.table(ROWS)[:0], "none.parquet")
    code = label("--model", "majority-vote", table="none.parquet")
    err = capsys.readouterr().err
    if code == 0:
        assert read()["row"] == []
    else:
        assert code == 1
        assert err.startswith("coverset: error: ")
        assert not (folder / "out.parquet").exists()
