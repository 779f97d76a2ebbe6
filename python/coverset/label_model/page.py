"""The old place of :func:`coverset.label_model.report_page`, for one version."""

from __future__ import annotations

import warnings
from typing import Any

from coverset.label_model.analysis.page import report_page as _report_page


def __getattr__(name: str) -> Any:
    if name != "report_page":
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    msg = "coverset.label_model.page.report_page is coverset.label_model.report_page now"
    warnings.warn(msg, FutureWarning, stacklevel=2)
    return _report_page
