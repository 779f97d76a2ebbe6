"""Fixtures that every test file shares."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

import coverset
from coverset import _cpu
from examples import random_dense

# The same examples on every run. simd_level holds for a whole test, so sharing it between
# examples is meant.
hypothesis.settings.register_profile(
    "coverset",
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("coverset")


def pytest_generate_tests(metafunc):
    """Run a test once on each SIMD level that this CPU has kernels of its own for."""
    if "simd_level" in metafunc.fixturenames:
        levels = _cpu.simd_levels()
        products = ("test_neighbors", "test_coreset")  # which alone go beyond v4
        if not metafunc.module.__name__.startswith(products):
            levels = [level for level in levels if level not in ("vnni", "amx")]
        metafunc.parametrize("simd_level", levels, indirect=True)


@pytest.fixture
def simd_level(request):
    """Run the test on a SIMD level."""
    _cpu.force_simd_level(request.param)
    yield request.param
    _cpu.force_simd_level("")


@pytest.fixture
def test_data():
    """Return the folder of real data sets, or skip."""
    folder = os.environ.get("COVERSET_TEST_DATA")
    if not folder:
        pytest.skip("COVERSET_TEST_DATA is not set")
    return Path(folder)


@pytest.fixture(scope="session")
def large():
    """Return a matrix of several blocks in every kernel: 40,000 rows and 9 LFs."""
    return coverset.LabelMatrix.from_dense(random_dense(40_000, 9, 4), 4)
