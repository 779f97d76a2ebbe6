// Rows of any stored type, as bindings take them.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "array.hpp"
#include "coverset/error.hpp"
#include "coverset/rows.hpp"

namespace coverset::bindings {

/// Rows of any stored type: a two-dimensional array whose rows are contiguous. `kind` says what
/// its items are; `scale` is empty, or one number a row.
inline Rows rows_of(const py::array& data, const std::string& kind, const Array<float>& scale) {
  constexpr std::pair<const char*, Dtype> kKinds[] = {{"float32", Dtype::float32},
                                                      {"float16", Dtype::float16},
                                                      {"bfloat16", Dtype::bfloat16},
                                                      {"int8", Dtype::int8}};
  Rows rows{data.data(), data.shape(0), data.shape(1), data.strides(0)};
  const auto* found = std::ranges::find(kKinds, kind, [](const auto& one) { return one.first; });
  require(found != std::end(kKinds), "kind must be a stored type, got ", kind);
  rows.dtype = found->second;
  if (scale.size() > 0) rows.scale = scale.data();
  return rows;
}

}  // namespace coverset::bindings
