"""The report page: whole, safe, and showing what the models say."""

from __future__ import annotations

import html.parser

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import coverset as cs
from coverset import cli
from coverset.label_model import report_page
from label_model_reference import planted_votes

VOID = {"meta", "rect", "line", "circle"}


class Reader(html.parser.HTMLParser):
    """Collects text and tags; fails where tags do not nest."""

    def __init__(self, page):
        super().__init__()
        self.open, self.seen, self.text = [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def votes(k=2):
    L, y = planted_votes(400, [0.9, 0.8, 0.7, 0.6], k, 0.6, seed=1)
    L = np.hstack([L, L[:, [0]]])
    names = ["<b>first</b>", "second", "third & co", "fourth", "copy"]
    return cs.LabelMatrix.from_dense(L, k, lf_names=names), y


@pytest.mark.parametrize("kind", [cs.LabelModel, cs.DawidSkene, cs.MajorityVote])
@pytest.mark.parametrize("with_gold", [True, False])
@pytest.mark.parametrize("k", [2, 4])
def test_page_is_whole_and_loads_nothing(kind, with_gold, k):
    L, y = votes(k)
    page = report_page(L, kind().fit(L), y if with_gold else None, lambda rows: ["x"] * len(rows))
    reader = Reader(page)
    tags = {tag for tag, _ in reader.seen}
    assert not tags & {"script", "link", "img", "iframe", "b"}
    assert not any("src" in attrs or "href" in attrs for _, attrs in reader.seen)
    text = "".join(reader.text)
    assert "<b>first</b>" in text
    assert "third & co" in text
    assert ("Calibration" in text) == with_gold
    assert ("accuracy by gold" in text) == with_gold
    assert ("learned accuracy" in text) == (kind is cs.LabelModel)


def test_page_shows_what_the_model_learned():
    L, y = votes()
    model = cs.LabelModel().fit(L)
    text = "".join(Reader(report_page(L, model, y)).text)
    for accuracy in model.lf_accuracies_:
        assert f"{accuracy:.3f}" in text
    assert "<b>first</b> — copy" in text
    assert f"{model.calibration(L, y).error:.3f}" in text
    assert f"{model.reliability_:.3f}" in text


def test_examples_are_escaped_and_cut():
    L, _ = votes()
    asked = []

    def read(rows):
        asked.extend(rows.tolist())
        return ["<script>alert(1)</script>" + "long " * 200] * len(rows)

    page = report_page(L, cs.LabelModel().fit(L), None, read)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert asked == cs.suggest_rows(L, None, "conflict", 20).tolist()
    assert max(len(data) for data in Reader(page).text if "long " in data) == 300


def test_nothing_to_show_is_said():
    L = cs.LabelMatrix.from_dense([[0, -1], [-1, 1]])
    text = "".join(Reader(report_page(L, cs.LabelModel().fit(L), None, lambda _: [])).text)
    assert "No pair depends on each other" in text
    assert "No row has votes for different classes" in text


@pytest.fixture
def run(tmp_path, capsys):
    (tmp_path / "lfs.py").write_text(
        "import coverset as cs\n"
        "lfs = [cs.lf.keywords('text', ['free'], 1), cs.lf.compare('n', '<', 3, 0)]\n"
    )
    table = {"text": ["free <i>", "hello", "free", "so"], "n": [1, 2, 9, 5], "y": [1, 0, 1, -1]}
    pq.write_table(pa.table(table), tmp_path / "rows.parquet")

    def call(*more):
        options = ("--lfs", tmp_path / "lfs.py", "--out", tmp_path / "out.parquet", *more)
        code = cli.main([str(x) for x in ("label", tmp_path / "rows.parquet", *options)])
        return code, capsys.readouterr()

    return call


def test_the_command_writes_a_page(run, tmp_path):
    code, shown = run("--report", tmp_path / "page.html", "--gold", "y")
    assert code == 0
    assert f"and {tmp_path / 'page.html'}" in shown.out
    text = "".join(Reader((tmp_path / "page.html").read_text(encoding="utf-8")).text)
    assert "Calibration" in text
    assert "free <i>" in text  # the one row whose votes disagree


def test_the_command_refuses_what_it_cannot_write(run, tmp_path):
    code, shown = run("--report", tmp_path / "nowhere" / "page.html")
    assert (code, "it must be a file in a folder that exists" in shown.err) == (2, True)
    code, shown = run("--gold", "y")
    assert (code, "--gold needs --report" in shown.err) == (2, True)
    code, shown = run("--report", tmp_path / "page.html", "--gold", "z")
    assert (code, "the table has no such column" in shown.err) == (2, True)
    assert not (tmp_path / "page.html").exists()


def test_the_old_place_warns_and_names_the_new_one():
    with pytest.warns(FutureWarning, match=r"is coverset\.label_model\.report_page now"):
        from coverset.label_model.page import report_page as old
    assert old is report_page
    with pytest.raises(ImportError, match="no_such_name"):
        from coverset.label_model.page import no_such_name  # noqa: F401
