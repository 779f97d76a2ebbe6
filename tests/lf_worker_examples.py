"""Labeling functions for worker processes; a module of its own, which they import fast."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import coverset as cs
from coverset.lf.base import BlockVotes


@dataclass
class Doc:
    """A row of a list of objects."""

    text: str | None
    n: int


class Refused(Exception):  # noqa: N818
    """An exception that pickle cannot read back: it takes two arguments."""

    def __init__(self, left, right):
        super().__init__(f"{left} and {right}")


@cs.labeling_function
def short(x):
    return None if x.text is None else int(len(x.text) < 6)


def number(x):
    return x.n


@cs.labeling_function(resources={"limit": 50}, pre=[number])
def large(n, limit):
    return 2 if n > limit else -1


@cs.labeling_function
def picky(x):
    """Raise on 13, 113, 213, ..."""
    if x.n % 100 == 13:
        raise Refused(x.n, os)
    return x.n % 3


class Foreign:
    """What another library's decorator makes of a function."""

    def __init__(self, function):
        self.kept = function

    def __call__(self, x):
        return self.kept(x)


@Foreign
def foreign(x):
    return x.n % 7


def read(x):
    return int(x.odd is None)


def plain(x, offset):
    return x.n % 5 + offset


@cs.labeling_function
def late(x):
    """Return no class on 299."""
    return "no class" if x.n == 299 else 1


def _once(marker):
    """Return True the first time: for a file that is made."""
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def die_once(x, marker):
    if x.n == 40 and _once(marker):
        os.kill(os.getpid(), signal.SIGKILL)
    return x.n % 2


def die(x, rows, counter=None):
    """End the process on some rows; add a byte to the file ``counter`` for each call."""
    if counter is not None:
        with Path(counter).open("a") as file:
            file.write(".")
    if x.n in rows:
        os._exit(3)
    return 1


def sleep(x, rows, seconds):
    if x.n in rows:
        time.sleep(seconds)
    return 0


def slow(x, pids):
    """Take a while, and tell which process runs."""
    with Path(pids).open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(0.002)
    return x.n % 4


class Found(cs.lf.LabelingFunction):
    """Labels a chunk at a time, by its texts; raises whatever ``on_error`` says."""

    def __init__(self, part):
        super().__init__("found", "found", None)
        self.part = part

    def vote(self, block, *, on_error, n_threads):
        texts = [block.item("text", i) for i in range(block.n)]
        if not isinstance(texts[0], str | None):
            msg = f"column 'text' must hold text, got {texts[0]!r} in row {block.start}"
            raise TypeError(msg)
        rows = np.array([i for i, text in enumerate(texts) if text and self.part in text], np.int64)
        return BlockVotes(rows, np.ones(len(rows), dtype=np.int16))


class Whole(cs.lf.LabelingFunction):
    """Labels a chunk at a time; ends the process on the chunk with row ``deadly``."""

    def __init__(self, deadly=-1):
        super().__init__("whole", "whole", None)
        self.deadly = deadly

    def vote(self, block, *, on_error, n_threads):
        if block.start <= self.deadly < block.start + block.n:
            raise SystemExit(4)
        rows = np.arange(0, block.n, 2)
        return BlockVotes(rows, np.full(len(rows), 5, dtype=np.int16))
