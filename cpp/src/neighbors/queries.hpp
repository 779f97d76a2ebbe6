// Queries that are in work together: framed, canonical and packed.
#pragma once

#include <utility>
#include <vector>

#include "neighbors/candidates.hpp"
#include "neighbors/panel.hpp"

namespace coverset {

inline constexpr std::int64_t kFewestCandidates = 1 << 8;  // that a query holds
inline constexpr double kStepProducts = 5e8;               // multiplications between two polls
inline constexpr double kMostWasted = 0.02;  // of rows, measured in vain: beyond, more bits pay

struct Queries {
  QueryBlock block;
  std::int64_t count = 0;
  std::vector<float> framed;  // (count, d)
  Strips strips;

  /// Queries first..first+count-1 of `all`; `block` is empty and knows which is first.
  Queries(QueryBlock empty, const FloatRows& all, std::int64_t size, const Frame& frame,
          Precision precision)
      : block(std::move(empty)),
        count(size),
        framed(static_cast<std::size_t>(size * all.d)),
        strips(precision, frame_queries(all, frame), size, all.d) {}

  Strips strips_at(Precision precision) const {
    return Strips(precision, framed, count, block.rows.d);
  }

 private:
  const std::vector<float>& frame_queries(const FloatRows& all, const Frame& frame) {
    for (std::int64_t q = 0; q < count; ++q) {
      const float* query = all.row(q);
      block.framed.push_back(block.bounds.frame(query, frame, all.d, framed.data() + q * all.d));
      block.canonical.emplace_back(block.options.metric, query, all.d);
    }
    return framed;
  }
};

}  // namespace coverset
