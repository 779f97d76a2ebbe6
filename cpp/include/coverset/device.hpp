// Where a kernel runs. Each contract is declared once for every device that has it.
#pragma once

#include <cstddef>

#if defined(__CUDACC__)
#define COVERSET_HD __host__ __device__
#else
#define COVERSET_HD
#endif

namespace coverset {

/// The CPU: at most `threads` threads (0 means available_threads()). The calling thread asks
/// `poll(state)` between blocks of work; when it answers true the kernel throws Canceled. The
/// poll must not throw.
struct Cpu {
  int threads = 0;
  bool (*poll)(void*) = nullptr;
  void* state = nullptr;
};

/// Device memory that the caller lends to a kernel for the length of one call.
struct Workspace {
  void* data = nullptr;
  std::size_t bytes = 0;
};

/// A CUDA device and the caller's stream (a cudaStream_t; null is the default stream).
/// Pointers passed with it are device pointers; the call returns before the work is done, unless it
/// returns a number that the work finds.
struct Cuda {
  int ordinal = 0;
  void* stream = nullptr;
  Workspace scratch = {};
};

}  // namespace coverset
