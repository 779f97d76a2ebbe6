// The lists of a graph that grows.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "coverset/nearest.hpp"

namespace coverset {

/// Of every row, the nearest rows so far, nearest first; free places hold row -1 at an infinite
/// distance. Distances are as CanonicalQuery measures.
class NeighborLists {
 public:
  NeighborLists(std::int64_t k, std::span<float> distances, std::span<std::int64_t> nearest)
      : k_(static_cast<std::size_t>(k)), distances_(distances), nearest_(nearest) {}

  bool full(std::int64_t row) const { return nearest_[end(row) - 1] >= 0; }
  float worst(std::int64_t row) const { return distances_[end(row) - 1]; }

  template <class Visit>
  void each(std::int64_t row, Visit&& visit) const {
    for (std::size_t at = end(row) - k_; at < end(row) && nearest_[at] >= 0; ++at) {
      visit(NearRow{distances_[at], nearest_[at]});
    }
  }

  void set(std::int64_t row, const std::vector<NearRow>& near) {
    for (std::size_t i = 0; i < k_; ++i) {
      const NearRow one =
          i < near.size() ? near[i] : NearRow{std::numeric_limits<float>::infinity(), -1};
      distances_[end(row) - k_ + i] = one.distance;
      nearest_[end(row) - k_ + i] = one.row;
    }
  }

  void negate(std::int64_t row) {
    for (std::size_t at = end(row) - k_; at < end(row); ++at) distances_[at] = -distances_[at];
  }

  /// Puts a row that is nearer than the last of a full list in its place. Whether it is.
  bool insert(std::int64_t row, const NearRow& near) {
    const std::size_t first = end(row) - k_;
    std::size_t at = end(row) - 1;
    if (!(near < NearRow{distances_[at], nearest_[at]})) return false;
    for (; at > first && near < NearRow{distances_[at - 1], nearest_[at - 1]}; --at) {
      distances_[at] = distances_[at - 1];
      nearest_[at] = nearest_[at - 1];
    }
    distances_[at] = near.distance;
    nearest_[at] = near.row;
    return true;
  }

 private:
  std::size_t end(std::int64_t row) const { return (static_cast<std::size_t>(row) + 1) * k_; }

  std::size_t k_;
  std::span<float> distances_;
  std::span<std::int64_t> nearest_;
};

}  // namespace coverset
