// How a Python call meets a kernel: GIL released, Ctrl-C heard.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>

#include "coverset/device.hpp"

namespace coverset::bindings {

/// Polls Python's signal handlers from the calling thread, at most every 50 ms.
class Interrupt {
 public:
  static bool poll(void* state) { return static_cast<Interrupt*>(state)->pending(); }

 private:
  bool pending() {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(50)) return false;
    last_ = now;
    const pybind11::gil_scoped_acquire locked;
    return PyErr_CheckSignals() != 0;
  }
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// Runs kernel(device) without the GIL. A Cancelled kernel leaves Python's error set; module.cpp
/// turns it into the exception that the signal handler raised.
template <class Kernel>
decltype(auto) run(int threads, Kernel&& kernel) {
  const pybind11::gil_scoped_release unlocked;
  Interrupt interrupt;
  return kernel(Cpu{threads, &Interrupt::poll, &interrupt});
}

}  // namespace coverset::bindings
