from __future__ import annotations

import ast
import io
import re
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import coverset as cs
import coverset.demo

pq = pytest.importorskip("pyarrow.parquet")
datasets = pytest.importorskip("sklearn.datasets")

from coverset.demo import docstrings, report, tumors  # noqa: E402


class Demo(NamedTuple):
    out: Path
    text: str
    functions: list[docstrings.Documented]

    def part(self, name):
        tumor_text, docstring_text = self.text.split("\nDocstrings: ")
        return {"tumors": tumor_text, "docstrings": docstring_text}[name]

    def number(self, name, table, row, column=0):
        """Return one printed number of a table, found by how its header and row begin."""
        grid = self.part(name).split(f"\n{table}", 1)[1].split("\n\n", 1)[0]
        line = next(line for line in grid.splitlines() if line.startswith(row))
        return line.removeprefix(row).split()[column]

    def labels(self, name):
        return pq.read_table(self.out / f"{name}_labels.parquet")

    def gold(self, name):
        if name == "tumors":
            return datasets.load_breast_cancer().target
        return np.array([function.raises for function in self.functions], dtype=int)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    out, stream, functions = tmp_path_factory.mktemp("demo") / "a" / "b", io.StringIO(), []
    read = docstrings.standard_library
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(docstrings, "standard_library", lambda: functions.extend(read()) or functions)
        coverset.demo.run(out, progress=False, stream=stream)
    return Demo(out, stream.getvalue(), functions)


both = pytest.mark.parametrize("name", ["tumors", "docstrings"])


@both
def test_labels_are_probabilities_of_each_row_to_label(demo, name):
    labels = demo.labels(name)
    assert labels.column_names == ["row", "p_0", "p_1", "label", "n_votes"]
    row, p_0, p_1, label, n_votes = (column.to_numpy() for column in labels.columns)
    assert len(np.unique(row)) == len(row)
    assert 0.5 < len(row) / len(demo.gold(name)) < 0.8
    assert np.all((row >= 0) & (row < len(demo.gold(name))))
    np.testing.assert_allclose(p_0 + p_1, 1, atol=1e-6)
    assert np.array_equal(label == -1, (n_votes == 0) | (p_0 == p_1))
    voted = label >= 0
    assert np.array_equal(label[voted], (p_1 > p_0)[voted])


@both
def test_printed_label_accuracy_follows_from_the_files(demo, name):
    row, p_0, p_1, _, n_votes = (column.to_numpy() for column in demo.labels(name).columns)
    right = (p_1 > p_0)[n_votes > 0] == demo.gold(name)[row[n_votes > 0]]
    assert demo.number(name, "Labels of covered rows", "label model") == f"{right.mean():.4f}"


@both
def test_prints_every_labeling_function(demo, name):
    lfs = {"tumors": tumors, "docstrings": docstrings}[name].labeling_functions()
    assert len(lfs) >= 10
    for lf in lfs:
        assert 0 < float(demo.number(name, "Labeling function", lf.name, column=1)) < 1


@both
@pytest.mark.parametrize("teacher", ["label model", "majority vote", "gold"])
def test_prints_three_held_out_scores(demo, name, teacher):
    for column in range(3):
        assert 0 < float(demo.number(name, "Classifier trained on", teacher, column)) < 1


def test_tumors_are_told_apart_with_and_without_gold(demo):
    assert float(demo.number("tumors", "Classifier trained on", "gold")) > 0.9
    assert float(demo.number("tumors", "Classifier trained on", "label model")) > 0.85


def test_saved_model_and_votes_give_the_written_probabilities(demo):
    L = cs.LabelMatrix.load(demo.out / "docstrings.votes", verify=True)
    model = cs.LabelModel.load(demo.out / "docstrings.model.json")
    labels = demo.labels("docstrings")
    assert L.lf_names == tuple(lf.name for lf in docstrings.labeling_functions())
    assert np.array_equal(model.predict_proba(L)[:, 1], labels["p_1"].to_numpy())
    assert np.array_equal(np.diff(L.indptr), labels["n_votes"].to_numpy())


def test_lines_fit_and_every_file_is_named(demo):
    report_lines, files = demo.text.split("\nWritten\n")
    assert max(map(len, report_lines.splitlines())) <= 100
    assert sorted(line.strip() for line in files.splitlines()) == sorted(
        str(path) for path in demo.out.iterdir()
    )


def test_second_run_replaces_the_files_and_says_the_same(demo, tmp_path):
    def lines():
        stream = io.StringIO()
        (path,) = tumors.run(tmp_path, progress=False, stream=stream)
        return re.sub(r"\d+\.\d+ s\b", "", stream.getvalue()), path.read_bytes()

    assert lines() == lines()
    assert lines()[0].strip() == re.sub(r"\d+\.\d+ s\b", "", demo.part("tumors")).strip()


def test_second_run_replaces_model_and_votes(demo, tmp_path, monkeypatch):
    monkeypatch.setattr(docstrings, "standard_library", lambda: demo.functions[::8])
    for _ in range(2):
        written = docstrings.run(tmp_path, progress=False, stream=io.StringIO())
    assert sorted(written) == sorted(tmp_path.iterdir())


SNIPPET = '''
class Door:
    """A class with a docstring is no row."""

    def open(self, key, *keys, slowly=False, **others):
        """Open the door; raise KeyError where no key fits."""
        if key is None:
            raise KeyError(key)

    def close(self):
        """Close the door, by a function that raises."""

        def push():
            """Push until it is shut, or raise."""
            raise OSError

        class Lock:
            raise OSError

        push()

    async def knock(self, /, times):
        """Knock on the door and wait."""
        try:
            await times
        except OSError:
            for _ in range(3):
                raise

    def paint(self):
        """Too short."""
        raise OSError

    def remove(self):
        raise OSError
'''


def test_gold_is_a_raise_of_the_functions_own():
    found = {one.text: one for one in docstrings.documented(SNIPPET, "door.py")}
    assert {text: one.raises for text, one in found.items()} == {
        "Open the door; raise KeyError where no key fits.": True,
        "Close the door, by a function that raises.": False,
        "Push until it is shut, or raise.": True,
        "Knock on the door and wait.": True,
    }
    opened = found["Open the door; raise KeyError where no key fits."]
    assert opened == ("door.py", opened.text, 9, 5, True)


def test_own_raise_looks_into_blocks_and_not_into_lambdas_or_defs():
    def own_raise(body):
        return docstrings.own_raise(ast.parse(f"def f():\n    {body}").body[0])

    assert own_raise("raise OSError")
    assert own_raise("with a, b: raise")
    assert not own_raise("return 'raise'")
    assert not own_raise("return lambda: (_ for _ in ()).throw(OSError)")


@pytest.mark.parametrize(
    "source", ["def f(:\n  'a docstring of many words'", "def f(): 'a docstring, a null'\0"]
)
def test_broken_modules_are_left_out(source):
    assert docstrings.documented(source, "broken.py") == []


def test_old_escapes_do_not_warn_and_lone_surrogates_become_text():
    source = 'def f():\n    """A docstring with \\d and \\ud800 inside."""'
    (one,) = docstrings.documented(source, "old.py")
    assert one.text == "A docstring with \\d and ? inside."


def test_tests_and_installed_packages_are_no_standard_library(tmp_path):
    for folder in ("json", "json/tests", "test", "site-packages/numpy"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "m.py").write_text("def f():\n    'A docstring of many words.'\n")
    assert [one.file for one in docstrings.standard_library(tmp_path)] == ["json/m.py"]
    (tmp_path / "json" / "m.py").unlink()
    with pytest.raises(RuntimeError, match=r"functions with docstrings, got none in .*"):
        docstrings.standard_library(tmp_path)


def test_trains_on_probabilities_as_weights():
    x = np.array([[0.0], [0.0], [1.0], [1.0], [50.0]])
    proba = np.array([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8], [0.2, 0.8], [0.0, 0.0]])
    p_1 = report.train(np.repeat(x, 400, axis=0), np.repeat(proba, 400, axis=0))
    np.testing.assert_allclose(p_1.predict_proba(x[[0, 2]])[:, 1], [0.1, 0.8], atol=0.01)


@pytest.mark.parametrize("missing", ["sklearn", "pyarrow"])
def test_says_what_to_install(missing, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, missing, None)
    message = r"^coverset demo needs scikit-learn and pyarrow: pip install 'coverset\[demo\]'$"
    with pytest.raises(ImportError, match=message):
        coverset.demo.run(tmp_path / "out", progress=False, stream=io.StringIO())
    assert not (tmp_path / "out").exists()
