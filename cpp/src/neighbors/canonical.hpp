// Canonical distances of single rows: what decides.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "coverset/neighbors.hpp"
#include "distance/tile.hpp"
#include "rows/load.hpp"

namespace coverset {

/// The power of 2 that brings the largest of d numbers into [1, 2); 1 where there is none.
inline float unit_factor(const float* row, std::int64_t d) {
  const float largest = COVERSET_AT_LEVEL(measure_row)(row, d).largest;
  return largest > 0.0f ? std::ldexp(1.0f, -std::ilogb(largest)) : 1.0f;
}

inline float inner_product_of(const float* a, const float* b, std::int64_t d) {
  float product = 0.0f;
  COVERSET_AT_LEVEL(distance_tile)(false, a, 1, 0, b, 1, 0, d, &product);
  return product;
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

/// Asks memory for row i, if there is one.
inline void prefetch_row(const Rows& rows, std::int64_t i) {
  if (i >= rows.n) return;
  constexpr std::int64_t kBytes[] = {4, 2, 2, 1};
  const auto* row = static_cast<const char*>(rows.row(i));
  const std::int64_t bytes = rows.d * kBytes[static_cast<std::size_t>(rows.dtype)];
  for (std::int64_t b = 0; b < bytes; b += 64) __builtin_prefetch(row + b);
}

/// One query, and the canonical distance of rows to it. Inner products are negated, so that the
/// least distance is the nearest row.
class CanonicalQuery {
 public:
  CanonicalQuery(Metric metric, const float* query, std::int64_t d)
      : metric_(metric), query_(query, query + d) {
    if (metric != Metric::cosine) return;
    COVERSET_AT_LEVEL(scale_row)(query, unit_factor(query, d), d, query_.data());
    norm_ = std::sqrt(inner_product_of(query_.data(), query_.data(), d));
  }

  /// Room for rows that are converted: 2 d numbers.
  float distance(const Rows& rows, std::int64_t i, float* room) const {
    const float* row = float_row(rows, i, room);
    float value = 0.0f;
    if (metric_ != Metric::cosine) {
      const bool gaps = metric_ == Metric::sqeuclidean;
      COVERSET_AT_LEVEL(distance_tile)(gaps, row, 1, 0, query_.data(), 1, 0, rows.d, &value);
      return gaps ? value : -value;
    }
    float* unit = room + rows.d;
    COVERSET_AT_LEVEL(scale_row)(row, unit_factor(row, rows.d), rows.d, unit);
    const float norm = std::sqrt(inner_product_of(unit, unit, rows.d));
    return 1.0f - inner_product_of(unit, query_.data(), rows.d) / (norm * norm_);
  }

  /// Of rows first..first+count-1; in place where rows are stored as float32.
  void distances(const Rows& rows, std::int64_t first, std::int64_t count, float* room,
                 float* out) const {
    if (rows.dtype != Dtype::float32 || rows.unit || metric_ == Metric::cosine ||
        rows.stride_bytes % static_cast<std::int64_t>(sizeof(float)) != 0) {
      for (std::int64_t i = 0; i < count; ++i) out[i] = distance(rows, first + i, room);
      return;
    }
    const bool gaps = metric_ == Metric::sqeuclidean;
    const auto stride = rows.stride_bytes / static_cast<std::int64_t>(sizeof(float));
    COVERSET_AT_LEVEL(distance_tile)
    (gaps, static_cast<const float*>(rows.row(first)), count, stride, query_.data(), 1, 0, rows.d,
     out);
    for (std::int64_t i = 0; !gaps && i < count; ++i) out[i] = -out[i];
  }

  /// Calls body(row, distance) for rows begin..end-1.
  template <class Body>
  void each(const Rows& rows, std::int64_t begin, std::int64_t end, Body&& body) const {
    constexpr std::int64_t kTogether = 128;
    std::vector<float> room(static_cast<std::size_t>(2 * rows.d));
    std::array<float, kTogether> found;
    for (std::int64_t from = begin; from < end; from += kTogether) {
      const std::int64_t count = std::min(kTogether, end - from);
      distances(rows, from, count, room.data(), found.data());
      for (std::int64_t i = 0; i < count; ++i) body(from + i, found[static_cast<std::size_t>(i)]);
    }
  }

 private:
  Metric metric_;
  std::vector<float> query_;
  float norm_ = 1.0f;
};

}  // namespace coverset
