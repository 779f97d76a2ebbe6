"""CUDA kernels: the reason where they cannot run, their refusals, and equality with the CPU."""

from __future__ import annotations

import importlib.util
import os
import shutil
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import coverset as cs


def built_kernels() -> ModuleType | None:
    """The extension `_cuda`: of the build folder that COVERSET_CUDA_BUILD names, or installed."""
    folder = os.environ.get("COVERSET_CUDA_BUILD")
    if not folder:
        try:
            return import_module("coverset._cuda")
        except ModuleNotFoundError:
            return None
    paths = sorted(Path(folder).rglob("_cuda*.so"))
    assert len(paths) == 1, f"COVERSET_CUDA_BUILD={folder} must hold one _cuda, got {paths}"
    spec = importlib.util.spec_from_file_location("_cuda", paths[0])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def kernels() -> ModuleType:
    module = built_kernels()
    if module is None:
        compiler = "nvcc is on PATH" if shutil.which("nvcc") else "needs nvcc"
        pytest.skip(f"_cuda is not built (build with COVERSET_CUDA=ON; {compiler})")
    return module


class Described:
    """An array that is nothing but its description: the address is never read."""

    def __init__(self, dtype: str, shape: tuple[int, ...], **changes: Any) -> None:
        self.__cuda_array_interface__ = {
            "version": 3,
            "typestr": dtype,
            "shape": shape,
            "data": (4096, False),
            "strides": None,
        } | changes


def call(kernels: ModuleType, **changes: Any) -> None:
    """Call vote_fractions for 3 rows, 5 votes and 2 classes, with some arguments changed."""
    arguments = {
        "device": 0,
        "stream": 0,
        "indptr": Described("<i8", (4,)),
        "labels": Described("<i2", (5,)),
        "cardinality": 2,
        "probabilities": Described("<f4", (3, 2)),
    }
    kernels.vote_fractions(**(arguments | changes))


def test_availability_has_a_reason():
    available, reason = cs.cuda.is_available(), cs.cuda.why_not()
    assert isinstance(available, bool)
    assert isinstance(reason, str)
    assert available == (reason == "")
    if not available:
        assert len(reason.split()) >= 3


def test_missing_extension_is_told_from_one_that_does_not_load(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    def broken(name):
        raise ImportError("libsomething.so: cannot open")

    monkeypatch.setattr(cs.cuda, "import_module", missing)
    assert "build with COVERSET_CUDA=ON" in cs.cuda.why_not()
    monkeypatch.setattr(cs.cuda, "import_module", broken)
    assert "do not load: libsomething.so: cannot open" in cs.cuda.why_not()


def test_extension_imports_without_a_driver(kernels):
    assert kernels.__version__ == cs.__version__
    assert isinstance(kernels.why_not(), str)


def test_call_without_a_device_gives_the_reason(kernels):
    reason = kernels.why_not()
    if reason == "":
        pytest.skip("there is a CUDA device")
    with pytest.raises(RuntimeError) as caught:
        call(kernels)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    "change",
    [
        {"probabilities": Described("<f4", (3, 2), strides=(8, 4))},
        {"indptr": Described("<i8", (4,), data=(4096, True))},
        {"labels": Described("<i2", (0,), data=(0, False))},
        {"labels": Described("<i2", (0,), data=(0, False), strides=(0,))},
        {
            "indptr": Described("<i8", (1,)),
            "probabilities": Described("<f4", (0, 2), data=(0, False)),
        },
        {
            "indptr": Described("<i8", (2,)),
            "probabilities": Described("<f4", (1, 2), strides=(0, 4)),
        },
        {"labels": Described("<i2", (5,), stream=1)},
        {"labels": Described("<i2", (5,), version=2)},
    ],
)
def test_arguments_in_order_get_as_far_as_the_device(kernels, change):
    if kernels.why_not() == "":
        pytest.skip("there is a CUDA device: described arrays have no memory on it")
    with pytest.raises(RuntimeError, match="CUDA"):
        call(kernels, **change)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"device": -1}, ValueError, "device must be at least 0, got -1"),
        ({"cardinality": 0}, ValueError, r"cardinality must be in 1\.\.32767, got 0"),
        ({"cardinality": 40_000}, ValueError, r"cardinality must be in 1\.\.32767, got 40000"),
        (
            {"indptr": np.zeros(4, np.int64)},
            TypeError,
            r"indptr must be an array on a CUDA device .* got numpy\.ndarray",
        ),
        ({"labels": None}, TypeError, "labels must be an array on a CUDA device .* got NoneType"),
        (
            {"indptr": Described("<i4", (4,))},
            TypeError,
            r"indptr must be int64 \(<i8\), got <i4",
        ),
        (
            {"labels": Described(">i2", (5,))},
            TypeError,
            r"labels must be int16 \(<i2\), got >i2",
        ),
        (
            {"probabilities": Described("<f8", (3, 2))},
            TypeError,
            r"probabilities must be float32 \(<f4\), got <f8",
        ),
        (
            {"indptr": Described("<i8", (0,))},
            ValueError,
            r"indptr must have shape \(n \+ 1,\) with n >= 0, got \(0,\)",
        ),
        (
            {"indptr": Described("<i8", (2, 2))},
            ValueError,
            r"indptr must have shape \(n \+ 1,\) with n >= 0, got \(2, 2\)",
        ),
        (
            {"labels": Described("<i2", (5, 1))},
            ValueError,
            r"labels must have shape \(votes,\), got \(5, 1\)",
        ),
        (
            {"probabilities": Described("<f4", (3, 3))},
            ValueError,
            r"probabilities must have shape \(3, 2\) \(rows, cardinality\), got \(3, 3\)",
        ),
        (
            {"probabilities": Described("<f4", (6,))},
            ValueError,
            r"probabilities must have shape \(3, 2\) \(rows, cardinality\), got \(6,\)",
        ),
        (
            {"probabilities": Described("<f4", (3, 2), data=(4096, True))},
            ValueError,
            "probabilities must be writable, got a read-only array",
        ),
        (
            {"probabilities": Described("<f4", (3, 2), strides=(4, 12))},
            ValueError,
            r"probabilities must be C-contiguous, got strides \(4, 12\) for shape \(3, 2\)",
        ),
        (
            {"labels": Described("<i2", (5,), strides=(4,))},
            ValueError,
            r"labels must be C-contiguous, got strides \(4,\) for shape \(5,\)",
        ),
        (
            {"indptr": Described("<i8", (4,), strides=(0, 8))},
            ValueError,
            r"indptr must be C-contiguous, got strides \(0, 8\) for shape \(4,\)",
        ),
        (
            {"indptr": Described("<i8", (4,), data=(4100, False))},
            ValueError,
            "indptr must lie at a nonzero multiple of 8 bytes, got address 4100",
        ),
        (
            {"labels": Described("<i2", (5,), data=(0, False))},
            ValueError,
            "labels must lie at a nonzero multiple of 2 bytes, got address 0",
        ),
        ({"labels": Described("<i2", (5,), mask=object())}, ValueError, "labels must have no mask"),
        (
            {"labels": Described("<i2", (5,), stream=0)},
            ValueError,
            "labels must name no stream 0, which is ambiguous",
        ),
        (
            {"labels": Described("<i2", (5,), version=1)},
            ValueError,
            "labels must have version 2 or 3 of __cuda_array_interface__, got 1",
        ),
        (
            {"labels": Described("<i2", (-1,))},
            ValueError,
            r"labels must have a shape that memory can hold, got \(-1,\)",
        ),
        (
            {"probabilities": Described("<f4", (1 << 40, 1 << 40))},
            ValueError,
            "probabilities must have a shape that memory can hold, got ",
        ),
        (
            {"labels": Described("<i2", (5,), data=())},
            TypeError,
            "labels has a malformed __cuda_array_interface__",
        ),
        (
            {"labels": Described("<i2", (5,), strides="none")},
            TypeError,
            "labels has a malformed __cuda_array_interface__",
        ),
    ],
)
def test_refusal_names_argument_rule_and_value(kernels, change, error, message):
    with pytest.raises(error, match=message):
        call(kernels, **change)


def test_error_of_the_owner_comes_through(kernels):
    class Closed:
        @property
        def __cuda_array_interface__(self):
            raise RuntimeError("this array was freed")

    with pytest.raises(RuntimeError, match="this array was freed"):
        call(kernels, labels=Closed())


class OnDevice:
    """CuPy or torch, whichever is here: arrays to a device and back, and its current stream."""

    def __init__(self) -> None:
        if importlib.util.find_spec("cupy"):
            self.library = import_module("cupy")
            self.put = self.library.asarray
            self.get = self.library.asnumpy
            self.stream = self.library.cuda.get_current_stream().ptr
        elif importlib.util.find_spec("torch"):
            self.library = import_module("torch")
            # a copy: torch warns about read-only NumPy arrays
            self.put = lambda array: self.library.tensor(array.copy(), device="cuda:0")
            self.get = lambda array: array.cpu().numpy()
            self.stream = self.library.cuda.current_stream().cuda_stream
        else:
            pytest.skip("needs CuPy or torch for arrays on a device")


@pytest.fixture(scope="module")
def on_device(kernels: ModuleType) -> OnDevice:
    reason = kernels.why_not()
    if reason:
        pytest.skip(reason)
    return OnDevice()


def random_votes(n: int, m: int, k: int) -> cs.LabelMatrix:
    """Votes with empty rows and many ties: each LF abstains on half of the rows."""
    rng = np.random.default_rng([n, m, k])
    return cs.LabelMatrix.from_dense(
        np.where(rng.random((n, m)) < 0.5, rng.integers(0, k, (n, m)), -1), cardinality=k
    )


@pytest.mark.gpu
@pytest.mark.parametrize("k", [2, 3, 4, 5])
@pytest.mark.parametrize(("n", "m"), [(0, 3), (1, 3), (255, 1), (257, 4), (1000, 40)])
def test_vote_fractions_has_the_bits_of_the_cpu(kernels, on_device, n, m, k):
    check_parity(kernels, on_device, random_votes(n, m, k))


@pytest.mark.gpu
def test_vote_fractions_of_more_rows_than_threads(kernels, on_device):
    check_parity(kernels, on_device, random_votes((1 << 20) + 3, 3, 3))


def check_parity(kernels: ModuleType, on_device: OnDevice, votes: cs.LabelMatrix) -> None:
    want = cs.MajorityVote().fit(votes).predict_proba(votes)
    proba = on_device.put(np.full(want.shape, np.nan, np.float32))
    kernels.vote_fractions(
        0,
        on_device.stream,
        on_device.put(votes.indptr),
        on_device.put(votes.labels),
        votes.cardinality,
        proba,
    )
    got = on_device.get(proba)
    np.testing.assert_array_equal(got.view(np.uint32), want.view(np.uint32))


@pytest.mark.gpu
def test_device_out_of_range(kernels, on_device):
    with pytest.raises(ValueError, match=r"device must be in 0\.\.\d+ .* got 1000"):
        call(kernels, device=1000)


@pytest.mark.gpu
def test_address_that_cuda_does_not_know(kernels, on_device):
    with pytest.raises(ValueError, match="indptr must be memory that CUDA knows"):
        call(kernels)
