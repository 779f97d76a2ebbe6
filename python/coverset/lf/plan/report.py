"""What each labeling function did in a run."""

from __future__ import annotations

from dataclasses import dataclass, field

import coverset._tables as _tables


@dataclass
class ApplyReport:
    """What each labeling function did during :func:`coverset.apply`; prints as a table."""

    names: tuple[str, ...]
    engines: list[str]  # "native", "re2", "batch", "python" or "workers"
    votes: list[int]
    errors: list[int]  # rows that abstained because the function raised
    first_errors: list[str | None]
    seconds: list[float]  # functions that share a pass: its time by equal parts
    unmapped: list[int] = field(default_factory=list)  # answers that a mapping lacks
    n_rows: int = 0
    elapsed: float = 0.0

    def __str__(self) -> str:
        """Return an aligned table; unmapped answers only where there are some."""
        unmapped = {"unmapped": self.unmapped} if any(self.unmapped) else {}
        counts = {"votes": self.votes, "errors": self.errors, **unmapped}
        rows = [("", "engine", *counts, "seconds")]
        for i, name in enumerate(self.names):
            numbers = (f"{values[i]:,}" for values in counts.values())
            rows.append((name, self.engines[i], *numbers, f"{self.seconds[i]:.3f}"))
        failed = [f"{n}: {e}" for n, e in zip(self.names, self.first_errors, strict=True) if e]
        total = f"{self.n_rows:,} rows in {self.elapsed:.3f} s"
        return "\n".join([_tables.aligned(rows), *failed, total])
