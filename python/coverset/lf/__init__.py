"""Labeling functions: declarative ones, compiled into native passes, and Python functions."""

from coverset.lf.apply import ApplyReport, apply
from coverset.lf.base import LabelingFunction
from coverset.lf.functions import batch_labeling_function, labeling_function
from coverset.lf.keywords import keywords
from coverset.lf.numbers import compare, score
from coverset.lf.regex import regex

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
