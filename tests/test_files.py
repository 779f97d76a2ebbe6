"""Saved label matrices: what is written comes back, and nothing hostile gets in."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coverset as cs
import strategies

LabelMatrix = cs.LabelMatrix
EXAMPLE = [[0, -1, 2], [-1, -1, -1], [1, 1, -1], [-1, 0, 2]]
ARRAYS = ("indptr", "lfs", "labels")


@pytest.fixture(name="L")
def label_matrix():
    return LabelMatrix.from_dense(
        EXAMPLE,
        lf_names=["a", "b", "ü"],
        class_names=["ham", "spam", "eggs"],
        polarity=[(0, 1), None, (2,)],
    )


@pytest.fixture
def folder(L, tmp_path):
    L.save(tmp_path / "votes")
    return tmp_path / "votes"


def header_of(folder):
    return json.loads((folder / "header.json").read_text())


def rewrite(folder, change):
    """Change the header's body and put a fitting checksum beside it, as an attacker would."""
    header = header_of(folder)
    change(header["body"])
    canonical = json.dumps(header["body"], sort_keys=True, separators=(",", ":"))
    header["crc32"] = zlib.crc32(canonical.encode())
    (folder / "header.json").write_text(json.dumps(header))


def file_of(folder, name):
    return folder / header_of(folder)["body"]["arrays"][name]["file"]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_refused(folder, message="", error=ValueError):
    """Fail unless every way of loading ``folder`` raises just this error."""
    for mmap in (True, False):
        for verify in (False, True):
            with pytest.raises(error, match=message or "votes"):
                LabelMatrix.load(folder, mmap=mmap, verify=verify)


# the test utilities themselves


def test_rewrite_keeps_an_unchanged_folder_valid(L, folder):
    rewrite(folder, lambda body: None)
    assert LabelMatrix.load(folder) == L


def test_assert_refused_fails_for_a_valid_folder(folder):
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        assert_refused(folder)


# what is written comes back


@given(strategies.label_matrices(), st.booleans(), st.booleans())
def test_what_is_saved_is_loaded(L, mmap, verify):
    with tempfile.TemporaryDirectory() as folder:
        L.save(Path(folder) / "votes")
        loaded = LabelMatrix.load(Path(folder) / "votes", mmap=mmap, verify=verify)
        assert loaded == L
        assert type(loaded) is LabelMatrix
        for name in ARRAYS:
            assert getattr(loaded, name).dtype == getattr(L, name).dtype
            assert not getattr(loaded, name).flags.writeable
        assert np.array_equal(loaded.to_dense(), L.to_dense())


@pytest.mark.parametrize("mmap", [True, False])
@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (3, 2)])
def test_matrices_without_votes_come_back(tmp_path, shape, mmap):
    L = LabelMatrix.from_dense(np.full(shape, -1))
    L.save(tmp_path / "votes")
    assert LabelMatrix.load(tmp_path / "votes", mmap=mmap, verify=True) == L


def test_paths_may_be_strings(L, tmp_path):
    L.save(str(tmp_path / "votes"))
    assert LabelMatrix.load(str(tmp_path / "votes")) == L


def test_loaded_rows_can_be_sliced_and_saved_again(folder, tmp_path):
    loaded = LabelMatrix.load(folder)
    loaded[1:3].save(tmp_path / "part")
    assert LabelMatrix.load(tmp_path / "part", verify=True) == loaded[1:3]


def test_several_blocks_come_back_verified(tmp_path):
    rng = np.random.default_rng([600_000, 4])
    L = LabelMatrix.from_dense(rng.integers(-1, 3, (600_000, 4), np.int8))
    L.save(tmp_path / "votes")
    checksums = header_of(tmp_path / "votes")["body"]["arrays"]["lfs"]["crc32"]
    assert len(checksums) > 1
    assert LabelMatrix.load(tmp_path / "votes", verify=True) == L


def test_mapping_reads_no_votes_into_memory(tmp_path):
    LabelMatrix.from_dense(np.zeros((100_000, 8), np.int8)).save(tmp_path / "votes")
    tracemalloc.start()
    mapped = LabelMatrix.load(tmp_path / "votes")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert mapped.nnz == 800_000
    assert peak < 500_000  # the votes are 5.6 MB


def test_headers_hold_no_pickle(folder):
    assert {path.suffix for path in folder.iterdir()} == {".json", ".bin"}
    assert file_of(folder, "labels").read_bytes() == np.array([0, 2, 1, 1, 0, 2], "<i2").tobytes()


# replacing


def test_saving_again_replaces_the_matrix_and_removes_its_old_files(L, folder):
    L[:2].save(folder)
    assert LabelMatrix.load(folder, verify=True) == L[:2]
    assert len(list(folder.iterdir())) == 4
    assert [path.name for path in folder.parent.iterdir()] == ["votes"]


def test_a_mapped_matrix_survives_being_replaced_by_its_own_part(folder):
    mapped = LabelMatrix.load(folder)
    before = mapped.to_dense()
    mapped[::2].save(folder)
    assert np.array_equal(mapped.to_dense(), before)
    assert LabelMatrix.load(folder) == mapped[::2]


def test_replacing_leaves_other_peoples_files_alone(L, folder):
    (folder / "notes.txt").write_text("mine")
    L.save(folder)
    assert (folder / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"photo.jpg": b"x"},
        {"header.json": b"{}"},
        {"header.json": b"not JSON"},
        {"header.json": b'{"magic": "coverset.label_model", "version": 1}'},
    ],
    ids=["empty", "photo", "other header", "garbage header", "another kind"],
)
def test_a_folder_of_another_kind_is_refused_and_left_unchanged(L, tmp_path, files):
    folder = tmp_path / "votes"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    with pytest.raises(FileExistsError, match="votes exists and does not hold a coverset"):
        L.save(folder)
    assert contents(folder) == files
    assert [path.name for path in tmp_path.iterdir()] == ["votes"]


def test_a_file_is_refused_and_left_unchanged(L, tmp_path):
    (tmp_path / "votes").write_text("mine")
    with pytest.raises(FileExistsError, match="votes exists and is not a folder"):
        L.save(tmp_path / "votes")
    assert (tmp_path / "votes").read_text() == "mine"


def test_a_matrix_of_a_newer_version_is_not_replaced(L, folder):
    header = header_of(folder) | {"version": 2}
    (folder / "header.json").write_text(json.dumps(header))
    before = contents(folder)
    with pytest.raises(FileExistsError):
        L.save(folder)
    assert contents(folder) == before


# failing writes


class NoSpaceError(OSError):
    """The disk is full."""


class Failing:
    """os.fsync, or another call, that fails from its n-th call on."""

    def __init__(self, call, n):
        self.call, self.left = call, n

    def __call__(self, *arguments):
        self.left -= 1
        if self.left < 0:
            raise NoSpaceError
        return self.call(*arguments)


@pytest.mark.parametrize("n", range(6))
@pytest.mark.parametrize("name", ["fsync", "replace", "rename", "mkdir"])
def test_a_failed_first_save_leaves_nothing_or_all(L, tmp_path, monkeypatch, name, n):
    monkeypatch.setattr(os, name, Failing(getattr(os, name), n))
    with contextlib.suppress(NoSpaceError):
        L.save(tmp_path / "votes")
    monkeypatch.undo()
    left = [path.name for path in tmp_path.iterdir()]
    assert left in ([], ["votes"])
    if left:
        assert LabelMatrix.load(tmp_path / "votes", verify=True) == L


@pytest.mark.parametrize("n", range(6))
@pytest.mark.parametrize("name", ["fsync", "replace", "rename", "unlink"])
def test_a_failed_replacement_leaves_the_old_matrix_or_the_new(L, folder, monkeypatch, name, n):
    before = contents(folder)
    failed = False
    monkeypatch.setattr(os, name, Failing(getattr(os, name), n))
    try:
        L[:2].save(folder)
    except NoSpaceError:
        failed = True
    monkeypatch.undo()
    loaded = LabelMatrix.load(folder, verify=True)
    assert loaded in (L, L[:2])
    assert failed or loaded == L[:2]
    if loaded == L and name != "unlink":
        assert contents(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == ["votes"]


def test_saving_into_a_missing_folder_fails(L, tmp_path):
    with pytest.raises(FileNotFoundError):
        L.save(tmp_path / "missing" / "votes")
    assert list(tmp_path.iterdir()) == []


# damaged folders


def test_nothing_there(tmp_path):
    assert_refused(tmp_path / "votes", "votes", FileNotFoundError)


def test_a_folder_without_header(folder):
    (folder / "header.json").unlink()
    assert_refused(folder, "header.json", FileNotFoundError)


def test_a_file_instead_of_a_folder(tmp_path):
    (tmp_path / "votes").write_bytes(b"x")
    assert_refused(tmp_path / "votes", "votes must be a folder")


@pytest.mark.parametrize("name", ARRAYS)
def test_a_missing_array_file(folder, name):
    file_of(folder, name).unlink()
    assert_refused(folder, f"{name}-.* is missing")


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("change", [lambda d: d[:-1], lambda d: b"", lambda d: d + b"\0" * 8])
def test_a_shorter_or_longer_array_file(folder, name, change):
    data = file_of(folder, name).read_bytes()
    file_of(folder, name).write_bytes(change(data))
    assert_refused(folder, f"must have {len(data)} bytes, got {len(change(data))}")


@pytest.mark.parametrize("name", ARRAYS)
def test_verify_finds_every_flipped_bit(folder, name):
    data = file_of(folder, name).read_bytes()
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        file_of(folder, name).write_bytes(flipped)
        with pytest.raises(ValueError, match=f"array {name}: the block at byte 0 does not match"):
            LabelMatrix.load(folder, verify=True)


def test_verify_names_the_damaged_block(tmp_path):
    rng = np.random.default_rng([600_000, 4])
    LabelMatrix.from_dense(rng.integers(0, 3, (600_000, 4), np.int8)).save(tmp_path / "votes")
    with file_of(tmp_path / "votes", "labels").open("r+b") as file:
        file.seek((1 << 22) + 5)
        file.write(b"\1")
    with pytest.raises(ValueError, match="labels: the block at byte 4194304 does not match"):
        LabelMatrix.load(tmp_path / "votes", verify=True)


def test_a_changed_header_fails_its_checksum(folder):
    text = (folder / "header.json").read_text()
    (folder / "header.json").write_text(text.replace('"ham"', '"jam"'))
    assert_refused(folder, "damaged: its checksum does not match")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"magic": "coverset.label_model"},
            "must be a coverset.label_matrix file, got 'coverset.l",
        ),
        ({"magic": None}, "must be a coverset.label_matrix file, got None"),
        ({"version": 2}, "has version 2; this coverset reads version 1"),
        ({"version": "1"}, "has version '1'"),
        ({"crc32": 0}, "checksum"),
        ({"crc32": None}, "checksum"),
        ({"body": []}, "checksum"),
        ({"body": None}, "checksum"),
    ],
)
def test_headers_of_another_kind(folder, change, message):
    (folder / "header.json").write_text(json.dumps(header_of(folder) | change))
    assert_refused(folder, message)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\0" * 100,
        b"\xff\xfe\xfd",
        b"NaN",
        b"[1, 2",
        b'{"magic": "coverset.label_matrix", "version": 1, "crc32": NaN, "body": {"a": NaN}}',
        b'{"magic": "coverset.label_matrix", "version": 1, "crc32": 0, "body": {"a": 1e999}}',
        b'"coverset.label_matrix"',
        b'{"magic": "coverset.label_matrix", "version": 1' + b"0" * 5000 + b"}",
    ],
    ids=[
        "empty",
        "zeros",
        "not text",
        "NaN",
        "cut",
        "NaN inside",
        "inf inside",
        "string",
        "digits",
    ],
)
def test_headers_that_are_garbage(folder, text):
    (folder / "header.json").write_bytes(text)
    assert_refused(folder, "header.json")


def nested(field, depth):
    """Return a header whose ``field`` is a list ``depth`` deep."""
    header = {"magic": "coverset.label_matrix", "version": 1, "crc32": 0, "body": {"a": 0}}
    text = json.dumps(
        header | {field: "HERE"} if field != "a" else header | {"body": {"a": "HERE"}}
    )
    return text.replace('"HERE"', "[" * depth + "]" * depth)


@pytest.mark.parametrize("field", ["magic", "version", "crc32", "a"])
def test_headers_nested_to_any_depth(folder, field):
    limit = sys.getrecursionlimit()
    for depth in [*range(limit - 120, limit + 10), 100_000]:
        (folder / "header.json").write_text(nested(field, depth))
        with pytest.raises(ValueError, match=r"header\.json"):
            LabelMatrix.load(folder)


def test_a_header_that_is_a_folder(folder):
    (folder / "header.json").unlink()
    (folder / "header.json").mkdir()
    assert_refused(folder, "header.json")


def test_a_header_that_is_a_pipe_is_refused_and_not_waited_for(folder):
    def too_late(*_):
        raise TimeoutError

    (folder / "header.json").unlink()
    os.mkfifo(folder / "header.json")
    before = signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, 1)
    try:
        with pytest.raises(ValueError, match=r"header\.json"):
            LabelMatrix.load(folder)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# hostile folders: the checksum fits, the contents lie


@pytest.mark.parametrize("length", [10**12, 2**61, 2**63, 2**64, 10**30])
def test_a_small_folder_that_claims_many_votes_allocates_nothing(folder, length):
    def claim(body):
        body["arrays"]["lfs"]["length"] = body["arrays"]["labels"]["length"] = length

    rewrite(folder, claim)
    tracemalloc.start()
    assert_refused(folder, f"must have {4 * length} bytes, got 24")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("length", [-1, 2.0, "6", None, True, [6], {}])
def test_lengths_that_are_no_count(folder, name, length):
    rewrite(folder, lambda body: body["arrays"][name].update(length=length))
    assert_refused(folder, name)


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize(
    "dtype", ["<i1", ">i8", "|u1", "<f8", "|O", "<i8, <i8", "", None, 8, ["<i8"], {"a": 1}]
)
def test_arrays_of_another_dtype(folder, name, dtype):
    rewrite(folder, lambda body: body["arrays"][name].update(dtype=dtype))
    assert_refused(folder, "votes is damaged")


@pytest.mark.parametrize("dtype", ["<i4", "<i8", "|u1"])
def test_a_dtype_that_fits_the_file_but_not_the_array(folder, dtype):
    itemsize = np.dtype(dtype).itemsize
    rewrite(
        folder,
        lambda body: body["arrays"]["labels"].update(dtype=dtype, length=12 // itemsize),
    )
    assert_refused(folder, "votes is damaged")


@pytest.mark.parametrize(
    "name",
    [
        "../secret.bin",
        "/etc/passwd",
        "../votes/lfs-0000000000000000.bin",
        "lfs-0000000000000000.bin\n",
        "",
        ".",
        "..",
        "lfs\0.bin",
        "header.json",
        None,
        3,
        ["a"],
    ],
)
def test_file_names_that_lead_elsewhere(folder, name):
    (folder.parent / "secret.bin").write_bytes(b"\0" * 24)
    rewrite(folder, lambda body: body["arrays"]["lfs"].update(file=name))
    assert_refused(folder, "array lfs has no valid file name")


def test_linked_array_files(folder, tmp_path):
    file = file_of(folder, "lfs")
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert_refused(folder, "missing or not a plain file")


def test_array_files_that_are_pipes_or_folders(folder):
    file = file_of(folder, "lfs")
    file.unlink()
    os.mkfifo(file)
    assert_refused(folder, "missing or not a plain file")
    file.unlink()
    file.mkdir()
    assert_refused(folder, "missing or not a plain file")


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.pop("arrays"),
        lambda body: body.update(arrays=[]),
        lambda body: body["arrays"].pop("lfs"),
        lambda body: body["arrays"].update(more=body["arrays"]["lfs"]),
        lambda body: body["arrays"].update(lfs=None),
        lambda body: body["arrays"].update(lfs=["file"]),
        lambda body: body["arrays"]["lfs"].pop("file"),
        lambda body: body["arrays"]["lfs"].pop("dtype"),
        lambda body: body["arrays"]["lfs"].pop("length"),
    ],
)
def test_array_tables_that_lack_something(folder, change):
    rewrite(folder, change)
    assert_refused(folder, "votes is damaged")


@pytest.mark.parametrize("crc32", [None, [], [0], [0, 0], "0", {}, [None], [[]]])
def test_verify_refuses_checksums_that_do_not_fit(L, folder, crc32):
    rewrite(folder, lambda body: body["arrays"]["labels"].update(crc32=crc32))
    with pytest.raises(ValueError, match="votes is damaged: array labels"):
        LabelMatrix.load(folder, verify=True)


@pytest.mark.parametrize(
    ("fact", "values"),
    [
        ("n_lfs", [-1, 2, 2**31, 10**400, 3.5, "3", None, [3]]),
        ("cardinality", [0, 2, 32768, 2.5, "3", None, {}]),
        (
            "lf_names",
            [["a"], ["a", "b", "a"], ["a", "b", 3], "abc", 3, [None] * 3, {}, [["a"]] * 3],
        ),
        ("class_names", [["a"], ["a", "b", "a"], "abc", 3, True]),
        (
            "polarity",
            [
                *([], [[0]], [[0], None, None], [[9], None, None], [[-1], None, None]),
                *("abc", 3, [1, 2, 3], [["a"]] * 3, [[None]] * 3, [[0.5], None, None]),
                {"a": 1, "b": 2, "c": 3},
            ],
        ),
    ],
)
def test_facts_that_cannot_be(folder, fact, values):
    for value in values:
        rewrite(folder, lambda body, value=value: body.update({fact: value}))
        assert_refused(folder, "votes does not hold a valid label matrix: ")


@pytest.mark.parametrize("fact", ["n_lfs", "cardinality", "lf_names", "class_names", "polarity"])
def test_facts_that_are_missing(folder, fact):
    rewrite(folder, lambda body: body.pop(fact))
    assert_refused(folder, "votes does not hold a valid label matrix: ")


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("indptr", [0, 2, 2, 4, 2**40], rf"indptr\[4\] must be .* 6, got {2**40}"),
        ("indptr", [0, 2**40, 2, 4, 6], rf"indptr\[1\] = {2**40}, indptr\[2\] = 2"),
        ("indptr", [-(2**40), 2, 2, 4, 6], rf"indptr\[0\] must be 0, got -{2**40}"),
        ("lfs", [0, 2, 0, 2**31 - 1, 1, 2], rf"lfs\[3\] .*, got {2**31 - 1}"),
        ("lfs", [0, -1, 0, 1, 1, 2], r"lfs\[1\] .*, got -1"),
        ("lfs", [0, 0, 0, 1, 1, 2], "row 0 holds LF 0 twice"),
        ("lfs", [2, 0, 0, 1, 1, 2], "ascend"),
        ("labels", [0, 2, 1, 1, 0, 32767], r"labels\[5\] .*, got 32767"),
        ("labels", [-1, 2, 1, 1, 0, 2], r"labels\[0\] .*, got -1"),
        ("labels", [2, 2, 1, 1, 0, 2], r"row 0: LF 0 .* polarity \(0, 1\), got 2"),
    ],
)
def test_votes_that_break_the_rules_of_csr(L, folder, name, values, message):
    data = np.array(values, getattr(L, name).dtype).tobytes()
    file_of(folder, name).write_bytes(data)
    rewrite(folder, lambda body: body["arrays"][name].update(crc32=[zlib.crc32(data)]))
    assert_refused(folder, f"votes does not hold a valid label matrix: .*{message}")


def test_a_folder_with_no_rows_at_all(folder):
    file_of(folder, "indptr").write_bytes(b"")
    rewrite(folder, lambda body: body["arrays"]["indptr"].update(length=0, crc32=[]))
    assert_refused(folder, "indptr")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("random damage")


@given(
    which=st.integers(0, 3),
    where=st.floats(0, 1, exclude_max=True),
    byte=st.integers(0, 255),
    how=st.sampled_from(["write", "truncate", "append", "insert", "cut out"]),
    mmap=st.booleans(),
)
def test_random_damage_is_found_or_harmless(scratch, which, where, byte, how, mmap):
    folder = scratch / "votes"
    L = LabelMatrix.from_dense(EXAMPLE, lf_names=["a", "b", "c"], polarity=[None, (0, 1), None])
    shutil.rmtree(folder, ignore_errors=True)
    L.save(folder)
    file = sorted(folder.iterdir())[which]
    data = file.read_bytes()
    at = int(where * len(data))
    file.write_bytes(
        {
            "write": data[:at] + bytes([byte]) + data[at + 1 :],
            "truncate": data[:at],
            "append": data + bytes([byte]),
            "insert": data[:at] + bytes([byte]) + data[at:],
            "cut out": data[:at] + data[at + 1 + byte % 8 :],
        }[how]
    )
    for verify in (True, False):
        try:
            loaded = LabelMatrix.load(folder, mmap=mmap, verify=verify)
        except (ValueError, FileNotFoundError):
            continue
        # without verify, votes may differ, but whatever loads is well formed
        assert loaded == L or not verify
        assert loaded.to_dense().max(initial=-1) < loaded.cardinality
        cs.lf_summary(loaded)
