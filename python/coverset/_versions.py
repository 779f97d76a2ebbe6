"""Versions, SIMD level, threads and CUDA of this installation."""

from __future__ import annotations

import platform
from importlib import metadata

import coverset._cpu as _cpu
import coverset.cuda as cuda

__version__: str = _cpu.__version__
_OPTIONAL = ("numpy", "scipy", "pyarrow", "pandas", "polars", "scikit-learn", "torch", "cupy")


def _installed(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def show_versions() -> None:
    """Print what a bug report needs: versions, SIMD level, threads and CUDA.

    Examples
    --------
    >>> import coverset as cs
    >>> cs.show_versions()  # doctest: +ELLIPSIS
    coverset      ...
    """
    lines = {
        "coverset": __version__,
        "SIMD level": f"{_cpu.simd_level()} of {', '.join(_cpu.simd_levels())}",
        "threads": str(_cpu.available_threads()),
        "CUDA": "available" if cuda.is_available() else cuda.why_not(),
        "Python": f"{platform.python_version()} on {platform.machine()}",
        **{package: _installed(package) for package in _OPTIONAL},
    }
    for name, value in lines.items():
        print(f"{name:<13} {value}")
