"""Labeling functions: declarative ones, compiled into native passes, and Python functions."""

from coverset.lf.base import LabelingFunction
from coverset.lf.kinds.combinations import all_of, any_of, not_
from coverset.lf.kinds.functions import batch_labeling_function, labeling_function
from coverset.lf.kinds.linear import linear
from coverset.lf.kinds.nulls import is_null, not_null
from coverset.lf.kinds.numbers import between, compare, isin, precomputed, score
from coverset.lf.kinds.patterns import regex
from coverset.lf.kinds.scores import scores
from coverset.lf.kinds.similar import similar
from coverset.lf.kinds.words import keywords
from coverset.lf.plan.application import apply
from coverset.lf.plan.lf_plan import LFPlan
from coverset.lf.plan.report import ApplyReport

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
