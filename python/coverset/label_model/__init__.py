"""Label models: class probabilities from the votes of labeling functions."""

from coverset.label_model.anchored import LabelModel
from coverset.label_model.dawid_skene import DawidSkene
from coverset.label_model.majority_vote import MajorityVote
from coverset.label_model.moment_model import MomentModel
from coverset.label_model.triplet_model import TripletModel

__all__ = ["DawidSkene", "LabelModel", "MajorityVote", "MomentModel", "TripletModel"]
