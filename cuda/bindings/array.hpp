// Device arrays as views, through the CUDA array interface (versions 2 and 3): exact dtype, C
// order, never a copy.
#pragma once

#include <cuda_runtime_api.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "coverset/cuda/check.cuh"
#include "coverset/error.hpp"

namespace coverset::bindings {

namespace py = pybind11;

/// How the interface spells an element type, and how its users do.
struct Dtype {
  std::string_view typestr;
  std::string_view name;
};

template <class T>
constexpr Dtype dtype_of = {};
template <>
inline constexpr Dtype dtype_of<std::int64_t> = {"<i8", "int64"};
template <>
inline constexpr Dtype dtype_of<std::int16_t> = {"<i2", "int16"};
template <>
inline constexpr Dtype dtype_of<float> = {"<f4", "float32"};

/// An argument as its interface describes it. `stream` is the stream on which its owner may still
/// work on it, 0 when the owner named none.
template <class T>
struct DeviceArray {
  const char* name = nullptr;
  T* data = nullptr;
  std::vector<std::int64_t> shape;
  std::int64_t size = 0;
  std::uintptr_t stream = 0;

  std::span<T> span() const { return {data, static_cast<std::size_t>(size)}; }
};

inline std::string shape_text(const std::vector<std::int64_t>& shape) {
  return py::str(py::tuple(py::cast(shape)));
}

/// Entry `key` of an interface; None where it has none.
inline py::object entry(const py::dict& interface, const char* key) {
  return interface.contains(key) ? py::object(interface[key]) : py::object(py::none());
}

inline py::dict interface_of(const py::object& object, const char* name) {
  PyObject* found = PyObject_GetAttrString(object.ptr(), "__cuda_array_interface__");
  if (found == nullptr) {
    if (PyErr_ExceptionMatches(PyExc_AttributeError) == 0) throw py::error_already_set();
    PyErr_Clear();
    throw py::type_error(
        std::string(name) +
        " must be an array on a CUDA device (with __cuda_array_interface__), got " +
        Py_TYPE(object.ptr())->tp_name);
  }
  return py::reinterpret_steal<py::object>(found).cast<py::dict>();
}

/// Strides count only where there is more than one step to take, as in NumPy.
inline bool c_contiguous(const std::vector<std::int64_t>& shape,
                         const std::vector<std::int64_t>& strides, std::int64_t itemsize) {
  if (strides.size() != shape.size()) return false;
  std::int64_t expected = itemsize;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    if (shape[axis] != 1 && strides[axis] != expected) return false;
    expected *= shape[axis];
  }
  return true;
}

template <class T>
DeviceArray<T> parse(const py::dict& interface, const char* name) {
  constexpr Dtype dtype = dtype_of<std::remove_const_t<T>>;
  constexpr std::int64_t kItem = sizeof(T);

  const auto version = interface["version"].cast<int>();
  require(version == 2 || version == 3, name,
          " must have version 2 or 3 of __cuda_array_interface__, got ", version);
  const auto typestr = interface["typestr"].cast<std::string>();
  if (typestr != dtype.typestr) {
    throw py::type_error(std::string(name) + " must be " + std::string(dtype.name) + " (" +
                         std::string(dtype.typestr) + "), got " + typestr);
  }
  require(entry(interface, "mask").is_none(), name, " must have no mask");

  DeviceArray<T> array;
  array.name = name;
  for (const py::handle length : interface["shape"].cast<py::tuple>()) {
    array.shape.push_back(length.cast<std::int64_t>());
  }
  std::int64_t bytes = kItem;
  for (const std::int64_t length : array.shape) {
    require(length >= 0 && !__builtin_mul_overflow(bytes, length, &bytes), name,
            " must have a shape that memory can hold, got ", shape_text(array.shape));
  }
  array.size = bytes / kItem;

  const py::object strides = entry(interface, "strides");
  if (!strides.is_none() && array.size > 0) {
    std::vector<std::int64_t> steps;
    for (const py::handle step : strides.cast<py::tuple>()) {
      steps.push_back(step.cast<std::int64_t>());
    }
    require(c_contiguous(array.shape, steps, kItem), name, " must be C-contiguous, got strides ",
            shape_text(steps), " for shape ", shape_text(array.shape));
  }

  const auto data = interface["data"].cast<py::tuple>();
  const auto address = data[0].cast<std::uintptr_t>();
  require(std::is_const_v<T> || !data[1].cast<bool>(), name,
          " must be writable, got a read-only array");
  require(array.size == 0 || (address != 0 && address % kItem == 0), name,
          " must lie at a nonzero multiple of ", kItem, " bytes, got address ", address);
  array.data = reinterpret_cast<T*>(address);

  const py::object stream = entry(interface, "stream");
  if (!stream.is_none()) {
    array.stream = stream.cast<std::uintptr_t>();
    require(array.stream != 0, name,
            " must name no stream 0, which is ambiguous: None, 1 (legacy default stream), 2 "
            "(per-thread default stream) or a handle");
  }
  return array;
}

/// The argument `name`, read only when T is const. Throws TypeError for another kind of object or
/// dtype, ValueError for another layout. Reads no device memory and needs no device.
template <class T>
DeviceArray<T> device_array(const py::object& object, const char* name) {
  try {
    return parse<T>(interface_of(object, name), name);
  } catch (const py::cast_error&) {
  } catch (const py::error_already_set& error) {
    if (!error.matches(PyExc_LookupError)) throw;
  }
  throw py::type_error(std::string(name) + " has a malformed __cuda_array_interface__");
}

/// Makes `stream` ready to use `array`: its memory must be within reach of device `ordinal`, the
/// calling thread's, and what its owner has queued so far runs first. The host does not wait.
template <class T>
void admit(const DeviceArray<T>& array, int ordinal, cudaStream_t stream) {
  if (array.size > 0) {
    cudaPointerAttributes memory{};
    COVERSET_CUDA_CHECK(cudaPointerGetAttributes(&memory, array.data));
    require(memory.type != cudaMemoryTypeUnregistered, array.name,
            " must be memory that CUDA knows, got an unregistered host address");
    require(memory.type != cudaMemoryTypeDevice || memory.device == ordinal, array.name,
            " must be on device ", ordinal, ", got device ", memory.device);
  }
  // handles 1 and 2 are cudaStreamLegacy and cudaStreamPerThread themselves
  const auto owner = reinterpret_cast<cudaStream_t>(array.stream);
  if (owner == nullptr || owner == stream) return;
  cudaEvent_t event = nullptr;
  COVERSET_CUDA_CHECK(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
  const std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, decltype(&cudaEventDestroy)> owned(
      event, &cudaEventDestroy);
  COVERSET_CUDA_CHECK(cudaEventRecord(event, owner));
  COVERSET_CUDA_CHECK(cudaStreamWaitEvent(stream, event, 0));
}

}  // namespace coverset::bindings
