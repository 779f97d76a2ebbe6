// All threads' refreshers, and what they multiply: whole rows or projections, in how many bits.
#pragma once

#include <vector>

#include "coreset/choice.hpp"
#include "coreset/refresher.hpp"

namespace coverset {

/// What both did; all else is that of the first.
inline KCenterWork operator+(KCenterWork a, const KCenterWork& b) {
  a.distances += b.distances;
  a.products += b.products;
  a.coordinates += b.coordinates;
  a.bytes += b.bytes;
  a.refreshes += b.refreshes;
  return a;
}

class Refreshers {
 public:
  /// `nearest`: where the number of each row's nearest center goes; or nothing.
  Refreshers(const Cpu& device, const Rows& rows, KCenterStrategy strategy, CenterBounds& bounds,
             std::span<std::int64_t> nearest = {});

  Centers& centers() { return centers_; }
  const Centers& centers() const { return centers_; }

  /// Decides whether projections pay: once, as soon as there are centers to try them on.
  void consider_projection(WorkAhead ahead);

  /// Refreshes rows; their bounds are counted by who calls.
  void refresh(std::span<const std::int64_t> rows);

  /// Refreshes all rows that have not counted every center.
  void catch_up();

  /// Nanoseconds, about.
  double spent() const;
  KCenterWork work() const;

 private:
  double refreshed() const;
  void look_back(const KCenterWork& before, double rows);

  const Cpu& device_;
  const Rows& rows_;
  KCenterStrategy strategy_;
  CenterBounds& bounds_;
  Centers centers_;
  std::vector<Refresher> refreshers_;
  bool chosen_ = false;
  double missed_ = 0.0;
};

}  // namespace coverset
