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


@pytest.fixture(params=_cpu.simd_levels())
def simd_level(request):
    """Run the test once on each SIMD level that this CPU has."""
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
