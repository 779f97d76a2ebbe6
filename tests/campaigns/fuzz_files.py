"""Damage saved matrices and models at random: every load is equal, or a clean error.

python tests/campaigns/fuzz_files.py SECONDS [SEED]
"""

from __future__ import annotations

import collections
import json
import random
import shutil
import sys
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np

import coverset as cs

CLEAN = (ValueError, FileNotFoundError)


def flip(data: bytearray, draw: random.Random) -> None:
    """Change, cut, or add some bytes in place."""
    kind = draw.randrange(4)
    if kind == 0 and data:
        for _ in range(draw.randint(1, 8)):
            data[draw.randrange(len(data))] = draw.randrange(256)
    elif kind == 1:
        del data[draw.randrange(len(data) + 1) :]
    elif kind == 2:
        at = draw.randrange(len(data) + 1)
        data[at:at] = bytes(draw.randrange(256) for _ in range(draw.randint(1, 16)))
    elif data:
        at = draw.randrange(len(data))
        del data[at : at + draw.randint(1, 64)]


def poison(value: object, draw: random.Random) -> object:
    """Return a JSON value with one leaf replaced by something hostile."""
    if isinstance(value, dict) and value:
        key = draw.choice(list(value))
        return {**value, key: poison(value[key], draw)}
    if isinstance(value, list) and value and draw.random() < 0.7:
        at = draw.randrange(len(value))
        return [*value[:at], poison(value[at], draw), *value[at + 1 :]]
    return draw.choice([None, -1, 0, 2**63, 10**12, 1.5, "", "x", "../x", [], {}, True, [[0]]])


def resign(path: Path, draw: random.Random) -> None:
    """Poison a checked JSON file and give it a checksum that fits."""
    whole = json.loads(path.read_bytes())
    whole["body"] = poison(whole["body"], draw)
    text = json.dumps(whole["body"], sort_keys=True, separators=(",", ":")).encode()
    whole["crc32"] = zlib.crc32(text)
    path.write_text(json.dumps(whole))


def main() -> None:
    """Fuzz until the time is up; print what came of it."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    draw = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    dense = np.random.default_rng(0).integers(-1, 3, size=(200, 7))
    L = cs.LabelMatrix.from_dense(dense, lf_names=list("abcdefg"), polarity=[None] * 7)
    outcomes: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        L.save(folder / "votes")
        cs.LabelModel().fit(L).save(folder / "model.json")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            victim = folder / "victim"
            shutil.rmtree(victim, ignore_errors=True)
            shutil.copytree(folder / "votes", victim)
            shutil.copy(folder / "model.json", victim / "model.json")
            target = draw.choice(sorted(victim.iterdir()))
            if target.suffix == ".json" and draw.random() < 0.6:
                resign(target, draw)
            else:
                data = bytearray(target.read_bytes())
                flip(data, draw)
                target.write_bytes(data)
            try:
                if target.name == "model.json":
                    cs.LabelModel.load(target).predict_proba(L)
                else:
                    read = cs.LabelMatrix.load(victim, mmap=draw.random() < 0.5)
                    cs.MajorityVote().fit(read).predict_proba(read)
                    read.to_dense()
                outcomes["loaded"] += 1
            except CLEAN as error:
                outcomes[type(error).__name__] += 1
    print(f"{sum(outcomes.values())} damaged files in {seconds:g} s: {dict(outcomes)}")


if __name__ == "__main__":
    main()
