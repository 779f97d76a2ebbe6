// What work costs, in nanoseconds of one thread: about, as seen on x86-64. Whatever they say,
// answers are the same.
#pragma once

#include <algorithm>

#include "exact/panel.hpp"

namespace coverset {

/// One canonical distance of rows that are in cache.
inline double distance_cost(std::int64_t d) { return 36.0 + 0.12 * static_cast<double>(d); }

/// Refreshing a row: `multiplied` products of `numbers` each and `measured` distances.
inline double refresh_cost(double multiplied, std::int64_t numbers, Precision precision,
                           double measured, std::int64_t d) {
  constexpr double kProduct[] = {0.0075, 0.015, 0.03};
  constexpr double kPair = 0.3;  // that is looked at
  const double product = static_cast<double>(depth_at(precision, numbers)) *
                         kProduct[static_cast<std::size_t>(precision)];
  return multiplied * (product + kPair) + measured * distance_cost(d);
}

/// Reading and rounding a row before it is multiplied (shared by threads), and putting it into the
/// shortlist (by one thread).
inline double gather_cost(std::int64_t d) { return 100.0 + 0.3 * static_cast<double>(d); }
inline constexpr double kShortlistCost = 100.0;

/// A row that is projected, once.
inline double projection_cost(std::int64_t numbers, std::int64_t d) {
  return refresh_cost(static_cast<double>(numbers), d, precision_from(Precision::bfloat16, d), 0.0,
                      d);
}

/// A row in a pass over all of them.
inline double pass_cost(std::int64_t d) {
  constexpr double kNarrow = 25.0;  // less than the lanes of a distance
  return d < 16 ? kNarrow : std::max(12.0, 0.2 * static_cast<double>(d));
}

/// Looking at a row's bound to find the front; finding the (z + 1)-th largest bound, a row; the
/// same, an entry of a shortlist.
inline constexpr double kLookCost = 1.0, kChooseCost = 4.0, kOrderCost = 12.0;

}  // namespace coverset
