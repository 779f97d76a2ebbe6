// Rows that may be neighbors of one query, by fast values, until the canonical distance decides.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "coverset/top_k.hpp"
#include "neighbors/bounds.hpp"

namespace coverset {

/// A query block's way from fast values to neighbors: shared by all its parts.
struct QueryBlock {
  const Rows& rows;
  const Bounds& bounds;
  const SearchOptions& options;
  std::vector<FramedQuery> framed;
  std::vector<CanonicalQuery> canonical;
  std::int64_t first = 0;  // of all queries
  std::size_t capacity = 0;
  bool within = false;  // everything up to a radius, else the k nearest
  float radius = 0.0f;  // as CanonicalQuery measures

  bool neighbor(std::size_t query, std::int64_t row) const {
    if (!options.excluded.empty() && options.excluded[static_cast<std::size_t>(row)] != 0) {
      return false;
    }
    return options.self < 0 || row != options.self + first + static_cast<std::int64_t>(query);
  }
};

/// Candidates of one query among the rows of one part.
class Candidates {
 public:
  Candidates(const QueryBlock& block, std::size_t query)
      : block_(&block),
        query_(query),
        capacity_(block.capacity),
        nearest_(block.within ? 1 : block.options.k) {
    if (!block.within) return;
    threshold_ = block.bounds.level(framed(), block.radius);
    limit_ = block.radius;
  }

  /// Fast values of rows that are off their level by at most `slack` are out above this.
  float limit_at(double slack) {
    slack_ = std::max(slack_, slack);
    return float_above(threshold_ + slack);
  }

  /// Rows at a canonical distance above `worst` are out.
  void start_within(float worst) {
    limit_ = worst;
    lower(block_->bounds.level(framed(), worst));
  }

  /// A row that is known to be so far.
  void start_with(const NearRow& near) { nearest_.add(near.distance, near.row); }

  void add(float value, std::int64_t row, float* room) {
    if (!block_->neighbor(query_, row)) return;
    if (!(std::abs(value) < std::numeric_limits<float>::infinity())) return measure(row, room);
    values_.push_back({value, row});
    if (values_.size() >= capacity_) thin(room);
  }

  /// Canonical distances of rows first..first+count-1.
  void add_measured(const float* distances, std::int64_t first, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      if (distances[i] > limit_) continue;
      if (block_->neighbor(query_, first + i)) keep(distances[i], first + i);
    }
  }

  /// Takes over another part's rows.
  void join(Candidates&& other) {
    values_.insert(values_.end(), other.values_.begin(), other.values_.end());
    for (const NearRow& near : other.nearest_.sorted()) nearest_.add(near.distance, near.row);
    found_.insert(found_.end(), other.found_.begin(), other.found_.end());
    threshold_ = std::min(threshold_, other.threshold_);
    slack_ = std::max(slack_, other.slack_);
  }

  /// Measures what is left, so that no fast value is held.
  void settle(float* room) {
    tighten();
    decide(values_.size(), room);
    slack_ = 0.0;
  }

  /// Rows that were measured in vain.
  std::int64_t wasted() const { return wasted_; }

  /// Canonical distances of all that is left, nearest first.
  const std::vector<NearRow>& finish(float* room) {
    settle(room);
    if (!block_->within) return nearest_.sorted();
    std::sort(found_.begin(), found_.end());
    return found_;
  }

 private:
  const FramedQuery& framed() const { return block_->framed[query_]; }

  /// Makes room for candidates: drops, then measures, then grows, then measures all.
  void thin(float* room) {
    tighten();
    const auto crowded = [this] { return 2 * values_.size() > capacity_; };
    if (crowded() && !block_->within) decide(static_cast<std::size_t>(block_->options.k), room);
    if (!crowded()) return;
    if (capacity_ < kMostGrowth * block_->capacity) {
      capacity_ *= 2;
    } else {
      decide(values_.size(), room);
    }
  }

  /// Drops what the k-th least value rules out.
  void tighten() {
    const auto k = static_cast<std::size_t>(block_->options.k);
    if (!block_->within && values_.size() >= k) {
      const auto last = values_.begin() + static_cast<std::ptrdiff_t>(k) - 1;
      std::nth_element(values_.begin(), last, values_.end());
      lower(block_->bounds.beyond(framed(), last->distance + slack_));
    }
    const double most = threshold_ + slack_;
    std::erase_if(values_, [most](const NearRow& row) { return row.distance > most; });
  }

  /// Measures at most `most` candidates, those of least value first, and drops what that rules out.
  void decide(std::size_t most, float* room) {
    most = std::min(most, values_.size());
    const auto end = values_.begin() + static_cast<std::ptrdiff_t>(most);
    if (end != values_.end()) std::nth_element(values_.begin(), end, values_.end());
    std::sort(values_.begin(), end);
    std::size_t measured = 0;
    for (; measured < most; ++measured) {
      if (values_[measured].distance > threshold_ + slack_) break;
      if (measured + 4 < most) prefetch_row(block_->rows, values_[measured + 4].row);
      measure(values_[measured].row, room);
      if (nearest_.full()) lower(block_->bounds.level(framed(), nearest_.worst()));
    }
    values_.erase(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(measured));
    const double last = threshold_ + slack_;
    std::erase_if(values_, [last](const NearRow& row) { return row.distance > last; });
  }

  void measure(std::int64_t row, float* room) {
    keep(block_->canonical[query_].distance(block_->rows, row, room), row);
  }

  void keep(float distance, std::int64_t row) {
    if (distance > limit_) ++wasted_;
    if (!block_->within) {
      nearest_.add(distance, row);
      if (nearest_.full()) limit_ = nearest_.worst();
    } else if (distance <= block_->radius) {
      found_.push_back({distance, row});
    }
  }

  void lower(double threshold) {
    if (threshold < threshold_) threshold_ = threshold;
  }

  static constexpr std::size_t kMostGrowth = 4;

  const QueryBlock* block_;
  std::size_t query_;
  std::size_t capacity_;
  double threshold_ = std::numeric_limits<double>::infinity();
  double slack_ = 0.0;  // of all fast values that are held
  std::int64_t wasted_ = 0;
  float limit_ = std::numeric_limits<float>::infinity();  // canonical distances above are out
  std::vector<NearRow> values_;                           // fast values
  NearestRows nearest_;                                   // canonical distances
  std::vector<NearRow> found_;                            // likewise, of a search within a radius
};

}  // namespace coverset
