"""coverset: the native core for data-centric AI.

Raw rows become good training data: labeling functions make a sparse :class:`LabelMatrix`, a label
model turns it into class probabilities.
"""

from coverset import cuda, lf
from coverset._versions import __version__, show_versions
from coverset.label_matrix import DuplicateReport, LabelMatrix, LFSummary, lf_summary
from coverset.label_model import DawidSkene, LabelModel, MajorityVote, MomentModel, TripletModel
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
    "TripletModel",
    "__version__",
    "apply",
    "batch_labeling_function",
    "cuda",
    "labeling_function",
    "lf",
    "lf_summary",
    "show_versions",
]
