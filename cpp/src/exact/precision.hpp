// In how many bits rows and queries are multiplied, and what rounding to them takes away.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "exact/product/reduced.hpp"

namespace coverset {

/// The precision, `wanted` or the next finer one, that this CPU multiplies rows of d numbers in.
inline Precision precision_from(Precision wanted, std::int64_t d) {
  constexpr std::int64_t kMostInt8 = 1 << 16;  // beyond, 32-bit sums of squares overflow
#if defined(__x86_64__)
  if (simd_level() < SimdLevel::vnni) return Precision::float32;
  if (wanted == Precision::int8 && d > kMostInt8) wanted = Precision::bfloat16;
  if (wanted == Precision::bfloat16 && !multiplies_bfloat16()) wanted = Precision::float32;
  return wanted;
#else
  static_cast<void>(wanted), static_cast<void>(d), static_cast<void>(kMostInt8);
  return Precision::float32;
#endif
}

/// What comes after a precision that is not float32.
inline Precision finer(Precision precision, std::int64_t d) {
  return precision_from(static_cast<Precision>(static_cast<int>(precision) + 1), d);
}

/// Numbers that a row takes up, zeros included: whole registers or tiles, and no two rows of a
/// panel a multiple of 1,024 bytes apart, where they would fight for their place in the cache.
inline std::int64_t depth_at(Precision precision, std::int64_t d) {
  constexpr std::int64_t kBytes[] = {1, 2, 4};
  const std::int64_t unit = 64 / kBytes[static_cast<std::size_t>(precision)];
  const std::int64_t depth = (d + unit - 1) / unit * unit;
  return depth % (16 * unit) == 0 ? depth + unit : depth;
}

/// Numbers of one precision.
struct Numbers {
  std::vector<std::int8_t> int8;
  std::vector<std::uint16_t> bfloat16;
  std::vector<float> float32;

  void resize(Precision precision, std::int64_t count) {
    const auto size = static_cast<std::size_t>(count);
    if (precision == Precision::int8) int8.resize(size);
    if (precision == Precision::bfloat16) bfloat16.resize(size);
    if (precision == Precision::float32) float32.resize(size);
  }
};

/// Rounds a normalized row (d) to row `at` of numbers of `depth`; float32 is copied if need be.
inline ReducedRow reduce(Precision precision, const float* row, std::int64_t d, std::int64_t depth,
                         std::int64_t at, Numbers& to) {
#if defined(__x86_64__)
  if (precision == Precision::int8) {
    return vnni::reduce_to_int8(row, d, depth, to.int8.data() + at * depth);
  }
  if (precision == Precision::bfloat16) {
    return vnni::reduce_to_bfloat16(row, d, depth, to.bfloat16.data() + at * depth);
  }
#endif
  static_cast<void>(precision);
  float* target = to.float32.data() + at * depth;
  if (target != row) std::copy(row, row + d, target);
  return {1.0f, 0, 0.0f};
}

/// A bound on the norm of what rounding took away, from its sum of squares.
inline double lost_norm(Precision precision, float squares, std::int64_t d) {
  if (precision == Precision::float32) return 0.0;
  // twice: the rounding of the sum; then what underflowed in it, or a whole row below 2^-100
  return 1.01 * std::sqrt(static_cast<double>(squares) * (1.0 + static_cast<double>(d) * 0x1p-23)) +
         std::sqrt(static_cast<double>(d)) * 0x1p-70;
}

}  // namespace coverset
