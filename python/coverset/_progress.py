"""Progress of long work: a bar by tqdm, or a function of the caller."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Iterator

Progress = bool | Callable[[int, int | None], object]


def installed() -> bool:
    """Return whether tqdm is there."""
    return importlib.util.find_spec("tqdm") is not None


@contextlib.contextmanager
def report(
    progress: Progress, total: int | None, what: str, unit: str = "rows"
) -> Iterator[Callable[[int], None]]:
    """Yield ``advance(n)``: it moves a bar (True), calls ``progress(done, total)``, or nothing.

    Raises ImportError if ``progress`` is True and tqdm is not installed.
    """
    if progress is True:
        try:
            from tqdm.auto import tqdm
        except ImportError as error:
            msg = "progress=True needs tqdm: pip install 'coverset[progress]'"
            raise ImportError(msg) from error
        with tqdm(total=total, desc=what, unit=unit, unit_scale=True) as bar:
            yield bar.update
    elif callable(progress):
        done = 0

        def advance(n: int) -> None:
            nonlocal done
            done += n
            progress(done, total)

        yield advance
    else:
        yield lambda _n: None
