"""The house: each capability has its file in each folder, arrows run one way, versions agree."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import coverset
from coverset import _cpu

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "python" / "coverset"
CODE = (".py", ".pyi", ".cpp", ".hpp", ".inl", ".cu", ".cuh")

STEMS = ("coreset", "label_matrix", "label_model", "lf", "neighbors")

# What is no capability, and why it has a place beside them.
ROOMS = {
    # python/coverset
    "cli": "the command `coverset`, made of several capabilities",
    "compat": "what other libraries' scripts call, made of ours",
    "demo": "two worked examples, made of the public names",
    "cuda": "whether there is a device; in C++, headers of device code",
    "_arguments": "checks of arguments",
    "_cpu": "the compiled kernels",
    "_cpu_sums": "its stubs of what label models count and sum",
    "_cuda": "the compiled kernels of a device",
    "_metrics": "the names of distances, and what each returns",
    "_not_fitted": "the error of what must be fitted first",
    "_plots": "Matplotlib, where it is installed",
    "_progress": "progress bars",
    "_rows": "reading embeddings of any kind as rows",
    "_store": "checked files and folders of arrays",
    "_tables": "tables as text",
    "_versions": "what a bug report needs",
    # cpp/include/coverset, cpp/src
    "canonical": "the distance that decides",
    "device": "where a kernel runs",
    "error": "raising, with the argument named",
    "exact": "the engine of exact distances, which several capabilities stand on",
    "exp_log": "exp and log, the same on every level and device",
    "metric": "what is near",
    "nearest": "near rows and their order",
    "normalization": "where rows lie, about",
    "parallel": "the thread pool",
    "random": "counter-based random numbers",
    "rows": "rows of any storage type",
    "simd": "which SIMD level runs",
    "view": "what a kernel borrows",
    # cpp/bindings, cuda
    "array": "NumPy and DLPack arrays as views",
    "check": "errors of the CUDA runtime",
    "module": "the list of bindings",
    "text": "Arrow and Python strings as views",
}
# What a room of cpp/src may include of others; contracts (coverset/...) are open to all.
ARROWS = {
    "coreset": {"exact", "simd"},
    "exact": {"simd"},
    "exp_log": {"simd"},
    "label_matrix": {"simd"},
    "label_model": {"simd"},
    "lf": {"label_matrix", "simd"},
    "neighbors": {"exact", "simd"},
    "simd": set(),
}
FOLDERS = [
    *("python/coverset", "cpp/include/coverset", "cpp/src", "cpp/bindings"),
    *("cuda/include/coverset", "cuda/include/coverset/cuda", "cuda/src", "cuda/bindings"),
]


def names(folder: str) -> dict[str, Path]:
    """Return what stands in a folder, by name."""
    found = {
        path.name.partition(".")[0]: path
        for path in (ROOT / folder).iterdir()
        if path.suffix in CODE or path.is_dir()
    }
    return {name: path for name, path in found.items() if not name.startswith("__")}


def is_of_a_stem(name: str) -> bool:
    return any(name == stem or name.startswith(f"{stem}_") for stem in STEMS)


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


@pytest.mark.parametrize("stem", STEMS)
def test_each_stem_has_its_file_in_each_folder(stem):
    assert missing(stem) == []


def test_a_missing_mirror_file_is_named():
    assert "docs/no_such_stem.md" in missing("no_such_stem")
    assert "cpp/src/no_such_stem.cpp or cpp/src/no_such_stem" in missing("no_such_stem")


def test_the_stems_are_those_of_the_design():
    text = (ROOT / "docs" / "design.md").read_text()
    sentence = re.search(r"One name for each capability[^:]*: ([^.]*)\.", text)
    assert sentence is not None
    assert sorted(re.findall(r"`(\w+)`", sentence[1])) == sorted(STEMS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_stands_in_a_folder_is_of_a_stem_or_a_named_room(folder):
    nameless = [
        str(path.relative_to(ROOT))
        for name, path in names(folder).items()
        if not is_of_a_stem(name) and name not in ROOMS
    ]
    assert not nameless, nameless


def test_every_named_room_is_there():
    there = {name for folder in FOLDERS for name in names(folder)}
    absent = [room for room in ROOMS if room not in there]
    assert not absent, absent


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and name of what a file imports, or imports from."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            yield node.lineno, node.module or "."
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)


def imports_through_packages_around(path: Path) -> list[str]:
    """Return imports from packages that the file lies in and that may be half imported by then."""
    around = {
        ".".join(folder.relative_to(PACKAGE.parent).parts)
        for folder in path.parents
        if folder.is_relative_to(PACKAGE) and any(imports(folder / "__init__.py"))
    }
    return [f"{path.relative_to(ROOT)}:{i} {name}" for i, name in imports(path) if name in around]


def test_no_module_is_imported_through_a_package_around_it():
    files = [path for path in PACKAGE.rglob("*.py") if PACKAGE / "demo" not in path.parents]
    found = [where for path in files for where in imports_through_packages_around(path)]
    assert not found, found


def forbidden_includes(room: str, text: str) -> list[str]:
    included = set(re.findall(r'^#include "(\w+)/', text, re.MULTILINE))
    return sorted(included - ARROWS[room] - {room, "coverset"})


def test_rooms_of_kernels_include_what_is_below_them():
    folder = ROOT / "cpp" / "src"
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == sorted(ARROWS)
    for room in ARROWS:
        for path in (folder / room).rglob("*.*"):
            assert forbidden_includes(room, path.read_text()) == [], path


def test_an_include_of_a_neighboring_room_is_named():
    text = '#include <vector>\n#include "neighbors/neighbor_lists.hpp"\n#include "exact/scan.hpp"\n'
    assert forbidden_includes("coreset", text) == ["neighbors"]
    assert forbidden_includes("exact", text) == ["neighbors"]


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
    stubs = [ast.parse(path.read_text()) for path in PACKAGE.glob("_cpu*.pyi")]
    return {
        node.name: [argument.arg for argument in node.args.args]
        for tree in stubs
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
