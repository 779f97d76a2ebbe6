// Canonical distances of rows to one query: what decides.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "coverset/metric.hpp"
#include "coverset/rows.hpp"
#include "exact/rows/float_row.hpp"
#include "exact/rows/scanned_rows.hpp"

namespace coverset {

/// One query, and the canonical distance of rows to it, as canonical::distance has it: inner
/// products are negated, so that the least distance is the nearest row.
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
    if (metric_ == Metric::sqeuclidean) return squared_distance_of(row, query_.data(), rows.d);
    if (metric_ == Metric::inner_product) return -inner_product_of(row, query_.data(), rows.d);
    float* unit = room + rows.d;
    COVERSET_AT_LEVEL(scale_row)(row, unit_factor(row, rows.d), rows.d, unit);
    const float norm = std::sqrt(inner_product_of(unit, unit, rows.d));
    return 1.0f - inner_product_of(unit, query_.data(), rows.d) / (norm * norm_);
  }

  /// Of some rows; in place where a range of them is stored as float32.
  void distances(const Rows& rows, const ScannedRows& some, float* room, float* out) const {
    constexpr std::int64_t kAhead = 4;  // rows that memory is asked for
    if (some.list != nullptr || rows.dtype != Dtype::float32 || rows.unit ||
        metric_ == Metric::cosine ||
        rows.stride_bytes % static_cast<std::int64_t>(sizeof(float)) != 0) {
      for (std::int64_t i = 0; i < some.count; ++i) {
        if (some.list != nullptr && i + kAhead < some.count) {
          prefetch_row(rows, some.list[i + kAhead]);
        }
        out[i] = distance(rows, some.row(i), room);
      }
      return;
    }
    const bool gaps = metric_ == Metric::sqeuclidean;
    const auto stride = rows.stride_bytes / static_cast<std::int64_t>(sizeof(float));
    COVERSET_AT_LEVEL(distance_tile)
    (gaps, static_cast<const float*>(rows.row(some.first)), some.count, stride, query_.data(), 1, 0,
     rows.d, out);
    for (std::int64_t i = 0; !gaps && i < some.count; ++i) out[i] = -out[i];
  }

  /// Calls body(row, distance) for rows begin..end-1.
  template <class Body>
  void each(const Rows& rows, std::int64_t begin, std::int64_t end, Body&& body) const {
    constexpr std::int64_t kTogether = 128;
    std::vector<float> room(static_cast<std::size_t>(2 * rows.d));
    std::array<float, kTogether> found;
    for (std::int64_t from = begin; from < end; from += kTogether) {
      const std::int64_t count = std::min(kTogether, end - from);
      distances(rows, {count, from}, room.data(), found.data());
      for (std::int64_t i = 0; i < count; ++i) body(from + i, found[static_cast<std::size_t>(i)]);
    }
  }

 private:
  Metric metric_;
  std::vector<float> query_;
  float norm_ = 1.0f;
};

}  // namespace coverset
