"""Short runs of the long campaigns, so that their scripts stay whole."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CAMPAIGNS = Path(__file__).parent / "campaigns"


def run(*command: object) -> str:
    environment = {**os.environ, "PYTHON": sys.executable}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout


def test_damaged_files_are_clean_errors():
    assert "damaged files" in run(sys.executable, CAMPAIGNS / "fuzz_files.py", 3)


@pytest.mark.slow
def test_killed_saves_leave_the_old_or_the_new_matrix():
    assert "30 kills" in run(sys.executable, CAMPAIGNS / "kill_during_save.py", 30)


@pytest.mark.slow
def test_ten_million_rows():
    assert "10,000,000 rows" in run(sys.executable, CAMPAIGNS / "ten_million_rows.py")


@pytest.mark.slow
def test_sanitizers_find_nothing():
    assert "levels: clean" in run("bash", CAMPAIGNS / "sanitizers.sh")


@pytest.mark.slow
@pytest.mark.skipif(
    not all(map(shutil.which, ("qemu-x86_64", "qemu-aarch64", "aarch64-linux-gnu-g++"))),
    reason="qemu-user and a cross compiler are not installed",
)
def test_older_and_other_cpus_give_the_same_bytes():
    lines = run("bash", CAMPAIGNS / "emulated_levels.sh").splitlines()
    assert len({line for line in lines if line.startswith("checksum")}) == 1
