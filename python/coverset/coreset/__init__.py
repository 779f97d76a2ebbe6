"""Core-sets: few rows that cover all others."""

from coverset.coreset.core_set import CoreSet
from coverset.coreset.k_center import k_center

__all__ = ["CoreSet", "k_center"]
