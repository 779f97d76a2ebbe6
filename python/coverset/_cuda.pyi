"""Stub of the compiled CUDA kernels.

Arrays are on the device: they have ``__cuda_array_interface__`` (version 2 or 3), just these
dtypes, in C order; none is copied. Work that their owners queued on a stream they name there runs
first. A call returns before its own work is done: what it writes is ready on ``stream``, and the
arrays must live until then. ``stream`` is a ``cudaStream_t`` as an integer, 0 the default stream.
"""

from typing import Any, Protocol

class _DeviceArray(Protocol):
    @property
    def __cuda_array_interface__(self) -> dict[str, Any]: ...

__version__: str

def why_not() -> str: ...

# label model
def vote_fractions(
    device: int,
    stream: int,
    indptr: _DeviceArray,  # (n + 1,) int64, ascending from 0 to the number of votes: not checked
    labels: _DeviceArray,  # (votes,) int16, in 0..cardinality - 1: not checked
    cardinality: int,
    probabilities: _DeviceArray,  # (n, cardinality) float32 out
) -> None: ...
