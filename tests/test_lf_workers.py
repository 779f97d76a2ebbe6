"""Worker processes: the votes of this one, whatever happens to them."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse

import coverset as cs
import lf_worker_examples as examples
from coverset.lf.tables import table
from coverset.lf.tables.blocks import ColumnsBlock, cut, plain_columns
from coverset.lf.workers import sending
from coverset.lf.workers.pool import WorkerError, WorkerPool

N = 300
TEXTS = [None if i % 11 == 0 else "x" * (i % 9) for i in range(N)]
TABLE = {"text": TEXTS, "n": list(range(N))}
DATA = {
    "arrow": pa.table(TABLE),
    "arrow in batches": pa.concat_tables([pa.table(TABLE), pa.table(TABLE).slice(37, 123)]),
    "dictionary type": pa.table(
        {"text": pa.array(TEXTS).dictionary_encode(), "n": np.arange(N, dtype=np.int16)}
    ),
    "lists": TABLE,
    "arrays": {"text": np.array(TEXTS, dtype=object), "n": np.arange(2 * N)[::2]},
    "arrow arrays": {"text": pa.chunked_array([TEXTS[:7], TEXTS[7:]]), "n": pa.array(range(N))},
    "pandas": pd.DataFrame(TABLE),
    "objects": [examples.Doc(*row) for row in zip(TEXTS, range(N), strict=True)],
}


def blocks(data):
    return list(table.open_table(data).blocks)


def here(lfs, block, on_error="abstain"):
    return [lf.vote(block, on_error=on_error, n_threads=1) for lf in lfs]


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert one.rows.dtype == np.int64
        assert one.labels.dtype == np.int16
        np.testing.assert_array_equal(one.rows, other.rows)
        np.testing.assert_array_equal(one.labels, other.labels)
        assert (one.errors, one.first_error) == (other.errors, other.first_error)


def with_resources(function, timeout=None, **resources):
    lf = cs.labeling_function(function, resources=resources)
    lf.timeout = timeout
    return lf


LFS = [
    examples.short,
    examples.late,
    examples.picky,
    examples.large,
    with_resources(examples.plain, offset=3),
    cs.labeling_function(examples.foreign, name="foreign"),
    examples.Found("xxxx"),
]


@pytest.fixture(scope="module")
def pool():
    with WorkerPool(LFS, 2, chunk_rows=64) as pool:
        yield pool


# votes and errors


@pytest.mark.parametrize("data", DATA.values(), ids=DATA.keys())
def test_votes_are_those_of_this_process(pool, data):
    for block in blocks(data):
        assert_same(pool.votes(block, "abstain"), here(LFS, block))


def test_rows_in_errors_are_those_of_the_table(pool):
    block = ColumnsBlock(100, 250, TABLE)
    votes = pool.votes(block, "abstain")
    assert_same(votes, here(LFS, block))
    assert votes[2].first_error.startswith("row 113, Row(text=")


def test_first_function_that_fails_is_raised_at_its_lowest_row(pool):
    block = blocks(TABLE)[0]
    with pytest.raises(ValueError, match=r"^row 299, Row\(.*\): TypeError: it must") as expected:
        here(LFS, block, "raise")
    with pytest.raises(WorkerError) as error:
        pool.votes(block, "raise")
    assert error.value.lf == 1
    assert str(error.value) == str(expected.value)
    assert_same(pool.votes(block, "abstain"), here(LFS, block))


def test_lowest_row_is_raised_whichever_worker_is_first(pool):
    block = ColumnsBlock(0, 299, TABLE)
    with pytest.raises(WorkerError, match=r"^row 13, Row\(.*\): Refused: 13 and <mod") as error:
        pool.votes(block, "raise")
    assert error.value.lf == 2


def test_an_error_that_is_not_of_a_row_is_raised_even_where_rows_abstain(pool):
    block = ColumnsBlock(20, 40, {"text": [1] * 40, "n": TABLE["n"]})
    with pytest.raises(WorkerError, match=r"^column 'text' must .* got 1 in row 20$") as error:
        pool.votes(block, "abstain")
    assert error.value.lf == 6


def test_some_functions_may_be_asked_alone(pool):
    block = blocks(TABLE)[0]
    assert_same(pool.votes(block, "abstain", [0, 4, 5]), here([LFS[0], *LFS[4:6]], block))
    with pytest.raises(WorkerError, match=r"^row 13, ") as error:
        pool.votes(block, "raise", [2, 3])
    assert error.value.lf == 2


def test_an_empty_block_needs_no_worker():
    with WorkerPool([examples.short], 2) as pool:
        (votes,) = pool.votes(ColumnsBlock(0, 0, {"text": [], "n": []}), "raise")
        assert len(votes.rows) == len(votes.labels) == 0
        assert pool.workers == []


def test_blocks_may_be_of_any_size():
    data = {"n": np.arange(table.BLOCK_ROWS + 5)}
    lfs = [examples.large, examples.Whole()]
    with WorkerPool(lfs, 2, chunk_rows=20_000) as pool:
        for stop in (5, table.BLOCK_ROWS + 5, 7):
            block = ColumnsBlock(0, stop, data)
            assert_same(pool.votes(block, "raise"), here(lfs, block))


@pytest.mark.parametrize("kind", ["arrow", "lists", "arrow arrays", "pandas", "objects"])
def test_chunks_hold_their_own_rows_only(kind):
    data = DATA[kind]
    if kind != "objects":
        data = {name: pa.chunked_array([list(values) * 20]) for name, values in TABLE.items()}
        data = {"arrow": pa.table(data), "pandas": pa.table(data).to_pandas()}.get(kind, data)
    block = blocks(data)[0]
    chunk = cut(block, plain_columns(block), slice(30, 40))
    sent = sending.dumped([chunk], ["rows"])
    assert len(sent) < 2500
    (back,) = sending.loaded(sent)
    assert (back.start, back.n) == (30, 10)
    assert [back.row(i).n for i in range(10)] == list(range(30, 40))


class Unreadable:
    """A column that pyarrow cannot convert."""

    def __getitem__(self, rows):
        return self

    def __arrow_array__(self, type=None):
        msg = "no such type"
        raise pa.ArrowInvalid(msg)


def test_a_column_that_cannot_be_converted_is_an_error_of_the_functions_that_read_it():
    lfs = [cs.labeling_function(examples.foreign), with_resources(examples.read)]
    block = ColumnsBlock(0, N, {**TABLE, "odd": Unreadable()})
    with WorkerPool(lfs, 1) as pool:
        assert_same(pool.votes(block, "abstain", [0]), here(lfs[:1], block))
        with pytest.raises(WorkerError, match="no such type") as error:
            pool.votes(block, "abstain")
    with pytest.raises(ValueError, match="no such type") as expected:
        here(lfs, block)
    assert (error.value.lf, str(error.value)) == (1, str(expected.value))


def test_sparse_columns_are_cut():
    matrix = scipy.sparse.random(2000, 50, density=0.5, format="csr", rng=1)
    (block,) = blocks({"features": matrix})
    chunk = cut(block, plain_columns(block), slice(7, 17))
    (back,) = sending.loaded(sending.dumped([chunk], ["rows"]))
    column = back.values("features")
    assert (len(column), column.n_features) == (10, 50)
    indptr, indices, values = column.arrays
    found = scipy.sparse.csr_matrix((values, indices, indptr), shape=(10, 50))
    np.testing.assert_array_equal(found.toarray(), matrix[7:17].toarray())
    assert len(sending.dumped([chunk], ["rows"])) < 5000


# workers that die


def test_a_worker_that_dies_once_changes_nothing(tmp_path):
    lf = with_resources(examples.die_once, marker=str(tmp_path / "marker"))
    lfs = [examples.short, lf, examples.picky]
    block = blocks(TABLE)[0]
    with WorkerPool(lfs, 2, chunk_rows=50) as pool:
        votes = pool.votes(block, "abstain")
    assert (tmp_path / "marker").exists()
    assert_same(votes, here(lfs, block))


def test_killed_workers_change_nothing(tmp_path):
    pids = tmp_path / "pids"
    lfs = [with_resources(examples.slow, pids=str(pids)), examples.short]
    block = blocks(TABLE)[0]
    with WorkerPool(lfs, 2, chunk_rows=150) as pool:

        def kill_both():
            while len(set(pids.read_text().split()) if pids.exists() else ()) < 2:
                time.sleep(0.01)
            for pid in set(pids.read_text().split()):
                os.kill(int(pid), signal.SIGKILL)

        killer = threading.Thread(target=kill_both)
        killer.start()
        votes = pool.votes(block, "raise")
        killer.join()
    assert_same(votes, here(lfs, block, "raise"))
    # two, those in their place (one alone may do all that is left), and this one
    assert len(set(pids.read_text().split())) in (4, 5)


def test_a_worker_killed_between_blocks_is_replaced():
    block = blocks(TABLE)[0]
    with WorkerPool([examples.short], 1) as pool:
        pool.votes(block, "raise")
        os.kill(pool.workers[0].process.pid, signal.SIGKILL)
        assert_same(pool.votes(block, "raise"), here([examples.short], block))


def test_a_row_on_which_workers_die_is_an_error_of_its_function(tmp_path):
    counter = tmp_path / "calls"
    lfs = [
        examples.short,
        with_resources(examples.die, rows=[112, 130], counter=str(counter)),
        examples.picky,
    ]
    block = ColumnsBlock(100, 200, TABLE)
    message = "row 112: the worker process died (exit code 3) 2 times while the function ran on it"
    message = message.replace("on it", "on this row")
    with WorkerPool(lfs, 1, most_retries=1) as pool:
        votes = pool.votes(block, "abstain")
        with pytest.raises(WorkerError, match=rf"^{re.escape(message)}$") as error:
            pool.votes(block, "raise")
    assert error.value.lf == 1
    assert_same([votes[0], votes[2]], here([lfs[0], lfs[2]], block))
    assert votes[1].rows.tolist() == [i for i in range(100) if i not in (12, 30)]
    assert (votes[1].errors, votes[1].first_error) == (2, message)
    # others are called once
    assert counter.stat().st_size == (98 + 2 * 2) + (12 + 2)


def test_a_chunk_on_which_workers_die_is_an_error_of_a_function_that_reads_it_whole():
    lfs = [examples.short, examples.Whole(deadly=130), examples.large]
    block = ColumnsBlock(100, 200, TABLE)
    message = (
        "rows 125..149: the worker process died (exit code 4) once while the function ran on "
        "these rows"
    )
    with WorkerPool(lfs, 2, chunk_rows=25, most_retries=0) as pool:
        votes = pool.votes(block, "abstain")
    assert_same([votes[0], votes[2]], here([lfs[0], lfs[2]], block))
    assert votes[1].rows.tolist() == [i for i in range(0, 100) if i // 25 != 1 and i % 25 % 2 == 0]
    assert (votes[1].errors, votes[1].first_error) == (25, message)


def test_a_function_that_takes_too_long_abstains_or_is_raised():
    lfs = [
        examples.short,
        with_resources(examples.sleep, timeout=0.4, rows=[20, 230], seconds=60),
        examples.picky,
    ]
    block = blocks(TABLE)[0]
    started = time.monotonic()
    with WorkerPool(lfs, 2, chunk_rows=100) as pool:
        votes = pool.votes(block, "abstain")
        with pytest.raises(WorkerError) as error:
            pool.votes(block, "raise")
    assert time.monotonic() - started < 15
    assert str(error.value) == "row 20: it took longer than its timeout of 0.4 s"
    assert error.value.lf == 1
    assert_same([votes[0], votes[2]], here([lfs[0], lfs[2]], block))
    assert votes[1].rows.tolist() == [i for i in range(N) if i not in (20, 230)]
    assert (votes[1].errors, votes[1].first_error) == (2, str(error.value))


# what cannot be sent


def test_without_cloudpickle_a_function_that_has_no_name_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    lf = cs.labeling_function(lambda x: 1, name="odd")
    message = r"^labeling function 'odd' cannot be sent .*lambda.*; define it at the top level of"
    with pytest.raises(ValueError, match=message + r" a module, or pip install cloudpickle$"):
        WorkerPool([examples.short, lf], 2)


def test_cloudpickle_sends_closures_along_with_named_functions():
    pytest.importorskip("cloudpickle")
    step = 7
    lfs = [examples.short, cs.labeling_function(lambda x: x.n // step), examples.picky]
    block = blocks(DATA["objects"])[0]
    with WorkerPool(lfs, 1) as pool:
        assert_same(pool.votes(block, "abstain"), here(lfs, block))


def test_a_function_with_a_resource_that_cannot_be_sent_is_refused():
    lf = with_resources(examples.plain, offset=threading.Lock())
    with pytest.raises(
        ValueError, match=r"labeling function 'plain' cannot .*cannot pickle .*lock"
    ):
        WorkerPool([lf], 1)


def test_rows_that_cannot_be_sent_are_refused_and_the_pool_goes_on(pool):
    odd = [examples.Doc("", 1)] * 70 + [examples.Doc(threading.Lock(), 2)]
    with pytest.raises(ValueError, match=r"^something in rows 64\.\.70 cannot be sent .*lock"):
        pool.votes(blocks(odd)[0], "abstain")
    block = blocks(TABLE)[0]
    assert_same(pool.votes(block, "abstain"), here(LFS, block))


def module_for_parents_only(folder, monkeypatch, name, action):
    source = f"""
    import multiprocessing, os
    import coverset as cs
    if multiprocessing.parent_process() is not None:
        {action}

    @cs.labeling_function
    def one(x):
        return 1
    """
    (folder / f"{name}.py").write_text(textwrap.dedent(source))
    monkeypatch.syspath_prepend(folder)
    return __import__(name).one


def test_functions_that_a_worker_cannot_import_are_an_error(tmp_path, monkeypatch):
    lf = module_for_parents_only(tmp_path, monkeypatch, "shy", "raise OSError('not here')")
    message = r"a worker process cannot read the labeling functions: OSError: not here"
    others = set(multiprocessing.active_children())
    with WorkerPool([lf], 2) as pool:
        with pytest.raises(RuntimeError, match=message):
            pool.votes(blocks(TABLE)[0], "abstain")
        assert set(multiprocessing.active_children()) == others


@pytest.mark.parametrize(
    ("action", "how"), [("os._exit(9)", "exit code 9"), ("os.kill(os.getpid(), 9)", "signal 9")]
)
def test_workers_that_die_as_they_start_are_an_error(tmp_path, monkeypatch, action, how):
    lf = module_for_parents_only(tmp_path, monkeypatch, f"shy_{how[:4]}", action)
    message = rf"a worker process died \({how}\) as it started"
    with WorkerPool([lf], 1, most_retries=1) as pool, pytest.raises(RuntimeError, match=message):
        pool.votes(blocks(TABLE)[0], "abstain")


def test_rows_of_a_class_that_a_worker_cannot_read_are_an_error(monkeypatch):
    monkeypatch.setattr(examples, "Local", type("Local", (examples.Doc,), {}), raising=False)
    examples.Local.__module__ = examples.__name__
    message = r"cannot read its rows: AttributeError: .*Local"
    with WorkerPool([examples.short], 1) as pool, pytest.raises(RuntimeError, match=message):
        pool.votes(blocks([examples.Local("", 1)])[0], "abstain")


# the end


def test_close_ends_the_processes_and_votes_starts_new_ones():
    block = blocks(TABLE)[0]
    others = set(multiprocessing.active_children())
    pool = WorkerPool([examples.short], 2, chunk_rows=100)
    assert set(multiprocessing.active_children()) == others
    pool.votes(block, "raise")
    first = {worker.process for worker in pool.workers}
    pool.votes(block, "raise")
    assert {worker.process for worker in pool.workers} == first
    assert set(multiprocessing.active_children()) == others | first
    for _ in range(2):
        pool.close()
        assert set(multiprocessing.active_children()) == others
    assert_same(pool.votes(block, "raise"), here([examples.short], block))
    pool.close()


# scripts


PRELUDE = """
import multiprocessing, os, sys, time
from dataclasses import dataclass
import coverset as cs
from coverset.lf.tables import table
from coverset.lf.workers.pool import WorkerPool


@dataclass
class Doc:
    n: int


@cs.labeling_function(resources={"more": 1})
def odd(x, more):
    return x.n % 2 + more if isinstance(x, Doc) else None


@cs.labeling_function
def stuck(x):
    os.write(1, f"{os.getpid()}\\n".encode())  # in one piece
    time.sleep(60)


def run(lfs):
    with WorkerPool(lfs, 2, chunk_rows=3) as pool:
        (block,) = table.open_table([Doc(i) for i in range(7)]).blocks
        print([votes.labels.tolist() for votes in pool.votes(block, "raise")])


"""
LABELS = "[1, 2, 1, 2, 1, 2, 1]"


def python(*arguments, **options):
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def script(folder, body):
    path = folder / "script.py"
    path.write_text(PRELUDE + textwrap.dedent(body))
    return str(path)


@pytest.mark.parametrize("lfs", ["[odd]", "[odd, cs.labeling_function(lambda x: odd(x))]"])
def test_functions_and_rows_of_a_script(tmp_path, lfs):
    if "lambda" in lfs:
        pytest.importorskip("cloudpickle")
    done = python(script(tmp_path, f"if __name__ == '__main__':\n    run({lfs})"))
    assert done.stderr == ""
    assert done.stdout.count(LABELS) == 1 + ("lambda" in lfs)


def test_functions_and_rows_of_a_session_without_a_file():
    pytest.importorskip("cloudpickle")
    done = python("-c", PRELUDE + "run([odd])")
    assert (done.stdout, done.stderr) == (f"[{LABELS}]\n", "")
    body = "sys.modules['cloudpickle'] = None\nrun([odd])"
    done = python("-c", PRELUDE + body)
    assert "ValueError: labeling function 'odd' cannot be sent to another process" in done.stderr
    assert "pip install cloudpickle" in done.stderr


def test_a_script_that_lacks_its_guard_is_told(tmp_path):
    done = python(script(tmp_path, "run([odd])"))
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("RuntimeError: a worker process died (exit code 1) as it started")
    assert "if __name__ == '__main__'" in last


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stuck_workers_end_with_their_parent(tmp_path, how):
    path = script(tmp_path, "if __name__ == '__main__':\n    run([stuck])")
    process = subprocess.Popen(
        [sys.executable, path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    pids = [int(process.stdout.readline()) for _ in range(2)]
    started = time.monotonic()
    if how == signal.SIGINT:
        os.killpg(process.pid, how)  # as a terminal does
    else:
        process.kill()
    _, error = process.communicate(timeout=20)
    while any(map(is_alive, pids)) and time.monotonic() - started < 10:
        time.sleep(0.02)
    assert not any(map(is_alive, pids))
    assert time.monotonic() - started < 5
    assert process.returncode == -how
    assert error.count("Traceback") == (how == signal.SIGINT)
    assert "resource_tracker" not in error
