"""Core-sets: few rows that cover all others."""

from coverset.coreset.core_set import CoreSet
from coverset.coreset.k_center import k_center
from coverset.coreset.merge import k_center_merge

__all__ = ["CoreSet", "k_center", "k_center_merge"]
