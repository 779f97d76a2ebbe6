"""Label models: class probabilities from the votes of labeling functions."""

from coverset.label_model.anchored import LabelModel
from coverset.label_model.majority_vote import MajorityVote

__all__ = ["LabelModel", "MajorityVote"]
