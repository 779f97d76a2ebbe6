"""Kill a process while it saves a matrix over another: what loads is the old or the new one.

python tests/campaigns/kill_during_save.py ROUNDS
"""

from __future__ import annotations

import collections
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import coverset as cs

SAVER = """
import sys, numpy as np, coverset as cs
matrices = [cs.LabelMatrix.from_dense(np.full((200_000, 8), y)) for y in (0, 1)]
print("ready", flush=True)
while True:
    for L in matrices:
        L.save(sys.argv[1])
"""


def main() -> None:
    """Kill the saver again and again; print what was found on disk."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    draw = random.Random(0)
    found: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        target = Path(name) / "votes"
        for _ in range(rounds):
            process = subprocess.Popen(
                [sys.executable, "-c", SAVER, target], stdout=subprocess.PIPE, text=True
            )
            process.stdout.readline()
            time.sleep(draw.random() * 0.5)
            process.send_signal(signal.SIGKILL)
            process.wait()
            if not target.exists():
                found["nothing yet"] += 1
                continue
            L = cs.LabelMatrix.load(target, verify=True)
            assert L.shape == (200_000, 8)
            assert len(np.unique(L.labels)) == 1, "votes of two matrices in one folder"
            found[f"matrix of class {L.labels[0]}"] += 1
        L.save(target)
        left = sorted(path.name for path in target.iterdir())
        assert len(left) == 4, left
    print(f"{rounds} kills: {dict(found)}; the next save left 4 files")


if __name__ == "__main__":
    main()
