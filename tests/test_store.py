"""Folders of arrays: every type and shape comes back, mapped or read, and damage is found."""

from __future__ import annotations

import json
import math
import os
import tempfile
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from coverset import _store

MAGIC, VERSION, BLOCK = "coverset.test", 3, 1 << 22
TYPES = {"<i8": "<i8", "<i4": "<i4", "<i2": "<i2", "|i1": "|i1", "|u1": "|u1"}
TYPES |= {"<f8": "<f8", "<f4": "<f4", "<f2": "<f2", "bfloat16": "<u2"}
ANY = tuple(TYPES)

arrays = st.sampled_from(sorted(TYPES.values())).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0))
)


def save(folder, **saved):
    _store.write_folder(folder, MAGIC, VERSION, {"fact": 1}, saved)
    return folder


def expected(ndim, dtypes=ANY):
    return {"rows": _store.Expected(dtypes, ndim)}


def opened(folder, ndim=2):
    return _store.open_folder(folder, MAGIC, VERSION, expected(ndim))[1]["rows"]


def load(folder, ndim=2, *, mmap=False, verify=False):
    return _store.read_folder(folder, MAGIC, VERSION, expected(ndim), mmap=mmap, verify=verify)


def reader(folder, ndim=2, *, verify=True):
    return _store.RowReader(opened(folder, ndim), verify=verify)


def rewrite(folder, **entry):
    """Change what the header says of the array, and let the checksum fit."""
    header = json.loads((folder / "header.json").read_text())
    table = header["body"]["arrays"]["rows"]
    table.update(entry)
    for key in [key for key, value in table.items() if value == "missing"]:
        del table[key]
    canonical = json.dumps(header["body"], sort_keys=True, separators=(",", ":"))
    header["crc32"] = zlib.crc32(canonical.encode())
    (folder / "header.json").write_text(json.dumps(header))


def entry_of(folder):
    return json.loads((folder / "header.json").read_text())["body"]["arrays"]["rows"]


def file_of(folder):
    return folder / entry_of(folder)["file"]


def same(got, want):
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    assert got.tobytes() == want.tobytes()  # NaN included


def change_byte(folder, at):
    with file_of(folder).open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))


@pytest.fixture(scope="module")
def rows():
    """Some 13 MiB, the last of four blocks cut short; a row is 700 bytes."""
    return np.random.default_rng(0).integers(0, 2**16, (19_000, 7, 50)).astype("<u2")


@pytest.fixture
def folder(rows, tmp_path):
    return save(tmp_path / "some", rows=rows)


# what is written comes back


@given(arrays, st.booleans(), st.booleans(), st.data())
def test_what_is_saved_is_loaded_mapped_and_read(array, mmap, verify, data):
    with tempfile.TemporaryDirectory() as path:
        folder = save(Path(path) / "some", rows=array)
        facts, loaded = load(folder, array.ndim, mmap=mmap, verify=verify)
        assert facts == {"fact": 1}
        same(loaded["rows"], array)
        first = data.draw(st.integers(0, len(array)))
        last = data.draw(st.integers(first, len(array)))
        out = np.zeros((last - first, *array.shape[1:]), array.dtype)
        with reader(folder, array.ndim, verify=verify) as some:
            assert len(some) == len(array)
            same(some.read(first, last), array[first:last])
            assert some.read(first, last, out) is out
            same(out, array[first:last])


@pytest.mark.parametrize("name", TYPES)
def test_the_header_names_each_type(tmp_path, name):
    array = np.arange(12).reshape(3, 4).astype(TYPES[name])
    folder = save(tmp_path / "some", rows=array, more=array[:, 0])
    assert entry_of(folder)["dtype"] == name
    assert entry_of(folder)["shape"] == [3, 4]
    assert file_of(folder).read_bytes() == array.tobytes()


def test_one_dimension_is_written_as_a_length(tmp_path):
    folder = save(tmp_path / "some", rows=np.arange(5))
    assert list(entry_of(folder)) == ["file", "dtype", "length", "crc32"]
    assert entry_of(folder)["length"] == 5


@pytest.mark.parametrize("change", [
    np.asfortranarray, lambda a: a[::-1], lambda a: a[:, ::2], lambda a: a.T,
    lambda a: a.astype(">f4"), lambda a: a.astype(">f8")[1:],
])  # fmt: skip
def test_any_layout_is_written_in_c_order(tmp_path, change):
    array = change(np.random.default_rng(1).standard_normal((9, 6)).astype("f4"))
    got = load(save(tmp_path / "some", rows=array))[1]["rows"]
    np.testing.assert_array_equal(got, array)
    assert got.flags.c_contiguous


class FromMlDtypes(np.ndarray):
    """An array whose dtype is called bfloat16, as that of ml_dtypes is."""

    @property
    def dtype(self):
        class Named:
            name = "bfloat16"

        return Named()

    def view(self, _):
        return np.ndarray.view(self, np.ndarray)


def test_bfloat16_of_other_packages_is_taken_as_its_bits(tmp_path):
    bits = np.arange(6, dtype="<u2").reshape(2, 3)
    got = load(save(tmp_path / "some", rows=bits.view(FromMlDtypes)))[1]["rows"]
    same(got, bits)


@pytest.mark.parametrize("array", [
    np.float32(1), np.array(1.0), np.array(["a"]), np.array([None]), np.array([True]),
    np.array([1], "u8"), np.array([1j]), np.array(["2020-01-01"], "M8[D]"),
])  # fmt: skip
def test_what_cannot_be_stored_is_refused_and_leaves_nothing(tmp_path, array):
    with pytest.raises(TypeError, match=r"dimensions and one of the dtypes <i8, .* got"):
        save(tmp_path / "some", rows=array)
    assert list(tmp_path.iterdir()) == []


# reading by rows


@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize(("first", "last"), [
    (0, 0), (0, 1), (5991, 5992), (5991, 5993), (5992, 5993), (1000, 12_500), (11_983, 11_984),
    (18_999, 19_000), (0, 19_000), (19_000, 19_000),
])  # fmt: skip
def test_reads_equal_the_map_at_the_ends_of_blocks(folder, rows, first, last, verify):
    mapped = load(folder, 3, mmap=True, verify=verify)[1]["rows"]
    assert isinstance(mapped, np.memmap)
    assert not mapped.flags.writeable
    with reader(folder, 3, verify=verify) as some:
        same(some.read(first, last), rows[first:last])
    same(mapped[first:last], rows[first:last])


class Counted:
    """os.preadv, which notes what is read, and reads at most so many bytes."""

    def __init__(self, most):
        self.most, self.spans, self.call = most, [], os.preadv

    def __call__(self, file, buffers, offset):
        (buffer,) = buffers
        done = self.call(file, [buffer[: self.most]], offset)
        self.spans.append((offset, offset + done))
        return done


@pytest.mark.parametrize("most", [1 << 30, 1_000_003])
def test_a_read_takes_just_its_rows_or_with_verify_just_their_blocks(
    folder, rows, monkeypatch, most
):
    for verify, first, last in [(False, 700 * 5990, 700 * 5995), (True, 0, 2 * BLOCK)]:
        counted = Counted(most)
        monkeypatch.setattr(os, "preadv", counted)
        with reader(folder, 3, verify=verify) as some:
            same(some.read(5990, 5995), rows[5990:5995])
        monkeypatch.undo()
        assert counted.spans[0][0] == first
        assert counted.spans[-1][1] == last
        ends = [end for _, end in counted.spans]
        assert [start for start, _ in counted.spans[1:]] == ends[:-1]  # each byte once


def test_several_threads_read_from_one_reader(folder, rows):
    starts = np.random.default_rng(2).integers(0, 18_000, 60).tolist()
    with reader(folder, 3) as some, ThreadPoolExecutor(8) as pool:
        for start, got in zip(
            starts, pool.map(lambda at: some.read(at, at + 1000), starts), strict=True
        ):
            same(got, rows[start : start + 1000])


def test_a_reader_keeps_what_it_opened(folder, rows):
    with reader(folder, 3) as some:
        save(folder, rows=rows[:5, :, :3])
        same(some.read(0, 19_000), rows)
    same(load(folder, 3, verify=True)[1]["rows"], np.ascontiguousarray(rows[:5, :, :3]))


def test_reading_rows_takes_no_more_memory_than_they_do(folder):
    with reader(folder, 3, verify=False) as some:
        tracemalloc.start()
        some.read(100, 200)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 80_000  # they are 70,000 bytes


@pytest.mark.parametrize(("first", "last"), [(-1, 2), (3, 2), (0, 19_001), (19_001, 19_001)])
def test_rows_that_are_not_there(folder, first, last):
    with (
        reader(folder, 3) as some,
        pytest.raises(ValueError, match=rf"rows must be in 0\.\.19000, got {first}\.\.{last}"),
    ):
        some.read(first, last)


@pytest.mark.parametrize("out", [
    np.empty((2, 7, 50), "<i2"), np.empty((3, 7, 50), "<u2"), np.empty((2, 350), "<u2"),
    np.empty((2, 7, 50), ">u2"), np.empty((4, 7, 50), "<u2")[::2],
    np.broadcast_to(np.uint16(0), (2, 7, 50)), np.frombuffer(bytes(1400), "<u2").reshape(2, 7, 50),
])  # fmt: skip
def test_an_array_that_cannot_take_the_rows(folder, out):
    with reader(folder, 3) as some, pytest.raises(ValueError, match=r"out must be a C-contiguous"):
        some.read(0, 2, out)


def test_a_closed_reader(folder):
    some = reader(folder, 3)
    some.close()
    some.close()
    with pytest.raises(ValueError, match=r"rows-.*\.bin is closed"):
        some.read(0, 1)


# damage


@pytest.mark.parametrize("block", range(4))
def test_a_changed_block_is_found_by_those_who_touch_it(folder, rows, block):
    change_byte(folder, block * BLOCK + 12_345)
    message = f"array rows: the block at byte {block * BLOCK} does not match"
    for mmap in (True, False):
        with pytest.raises(ValueError, match=message):
            load(folder, 3, mmap=mmap, verify=True)
    at = (block * BLOCK + BLOCK // 8) // 700  # another row of the block
    with reader(folder, 3) as some:
        with pytest.raises(ValueError, match=message):
            some.read(at, at + 1)
        for other in set(range(4)) - {block}:
            at = (other * BLOCK + BLOCK // 8) // 700
            same(some.read(at, at + 1), rows[at : at + 1])
    with reader(folder, 3, verify=False) as some:
        assert len(some.read(0, 19_000)) == 19_000


def test_a_file_that_is_truncated_while_it_is_read(folder):
    with reader(folder, 3, verify=False) as some:
        os.truncate(file_of(folder), 5 * BLOCK // 2)
        assert len(some.read(0, 10)) == 10
        with pytest.raises(ValueError, match="became shorter while it was read"):
            some.read(0, 19_000)


@pytest.mark.parametrize("size", [0, 1, BLOCK, 19_000 * 700 - 1, 19_000 * 700 + 1])
def test_a_file_of_another_size(folder, size):
    os.truncate(file_of(folder), size)
    with pytest.raises(ValueError, match=f"must have 13300000 bytes, got {size}"):
        opened(folder, 3)


def test_a_file_that_changes_between_opening_the_folder_and_reading(folder, tmp_path):
    stored = opened(folder, 3)
    os.truncate(stored.file, 5)
    with pytest.raises(ValueError, match="was changed while it was opened"):
        _store.RowReader(stored, verify=False)
    stored.file.rename(tmp_path / "elsewhere")
    stored.file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        _store.RowReader(stored, verify=False)


@pytest.mark.parametrize("crc32", [None, [], [0] * 3, [0] * 5, "0000", {}])
def test_checksums_that_do_not_fit(folder, crc32):
    rewrite(folder, crc32=crc32)
    for mmap in (True, False):
        with pytest.raises(ValueError, match="damaged: array rows needs 4 block checksums"):
            load(folder, 3, mmap=mmap, verify=True)
    assert len(load(folder, 3)[1]["rows"]) == 19_000


@pytest.mark.parametrize("shape", [
    [2**40, 2**10, 2**10], [2**62, 4], [2**64, 1], [10**4000, 10**4000], [19_000, 350, 10**9],
])  # fmt: skip
def test_a_small_folder_that_claims_much_allocates_nothing(folder, shape):
    rewrite(folder, shape=shape)
    tracemalloc.start()
    for mmap in (True, False):
        with pytest.raises(ValueError, match="some is damaged: "):
            load(folder, len(shape), mmap=mmap)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("shape", [
    *(None, 5, "5", {}, [], [5], [-1, 5], [2.0, 3], [True, 3], ["2", 3], [[2], 3], [None, 3]),
    *([1] * 33, [1] * 100_000, [2**62, 2**62, 0], [0, 2**61]),
])  # fmt: skip
def test_shapes_that_cannot_be(tmp_path, shape):
    folder = save(tmp_path / "some", rows=np.zeros((2, 3)))
    rewrite(folder, shape=shape)
    with pytest.raises(ValueError, match="array rows has dtype '<f8' and shape"):
        opened(folder)


def test_a_shape_and_a_length_are_one_too_many(tmp_path):
    folder = save(tmp_path / "some", rows=np.zeros((2, 3)))
    rewrite(folder, length=6)
    with pytest.raises(ValueError, match="array rows has dtype '<f8' and shape"):
        opened(folder)
    rewrite(folder, shape="missing")
    assert opened(folder, 1).shape == (6,)


def test_arrays_without_bytes_may_have_long_sides(tmp_path):
    folder = save(tmp_path / "some", rows=np.empty((10**9, 0, 10**6), "f2"))
    for mmap in (True, False):
        got = load(folder, 3, mmap=mmap, verify=True)[1]["rows"]
        assert got.shape == (10**9, 0, 10**6)


@pytest.mark.parametrize("ndim", [1, 3])
def test_arrays_must_have_the_dimensions_that_are_expected(tmp_path, ndim):
    folder = save(tmp_path / "some", rows=np.zeros((2, 3)))
    with pytest.raises(ValueError, match=rf"must have {ndim} dimensions, got shape \(2, 3\)"):
        opened(folder, ndim)


def test_arrays_must_have_one_of_the_dtypes_that_are_expected(tmp_path):
    folder = save(tmp_path / "some", rows=np.zeros((2, 3)))
    wanted = expected(2, ("<f4", "bfloat16"))
    with pytest.raises(ValueError, match="rows must have dtype <f4 or bfloat16, got <f8"):
        _store.open_folder(folder, MAGIC, VERSION, wanted)


@pytest.mark.parametrize("dtype", ["<u2", "bfloat", "<f16", "|O", "V8", "<U2", None, 2, [], {}])
def test_dtypes_that_nothing_is_stored_in(tmp_path, dtype):
    folder = save(tmp_path / "some", rows=np.zeros((2, 3)))
    rewrite(folder, dtype=dtype)
    with pytest.raises(ValueError, match="some is damaged: array rows has dtype"):
        opened(folder)


def test_bytes_of_blocks_add_up(rows):
    assert math.prod(rows.shape) * 2 == 13_300_000  # what the tests above count with
    assert -(-13_300_000 // BLOCK) == 4
