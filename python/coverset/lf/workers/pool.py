"""Labeling functions in worker processes: chunks of rows go out, votes come back.

Workers write votes, and before each call which call it is, into memory that they share with the
pool. What a worker has done so outlives it: when it dies, another one goes on from there.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import connection, resource_tracker
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coverset.lf.base import BlockVotes, LabelingFunction
from coverset.lf.tables import blocks
from coverset.lf.tables.blocks import Block
from coverset.lf.tables.table import BLOCK_ROWS
from coverset.lf.workers import sending
from coverset.lf.workers.worker import FAILED, WAITING, work

_TICK = 0.05  # s between two looks at functions with a time-out
_PATIENCE = 1.0  # s that a process gets to end by itself
_START_ADVICE = "see its error above; a script must run under if __name__ == '__main__'"


class WorkerError(ValueError):
    """What a labeling function raised in a worker; ``lf`` is its place among the functions."""

    def __init__(self, lf: int, message: str) -> None:
        super().__init__(message)
        self.lf = lf


def _no_votes(error: str) -> BlockVotes:
    return BlockVotes(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int16), 0, error)


class _Worker:
    """A process, and what it shares with this one."""

    def __init__(self, labels: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self.call = context.RawArray("q", 3)
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, self.call, labels), daemon=True)
        self.ready = False
        self.chunk: slice | None = None  # of the block
        self.late = 0  # start of the call for which it was killed
        resource_tracker.ensure_running()  # which unblocks Ctrl-C
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # for the process
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        theirs.close()

    def send(self, data: bytes) -> None:
        """Send; if the process is dead, its answer will tell."""
        with suppress(OSError):
            self.pipe.send_bytes(data)

    def answer(self) -> tuple[Any, ...]:
        """Return what the process says, which may be that it is dead."""
        with suppress(EOFError, OSError):
            if self.pipe.poll():
                return tuple(self.pipe.recv())
        return ("dead",)

    def kill_if_late(self, timeouts: Sequence[float | None]) -> None:
        """Kill the process if the call it is at takes too long."""
        i, _, began = self.call
        limit = timeouts[i]
        if limit is not None and began and time.monotonic_ns() - began > limit * 1e9:
            self.late = began
            self.process.kill()

    def end(self, deadline: float) -> int:
        """Wait for the process, kill it after the deadline, and return its exit code."""
        self.process.join(max(0.0, deadline - time.monotonic()))
        self.process.kill()
        self.process.join()
        code = self.process.exitcode
        self.process.close()
        self.pipe.close()
        return code or 0


class WorkerPool:
    """Processes that call labeling functions; for one thread at a time.

    The votes are those that the functions give in this process. A worker that dies is replaced,
    ``most_retries`` times for one chunk of ``chunk_rows`` rows; then the call it was at is an
    error. So is, at once, a call that takes longer than its function's ``timeout``, in seconds.

    Raises
    ------
    ValueError
        If a function cannot be sent to another process.
    """

    def __init__(
        self,
        lfs: Sequence[LabelingFunction],
        n_workers: int,
        *,
        chunk_rows: int = 1024,
        most_retries: int = 2,
    ) -> None:
        self.chunk_rows = chunk_rows
        self.most_retries = most_retries
        self.timeouts = [getattr(lf, "timeout", None) for lf in lfs]
        self.workers: list[_Worker] = []
        self._n_workers = n_workers
        self._lfs = sending.dumped(lfs, [f"labeling function {lf.name!r}" for lf in lfs])
        self._shared: Any = None

    def __enter__(self) -> WorkerPool:
        """Return the pool itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the pool."""
        self.close()

    def votes(
        self, block: Block, on_error: str, only: Sequence[int] | None = None
    ) -> list[BlockVotes]:
        """Return the votes on a block of each function, or of ``only`` some.

        Raises
        ------
        WorkerError
            For the first function that fails, on its lowest row, unless it is to abstain there.
        ValueError
            If a row cannot be sent to another process.
        RuntimeError
            If workers cannot load the functions, or die outside of them.
        """
        places = range(len(self.timeouts)) if only is None else only
        run = _Run(self, block, on_error, places)
        try:
            run.run()
        except BaseException:
            self.close()  # what is under way would answer the next call
            raise
        return run.votes()

    def close(self) -> None:
        """End the processes; ``votes`` would start new ones."""
        workers, self.workers = self.workers, []
        for worker in workers:
            worker.pipe.close()  # an idle one ends by itself
            if worker.chunk is not None or not worker.ready:
                worker.process.kill()
        deadline = time.monotonic() + _PATIENCE
        for worker in workers:
            worker.end(deadline)

    def labels(self, n: int) -> NDArray[np.int16]:
        """Return (m, n) labels that the workers share; none may be busy."""
        m = len(self.timeouts)
        if self._shared is None or m * n > len(self._shared):
            self.close()
            context = multiprocessing.get_context("spawn")
            self._shared = context.RawArray("h", m * max(n, BLOCK_ROWS))
        return np.frombuffer(self._shared, dtype=np.int16, count=m * n).reshape(m, n)

    def hire(self, n: int) -> None:
        """Start workers until there are ``n``, or as many as there may be."""
        while len(self.workers) < min(n, self._n_workers):
            self.workers.append(_Worker(self._shared))
            self.workers[-1].send(self._lfs)

    def listen(self) -> list[_Worker]:
        """Wait for workers that have something to say, or died; kill late ones."""
        timed = any(limit is not None for limit in self.timeouts)
        ready = connection.wait([w.pipe for w in self.workers], _TICK if timed else _PATIENCE)
        for worker in self.workers:
            worker.kill_if_late(self.timeouts)
        found = [worker for worker in self.workers if worker.pipe in ready]
        return found or [worker for worker in self.workers if not worker.process.is_alive()]


class _Run:
    """One block's way through a pool."""

    def __init__(
        self, pool: WorkerPool, block: Block, on_error: str, places: Sequence[int]
    ) -> None:
        self._pool = pool
        self._places = places
        self._block = block
        self._columns = blocks.plain_columns(block)
        self._on_error = on_error
        self._labels = pool.labels(block.n)
        self._labels.fill(-1)
        self._labels[list(places)] = WAITING
        self._parts: list[list[tuple[int, BlockVotes]]] = [[] for _ in self._labels]  # first row
        self._failures: list[tuple[int, int, str]] = []  # function, row, message
        self._deaths: dict[int, list[tuple[int, int] | None]] = {}  # calls, by the first row
        self._false_starts = 0
        firsts = range(0, block.n, pool.chunk_rows)
        self._queue = deque(slice(i, min(i + pool.chunk_rows, block.n)) for i in firsts)

    def run(self) -> None:
        """Have every call made that matters."""
        while (waiting := self._prune()) or self._busy():
            self._pool.hire(waiting + self._busy())
            for worker in self._pool.workers:
                if worker.ready and worker.chunk is None and self._prune():
                    self._assign(worker)
            for worker in self._pool.listen():
                self._hear(worker)

    def votes(self) -> list[BlockVotes]:
        """Return the votes, or raise the first failure."""
        if self._failures:
            i, _, message = min(self._failures)
            raise WorkerError(i, message)
        return [self._joined(i) for i in self._places]

    def _joined(self, i: int) -> BlockVotes:
        labels, parts = self._labels[i], sorted(self._parts[i], key=lambda part: part[0])
        rows = np.flatnonzero(labels >= 0)
        return BlockVotes(
            np.concatenate([rows, *(votes.rows + first for first, votes in parts)]),
            np.concatenate([labels[rows], *(votes.labels for _, votes in parts)]),
            int(np.count_nonzero(labels == FAILED)) + sum(votes.errors for _, votes in parts),
            next((votes.first_error for _, votes in parts if votes.first_error), None),
        )

    def _busy(self) -> int:
        return sum(worker.chunk is not None for worker in self._pool.workers)

    def _prune(self) -> int:
        """Drop finished chunks from the front of the queue; return how many are left in it."""
        while self._queue and not (self._labels[:, self._queue[0]] == WAITING).any():
            self._queue.popleft()
        return len(self._queue)

    def _assign(self, worker: _Worker) -> None:
        chunk = self._queue[0]
        rows = blocks.cut(self._block, self._columns, chunk)
        what = f"something in {self._named(chunk)}"
        message = (rows, chunk.start, self._block.n, self._on_error)
        data = sending.dumped(message, [what] * len(message))
        if worker.process.is_alive():
            worker.call[:] = 0, -1, 0
            worker.chunk = self._queue.popleft()
            worker.send(data)

    def _named(self, rows: slice | int) -> str:
        start = self._block.start
        if isinstance(rows, int):
            return f"row {start + rows}"
        return f"rows {start + rows.start}..{start + rows.stop - 1}"

    def _hear(self, worker: _Worker) -> None:
        chunk = worker.chunk
        match worker.answer():
            case ("dead",):
                self._lose(worker)
            case ("unreadable", text):
                what = "its rows" if worker.ready else "the labeling functions"
                msg = f"a worker process cannot read {what}: {text}"
                raise RuntimeError(msg)
            case ("ready",):
                worker.ready = True
                self._false_starts = 0
            case ("votes", i, votes) if chunk is not None:
                self._parts[i].append((chunk.start, votes))
                self._labels[i, chunk] = -1
            case ("error", i, text) if chunk is not None:
                self._parts[i].append((chunk.start, _no_votes(text)))
            case ("raised", i, row, text) if chunk is not None:
                self._fail(i, chunk.start + max(row, 0), text)
            case ("done",):
                worker.chunk = None

    def _fail(self, i: int, row: int, message: str) -> None:
        """Note an error, and drop the calls that would only be made after it."""
        self._failures.append((i, row, message))
        self._labels[i + 1 :] = -1
        self._labels[i, row:] = -1

    def _lose(self, worker: _Worker) -> None:
        """Do without a worker that is dead, and see to the call that it was at."""
        self._pool.workers.remove(worker)
        code, chunk = worker.end(time.monotonic() + _PATIENCE), worker.chunk
        died = f"died (signal {-code})" if code < 0 else f"died (exit code {code})"
        if not worker.ready:
            self._false_starts += 1
            if code >= 0 or self._false_starts > self._pool.most_retries:
                msg = f"a worker process {died} as it started; {_START_ADVICE}"
                raise RuntimeError(msg)
        if chunk is None:
            return
        self._queue.appendleft(chunk)
        i, row, began = worker.call
        if not worker.late:
            self._count_death(chunk, (i, row) if began else None, died)
        elif worker.late == began:  # not a later call
            limit = self._pool.timeouts[i]
            self._blame(chunk, i, row, f"it took longer than its timeout of {limit} s")

    def _count_death(self, chunk: slice, call: tuple[int, int] | None, died: str) -> None:
        deaths = self._deaths.setdefault(chunk.start, [])
        deaths.append(call)
        if len(deaths) <= self._pool.most_retries:
            return
        times = deaths.count(call)
        died += f" {times} times" if times > 1 else " once"
        if call is None:
            msg = f"a worker process {died} outside of all functions, at {self._named(chunk)}"
            raise RuntimeError(msg)
        where = "this row" if call[1] >= 0 else "these rows"
        self._blame(chunk, *call, f"the worker process {died} while the function ran on {where}")
        deaths.clear()

    def _blame(self, chunk: slice, i: int, row: int, what: str) -> None:
        """Make a call that cannot be finished an error."""
        rows = chunk if row < 0 else chunk.start + row
        message = f"{self._named(rows)}: {what}"
        if self._on_error == "raise":
            self._fail(i, chunk.start + max(row, 0), message)
        else:
            self._parts[i].append((chunk.start, _no_votes(message)))
            self._labels[i, rows] = FAILED
