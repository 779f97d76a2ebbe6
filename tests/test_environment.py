"""Environment variables, CPU affinity, versions: what a process starts with."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import coverset as cs
from coverset import _cpu


def run(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(
        [sys.executable, "-c", f"import coverset as cs\nfrom coverset import _cpu\n{code}"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def test_number_of_threads_comes_from_the_environment():
    assert run("print(_cpu.available_threads())", COVERSET_NUM_THREADS="3").stdout == "3\n"


def test_number_of_threads_follows_the_affinity():
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    assert run(f"{code}; print(_cpu.available_threads())", COVERSET_NUM_THREADS="").stdout == "1\n"


@pytest.mark.parametrize("wanted", ["0", "-2", "two", "3x"])
def test_bad_number_of_threads_is_named_where_work_starts(wanted):
    done = run("cs.LabelMatrix.from_dense([[0]])", COVERSET_NUM_THREADS=wanted)
    rule = f"COVERSET_NUM_THREADS must be a number of at least 1, got {wanted}"
    assert done.stderr.splitlines()[-1] == f"ValueError: {rule}"


@pytest.mark.parametrize("level", _cpu.simd_levels())
def test_simd_level_comes_from_the_environment(level):
    assert run("print(_cpu.simd_level())", COVERSET_SIMD=level).stdout == f"{level}\n"


def test_best_simd_level_is_the_default():
    assert (
        run("print(_cpu.simd_level())", COVERSET_SIMD="").stdout.strip() == _cpu.simd_levels()[-1]
    )


def test_unknown_simd_level_is_named_where_work_starts():
    done = run("cs.LabelMatrix.from_dense([[0]])", COVERSET_SIMD="v9")
    assert "ValueError: COVERSET_SIMD must be one of " in done.stderr
    assert done.stderr.strip().endswith("got v9")


def test_forcing_an_unknown_level_changes_nothing():
    before = _cpu.simd_level()
    with pytest.raises(ValueError, match=r"level must be one of .*, got sse"):
        _cpu.force_simd_level("sse")
    assert _cpu.simd_level() == before


def test_import_starts_no_thread_and_needs_no_extra():
    code = (
        "import sys, threading, os\n"
        "print(len(os.listdir('/proc/self/task')), sorted({'pyarrow', 'pandas', 'scipy', 'sklearn',"
        " 'tqdm'} & set(sys.modules)))"
    )
    done = run(code, OPENBLAS_NUM_THREADS="1")
    assert done.stdout == "1 []\n"


def test_versions_are_printed(capsys):
    cs.show_versions()
    lines = dict(line.split(None, 1) for line in capsys.readouterr().out.splitlines())
    assert lines["coverset"] == cs.__version__
    assert lines["threads"] == str(_cpu.available_threads())
    assert lines["numpy"] != "not installed"
