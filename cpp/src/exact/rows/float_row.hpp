// One row at a time as float32, whatever it is stored as.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "coverset/canonical.hpp"
#include "exact/distance/tile.hpp"
#include "exact/rows/load.hpp"

namespace coverset {

/// canonical::unit_factor, at the SIMD level in use.
inline float unit_factor(const float* row, std::int64_t d) {
  return canonical::unit_factor(COVERSET_AT_LEVEL(measure_row)(row, d).largest);
}

inline float inner_product_of(const float* a, const float* b, std::int64_t d) {
  float product = 0.0f;
  COVERSET_AT_LEVEL(distance_tile)(false, a, 1, 0, b, 1, 0, d, &product);
  return product;
}

inline float squared_distance_of(const float* a, const float* b, std::int64_t d) {
  float square = 0.0f;
  COVERSET_AT_LEVEL(distance_tile)(true, a, 1, 0, b, 1, 0, d, &square);
  return square;
}

/// Row i as float32: in place if that is how it is stored, else in `room` (d).
inline const float* float_row(const Rows& rows, std::int64_t i, float* room) {
  const bool in_place = rows.dtype == Dtype::float32;
  if (in_place && !rows.unit) return static_cast<const float*>(rows.row(i));
  if (!in_place) {
    COVERSET_AT_LEVEL(load_row)(rows.dtype, rows.row(i), rows.scale_of(i), rows.d, room);
  }
  if (!rows.unit) return room;
  const float* row = in_place ? static_cast<const float*>(rows.row(i)) : room;
  COVERSET_AT_LEVEL(scale_row)(row, unit_factor(row, rows.d), rows.d, room);
  const float length = std::sqrt(inner_product_of(room, room, rows.d));
  for (std::int64_t c = 0; c < rows.d; ++c) room[c] /= length;
  return room;
}

/// Row i as float32 at `to` (d), wherever it is stored.
inline void copy_float_row(const Rows& rows, std::int64_t i, float* to) {
  const float* row = float_row(rows, i, to);
  if (row != to) std::copy(row, row + rows.d, to);
}

/// Asks memory for row i, if there is one.
inline void prefetch_row(const Rows& rows, std::int64_t i) {
  if (i >= rows.n) return;
  constexpr std::int64_t kBytes[] = {4, 2, 2, 1};
  const auto* row = static_cast<const char*>(rows.row(i));
  const std::int64_t bytes = rows.d * kBytes[static_cast<std::size_t>(rows.dtype)];
  for (std::int64_t b = 0; b < bytes; b += 64) __builtin_prefetch(row + b);
}

}  // namespace coverset
