"""Labeling functions: declarative ones, compiled into native passes, and Python functions."""

from coverset.lf.application import ApplyReport, apply
from coverset.lf.base import LabelingFunction
from coverset.lf.functions import batch_labeling_function, labeling_function
from coverset.lf.numbers import compare, score
from coverset.lf.patterns import regex
from coverset.lf.words import keywords

__all__ = [
    "ApplyReport",
    "LabelingFunction",
    "apply",
    "batch_labeling_function",
    "compare",
    "keywords",
    "labeling_function",
    "regex",
    "score",
]
