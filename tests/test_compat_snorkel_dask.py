"""Snorkel's appliers over Dask: the votes of the plain applier, whatever the partitions."""

from __future__ import annotations

import os

import numpy as np
import pytest

TARGET = os.environ.get("COVERSET_COMPAT_TARGET", "coverset.compat.snorkel")
pd = pytest.importorskip("pandas")
dask = pytest.importorskip("dask.dataframe")
labeling = pytest.importorskip(f"{TARGET}.labeling")
appliers = pytest.importorskip(f"{TARGET}.labeling.apply.dask")
pytestmark = pytest.mark.filterwarnings("ignore")  # Dask's own


def large(x):
    return 1 if x.n > 4 else -1


def odd_fails(x):
    if x.n % 2:
        raise LookupError(x.n)
    return 0


LARGE = labeling.LabelingFunction("large", large)
ODD_FAILS = labeling.LabelingFunction("odd_fails", odd_fails)
FRAME = pd.DataFrame({"n": np.arange(23) % 9}, index=np.arange(23) * 2)


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
@pytest.mark.parametrize("parts", [1, 4])
def test_partitions_do_not_show(scheduler, parts):
    want = labeling.PandasLFApplier([LARGE]).apply(FRAME, progress_bar=False)
    frame = dask.from_pandas(FRAME, npartitions=parts)
    got = appliers.DaskLFApplier([LARGE]).apply(frame, scheduler=scheduler)
    assert np.array_equal(got, want)
    if parts > 1:
        apply = appliers.PandasParallelLFApplier([LARGE]).apply
        assert np.array_equal(apply(FRAME, n_parallel=parts, scheduler=scheduler), want)


def test_faults_abstain_where_that_is_asked():
    frame = dask.from_pandas(FRAME, npartitions=3)
    applier = appliers.DaskLFApplier([LARGE, ODD_FAILS])
    votes = applier.apply(frame, scheduler="threads", fault_tolerant=True)
    assert np.array_equal(votes[:, 1], np.where(FRAME.n % 2, -1, 0))
    with pytest.raises((LookupError, ValueError), match=r"\d|lambda"):  # Dask may wrap it
        applier.apply(frame, scheduler="threads")


def test_one_process_is_refused():
    with pytest.raises(ValueError, match="n_parallel should be >= 2"):
        appliers.PandasParallelLFApplier([LARGE]).apply(FRAME, n_parallel=1)
