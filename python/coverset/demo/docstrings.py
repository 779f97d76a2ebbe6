"""Does a function raise? Rules over the docstrings of Python's own standard library.

Gold is read off the code: whether the function's own body has a ``raise`` statement. Labeling
functions and classifier see the docstring and the number of arguments, never the code.
"""

from __future__ import annotations

import ast
import sysconfig
import warnings
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np
import pyarrow as pa
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GroupShuffleSplit

import coverset as cs
import coverset.demo.report as report
from coverset.lf import LabelingFunction

CLASSES = ("silent", "raises")
SILENT, RAISES = range(2)
SHORTEST = 20  # characters of a docstring that says something
SKIPPED = {"test", "tests", "idle_test", "site-packages", "dist-packages"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Documented(NamedTuple):
    """A function or method with a docstring."""

    file: str
    text: str
    n_words: int
    n_arguments: int  # self and * and ** arguments included
    raises: bool


def labeling_functions() -> list[LabelingFunction]:
    """Return the rules; docstrings of the standard library open with an imperative."""
    text, keywords, regex, compare = "text", cs.lf.keywords, cs.lf.regex, cs.lf.compare
    return [
        regex(text, r"\b[A-Z]\w+(Error|Exception)\b", RAISES, name="names an error"),
        keywords(text, ["raise", "raises", "raised", "raising"], RAISES, name="says raise"),
        keywords(text, ["exception", "exceptions"], RAISES, name="says exception"),
        keywords(text, ["must be", "must not", "must have"], RAISES, name="says must be"),
        regex(
            text,
            r"^(Returns? (True|False|whether)|(Test|Check) (if|whether))\b",
            SILENT,
            name="answers yes or no",
        ),
        regex(text, r"^(Returns?|Get) (the|a|an)\b", SILENT, name="gets something"),
        regex(text, r"^(Set|Add|Append|Insert)\b", SILENT, name="sets something"),
        regex(text, r"^(Called|Handler?|Invoked|Emit)\b", SILENT, name="handles an event"),
        keywords(text, ["print", "prints", "display", "show", "shows"], SILENT, name="displays"),
        keywords(
            text, ["widget", "window", "cursor", "canvas", "screen"], SILENT, name="is on screen"
        ),
        compare("n_words", "<=", 6, SILENT, name="six words at most"),
        compare("n_arguments", "<=", 1, SILENT, name="one argument at most"),
    ]


def own_raise(function: Function) -> bool:
    """Return whether the body raises, leaving out functions and classes defined within."""
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Raise):
            return True
        if not isinstance(node, Function | ast.ClassDef):
            todo.extend(ast.iter_child_nodes(node))
    return False


def documented(source: str | bytes, file: str) -> list[Documented]:
    """Return the functions and methods of a module that have a docstring; none if it is broken."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as SyntaxWarning for an escape in old code
            tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    found = []
    for node in ast.walk(tree):
        docstring = ast.get_docstring(node) if isinstance(node, Function) else None
        if not isinstance(node, Function) or docstring is None or len(docstring) < SHORTEST:
            continue
        text = docstring.encode(errors="replace").decode()  # a lone surrogate is no UTF-8
        named = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
        starred = (node.args.vararg, node.args.kwarg)
        n_arguments = len(named) + sum(argument is not None for argument in starred)
        found.append(Documented(file, text, len(text.split()), n_arguments, own_raise(node)))
    return found


def standard_library(root: Path | None = None) -> list[Documented]:
    """Return the documented functions of the standard library, its tests left out."""
    root = Path(sysconfig.get_path("stdlib")) if root is None else root
    found = []
    for path in sorted(root.rglob("*.py")):
        file = path.relative_to(root)
        if SKIPPED.isdisjoint(file.parts):
            found += documented(path.read_bytes(), file.as_posix())
    if not found:
        msg = f"the standard library must hold functions with docstrings, got none in {root}"
        raise RuntimeError(msg)
    return found


def load(functions: list[Documented]) -> report.Part:
    """Return the functions, those of three files in ten held out."""
    gold = np.array([function.raises for function in functions], dtype=np.int64)
    text = np.array([function.text for function in functions], dtype=object)
    split = GroupShuffleSplit(n_splits=1, test_size=0.3, random_state=0)
    files = [function.file for function in functions]
    to_label, held_out = next(split.split(text, groups=files))
    table = pa.table(
        {
            "text": text,
            "n_words": [function.n_words for function in functions],
            "n_arguments": [function.n_arguments for function in functions],
        }
    )
    tfidf = TfidfVectorizer(max_features=5000, min_df=2, ngram_range=(1, 2), sublinear_tf=True)
    return report.Part(
        CLASSES,
        labeling_functions(),
        table.take(to_label),
        to_label,
        tfidf.fit_transform(text[to_label]),
        gold[to_label],
        tfidf.transform(text[held_out]),
        gold[held_out],
    )


def run(out: Path, *, progress: bool, stream: TextIO) -> list[Path]:
    """Run this part and return the files and folders it wrote."""
    page = report.Page(stream)
    page.heading("Docstrings: does a function of the standard library raise?")
    page.line("Rows are functions with a docstring; those held out are in files of their own.")
    with page.stage("read"):
        functions = standard_library()
    with page.stage("TF-IDF"):
        part = load(functions)
    labels = report.walk(part, page, progress=progress)
    model, votes = out / "docstrings.model.json", out / "docstrings.votes"
    labels.model.save(model)
    labels.votes.save(votes)
    return [report.write_labels(out / "docstrings_labels.parquet", part, labels), model, votes]
