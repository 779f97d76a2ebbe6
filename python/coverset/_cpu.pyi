"""Stub of the compiled kernels. Arrays must have just these dtypes, in C order; none is copied."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coverset._cpu_sums import *  # noqa: F403 -- a stub's way to lend all names

_Int64 = NDArray[np.int64]
_Int32 = NDArray[np.int32]
_Int16 = NDArray[np.int16]
_UInt8 = NDArray[np.uint8]
_Float64 = NDArray[np.float64]
_Float32 = NDArray[np.float32]

MOST_CLASSES: int
__version__: str

def available_threads() -> int: ...
def simd_level() -> str: ...
def simd_levels() -> list[str]: ...
def force_simd_level(name: str) -> None: ...

# label matrix
def narrow(
    name: str, values: NDArray[Any], low: int, high: int, out: NDArray[Any], threads: int
) -> None: ...
def check_votes(
    indptr: _Int64, lfs: _Int32, labels: _Int16, n_lfs: int, cardinality: int, threads: int
) -> bool: ...
def sort_rows(indptr: _Int64, lfs: _Int32, labels: _Int16, threads: int) -> None: ...
def count_dense(cells: NDArray[Any], cardinality: int, indptr: _Int64, threads: int) -> int: ...
def fill_dense(
    cells: NDArray[Any], indptr: _Int64, lfs: _Int32, labels: _Int16, threads: int
) -> None: ...
def to_dense(
    indptr: _Int64, lfs: _Int32, labels: _Int16, n_lfs: int, dense: _Int16, threads: int
) -> None: ...
def from_triplets(
    rows: _Int64,
    lfs: _Int32,
    labels: _Int16,
    duplicates: str,
    indptr: _Int64,
    out_lfs: _Int32,
    out_labels: _Int16,
    threads: int,
) -> tuple[int, int, int, int]: ...
def size_rows(indptr: _Int64, rows: _Int64, out_indptr: _Int64, threads: int) -> None: ...
def fill_rows(
    indptr: _Int64,
    lfs: _Int32,
    labels: _Int16,
    rows: _Int64,
    out_indptr: _Int64,
    out_lfs: _Int32,
    out_labels: _Int16,
    threads: int,
) -> None: ...
def size_lfs(
    indptr: _Int64, lfs: _Int32, new_id: _Int32, out_indptr: _Int64, threads: int
) -> None: ...
def fill_lfs(
    indptr: _Int64,
    lfs: _Int32,
    labels: _Int16,
    new_id: _Int32,
    out_indptr: _Int64,
    out_lfs: _Int32,
    out_labels: _Int16,
    threads: int,
) -> None: ...
def append_lfs(
    indptr: _Int64,
    lfs: _Int32,
    labels: _Int16,
    first_lf: int,
    out_indptr: _Int64,
    filled: _Int64,
    out_lfs: _Int32,
    out_labels: _Int16,
    threads: int,
) -> None: ...
def count_lfs(
    indptr: _Int64,
    lfs: _Int32,
    labels: _Int16,
    cardinality: int,
    gold: _Int16,
    by_class: _Int64,
    overlaps: _Int64,
    conflicts: _Int64,
    correct: _Int64,
    incorrect: _Int64,
    threads: int,
) -> None: ...
def count_labels(
    indptr: _Int64, lfs: _Int32, labels: _Int16, cardinality: int, counts: _Int64, threads: int
) -> None: ...

# labeling functions
class TextColumn:
    def __init__(
        self, index: NDArray[Any], buffers: list[_UInt8], validity: _UInt8, validity_offset: int
    ) -> None: ...
    @property
    def bytes(self) -> int: ...

class LiteralScanner:
    def __init__(
        self,
        literals: Sequence[tuple[bytes, int, bool, bool, bool]],
        min_counts: Sequence[int],
        word_ranges: NDArray[np.uint32],
        folds: NDArray[np.uint32],
    ) -> None: ...

class StringTable:
    def __init__(
        self, strings: Sequence[bytes], rules: Sequence[Sequence[int]], others: Sequence[int]
    ) -> None: ...

def text_of_strings(strings: Sequence[str | None]) -> tuple[_Int64, _UInt8, _UInt8]: ...
def take_text(text: TextColumn, rows: _Int32, lines: bool) -> tuple[_Int64, _UInt8]: ...
def find_invalid_utf8(text: TextColumn, threads: int) -> int: ...
def scan_literals(
    scanner: LiteralScanner, text: TextColumn, threads: int
) -> tuple[_Int32, _Int32]: ...

class PatternDatabase:
    def __init__(self, patterns: Sequence[str], once: bool) -> None: ...
    @staticmethod
    def available() -> bool: ...

def find_patterns(
    database: PatternDatabase, text: TextColumn, rows: _Int32, as_lines: bool, threads: int
) -> tuple[tuple[_Int32, _Int32], int]: ...
def match_strings(table: StringTable, text: TextColumn, threads: int) -> tuple[_Int32, _Int32]: ...
def expand_hits(
    rows: _Int32, rules: _Int32, codes: _Int32, n_values: int, threads: int
) -> tuple[_Int32, _Int32]: ...
def match_numbers(
    values: NDArray[Any],
    validity: _UInt8,
    validity_offset: int,
    low: NDArray[Any],
    high: NDArray[Any],
    rules: _Int32,
    threads: int,
) -> tuple[_Int32, _Int32]: ...
def match_scores(
    scores: Sequence[tuple[NDArray[Any], _UInt8, int]],
    thresholds: NDArray[Any],
    rules: _Int32,
    threads: int,
) -> tuple[_Int32, _Int32]: ...
def match_features(
    indptr: NDArray[Any],
    columns: NDArray[Any],
    values: NDArray[Any],
    weight_indptr: _Int64,
    members: _Int32,
    weights: _Float64,
    bias: _Float64,
    rules: _Int32,
    threads: int,
) -> tuple[_Int32, _Int32]: ...
def match_embeddings(
    embeddings: _Float32,
    validity: _UInt8,
    validity_offset: int,
    prototypes: _Float32,
    thresholds: _Float64,
    rules: _Int32,
    cosine: bool,
    first_row: int,
    threads: int,
) -> tuple[_Int32, _Int32]: ...
def assemble_votes(
    n: int,
    parts: Sequence[tuple[_Int32, _Int32, _Int16]],
    rule_lfs: _Int32,
    rule_labels: _Int16,
    threads: int,
) -> tuple[_Int64, _Int32, _Int16]: ...

# label models
TIE_BREAKER: float

class FitOptions:
    anchor: float
    kappa: float
    annotator_share: float
    row_correlation: float
    tolerance: float
    most_passes: int
    batch: int
    seed: int
    balance_given: bool
    def __init__(self) -> None: ...

def vote_fractions(
    indptr: _Int64,
    lfs: _Int32,
    labels: _Int16,
    cardinality: int,
    probabilities: _Float32,
    threads: int,
) -> None: ...
def choose_labels(
    probabilities: _Float32,
    cardinality: int,
    tie_break: str,
    seed: int,
    labels: _Int16,
    threads: int,
) -> None: ...
def group_rows(
    indptr: _Int64,
    lfs: _Int32,
    labels: _Int16,
    gold: _Int16,
    pattern_of_row: _Int64,
    first_row: _Int64,
    threads: int,
) -> int: ...
def find_columns(
    indptr: _Int64,
    lfs: _Int32,
    labels: _Int16,
    column_indptr: _Int64,
    column_label: _Int16,
    annotator: _UInt8,
    column_weight: _Float64,
    column_of_vote: _Int32,
    threads: int,
) -> None: ...
def measure_agreement(
    indptr: _Int64,
    column: _Int32,
    weight: _Float64,
    gold: _Int16,
    column_indptr: _Int64,
    column_label: _Int16,
    annotator: _UInt8,
    column_weight: _Float64,
    cluster: _Int32,
    share: _Float64,
    threads: int,
) -> tuple[float, float]: ...

class DawidSkeneOptions:
    def __init__(
        self,
        confusion: str,
        abstain_is_outcome: bool,
        smoothing: float,
        diagonal: float,
        balance_given: bool,
        most_passes: int,
        tolerance: float,
    ) -> None: ...

def weigh_confusions(
    column_indptr: _Int64,
    column_label: _Int16,
    options: DawidSkeneOptions,
    expected: _Float64,
    rows: _Float64,
    class_balance: _Float64,
    log_weight: _Float64,
    log_prior: _Float64,
    threads: int,
) -> None: ...
def fit_dawid_skene(
    indptr: _Int64,
    column: _Int32,
    weight: _Float64,
    gold: _Int16,
    column_indptr: _Int64,
    column_label: _Int16,
    options: DawidSkeneOptions,
    expected: _Float64,
    rows: _Float64,
    class_balance: _Float64,
    log_weight: _Float64,
    log_prior: _Float64,
    threads: int,
) -> tuple[int, float]: ...
def moment_loss(
    moments: tuple[_Int64, _Float64, _Int64, _Int32, _Float64, _Float64],
    mu: _Float64,
    start: _Float64,
    l2: float,
    threads: int,
) -> float: ...
def descend_moments(
    moments: tuple[_Int64, _Float64, _Int64, _Int32, _Float64, _Float64],
    optimizer: str,
    momentum: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    amsgrad: bool,
    l2: float,
    rates: _Float64,
    start: _Float64,
    mu: _Float64,
    threads: int,
) -> bool: ...
def predict_one_vs_rest(
    indptr: _Int64,
    column: _Int32,
    log_weight: _Float64,
    log_prior: _Float64,
    probabilities: _Float32,
    threads: int,
) -> None: ...
def solve_neighborhoods(
    correlation: _Float64, l1: float, coefficients: _Float64, threads: int
) -> None: ...
def fit_factors(
    label_indptr: _Int64,
    label: _Int16,
    edge: _UInt8,
    counts: _Float64,
    ridge: float,
    parameters: _Float64,
    threads: int,
) -> int: ...
def factor_log_probabilities(
    label_indptr: _Int64,
    label: _Int16,
    edge: _UInt8,
    parameters: _Float64,
    log_probabilities: _Float64,
    threads: int,
) -> None: ...
def logs(values: _Float64) -> _Float64: ...
def solve_triplets(
    indptr: _Int64, lf: _Int32, correlation: _Float64, mean_out: _Float64, threads: int
) -> None: ...
def count_overlaps(
    indptr: _Int64, column: _Int32, weight: _Float64, gold: _Int16, columns: int, threads: int
) -> tuple[_Int64, _Int32, _Float64]: ...
def weigh_columns(
    column_indptr: _Int64,
    column_label: _Int16,
    annotator: _UInt8,
    column_weight: _Float64,
    options: FitOptions,
    expected: _Float64,
    log_weight: _Float64,
    class_balance: _Float64,
    believed: _Float64,
    believed_rows: _Float64,
    threads: int,
) -> None: ...
def class_log_prior(options: FitOptions, class_balance: _Float64, log_prior: _Float64) -> None: ...
def fit_label_model(
    indptr: _Int64,
    column: _Int32,
    weight: _Float64,
    gold: _Int16,
    column_indptr: _Int64,
    column_label: _Int16,
    annotator: _UInt8,
    column_weight: _Float64,
    options: FitOptions,
    expected: _Float64,
    log_weight: _Float64,
    class_balance: _Float64,
    believed: _Float64,
    believed_rows: _Float64,
    threads: int,
) -> tuple[int, float]: ...
def refine_by_rows(
    indptr: _Int64,
    lfs: _Int32,
    labels: _Int16,
    column_of: _Int32,
    gold: _Int16,
    column_indptr: _Int64,
    column_label: _Int16,
    annotator: _UInt8,
    column_weight: _Float64,
    options: FitOptions,
    rows_before: float,
    expected: _Float64,
    log_weight: _Float64,
    class_balance: _Float64,
    believed: _Float64,
    believed_rows: _Float64,
    threads: int,
) -> None: ...
def predict_proba(
    indptr: _Int64,
    column: _Int32,
    log_weight: _Float64,
    column_weight: _Float64,
    log_prior: _Float64,
    row_correlation: float,
    without_votes: _Float64,
    probabilities: _Float32,
    threads: int,
) -> None: ...

# nearest neighbors
def find_normalization(
    data: NDArray[Any], kind: str, scale: _Float32, metric: str, mean: _Float32, threads: int
) -> float: ...
def find_bad_row(
    data: NDArray[Any], kind: str, scale: _Float32, metric: str, threads: int
) -> tuple[int, float]: ...
def load_rows(
    data: NDArray[Any], kind: str, scale: _Float32, out: _Float32, threads: int, unit: bool = False
) -> None: ...
def find_nearest(
    data: NDArray[Any],
    kind: str,
    scale: _Float32,
    mean: _Float32,
    mean_scale: float,
    queries: _Float32,
    metric: str,
    k: int,
    excluded: _UInt8,
    own: _Int64,
    distances: _Float32,
    nearest: _Int64,
    threads: int,
) -> None: ...
def extend_graph(
    data: NDArray[Any],
    kind: str,
    scale: _Float32,
    mean: _Float32,
    mean_scale: float,
    metric: str,
    begin: int,
    end: int,
    shared_from: int,
    distances: _Float32,
    nearest: _Int64,
    threads: int,
) -> None: ...
def find_within(
    data: NDArray[Any],
    kind: str,
    scale: _Float32,
    mean: _Float32,
    mean_scale: float,
    queries: _Float32,
    metric: str,
    excluded: _UInt8,
    radius: float,
    threads: int,
) -> tuple[_Int64, _Float32, _Int64]: ...
def k_center(
    data: NDArray[Any],
    kind: str,
    scale: _Float32,
    unit: bool,
    start: int,
    initial: _Int64,
    weights: _Float32,
    n_outliers: int,
    stop: float,
    indices: _Int64,
    bounds: _Float32,
    threads: int,
    strategy: str = "best",
    tick: Callable[[], object] | None = None,
) -> dict[str, Any]: ...
def assign_nearest(
    data: NDArray[Any],
    kind: str,
    scale: _Float32,
    unit: bool,
    centers: _Int64,
    nearest: _Int64,
    threads: int,
) -> None: ...
