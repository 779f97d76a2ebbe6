"""Appliers over Dask data frames, a partition at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from coverset.compat.snorkel.labeling.appliers import PandasLFApplier


class DaskLFApplier(PandasLFApplier):
    """Applies labeling functions to the partitions of a Dask data frame."""

    def apply(  # type: ignore[override]
        self, df: Any, scheduler: Any = "processes", fault_tolerant: bool = False
    ) -> NDArray[np.int64]:
        """Return the label matrix (n, m); ``scheduler`` is Dask's."""
        parts = df.map_partitions(self._frame, fault_tolerant, meta=self._frame(df.head(0), True))
        votes: NDArray[np.int64] = parts.compute(scheduler=scheduler).to_numpy(dtype=np.int64)
        return votes

    def _frame(self, part: Any, fault_tolerant: bool) -> Any:
        import pandas as pd

        votes = super().apply(part, progress_bar=False, fault_tolerant=fault_tolerant)
        return pd.DataFrame(votes, index=part.index)


class PandasParallelLFApplier(DaskLFApplier):
    """Applies labeling functions to the rows of a pandas data frame, some processes at once."""

    def apply(  # type: ignore[override]
        self,
        df: Any,
        n_parallel: int = 2,
        scheduler: Any = "processes",
        fault_tolerant: bool = False,
    ) -> NDArray[np.int64]:
        """Return the label matrix (n, m); ValueError for fewer than 2 processes."""
        if n_parallel < 2:
            msg = "n_parallel should be >= 2. For single process Pandas, use PandasLFApplier."
            raise ValueError(msg)
        import dask.dataframe

        frame = dask.dataframe.from_pandas(df, npartitions=n_parallel)
        return super().apply(frame, scheduler=scheduler, fault_tolerant=fault_tolerant)
