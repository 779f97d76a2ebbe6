"""Labeling functions, appliers and analysis, as in ``snorkel.labeling``."""

from coverset.compat.snorkel.labeling.analysis import LFAnalysis, filter_unlabeled_dataframe
from coverset.compat.snorkel.labeling.appliers import ApplierMetadata, LFApplier, PandasLFApplier
from coverset.compat.snorkel.labeling.functions import LabelingFunction, labeling_function

__all__ = [
    "ApplierMetadata",
    "LFAnalysis",
    "LFApplier",
    "LabelingFunction",
    "PandasLFApplier",
    "filter_unlabeled_dataframe",
    "labeling_function",
]
