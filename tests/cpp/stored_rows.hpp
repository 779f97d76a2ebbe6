// For tests: rows of every storage type, and what their numbers count as by plain scalar loops.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "coverset/canonical.hpp"
#include "coverset/random.hpp"
#include "coverset/rows.hpp"
#include "coverset/simd.hpp"

namespace coverset {

inline constexpr Dtype kDtypes[] = {Dtype::float32, Dtype::float16, Dtype::bfloat16, Dtype::int8};
inline constexpr const char* kDtypeNames[] = {"float32", "float16", "bfloat16", "int8"};
inline constexpr Metric kMetrics[] = {Metric::sqeuclidean, Metric::cosine, Metric::inner_product};
inline constexpr const char* kMetricNames[] = {"sqeuclidean", "cosine", "inner_product"};

inline const char* name(Dtype dtype) { return kDtypeNames[static_cast<int>(dtype)]; }
inline const char* name(Metric metric) { return kMetricNames[static_cast<int>(metric)]; }

/// A number in -1..1.
inline float random_number(std::uint64_t seed, std::uint64_t i) {
  return static_cast<float>(random_bits(seed, i) >> 40) * 0x1p-23f - 1.0f;
}

inline std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline float float_of(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// What 16 bits count as in IEEE's half precision.
inline float half_value(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, digits = bits & 1023;
  const float size = exponent == 0 ? std::ldexp(static_cast<float>(digits), -24)
                                   : std::ldexp(static_cast<float>(1024 + digits), exponent - 25);
  return bits >> 15 != 0 ? -size : size;
}

/// The half nearest to a value from below in size; the largest where none is near.
inline std::uint16_t half_bits(float value) {
  const float size = std::fabs(value);
  const std::uint32_t sign = bits_of(value) >> 31 << 15;
  if (size >= 65504.0f) return static_cast<std::uint16_t>(sign | 0x7bff);
  if (size < 0x1p-14f) {
    return static_cast<std::uint16_t>(sign | static_cast<std::uint32_t>(size * 0x1p24f));
  }
  return static_cast<std::uint16_t>(sign | ((bits_of(size) >> 13) - (112u << 10)));
}

/// Rows (n, d) as they are stored, and as the floats that they count as. Stays where it is made.
struct StoredRows {
  StoredRows(const std::vector<float>& numbers, std::int64_t n, std::int64_t d, Dtype dtype,
             bool unit = false, std::int64_t gap = 0)
      : values(numbers.size()) {
    const std::int64_t stride = d + gap;  // in numbers
    rows = {nullptr, n, d, 0, dtype, nullptr, unit};
    const auto size = static_cast<std::size_t>(n * stride);
    floats.resize(size, std::nanf(""));
    halves.resize(size, 0x7e00);
    bytes.resize(size, 111);
    for (std::int64_t i = 0; i < n; ++i) {
      const float* row = numbers.data() + i * d;
      float largest = 0.0f;
      for (std::int64_t c = 0; c < d; ++c) largest = std::fmax(largest, std::fabs(row[c]));
      // every fifth scale is below 0
      scale.push_back((i % 5 == 4 ? -1.0f : 1.0f) * (largest > 0.0f ? largest / 127.0f : 1.0f));
      for (std::int64_t c = 0; c < d; ++c) {
        values[static_cast<std::size_t>(i * d + c)] =
            store(static_cast<std::size_t>(i * stride + c), row[c], scale.back());
      }
      if (unit) divide_by_length(values.data() + i * d, d);
    }
    if (dtype == Dtype::float32) place(floats.data(), stride * 4);
    if (dtype == Dtype::float16 || dtype == Dtype::bfloat16) place(halves.data(), stride * 2);
    if (dtype == Dtype::int8) place(bytes.data(), stride);
    if (dtype == Dtype::int8) rows.scale = scale.data();
  }
  StoredRows(const StoredRows&) = delete;

  const float* value(std::int64_t i) const { return values.data() + i * rows.d; }

  Rows rows;
  std::vector<float> values;

 private:
  void place(const void* data, std::int64_t stride_bytes) {
    rows.data = data;
    rows.stride_bytes = stride_bytes;
  }

  float store(std::size_t at, float number, float by) {
    switch (rows.dtype) {
      case Dtype::float32:
        return floats[at] = number;
      case Dtype::float16:
        return half_value(halves[at] = half_bits(number));
      case Dtype::bfloat16:
        halves[at] = static_cast<std::uint16_t>(bits_of(number) >> 16);
        return float_of(static_cast<std::uint32_t>(halves[at]) << 16);
      case Dtype::int8: {
        const float whole = std::fmax(-128.0f, std::fmin(127.0f, std::nearbyint(number / by)));
        bytes[at] = static_cast<std::int8_t>(whole);
        return static_cast<float>(bytes[at]) * by;
      }
    }
    return 0.0f;
  }

  static void divide_by_length(float* row, std::int64_t d) {
    const float factor = canonical::unit_factor(row, d);
    for (std::int64_t c = 0; c < d; ++c) row[c] *= factor;
    const float length = std::sqrt(canonical::inner_product(row, row, d));
    for (std::int64_t c = 0; c < d; ++c) row[c] /= length;
  }

  std::vector<float> floats, scale;
  std::vector<std::uint16_t> halves;
  std::vector<std::int8_t> bytes;
};

/// Calls body(name) at every SIMD level that this CPU runs, as long as it answers true.
inline bool at_each_level(const std::function<bool(const char*)>& body) {
  bool holds = true;
  for (const SimdLevel level : simd_levels()) {
    if (!holds || !simd_supported(level)) continue;
    force_simd_level(simd_name(level));
    holds = body(simd_name(level));
  }
  force_simd_level("");
  return holds;
}

}  // namespace coverset
