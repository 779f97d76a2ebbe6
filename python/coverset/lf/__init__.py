"""Labeling functions: declarative ones, compiled into native passes, and Python functions."""

from coverset.lf.application import apply
from coverset.lf.base import LabelingFunction
from coverset.lf.combinations import all_of, any_of, not_
from coverset.lf.functions import batch_labeling_function, labeling_function
from coverset.lf.linear import linear
from coverset.lf.numbers import between, compare, is_null, isin, not_null, precomputed, score
from coverset.lf.patterns import regex
from coverset.lf.plan import LFPlan
from coverset.lf.report import ApplyReport
from coverset.lf.scores import scores
from coverset.lf.similar import similar
from coverset.lf.words import keywords

__all__ = [
    "ApplyReport",
    "LFPlan",
    "LabelingFunction",
    "all_of",
    "any_of",
    "apply",
    "batch_labeling_function",
    "between",
    "compare",
    "is_null",
    "isin",
    "keywords",
    "labeling_function",
    "linear",
    "not_",
    "not_null",
    "precomputed",
    "regex",
    "score",
    "scores",
    "similar",
]
