"""Whether kernels can run on a CUDA device here, and why not."""

from __future__ import annotations

from importlib import import_module


def why_not() -> str:
    """Return why no kernel can run on a CUDA device here; empty when one can."""
    try:
        module = import_module("coverset._cuda")
    except ModuleNotFoundError:
        return "this build of coverset has no CUDA kernels (build with COVERSET_CUDA=ON)"
    except ImportError as error:
        return f"the CUDA kernels of coverset do not load: {error}"
    return str(module.why_not())


def is_available() -> bool:
    """Return whether kernels can run on a CUDA device.

    True when the extension ``_cuda`` was built, a driver answers and there is a device. It creates
    no CUDA context.
    """
    return why_not() == ""
