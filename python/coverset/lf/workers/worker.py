"""What runs in a worker process: calls of labeling functions, on chunk after chunk of rows."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coverset.lf.base import BlockVotes
from coverset.lf.kinds.functions import RowFunction, shown
from coverset.lf.tables.blocks import Block
from coverset.lf.workers import sending
from coverset.lf.workers.sending import described

WAITING, FAILED = -3, -2  # where a label would stand: not called yet; raised, and abstains


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _received(pipe: Any) -> list[Any]:
    data = pipe.recv_bytes()
    try:
        return sending.loaded(data)
    except Exception as error:
        pipe.send(("unreadable", described(error)))
        sys.exit(1)


def work(pipe: Any, call: Any, shared: Any) -> None:
    """Be a worker: read the functions, then vote on chunk after chunk."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()  # even amid a long call
    labels = np.frombuffer(shared, dtype=np.int16)
    with suppress(EOFError, OSError):  # the pool was closed
        lfs = _received(pipe)
        pipe.send(("ready",))
        while True:
            rows, first, n, on_error = _received(pipe)
            part = labels[: len(lfs) * n].reshape(len(lfs), n)[:, first : first + rows.n]
            _Caller(pipe, call, rows, on_error).vote(lfs, part)
            pipe.send(("done",))


class _Caller:
    """Calls functions on a chunk."""

    def __init__(self, pipe: Any, call: Any, rows: Block, on_error: str) -> None:
        self._pipe = pipe
        self._call = call  # shared: function, row or -1 for all, start in ns or 0 between calls
        self._rows = rows
        self._on_error = on_error

    def vote(self, lfs: Sequence[Any], labels: NDArray[np.int16]) -> None:
        """Make the calls not made yet, up to one that raises."""
        for i, lf in enumerate(lfs):
            waiting = np.flatnonzero(labels[i] == WAITING).tolist()
            if not waiting:
                continue
            self._call[:] = i, -1, time.monotonic_ns()
            try:
                if isinstance(lf, RowFunction) and type(lf).vote is RowFunction.vote:
                    self._vote_by_row(lf, waiting, labels[i])
                else:
                    votes = lf.vote(self._rows, on_error=self._on_error, n_threads=1)
                    self._pipe.send(("votes", i, BlockVotes(*votes)))
            except Exception as error:
                known = isinstance(error, TypeError | ValueError)
                text = str(error) if known else described(error)
                self._pipe.send(("raised", i, self._call[1], text))
                break
        self._call[2] = 0

    def _vote_by_row(self, lf: Any, waiting: list[int], labels: NDArray[np.int16]) -> None:
        told = False
        for row in waiting:
            self._call[1:] = row, time.monotonic_ns()
            x = self._rows.row(row)
            try:
                labels[row] = lf(x)
            except Exception as error:
                msg = f"row {self._rows.start + row}, {shown(x)}: {described(error)}"
                if self._on_error == "raise":
                    raise ValueError(msg) from error
                if not told:
                    self._pipe.send(("error", self._call[0], msg))
                told = True
                labels[row] = FAILED
