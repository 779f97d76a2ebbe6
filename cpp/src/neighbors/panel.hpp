// A panel of rows and strips of queries, in the frame and at one precision: what is multiplied.
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <vector>

#include "neighbors/bounds.hpp"
#include "rows/load.hpp"
#include "tile_product/reduced.hpp"

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

/// Rounds a framed row (d) to row `at` of numbers of `depth`; float32 is copied if need be.
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

/// Framed queries (count, d at a stride) as they are multiplied.
class Strips {
 public:
  Strips(Precision precision, std::span<const float> framed, std::int64_t count, std::int64_t d)
      : precision_(precision), depth_(depth_at(precision, d)) {
    const std::int64_t whole = (count + kStripQueries - 1) / kStripQueries * kStripQueries;
    Numbers rows;
    rows.resize(precision, count * depth_);
    factors_.resize(static_cast<std::size_t>(whole));
    lost_.resize(static_cast<std::size_t>(count));
    for (std::int64_t q = 0; q < count; ++q) {
      const ReducedRow row = reduce(precision, framed.data() + q * d, d, depth_, q, rows);
      factors_[static_cast<std::size_t>(q)] = row.factor;
      lost_[static_cast<std::size_t>(q)] = lost_norm(precision, row.lost, d);
    }
    packed_.resize(precision, whole * depth_);
    pack(rows, count);
  }

  Precision precision() const { return precision_; }
  double lost(std::size_t query) const { return lost_[query]; }

 private:
  friend class Panel;

  void pack(const Numbers& rows, std::int64_t count) {
#if defined(__x86_64__)
    if (precision_ == Precision::int8) {
      auto* packed = reinterpret_cast<std::uint8_t*>(packed_.int8.data());
      return pack_int8(rows.int8.data(), count, depth_, packed);
    }
    if (precision_ == Precision::bfloat16) {
      return pack_bfloat16(rows.bfloat16.data(), count, depth_, packed_.bfloat16.data());
    }
#endif
    COVERSET_AT_LEVEL(pack_queries)
    (rows.float32.data(), count, depth_, depth_, packed_.float32.data());
  }

  Precision precision_;
  std::int64_t depth_;
  Numbers packed_;
  std::vector<float> factors_;
  std::vector<double> lost_;
};

/// Whether rows need no rounding: int8 around the origin.
inline bool multiplied_as_stored(const Rows& rows, const Frame& frame, Precision precision) {
  return precision == Precision::int8 && rows.dtype == Dtype::int8 && !rows.unit &&
         std::ranges::all_of(frame.mean, [](float m) { return m == 0.0f; });
}

/// Rows in the frame, as they are multiplied.
class Panel {
 public:
  Panel(const Rows& rows, const Frame& frame, Metric metric, Precision precision)
      : rows_(rows),
        frame_(&frame),
        metric_(metric),
        precision_(precision),
        depth_(depth_at(precision, rows.d)),
        as_stored_(multiplied_as_stored(rows, frame, precision)),
        room_(static_cast<std::size_t>(rows.d + depth_)) {
    numbers_.resize(precision, kPanelRows * depth_);
  }

  /// Takes rows first..first+count-1.
  void fill(std::int64_t first, std::int64_t count, const Bounds& bounds) {
    fill_from(count, bounds, [first](std::int64_t i) { return first + i; });
  }

  /// Takes these rows.
  void gather(std::span<const std::int64_t> some, const Bounds& bounds) {
    fill_from(static_cast<std::int64_t>(some.size()), bounds, [&](std::int64_t i) {
      const auto at = static_cast<std::size_t>(i);
      if (at + 10 < some.size()) prefetch_row(rows_, some[at + 10]);
      return some[at];
    });
  }
  /// Products with the first `queries` queries of the strip that starts at query `first`, laid out
  /// as product_panel does.
  void multiply(const Strips& strips, std::int64_t first, std::int64_t queries, float* out) const {
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

  /// Half the square of row i.
  const float* halves() const { return halves_.data(); }
  const float* offsets() const { return offsets_.data(); }
  /// At least the norm of any framed row, and of what rounding took away from it.
  double norm() const { return norm_; }
  double lost() const { return lost_; }

 private:
  template <class RowOf>
  void fill_from(std::int64_t count, const Bounds& bounds, RowOf&& row_of) {
    float most = 0.0f, lost = 0.0f;
    bool odd = false;
    for (std::int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const std::int64_t from = row_of(i);
      const float half = as_stored_ ? copy(from, i) : frame(from, i);
      halves_[at] = half;
      offsets_[at] = metric_ == Metric::sqeuclidean ? half : 0.0f;
      most = std::max(most, half);
      lost = std::max(lost, reduced_[at].lost);
      odd = odd || !(half < std::numeric_limits<float>::infinity());
    }
    norm_ = odd ? std::numeric_limits<double>::infinity() : bounds.norm(most);
    lost_ = lost_norm(precision_, lost, rows_.d);
  }

  /// Half the square of row `from`, which becomes row i of the panel.
  float frame(std::int64_t from, std::int64_t i) {
    float* framed = precision_ == Precision::float32 ? numbers_.float32.data() + i * depth_
                                                     : room_.data() + rows_.d;
    const float* row = float_row(rows_, from, room_.data());
    const float norm = metric_ == Metric::cosine ? inverse_norm(row) : 1.0f;
    const float half = COVERSET_AT_LEVEL(center_row)(row, norm, frame_->mean.data(), frame_->scale,
                                                     rows_.d, rows_.d, framed);
    reduced_[static_cast<std::size_t>(i)] =
        reduce(precision_, framed, rows_.d, depth_, i, numbers_);
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
        frame_->scale;
    return 0.5f * squares * (row.factor * row.factor);
#else
    return frame(from, i);
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
  const Frame* frame_;
  Metric metric_;
  Precision precision_;
  std::int64_t depth_;
  bool as_stored_;  // rows are multiplied as they are stored
  Numbers numbers_;
  std::vector<float> room_;
  std::array<ReducedRow, kPanelRows> reduced_{};
  std::array<float, kPanelRows> halves_{}, offsets_{};
  double norm_ = 0.0, lost_ = 0.0;
};

}  // namespace coverset
