// Queries packed side by side, at one precision.
#pragma once

#include <span>
#include <vector>

#include "exact/precision.hpp"

namespace coverset {

/// Normalized queries (count, d) as they are multiplied.
class Strips {
 public:
  Strips(Precision precision, std::span<const float> normalized, std::int64_t count, std::int64_t d)
      : precision_(precision), depth_(depth_at(precision, d)) {
    const std::int64_t whole = (count + kStripQueries - 1) / kStripQueries * kStripQueries;
    Numbers rows;
    rows.resize(precision, count * depth_);
    factors_.resize(static_cast<std::size_t>(whole));
    lost_.resize(static_cast<std::size_t>(count));
    for (std::int64_t q = 0; q < count; ++q) {
      const ReducedRow row = reduce(precision, normalized.data() + q * d, d, depth_, q, rows);
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

}  // namespace coverset
