"""What applying functions takes beside its table: as much as the documentation allows."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

MIB = 1 << 20
ALLOWED = 40_000_000  # for the interpreter, what it imports late and what it keeps

# /proc/self/clear_refs forgets the peak, so that VmHWM is that of the run alone.
MEASURE = """
import sys
import numpy as np, pyarrow as pa, coverset as cs

def kilobytes(name):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))

def measure(lfs, column):
    threads = int(sys.argv[1])
    cs.apply(lfs, {"x": column[:100]}, n_threads=threads)
    open("/proc/self/clear_refs", "w").write("5")
    before = kilobytes("VmRSS")
    L = cs.apply(lfs, {"x": column}, n_threads=threads)
    print((kilobytes("VmHWM") - before) * 1024, len(L.lfs), L.shape[0])

rng = np.random.default_rng(0)
"""
TEXT = """
n, width = 2_000_000, 100
words = ["".join(map(chr, rng.integers(97, 123, 8))) for _ in range(50)]
letters = rng.integers(97, 123, n * width, dtype="u1").reshape(n, width)
for i, row in enumerate(rng.integers(0, n, 20_000)):
    letters[row, 9:19] = np.frombuffer(f" {words[i % 50]} ".encode(), "u1")
ends = pa.py_buffer(np.arange(0, n * width + 1, width, dtype="i4"))
text = pa.StringArray.from_buffers(n, ends, pa.py_buffer(letters))
measure([cs.lf.keywords("x", [word], 1) for word in words], text)
"""
FEW = "measure([cs.lf.compare('x', '<', 1e-4, 1)], rng.random(25_000_000, 'f4'))"
ALL = "measure([cs.lf.compare('x', '>', -1 - i, 1) for i in range(6)], rng.random(3_000_000))"
FORTRAN = """
vectors = np.asfortranarray(rng.random((200_000, 256), dtype="f4"))
measure([cs.lf.similar("x", np.ones(256), 0.85, 1)], vectors)
"""


def case(what, *values):
    return pytest.param(*values, id=what)


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="needs Linux's /proc")
@pytest.mark.parametrize(
    ("script", "threads"),
    [
        pytest.param(TEXT, 2, id="fifty keywords in 200 MB of text"),
        pytest.param(ALL, 1, id="functions that vote on every row"),
        case("few votes on many rows", FEW, 1),
        case("vectors that do not lie row by row", FORTRAN, 1),
    ],
)
def test_a_run_takes_no_more_than_is_documented(script, threads):
    command = [sys.executable, "-c", MEASURE + script, str(threads)]
    grown, votes, rows = map(int, subprocess.check_output(command, text=True).split())
    assert votes > 0
    assert grown < 24 * votes + 16 * rows + 64 * MIB * threads + ALLOWED
