"""Label models: class probabilities from the votes of labeling functions."""

from coverset.label_model.analysis.choice import Choice, choose_label_model
from coverset.label_model.analysis.dependencies import learn_dependencies
from coverset.label_model.analysis.page import report_page
from coverset.label_model.analysis.review import (
    Changes,
    compare_with_majority,
    label_buckets,
    suggest_rows,
)
from coverset.label_model.estimation.dependency_graph import DependencyGraph
from coverset.label_model.models.anchored import LabelModel
from coverset.label_model.models.calibration import Calibration
from coverset.label_model.models.dawid_skene import DawidSkene
from coverset.label_model.models.explanation import Explanation
from coverset.label_model.models.majority_vote import MajorityVote
from coverset.label_model.models.moment_model import MomentModel
from coverset.label_model.models.multi_label import MultiLabelModel
from coverset.label_model.models.triplet_model import TripletModel

__all__ = [
    "Calibration",
    "Changes",
    "Choice",
    "DawidSkene",
    "DependencyGraph",
    "Explanation",
    "LabelModel",
    "MajorityVote",
    "MomentModel",
    "MultiLabelModel",
    "TripletModel",
    "choose_label_model",
    "compare_with_majority",
    "label_buckets",
    "learn_dependencies",
    "report_page",
    "suggest_rows",
]
