// CUDA status -> std::runtime_error with call, file and line.
#pragma once

#include <cuda_runtime_api.h>

#include <sstream>
#include <stdexcept>

namespace coverset::cuda {

inline void check(cudaError_t status, const char* call, const char* file, int line) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // reported here: the caller's next check must not meet it again
  std::ostringstream text;
  text << call << ": " << cudaGetErrorString(status) << " (" << cudaGetErrorName(status) << ", "
       << file << ":" << line << ")";
  throw std::runtime_error(text.str());
}

}  // namespace coverset::cuda

#define COVERSET_CUDA_CHECK(call) ::coverset::cuda::check((call), #call, __FILE__, __LINE__)
