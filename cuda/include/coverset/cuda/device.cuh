// Which device a call runs on, and whether there is one.
#pragma once

#include <string>

namespace coverset::cuda {

/// Why no kernel can run here, in words; empty when a driver answers and there is a device.
/// Creates no context.
std::string why_not();

/// Throws std::runtime_error with why_not() if that is not empty, and std::invalid_argument if
/// there is no device `ordinal`.
void require_device(int ordinal);

/// Makes `ordinal` the calling thread's device and gives the former one back at the end.
class DeviceGuard {
 public:
  explicit DeviceGuard(int ordinal);
  ~DeviceGuard();
  DeviceGuard(const DeviceGuard&) = delete;
  DeviceGuard& operator=(const DeviceGuard&) = delete;

 private:
  int ordinal_ = 0;
  int former_ = 0;
};

}  // namespace coverset::cuda
