// Rows of numbers, as they are stored: what embeddings are to a kernel.
#pragma once

#include <cstdint>
#include <span>

#include "coverset/device.hpp"
#include "coverset/metric.hpp"

namespace coverset {

/// How the numbers of a row are stored.
enum class Dtype : std::int32_t { float32, float16, bfloat16, int8 };

/// Rows of d numbers: row i starts at data + i * stride_bytes. An int8 row counts scale[i] times
/// its numbers; other types have no scale. With `unit`, rows count divided by their length.
struct Rows {
  const void* data = nullptr;
  std::int64_t n = 0, d = 0, stride_bytes = 0;
  Dtype dtype = Dtype::float32;
  const float* scale = nullptr;
  bool unit = false;

  COVERSET_HD const void* row(std::int64_t i) const {
    return static_cast<const char*>(data) + i * stride_bytes;
  }
  COVERSET_HD float scale_of(std::int64_t i) const { return scale == nullptr ? 1.0f : scale[i]; }
};

/// Rows of d floats, `stride` floats apart.
struct FloatRows {
  const float* data = nullptr;
  std::int64_t n = 0, d = 0, stride = 0;
  COVERSET_HD const float* row(std::int64_t i) const { return data + i * stride; }
};

/// Rows whose squares add up to more are refused: differences of two could overflow.
inline constexpr float kMostSquares = 0x1p126f;

/// The first row whose squares add up to more than kMostSquares, or to no number, or which for
/// cosine has no number of at least 2^-126; row -1 if there is none. Reads each row once. Scratch:
/// d floats a thread.
struct BadRow {
  std::int64_t row = -1;
  float squares = 0.0f;
};
BadRow find_bad_row(const Cpu& device, const Rows& rows, Metric metric);

/// All rows as float32: out (n, d). No scratch.
void load_rows(const Cpu& device, const Rows& rows, std::span<float> out);

}  // namespace coverset
