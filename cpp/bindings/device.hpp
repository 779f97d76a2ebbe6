// How a Python call meets a kernel: GIL released, Ctrl-C heard.
#pragma once

#include <pybind11/pybind11.h>
#include <unistd.h>

#include <chrono>

#include "coverset/device.hpp"

namespace coverset::bindings {

/// Whether the interpreter is going down: then a thread that takes the GIL never comes back.
inline bool finalizing() {
#if PY_VERSION_HEX >= 0x030d0000
  return Py_IsFinalizing() != 0;
#else
  return _Py_IsFinalizing() != 0;
#endif
}

/// The GIL, released for as long as this lives. At the interpreter's end it is not taken back:
/// a daemon thread waits here for the process to go.
class Unlocked {
 public:
  Unlocked() : state_(PyEval_SaveThread()) {}
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;
  ~Unlocked() {
    while (finalizing()) pause();
    PyEval_RestoreThread(state_);
  }

 private:
  PyThreadState* state_;
};

/// Polls Python's signal handlers, at most every 50 ms. Python runs them in the main thread
/// alone, so a kernel that another thread called is not polled.
class Interrupt {
 public:
  /// Call with the GIL held.
  Interrupt() {
    const auto threading = pybind11::module_::import("threading");
    listens_ = threading.attr("current_thread")().is(threading.attr("main_thread")());
  }

  static bool poll(void* state) { return static_cast<Interrupt*>(state)->pending(); }

 private:
  bool pending() {
    if (!listens_) return false;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(50)) return false;
    last_ = now;
    const pybind11::gil_scoped_acquire locked;
    return PyErr_CheckSignals() != 0;
  }

  bool listens_ = false;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// Runs kernel(device) without the GIL. A Cancelled kernel leaves Python's error set; module.cpp
/// turns it into the exception that the signal handler raised.
template <class Kernel>
decltype(auto) run(int threads, Kernel&& kernel) {
  Interrupt interrupt;
  const Unlocked unlocked;
  return kernel(Cpu{threads, &Interrupt::poll, &interrupt});
}

}  // namespace coverset::bindings
