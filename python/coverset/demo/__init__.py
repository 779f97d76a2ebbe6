"""The whole path on data that every machine has; ``coverset demo`` runs it.

Rows, labeling functions, votes, label model, probabilities, a classifier: once for a table of
tumors (:mod:`coverset.demo.tumors`), once for the functions of Python's standard library
(:mod:`coverset.demo.docstrings`). Gold is there to measure with; no label model sees it.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TextIO


def run(out: Path, *, progress: bool, stream: TextIO) -> None:
    """Run both parts, print what comes out to ``stream`` and write the labels under ``out``.

    The same files and, apart from timings and paths, the same lines on every run of one Python
    with one scikit-learn. Files of an earlier run are replaced.

    Parameters
    ----------
    out : Path
        A folder; made where it is missing.
    progress : bool
        Show a bar while labeling functions run (needs tqdm).
    stream : text file
        What is printed goes here.

    Raises
    ------
    ImportError
        If scikit-learn or pyarrow is not installed.
    """
    for module in ("sklearn", "pyarrow"):
        try:
            importlib.import_module(module)
        except ImportError as error:
            msg = "coverset demo needs scikit-learn and pyarrow: pip install 'coverset[demo]'"
            raise ImportError(msg) from error
    import coverset.demo.docstrings as docstrings
    import coverset.demo.tumors as tumors

    out.mkdir(parents=True, exist_ok=True)
    written = tumors.run(out, progress=progress, stream=stream)
    written += docstrings.run(out, progress=progress, stream=stream)
    print("\nWritten", *(f"  {path}" for path in written), sep="\n", file=stream)
