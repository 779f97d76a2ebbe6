// How a Python call meets a kernel: GIL released, Ctrl-C heard.
#pragma once

#include <pthread.h>
#include <pybind11/pybind11.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

#include "coverset/device.hpp"
#include "coverset/parallel.hpp"
#include "coverset/simd.hpp"

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
/// a daemon thread waits here for the process to go. Where the end begins while the thread waits
/// for the GIL, Python 3.11 to 3.13 unwind it (pthread_exit), which must not leave a destructor.
class Unlocked {
 public:
  Unlocked() : state_(PyEval_SaveThread()) {}
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;
  ~Unlocked() {
    while (finalizing()) pause();
    try {
      PyEval_RestoreThread(state_);
    } catch (...) {
      for (;;) pause();
    }
  }

 private:
  PyThreadState* state_;
};

/// The thread that Python runs signal handlers in: set when the module is imported, and again in
/// a forked child, whose main thread is the one that forked.
inline std::atomic<pthread_t> main_thread{};

/// Call once, with the GIL held.
inline void remember_main_thread() {
  const auto ident = pybind11::module_::import("threading").attr("main_thread")().attr("ident");
  main_thread = ident.cast<pthread_t>();
  pthread_atfork(nullptr, nullptr, [] { main_thread = pthread_self(); });
}

/// Polls Python's signal handlers, at most every 50 ms, and calls what wants to know of time
/// passing. Python runs handlers in the main thread alone, so they are not polled where another
/// thread called the kernel.
class Interrupt {
 public:
  /// `tick`: a function of no arguments, borrowed, or null.
  explicit Interrupt(PyObject* tick) : tick_(tick) {}

  static bool poll(void* state) { return static_cast<Interrupt*>(state)->pending(); }

 private:
  bool pending() {
    if (!listens_ && tick_ == nullptr) return false;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(50)) return false;
    last_ = now;
    const pybind11::gil_scoped_acquire locked;
    if (tick_ != nullptr &&
        !pybind11::reinterpret_steal<pybind11::object>(PyObject_CallNoArgs(tick_))) {
      return true;  // its error is set
    }
    return listens_ && PyErr_CheckSignals() != 0;
  }

  PyObject* tick_;
  const bool listens_ = pthread_equal(main_thread, pthread_self()) != 0;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// Runs kernel(device) without the GIL. What the environment decides is read before: getenv must
/// not meet another thread's setenv. A Canceled kernel leaves Python's error set; module.cpp
/// turns it into the exception that the signal handler, or `tick`, raised.
template <class Kernel>
decltype(auto) run(int threads, Kernel&& kernel, const pybind11::object& tick = pybind11::none()) {
  Interrupt interrupt(tick.is_none() ? nullptr : tick.ptr());
  const Cpu device{threads > 0 ? threads : available_threads(), &Interrupt::poll, &interrupt};
  simd_level();
  const Unlocked unlocked;
  return kernel(device);
}

}  // namespace coverset::bindings
