"""Whether kernels can run on a CUDA device here, and why not."""

from __future__ import annotations

from types import ModuleType


def _module() -> ModuleType | None:
    """Return the extension ``_cuda``, or None where it was not built."""
    try:
        from coverset import _cuda
    except ImportError:
        return None
    return _cuda


def why_not() -> str:
    """Return why no kernel can run on a CUDA device here; empty when one can."""
    module = _module()
    if module is None:
        return "this build of coverset has no CUDA kernels (build with COVERSET_CUDA=ON)"
    return str(module.why_not())


def is_available() -> bool:
    """Return whether kernels can run on a CUDA device.

    True when the extension ``_cuda`` was built, a driver answers and there is a device. It creates
    no CUDA context.
    """
    return why_not() == ""
