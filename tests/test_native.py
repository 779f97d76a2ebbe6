"""The core without Python: it builds, its programs hold, and its objects keep to their level."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LEVELS = "v2|v3|v4|vnni|amx" if platform.machine() == "x86_64" else "neon"
LEVEL_FILES = sorted(
    path
    for path in (ROOT / "cpp" / "src").rglob("*.cpp")
    if re.search(rf"_({LEVELS})\.cpp$", path.name)
)


def tool(name: str) -> str:
    """Find a program beside this Python, or on the path."""
    found = shutil.which(
        name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def build(tmp_path_factory) -> Path:
    """Build the core and its programs as an embedding project would."""
    folder = tmp_path_factory.mktemp("native")
    ninja = tool("ninja")
    run(
        *(tool("cmake"), "-S", ROOT, "-B", folder, "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}"),
        *("-DCMAKE_BUILD_TYPE=Release", "-DCOVERSET_TESTS=ON"),
    )
    run(tool("cmake"), "--build", folder)
    return folder


def test_a_program_without_python_embeds_the_core(build):
    assert run(build / "tests" / "cpp" / "embed").split() == [
        "0.3333",
        "0.6667",
        "1.0000",
        "0.0000",
    ]


def test_the_embedding_program_is_short():
    source = (ROOT / "tests" / "cpp" / "embed.cpp").read_text()
    assert source.count(";") <= 10
    assert "ython.h" not in source


def test_every_declared_contract_is_defined(build):
    assert re.fullmatch(r"\d+ contracts defined\n", run(build / "tests" / "cpp" / "overloads_cpu"))


def test_the_pool_holds_its_claims(build):
    assert run(build / "tests" / "cpp" / "pool") == "pool: all claims hold\n"


def test_tile_products_are_those_of_plain_loops(build):
    assert run(build / "tests" / "cpp" / "tiles") == "tiles: all products hold\n"


def test_exp_and_log_are_off_by_one_unit_at_most(build):
    assert run(build / "tests" / "cpp" / "exp_log").endswith("units in the last place\n")


def test_every_level_and_thread_count_gives_the_same_bytes(build):
    lines = run(build / "tests" / "cpp" / "levels").splitlines()
    # the constant also holds on AArch64 (NEON) and on older x86-64 CPUs under emulation
    assert lines[-1] == "checksum 1db6dfa1084ec00c"
    assert {line.split()[-1] for line in lines} == {"1db6dfa1084ec00c"}


@pytest.mark.parametrize("source", LEVEL_FILES, ids=lambda path: path.name)
def test_level_files_define_no_weak_symbols(source, tmp_path):
    # A weak symbol compiled for AVX-512 may be the copy that the linker keeps for every CPU.
    level = re.search(rf"_({LEVELS})\.cpp$", source.name)[1]
    above = ["-march=x86-64-v4", "-mavx512vnni", "-mavx512bf16"]
    flags = {"neon": [], "vnni": above, "amx": above}.get(level, [f"-march=x86-64-{level}"])
    target = tmp_path / "level.o"
    includes = [f"-I{ROOT / 'cpp' / folder}" for folder in ("include", "src")]
    run(tool("c++"), "-std=c++20", "-O0", *flags, *includes, "-c", source, "-o", target)
    symbols = run(tool("nm"), "--defined-only", target)
    assert [line for line in symbols.splitlines() if re.search(r" [WwVvu] ", line)] == []
    assert f"{len('coverset')}coverset{len(level)}{level}" in symbols
