// A panel of rows at one precision: what is multiplied, and the products that a limit lets pass.
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <vector>

#include "exact/error_bounds.hpp"
#include "exact/rows/float_row.hpp"
#include "exact/rows/scanned_rows.hpp"
#include "exact/strips.hpp"

namespace coverset {

/// Whether rows need no rounding: int8 around the origin.
inline bool multiplied_as_stored(const Rows& rows, const Normalization& normalization,
                                 Precision precision) {
  return precision == Precision::int8 && rows.dtype == Dtype::int8 && !rows.unit &&
         std::ranges::all_of(normalization.mean, [](float m) { return m == 0.0f; });
}

/// Normalized rows as they are multiplied, and their products with one strip of queries after
/// another. Borrows rows and mean.
class Panel {
 public:
  Panel(const Rows& rows, const Normalization& normalization, Metric metric, Precision precision)
      : rows_(rows),
        normalization_(normalization),
        metric_(metric),
        precision_(precision),
        depth_(depth_at(precision, rows.d)),
        as_stored_(multiplied_as_stored(rows, normalization, precision)),
        room_(static_cast<std::size_t>(rows.d + depth_)),
        products_(kPanelRows * kStripQueries) {
    numbers_.resize(precision, kPanelRows * depth_);
  }

  /// Takes at most kPanelRows rows.
  void take(const ScannedRows& some, const ErrorBounds& bounds) {
    float most = 0.0f, lost = 0.0f;
    bool not_finite = false;
    for (std::int64_t i = 0; i < some.count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (some.list != nullptr && i + 10 < some.count) prefetch_row(rows_, some.list[i + 10]);
      const std::int64_t from = some.row(i);
      const float half = as_stored_ ? copy(from, i) : normalize(from, i);
      halves_[at] = half;
      offsets_[at] = metric_ == Metric::sqeuclidean ? half : 0.0f;
      most = std::max(most, half);
      lost = std::max(lost, reduced_[at].lost);
      not_finite = not_finite || !(half < std::numeric_limits<float>::infinity());
    }
    count_ = some.count;
    norm_ = not_finite ? std::numeric_limits<double>::infinity() : bounds.norm(most);
    lost_ = lost_norm(precision_, lost, rows_.d);
  }

  /// Multiplies with the first `queries` queries of the strip that starts at query `first`.
  void multiply(const Strips& strips, std::int64_t first, std::int64_t queries) {
    queries_ = queries;
    float* out = products_.data();
    const std::int64_t at = first * depth_;
#if defined(__x86_64__)
    const bool tiles = simd_level() == SimdLevel::amx;
    if (precision_ == Precision::int8) {
      const auto* strip = reinterpret_cast<const std::uint8_t*>(strips.packed_.int8.data()) + at;
      return (tiles ? &amx::product_int8 : &vnni::product_int8)(
          numbers_.int8.data(), reduced_.data(), strip, strips.factors_.data() + first, queries,
          depth_, out);
    }
    if (precision_ == Precision::bfloat16) {
      return (tiles ? &amx::product_bfloat16 : &vnni::product_bfloat16)(
          numbers_.bfloat16.data(), strips.packed_.bfloat16.data() + at, queries, depth_, out);
    }
#endif
    COVERSET_AT_LEVEL(product_panel)
    (numbers_.float32.data(), kPanelRows, strips.packed_.float32.data() + at, queries, depth_, out);
  }

  /// Products of row i with the strip's queries.
  const float* products(std::int64_t i) const { return products_.data() + i * kStripQueries; }

  /// Products for which the row's offset less the product is not above the query's limit.
  std::span<const TileHit> below(const float* limits) {
    hits_.resize(kPanelRows * kStripQueries);
    const long found = COVERSET_AT_LEVEL(filter_panel)(products_.data(), offsets_.data(), count_,
                                                       limits, queries_, hits_.data());
    return std::span(hits_).first(static_cast<std::size_t>(found));
  }

  /// Those, and others for which the query's offset less the product is not above the row's limit.
  std::span<const TileHit> below_either(const float* limits, const float* query_offsets,
                                        const float* row_limits) {
    hits_.resize(kPanelRows * kStripQueries);
    const long found =
        COVERSET_AT_LEVEL(filter_pairs)(products_.data(), offsets_.data(), row_limits, count_,
                                        query_offsets, limits, queries_, hits_.data());
    return std::span(hits_).first(static_cast<std::size_t>(found));
  }

  /// least[i]: the least of the queries' offsets less the products of row i.
  void find_least(const float* query_offsets, float* least) const {
    COVERSET_AT_LEVEL(least_in_rows)(products_.data(), count_, query_offsets, queries_, least);
  }

  Precision precision() const { return precision_; }
  /// An empty panel of the same rows at another precision.
  Panel at(Precision precision) const { return Panel(rows_, normalization_, metric_, precision); }
  /// Half the square of row i.
  const float* halves() const { return halves_.data(); }
  const float* offsets() const { return offsets_.data(); }
  /// At least the norm of any normalized row, and of what rounding took away from it.
  double norm() const { return norm_; }
  double lost() const { return lost_; }

 private:
  /// Half the square of row `from`, which becomes row i of the panel.
  float normalize(std::int64_t from, std::int64_t i) {
    float* normalized = precision_ == Precision::float32 ? numbers_.float32.data() + i * depth_
                                                         : room_.data() + rows_.d;
    const float* row = float_row(rows_, from, room_.data());
    const float norm = metric_ == Metric::cosine ? inverse_norm(row) : 1.0f;
    const float half = COVERSET_AT_LEVEL(center_row)(
        row, norm, normalization_.mean.data(), normalization_.scale, rows_.d, rows_.d, normalized);
    reduced_[static_cast<std::size_t>(i)] =
        reduce(precision_, normalized, rows_.d, depth_, i, numbers_);
    return half;
  }

  /// The same of a row that is stored as it is multiplied.
  float copy(std::int64_t from, std::int64_t i) {
#if defined(__x86_64__)
    ReducedRow& row = reduced_[static_cast<std::size_t>(i)];
    row = vnni::copy_int8(static_cast<const std::int8_t*>(rows_.row(from)), rows_.d, depth_,
                          numbers_.int8.data() + i * depth_);
    const float squares = row.lost;
    row.lost = 0.0f;
    const float scale = rows_.scale_of(from);
    row.factor =
        (metric_ == Metric::cosine ? std::copysign(1.0f / std::sqrt(squares), scale) : scale) *
        normalization_.scale;
    return 0.5f * squares * (row.factor * row.factor);
#else
    return normalize(from, i);
#endif
  }

  float inverse_norm(const float* row) const {
    const RowSize size = COVERSET_AT_LEVEL(measure_row)(row, rows_.d);
    if (size.squares > 0x1p-100f) return 1.0f / std::sqrt(size.squares);
    double squares = 0.0;
    for (std::int64_t c = 0; c < rows_.d; ++c) squares += static_cast<double>(row[c]) * row[c];
    return static_cast<float>(1.0 / std::sqrt(squares));
  }

  Rows rows_;
  Normalization normalization_;
  Metric metric_;
  Precision precision_;
  std::int64_t depth_;
  bool as_stored_;  // rows are multiplied as they are stored
  Numbers numbers_;
  std::int64_t count_ = 0, queries_ = 0;  // rows, and queries of the strip
  std::vector<float> room_, products_;
  std::vector<TileHit> hits_;
  std::array<ReducedRow, kPanelRows> reduced_{};
  std::array<float, kPanelRows> halves_{}, offsets_{};
  double norm_ = 0.0, lost_ = 0.0;
};

}  // namespace coverset
