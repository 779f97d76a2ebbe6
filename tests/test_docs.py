"""Every example in the documentation and in docstrings runs and gives what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import coverset

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(coverset.__path__, "coverset.")
    if not module.name.endswith(("._cpu", "._cuda"))
)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_run(name):
    result = doctest.testmod(
        importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert result.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctest.testfile(
        str(page),
        module_relative=False,
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS,
    )
    assert result.failed == 0


@pytest.mark.parametrize(
    "function",
    [
        *(getattr(coverset.lf, name) for name in ("keywords", "regex", "compare", "score")),
        *(coverset.apply, coverset.lf_summary, coverset.labeling_function),
        *(coverset.batch_labeling_function, coverset.LabelMatrix, coverset.LabelModel),
        *(coverset.MajorityVote, coverset.show_versions, coverset.LabelMatrix.from_dense),
        *(coverset.LabelMatrix.from_csr, coverset.LabelMatrix.from_triplets),
    ],
    ids=lambda function: function.__qualname__,
)
def test_public_callables_have_an_example(function):
    assert ">>>" in function.__doc__
