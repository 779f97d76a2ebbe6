// NumPy arrays as views: exact dtype, C order, never a copy.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "coverset/error.hpp"
#include "coverset/label_matrix.hpp"
#include "coverset/view.hpp"

namespace coverset::bindings {

namespace py = pybind11;

/// An array argument; with .noconvert() pybind11 refuses any other dtype or layout.
template <class T>
using Array = py::array_t<T, py::array::c_style>;

template <class T>
std::span<const T> in(const Array<T>& array) {
  return {array.data(), static_cast<std::size_t>(array.size())};
}

/// A writable array that the kernel fills; throws ValueError for a read-only one.
template <class T>
std::span<T> out(Array<T>& array) {
  return {array.mutable_data(), static_cast<std::size_t>(array.size())};
}

/// An array that owns the vector's memory: nothing is copied.
template <class T>
py::array_t<T> as_array(std::vector<T> values) {
  auto owner = std::make_unique<std::vector<T>>(std::move(values));
  const auto size = static_cast<py::ssize_t>(owner->size());
  const T* data = owner->data();
  py::capsule keeper(owner.get(),
                     [](void* vector) { delete static_cast<std::vector<T>*>(vector); });
  owner.release();
  return py::array_t<T>(size, data, keeper);
}

using Bytes = Array<std::uint8_t>;

/// Validity bits of rows; an empty array means that no row is null.
inline Bitmap validity_bits(const Bytes& bits, std::int64_t offset, std::int64_t rows) {
  if (bits.size() == 0) return {};
  require(bits.size() * 8 >= offset + rows, "validity bitmap is too short for ", rows, " rows");
  return {bits.data(), offset};
}

inline Votes votes(const Array<std::int64_t>& indptr, const Array<std::int32_t>& lfs,
                   const Array<std::int16_t>& labels) {
  return {in(indptr), in(lfs), in(labels)};
}

/// A one-dimensional contiguous array of any integer dtype.
inline Integers integers(const py::array& array) {
  return {array.data(), static_cast<std::int64_t>(array.size()), static_cast<int>(array.itemsize()),
          array.dtype().kind() == 'i'};
}

}  // namespace coverset::bindings
