// Rows that may be neighbors of one query, by their scores, until the canonical distance decides.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "exact/nearest_rows.hpp"
#include "exact/query_block.hpp"

namespace coverset {

/// Candidates of one query among the rows of one scan: scored ones that wait, and measured ones. A
/// row is dropped once its score is above threshold_ (of exact scores) + error_bound_ (how far
/// computed ones are off), or its distance above limit_.
class Candidates {
 public:
  Candidates(const QueryBlock& block, std::size_t query)
      : block_(&block),
        query_(query),
        capacity_(block.wanted.capacity()),
        nearest_(block.wanted.within ? 1 : block.wanted.k) {
    if (block.wanted.within) start_within(block.wanted.radius);
  }

  /// Rows whose scores are off by at most `error_bound` are out above this.
  float limit_at(double error_bound) {
    error_bound_ = std::max(error_bound_, error_bound);
    return float_above(threshold_ + error_bound);
  }

  /// Rows at a canonical distance above `worst` are out.
  void start_within(float worst) {
    limit_ = worst;
    lower(block_->bounds.score_bound(normalized(), worst));
  }

  /// A row (its id) that is known to be so far.
  void start_with(const NearRow& near) { nearest_.add(near.distance, near.row); }

  void add(float score, std::int64_t row, float* room) {
    if (!block_->wanted.admits(query_, block_->wanted.id_of(row))) return;
    if (!(std::abs(score) < std::numeric_limits<float>::infinity())) return measure(row, room);
    scored_.push_back({score, row});
    if (scored_.size() >= capacity_) thin(room);
  }

  /// Whether rows at this canonical distance are out.
  bool out(float distance) const { return distance > limit_; }

  /// A row whose canonical distance is known, and not out.
  void add_measured(float distance, std::int64_t row) {
    const std::int64_t id = block_->wanted.id_of(row);
    if (block_->wanted.admits(query_, id)) keep(distance, id);
  }

  /// Takes over another part's rows.
  void join(Candidates&& other) {
    scored_.insert(scored_.end(), other.scored_.begin(), other.scored_.end());
    for (const NearRow& near : other.nearest_.sorted()) nearest_.add(near.distance, near.row);
    found_.insert(found_.end(), other.found_.begin(), other.found_.end());
    threshold_ = std::min(threshold_, other.threshold_);
    error_bound_ = std::max(error_bound_, other.error_bound_);
  }

  /// Measures what is left, so that no score is held.
  void settle(float* room) {
    tighten();
    decide(scored_.size(), room);
    error_bound_ = 0.0;
  }

  /// Rows that were measured in vain.
  std::int64_t wasted() const { return wasted_; }

  /// Canonical distances of all that is left, nearest first.
  const std::vector<NearRow>& finish(float* room) {
    settle(room);
    if (!within()) return nearest_.sorted();
    std::sort(found_.begin(), found_.end());
    return found_;
  }

 private:
  const NormalizedQuery& normalized() const { return block_->normalized[query_]; }
  bool within() const { return block_->wanted.within; }

  /// Makes room for candidates: drops, then measures, then grows, then measures all.
  void thin(float* room) {
    tighten();
    const auto crowded = [this] { return 2 * scored_.size() > capacity_; };
    if (crowded() && !within()) decide(static_cast<std::size_t>(block_->wanted.k), room);
    if (!crowded()) return;
    if (capacity_ < kMostGrowth * block_->wanted.capacity()) {
      capacity_ *= 2;
    } else {
      decide(scored_.size(), room);
    }
  }

  /// Drops what the k-th least score rules out.
  void tighten() {
    const auto k = static_cast<std::size_t>(block_->wanted.k);
    if (!within() && scored_.size() >= k) {
      const auto last = scored_.begin() + static_cast<std::ptrdiff_t>(k) - 1;
      std::nth_element(scored_.begin(), last, scored_.end());
      lower(block_->bounds.score_bound_from(normalized(), last->distance + error_bound_));
    }
    const double most = threshold_ + error_bound_;
    std::erase_if(scored_, [most](const NearRow& row) { return row.distance > most; });
  }

  /// Measures at most `most` candidates, those of least score first, and drops what that rules out.
  void decide(std::size_t most, float* room) {
    most = std::min(most, scored_.size());
    const auto end = scored_.begin() + static_cast<std::ptrdiff_t>(most);
    if (end != scored_.end()) std::nth_element(scored_.begin(), end, scored_.end());
    std::sort(scored_.begin(), end);
    std::size_t measured = 0;
    for (; measured < most; ++measured) {
      if (scored_[measured].distance > threshold_ + error_bound_) break;
      if (measured + 4 < most) prefetch_row(block_->rows, scored_[measured + 4].row);
      measure(scored_[measured].row, room);
      if (nearest_.full()) lower(block_->bounds.score_bound(normalized(), nearest_.worst()));
    }
    scored_.erase(scored_.begin(), scored_.begin() + static_cast<std::ptrdiff_t>(measured));
    const double last = threshold_ + error_bound_;
    std::erase_if(scored_, [last](const NearRow& row) { return row.distance > last; });
  }

  void measure(std::int64_t row, float* room) {
    keep(block_->canonical[query_].distance(block_->rows, row, room), block_->wanted.id_of(row));
  }

  void keep(float distance, std::int64_t id) {
    if (distance > limit_) ++wasted_;
    if (!within()) {
      nearest_.add(distance, id);
      if (nearest_.full()) limit_ = nearest_.worst();
    } else if (distance <= block_->wanted.radius) {
      found_.push_back({distance, id});
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
  double error_bound_ = 0.0;  // of all scores that are held
  std::int64_t wasted_ = 0;
  float limit_ = std::numeric_limits<float>::infinity();  // canonical distances above are out
  std::vector<NearRow> scored_;                           // rows and their scores
  NearestRows nearest_;                                   // ids and canonical distances
  std::vector<NearRow> found_;                            // likewise, of a search within a radius
};

}  // namespace coverset
