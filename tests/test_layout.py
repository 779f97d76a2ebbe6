"""The house: each capability has its file in each folder, arrows run one way, versions agree."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

import coverset
from coverset import _cpu

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "python" / "coverset"
NOT_STEMS = {"cli", "compat", "demo", "cuda"}  # rooms of their own: no kernel behind them


def stems() -> list[str]:
    """Every public module of the package is a capability."""
    names = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    return sorted(name for name in names if not name.startswith("_") and name not in NOT_STEMS)


def declares_cuda(stem: str) -> bool:
    header = ROOT / "cpp" / "include" / "coverset" / f"{stem}.hpp"
    return header.exists() and "const Cuda&" in header.read_text()


def owed(stem: str) -> list[tuple[str, ...]]:
    """Paths that a stem owes; of each tuple one must exist (a file, or a folder that it became)."""
    files: list[tuple[str, ...]] = [
        (f"python/coverset/{stem}.py", f"python/coverset/{stem}/__init__.py"),
        (f"cpp/bindings/{stem}.cpp",),
        (f"cpp/include/coverset/{stem}.hpp",),
        (f"cpp/src/{stem}.cpp", f"cpp/src/{stem}"),
        (f"tests/test_{stem}.py",),
        (f"bench/bench_{stem}.py",),
        (f"docs/{stem}.md",),
    ]
    if declares_cuda(stem):
        files += [
            (f"cuda/src/{stem}.cu", f"cuda/src/{stem}"),
            (f"cuda/bindings/{stem}.cpp",),
        ]
    return files


def missing(stem: str) -> list[str]:
    return [
        " or ".join(choices)
        for choices in owed(stem)
        if not any((ROOT / choice).exists() for choice in choices)
    ]


@pytest.mark.parametrize("stem", stems())
def test_each_stem_has_its_file_in_each_folder(stem):
    assert missing(stem) == []


def test_a_missing_mirror_file_is_named():
    assert "docs/no_such_stem.md" in missing("no_such_stem")
    assert "cpp/src/no_such_stem.cpp or cpp/src/no_such_stem" in missing("no_such_stem")


def test_the_stems_are_those_of_the_design():
    assert stems() == ["coreset", "label_matrix", "label_model", "lf", "neighbors"]


@pytest.mark.parametrize("folder", ["cpp/include", "cpp/src", "cuda/include", "cuda/src"])
def test_kernels_know_no_python(folder):
    for path in (ROOT / folder).rglob("*.*"):
        assert not re.search(r"pybind|Python\.h|py::", path.read_text()), path


def test_headers_of_the_core_know_no_cuda_runtime():
    for path in (ROOT / "cpp").rglob("*.*"):
        assert not re.search(r"cuda_runtime|<cub/|<thrust/", path.read_text()), path


def test_versions_agree():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    cmake = re.search(r"VERSION (\d+\.\d+\.\d+)", (ROOT / "CMakeLists.txt").read_text())
    citation = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cmake is not None
    assert citation is not None
    assert coverset.__version__ == version == cmake[1] == citation[1]


def stub_arguments() -> dict[str, list[str]]:
    tree = ast.parse((PACKAGE / "_cpu.pyi").read_text())
    return {
        node.name: [argument.arg for argument in node.args.args]
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }


def compiled_arguments() -> dict[str, list[str]]:
    functions = {
        name: value
        for name, value in vars(_cpu).items()
        if type(value).__name__ == "builtin_function_or_method"
    }
    signatures = {}
    for name, function in functions.items():
        signature = re.search(rf"{name}\((.*?)\) ->", function.__doc__)
        assert signature is not None, name
        signatures[name] = re.findall(r"(\w+): ", signature[1])
    return signatures


def test_the_stub_equals_the_extension():
    assert stub_arguments() == compiled_arguments()


def test_every_public_name_is_in_the_docs():
    text = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    unnamed = [name for name in coverset.__all__ if not re.search(rf"\b{name}\b", text)]
    unnamed += [name for name in coverset.lf.__all__ if not re.search(rf"\b{name}\b", text)]
    assert unnamed == []


def test_files_are_read_in_one_sitting():
    long = [
        str(path.relative_to(ROOT))
        for folder in ("python", "cpp", "cuda", "tests", "bench")
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in (".py", ".pyi", ".cpp", ".hpp", ".inl", ".cu", ".cuh")
        and len(path.read_text().splitlines()) > (650 if folder == "tests" else 500)
    ]
    assert long == []
