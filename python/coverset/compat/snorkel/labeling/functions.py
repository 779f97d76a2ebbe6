"""Row-wise labeling functions with Snorkel's signatures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


class LabelingFunction:
    """A function of one data point that returns a class, or -1 to abstain.

    :func:`coverset.apply` takes these as well.

    Parameters
    ----------
    name : str
    f : callable
        Called as ``f(x, **resources)``.
    resources : mapping, optional
    pre : sequence of callables, optional
        Each is called on the data point before ``f``, in order.
    """

    def __init__(
        self,
        name: str,
        f: Callable[..., int],
        resources: Mapping[str, Any] | None = None,
        pre: Sequence[Callable[[Any], Any]] | None = None,
    ) -> None:
        self.name = name
        self._f = f
        self._resources = dict(resources or {})
        self._pre = list(pre or [])

    def __call__(self, x: Any) -> int:
        """Return the vote for a data point."""
        for preprocess in self._pre:
            x = preprocess(x)
            if x is None:
                msg = "Preprocessor should not return None"
                raise ValueError(msg)
        return self._f(x, **self._resources)

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.name}, Preprocessors: {self._pre}"


class labeling_function:  # noqa: N801 - the name that scripts use
    """Decorator that makes a :class:`LabelingFunction`; always called: ``@labeling_function()``."""

    def __init__(
        self,
        name: str | None = None,
        resources: Mapping[str, Any] | None = None,
        pre: Sequence[Callable[[Any], Any]] | None = None,
    ) -> None:
        if callable(name):
            msg = "Looks like this decorator is missing parentheses!"
            raise ValueError(msg)
        self.name = name
        self.resources = resources
        self.pre = pre

    def __call__(self, f: Callable[..., int]) -> LabelingFunction:
        """Return the labeling function."""
        return LabelingFunction(self.name or f.__name__, f, self.resources, self.pre)
