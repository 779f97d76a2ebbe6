// The canonical distance: every decision about near and far rests on these numbers.
#pragma once

#include <cstdint>

#include "coverset/device.hpp"

namespace coverset {

/// Floats summed side by side: lane l holds the terms of the coordinates l, l + 16, l + 32, ...,
/// added in that order; then lane l takes lane l + 8, then l + 4, l + 2, l + 1. Each product,
/// difference and sum is rounded to float32, nothing is contracted: the same bits on every level,
/// thread count and device.
inline constexpr int kDistanceLanes = 16;

/// Rows of d floats, `stride` floats apart.
struct FloatRows {
  const float* data = nullptr;
  std::int64_t n = 0, d = 0, stride = 0;
  const float* row(std::int64_t i) const { return data + i * stride; }
};

/// out[i * b.n + j] = sum over c of a[i][c] b[j][c]. Runs on the calling thread.
void inner_products(const FloatRows& a, const FloatRows& b, float* out);

/// out[i * b.n + j] = sum over c of (a[i][c] - b[j][c])^2. Runs on the calling thread.
void squared_distances(const FloatRows& a, const FloatRows& b, float* out);

}  // namespace coverset
