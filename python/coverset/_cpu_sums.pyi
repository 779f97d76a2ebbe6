"""Stub of what the kernels of ``_cpu`` count and choose for label models."""

import numpy as np
from numpy.typing import NDArray

_Int64 = NDArray[np.int64]
_Int32 = NDArray[np.int32]
_Int16 = NDArray[np.int16]
_UInt8 = NDArray[np.uint8]
_Float64 = NDArray[np.float64]
_Pairs = tuple[_Int64, _Int64, _Float64, _Float64]

def size_label(
    indptr: _Int64, lfs: _Int32, labels: _Int16, label: int, out_indptr: _Int64, threads: int
) -> None: ...
def fill_label(
    indptr: _Int64,
    lfs: _Int32,
    labels: _Int16,
    label: int,
    out_indptr: _Int64,
    out_lfs: _Int32,
    threads: int,
) -> None: ...
def weigh_labels(
    indptr: _Int64,
    lfs: _Int32,
    labels: _Int16,
    weight: _Float64,
    cardinality: int,
    counts: _Int64,
    threads: int,
) -> None: ...
def add_by_column(
    indptr: _Int64, column: _Int32, mass: _Float64, cardinality: int, sums: _Float64, threads: int
) -> None: ...
def explain_votes(
    indptr: _Int64,
    column: _Int32,
    log_weight: _Float64,
    column_weight: _Float64,
    log_prior: _Float64,
    row_correlation: float,
    evidence: _Float64,
    threads: int,
) -> None: ...
def mirror_overlaps(
    indptr: _Int64,
    other: _Int32,
    out_indptr: _Int64,
    out_other: _Int32,
    entry: _Int64,
    threads: int,
) -> None: ...
def dependent_pairs(
    indptr: _Int64,
    other: _Int32,
    rows: _Float64,
    column_indptr: _Int64,
    column_label: _Int16,
    annotator: _UInt8,
    family: _Int64,
    threads: int,
) -> tuple[_Pairs, _Pairs]: ...
def multiply_pairs(
    left: _Float64,
    right: _Float64,
    first: _Int64,
    second: _Int64,
    width: int,
    products: _Float64,
    threads: int,
) -> None: ...
def multiply_annotators(
    left: _Float64,
    right: _Float64,
    first: _Int64,
    second: _Int64,
    column_indptr: _Int64,
    column_label: _Int16,
    width: int,
    products: _Float64,
    threads: int,
) -> None: ...
def merge_nearest_clusters(
    similarity: _Float64, least: float, cluster: _Int64, threads: int
) -> None: ...
def size_outcomes(
    indptr: _Int64,
    lfs: _Int32,
    labels: _Int16,
    component: _Int64,
    added: _Int64,
    start: _Int64,
    out_indptr: _Int64,
    threads: int,
) -> None: ...
def fill_outcomes(
    indptr: _Int64,
    lfs: _Int32,
    labels: _Int16,
    component: _Int64,
    added: _Int64,
    start: _Int64,
    out_indptr: _Int64,
    outcome: _Int64,
    threads: int,
) -> None: ...
