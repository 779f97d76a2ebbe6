"""coverset: the native core for data-centric AI.

Raw rows become good training data: labeling functions make a sparse :class:`LabelMatrix`, a label
model turns it into class probabilities. Embeddings find their exact nearest neighbors, and few
rows that cover all others.
"""

import coverset.cuda as cuda
import coverset.lf as lf
from coverset._versions import __version__, show_versions
from coverset.coreset import CoreSet, k_center, k_center_merge
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
from coverset.neighbors import (
    FlatIndex,
    Neighbors,
    NeighborsWithin,
    Rows,
    knn,
    knn_graph,
    quantize,
)

__all__ = [
    "ApplyReport",
    "CoreSet",
    "DawidSkene",
    "DuplicateReport",
    "FlatIndex",
    "LFPlan",
    "LFSummary",
    "LabelMatrix",
    "LabelModel",
    "MajorityVote",
    "MomentModel",
    "MultiLabelModel",
    "Neighbors",
    "NeighborsWithin",
    "Rows",
    "TripletModel",
    "__version__",
    "apply",
    "batch_labeling_function",
    "choose_label_model",
    "compare_with_majority",
    "cuda",
    "k_center",
    "k_center_merge",
    "knn",
    "knn_graph",
    "label_buckets",
    "labeling_function",
    "learn_dependencies",
    "lf",
    "lf_summary",
    "quantize",
    "show_versions",
    "suggest_rows",
]
