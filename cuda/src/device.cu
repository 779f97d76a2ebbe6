#include <sstream>
#include <stdexcept>

#include "coverset/cuda/check.cuh"
#include "coverset/cuda/device.cuh"
#include "coverset/error.hpp"

namespace coverset::cuda {
namespace {

/// A version as the runtime counts it: 13020 is 13.2.
std::string version_text(int version) {
  std::ostringstream text;
  text << version / 1000 << "." << version % 1000 / 10;
  return text.str();
}

}  // namespace

std::string why_not() {
  int driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) {
    cudaGetLastError();
    return "no CUDA driver: install an NVIDIA driver for CUDA " + version_text(CUDART_VERSION) +
           " or newer";
  }
  int devices = 0;
  const cudaError_t status = cudaGetDeviceCount(&devices);
  if (status == cudaSuccess && devices > 0) return "";
  cudaGetLastError();
  if (status == cudaErrorInsufficientDriver) {
    return "CUDA driver too old: it is for CUDA " + version_text(driver) +
           ", coverset was built with CUDA " + version_text(CUDART_VERSION);
  }
  if (status == cudaSuccess || status == cudaErrorNoDevice) {
    return "no CUDA device: the driver sees none (CUDA_VISIBLE_DEVICES may hide them)";
  }
  return std::string("CUDA does not start: ") + cudaGetErrorString(status);
}

void require_device(int ordinal) {
  const std::string reason = why_not();
  if (!reason.empty()) throw std::runtime_error(reason);
  int devices = 0;
  COVERSET_CUDA_CHECK(cudaGetDeviceCount(&devices));
  require(0 <= ordinal && ordinal < devices, "device must be in 0..", devices - 1,
          " (the CUDA devices here), got ", ordinal);
}

DeviceGuard::DeviceGuard(int ordinal) : ordinal_(ordinal) {
  COVERSET_CUDA_CHECK(cudaGetDevice(&former_));
  COVERSET_CUDA_CHECK(cudaSetDevice(ordinal_));
}

DeviceGuard::~DeviceGuard() {
  if (former_ != ordinal_) cudaSetDevice(former_);
}

}  // namespace coverset::cuda
