// The nearest rows of many that are met one at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "coverset/nearest.hpp"

namespace coverset {

/// Keeps the k least of the rows that are added; a NaN counts as infinitely far. Holds at most
/// 2 k + 64 of them.
class NearestRows {
 public:
  explicit NearestRows(std::int64_t k) : k_(static_cast<std::size_t>(k)) {}

  void add(float distance, std::int64_t row) {
    const NearRow near{distance == distance ? distance : std::numeric_limits<float>::infinity(),
                       row};
    if (!full_ || near < worst_) {
      rows_.push_back(near);
      if (rows_.size() >= 2 * k_ + 64 || (!full_ && rows_.size() == k_)) shrink();
    }
  }

  /// Whether k rows are known; then no row beyond worst() is among the k least.
  bool full() const { return full_; }
  float worst() const { return worst_.distance; }

  /// The k least in order, fewer if fewer were added.
  const std::vector<NearRow>& sorted() {
    shrink();
    std::sort(rows_.begin(), rows_.end());
    return rows_;
  }

 private:
  void shrink() {
    if (rows_.size() < k_) return;
    const auto last = rows_.begin() + static_cast<std::ptrdiff_t>(k_) - 1;
    std::nth_element(rows_.begin(), last, rows_.end());
    worst_ = *last;
    rows_.resize(k_);
    full_ = true;
  }

  std::size_t k_;
  bool full_ = false;
  NearRow worst_{};
  std::vector<NearRow> rows_;
};

}  // namespace coverset
