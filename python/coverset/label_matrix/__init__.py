"""Label matrices: sparse votes of labeling functions, and what each function did."""

from coverset.label_matrix.construct import DuplicateReport
from coverset.label_matrix.matrix import LabelMatrix
from coverset.label_matrix.summary import LFSummary, lf_summary

__all__ = ["DuplicateReport", "LFSummary", "LabelMatrix", "lf_summary"]
