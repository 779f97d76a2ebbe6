// The rows that may be taken next, side by side in memory, refreshed one at a time.
#pragma once

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <vector>

#include "coreset/center_bounds.hpp"
#include "coreset/centers.hpp"
#include "coverset/coreset.hpp"

namespace coverset {

class Shortlist {
 public:
  Shortlist(const Rows& rows, const Centers& centers) : rows_(rows), centers_(centers) {}

  /// Takes rows (ascending) whose bounds are exact.
  void fill(const std::vector<std::int64_t>& rows, const CenterBounds& bounds) {
    entries_.clear();
    room_.resize(static_cast<std::size_t>(2 * rows_.d));
    copied_ = static_cast<std::int64_t>(rows.size()) * rows_.d <= kMostNumbers;
    numbers_.resize(copied_ ? rows.size() * static_cast<std::size_t>(rows_.d) : 0);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::int64_t row = rows[i];
      entries_.push_back({bounds.bound(row), bounds.square(row), row, bounds.seen(row)});
      if (!copied_) continue;
      if (i + 4 < rows.size()) prefetch_row(rows_, rows[i + 4]);
      copy_float_row(rows_, row, numbers_.data() + static_cast<std::ptrdiff_t>(i) * rows_.d);
    }
    leaves_ = std::bit_ceil(std::max<std::size_t>(entries_.size(), 1));
    winners_.assign(2 * leaves_, kNone);
    for (std::size_t i = 0; i < entries_.size(); ++i)
      winners_[leaves_ + i] = static_cast<std::uint32_t>(i);
    for (std::size_t node = leaves_ - 1; node > 0; --node) play(node);
  }

  void clear() {
    entries_.clear();
    winners_.assign(2, kNone);
    leaves_ = 1;
  }

  /// The row of the largest bound, with all centers counted; none: bound -1; or nothing, where it
  /// would take more distances than allowed.
  std::optional<BoundedRow> first(const CenterBounds& bounds, std::int64_t allowed) {
    for (const std::int64_t before = work_.distances; work_.distances - before <= allowed;) {
      const std::size_t at = winners_[1];
      if (at == kNone || entries_[at].bound < 0.0f) return BoundedRow{-1.0f, rows_.n};
      const Entry& entry = entries_[at];
      if (entry.bound <= 0.0f || entry.seen == centers_.count()) {
        return BoundedRow{entry.bound, entry.row};  // a bound of 0 is final
      }
      update(at, bounds, other_than(at));
    }
    return std::nullopt;
  }

  /// The row of the (skipped + 1)-th largest bound, likewise.
  std::optional<BoundedRow> after(std::int64_t skipped, const CenterBounds& bounds,
                                  std::int64_t allowed) {
    if (skipped >= static_cast<std::int64_t>(entries_.size())) return BoundedRow{-1.0f, rows_.n};
    for (const std::int64_t before = work_.distances; work_.distances - before <= allowed;) {
      order_.resize(entries_.size());
      ordered_ += static_cast<double>(order_.size());
      for (std::size_t i = 0; i < order_.size(); ++i) {
        order_[i] = {{entries_[i].bound, entries_[i].row}, i};
      }
      const auto at = order_.begin() + static_cast<std::ptrdiff_t>(skipped);
      std::nth_element(order_.begin(), at, order_.end());
      bool fresh = true;
      for (auto one = order_.begin(); one <= at; ++one) {
        if (one->bounded.bound <= 0.0f || entries_[one->entry].seen == centers_.count()) continue;
        update(one->entry, bounds, 0.0f);
        fresh = false;
      }
      if (fresh) return at->bounded;
    }
    return std::nullopt;
  }

  /// The row is no longer to be taken.
  void drop(std::int64_t row) {
    const auto at = std::ranges::lower_bound(entries_, row, {}, &Entry::row);
    if (at == entries_.end() || at->row != row) return;
    at->bound = at->square = -1.0f;
    replay(static_cast<std::size_t>(at - entries_.begin()));
  }

  /// Writes back what was found.
  void store(CenterBounds& bounds) const {
    for (const Entry& entry : entries_) {
      if (entry.bound < 0.0f) continue;
      const float before = bounds.bound(entry.row);
      bounds.set(entry.row, entry.square, entry.seen);
      bounds.count(entry.row, before);
    }
  }

  KCenterWork work() const { return work_; }
  /// Entries that were put in order, each time.
  double ordered() const { return ordered_; }

 private:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::int64_t kMostNumbers = 1 << 21;  // that are copied: 8 MiB

  struct Entry {
    float bound, square;
    std::int64_t row, seen;
  };
  struct Ordered {
    BoundedRow bounded;
    std::size_t entry;
    friend bool operator<(const Ordered& a, const Ordered& b) { return a.bounded < b.bounded; }
  };

  /// A tournament of entries: the larger bound wins, of equal ones the first.
  void play(std::size_t node) {
    const std::uint32_t left = winners_[2 * node], right = winners_[2 * node + 1];
    const bool later = right != kNone && entries_[right].bound > entries_[left].bound;
    winners_[node] = later ? right : left;
  }
  void replay(std::size_t at) {
    for (std::size_t node = (leaves_ + at) / 2; node > 0; node /= 2) play(node);
  }

  /// The largest bound but that of the entry that won.
  float other_than(std::size_t at) const {
    float most = -1.0f;
    for (std::size_t node = leaves_ + at; node > 1; node /= 2) {
      const std::uint32_t other = winners_[node ^ 1];
      if (other != kNone) most = std::max(most, entries_[other].bound);
    }
    return most;
  }

  /// Counts centers until all are or the bound is below `enough`.
  void update(std::size_t at, const CenterBounds& bounds, float enough) {
    Entry& entry = entries_[at];
    const float* numbers = copied_ ? numbers_.data() + static_cast<std::ptrdiff_t>(at) * rows_.d
                                   : float_row(rows_, entry.row, room_.data());
    while (entry.seen < centers_.count() && entry.bound >= enough) {
      const float square = centers_.distance(numbers, entry.seen, room_.data() + rows_.d);
      ++work_.distances;
      work_.coordinates += rows_.d;
      ++entry.seen;
      if (square < entry.square) {
        entry.square = square;
        entry.bound = bounds.bound_of(entry.row, square);
      }
    }
    replay(at);
  }

  const Rows& rows_;
  const Centers& centers_;
  std::vector<Entry> entries_;  // rows ascending
  // a binary tree: winners_[node] is the entry of the largest bound below the node, whose children
  // are 2 node and 2 node + 1; entries themselves stand from leaves_ on
  std::vector<std::uint32_t> winners_{kNone, kNone};
  std::size_t leaves_ = 1;
  std::vector<float> numbers_, room_;
  std::vector<Ordered> order_;
  double ordered_ = 0.0;
  bool copied_ = false;
  KCenterWork work_;
};

}  // namespace coverset
