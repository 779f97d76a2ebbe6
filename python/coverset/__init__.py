"""coverset: the native core for data-centric AI.

Raw rows become good training data: labeling functions make a sparse :class:`LabelMatrix`, a label
model turns it into class probabilities.
"""

from coverset import cuda, lf
from coverset._versions import __version__, show_versions
from coverset.label_matrix import DuplicateReport, LabelMatrix, LFSummary, lf_summary
from coverset.label_model import (
    DawidSkene,
    LabelModel,
    MajorityVote,
    MomentModel,
    MultiLabelModel,
    TripletModel,
    choose_label_model,
    compare_with_majority,
    label_buckets,
    learn_dependencies,
    suggest_rows,
)
from coverset.lf import ApplyReport, LFPlan, apply, batch_labeling_function, labeling_function

__all__ = [
    "ApplyReport",
    "DawidSkene",
    "DuplicateReport",
    "LFPlan",
    "LFSummary",
    "LabelMatrix",
    "LabelModel",
    "MajorityVote",
    "MomentModel",
    "MultiLabelModel",
    "TripletModel",
    "__version__",
    "apply",
    "batch_labeling_function",
    "choose_label_model",
    "compare_with_majority",
    "cuda",
    "label_buckets",
    "labeling_function",
    "learn_dependencies",
    "lf",
    "lf_summary",
    "show_versions",
    "suggest_rows",
]
