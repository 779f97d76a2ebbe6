"""The core without Python: it builds, its programs hold, and its objects keep to their level."""

from __future__ import annotations

import fcntl
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
CORE_SOURCES = [
    ROOT / "CMakeLists.txt",
    ROOT / "cpp" / "CMakeLists.txt",
    *(path for folder in ("include", "src") for path in (ROOT / "cpp" / folder).rglob("*")),
]
ANSWERS = ["0.3333", "0.6667", "1.0000", "0.0000"]  # of embed.cpp
RELEASE = {f"{name}:STRING={value}" for name, value in [
    ("CMAKE_BUILD_TYPE", "Release"), ("CMAKE_CXX_FLAGS", ""), ("COVERSET_SANITIZE", ""),
]}  # fmt: skip


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


def configure(source: Path, folder: Path, **variables: object) -> None:
    known = {"CMAKE_BUILD_TYPE": "Release", "CMAKE_MAKE_PROGRAM": tool("ninja"), **variables}
    defined = [f"-D{name}={value}" for name, value in known.items()]
    # fresh: a folder that was kept may remember another environment or another place
    run(tool("cmake"), "--fresh", "-S", source, "-B", folder, "-G", "Ninja", *defined)


def is_current(core: Path) -> bool:
    """Tell whether a library was built of the sources as they are now, as a release is."""
    known = (core.parents[1] / "CMakeCache.txt").read_text().splitlines()
    built = core.stat().st_mtime
    return set(known) >= RELEASE and all(path.stat().st_mtime < built for path in CORE_SOURCES)


@pytest.fixture(scope="module")
def build() -> Path:
    """Build the programs in a folder that is kept, with the core that installing has built."""
    folder = ROOT / "build" / "native"
    found = set(ROOT.glob("build/*/cpp/libcoverset_core.a")) - set(folder.glob("cpp/*"))
    core = max(filter(is_current, found), key=lambda path: path.stat().st_mtime, default="")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:  # another run may be building there
        fcntl.flock(lock, fcntl.LOCK_EX)
        configure(ROOT, folder, COVERSET_TESTS="ON", COVERSET_CORE_LIBRARY=core)
        run(tool("cmake"), "--build", folder)
    return folder


@pytest.fixture
def embedding(tmp_path) -> Path:
    """Configure a project without Python that has coverset in a folder of its own."""
    (tmp_path / "CMakeLists.txt").write_text(f"""
        cmake_minimum_required(VERSION 3.25)
        project(embedding LANGUAGES CXX)
        add_subdirectory("{ROOT}" coverset)
        add_executable(embed "{ROOT}/tests/cpp/embed.cpp")
        target_link_libraries(embed PRIVATE coverset::core)
    """)
    configure(tmp_path, tmp_path / "build")
    return tmp_path / "build"


def test_a_project_that_embeds_the_core_compiles_all_of_it(embedding):
    commands = run(tool("ninja"), "-C", embedding, "-t", "commands", "embed")
    compiled = {line.split()[-1] for line in commands.splitlines()}
    others = re.compile(rf"_(?!({LEVELS})$)(neon|v2|v3|v4|vnni|amx)$")
    for source in (ROOT / "cpp" / "src").rglob("*.cpp"):
        assert (str(source) in compiled) == (others.search(source.stem) is None), source
    assert "pybind" not in commands


@pytest.mark.slow
def test_a_project_that_embeds_the_core_builds_and_runs(embedding):
    run(tool("cmake"), "--build", embedding)
    assert run(embedding / "embed").split() == ANSWERS


def test_a_program_without_python_embeds_the_core(build):
    assert run(build / "tests" / "cpp" / "embed").split() == ANSWERS


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


def test_canonical_distances_are_the_scalar_ones_at_every_level(build):
    assert run(build / "tests" / "cpp" / "canonical") == "canonical: all distances hold\n"


def test_error_bounds_hold_where_rows_drive_each_of_their_terms(build):
    assert run(build / "tests" / "cpp" / "bounds").endswith("bounds: all bounds hold\n")


def test_scans_find_what_all_distances_in_order_say(build):
    assert run(build / "tests" / "cpp" / "scan") == "scan: all answers hold\n"


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
