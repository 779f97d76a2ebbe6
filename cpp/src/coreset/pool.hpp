// The rows that may be taken next, side by side in memory, brought up to date one at a time.
#pragma once

#include <algorithm>
#include <vector>

#include "coreset/centres.hpp"

namespace coverset {

class Pool {
 public:
  Pool(const Rows& rows, const Centres& centres) : rows_(rows), centres_(centres) {}

  /// Takes rows (ascending) whose keys are up to date.
  void fill(const std::vector<std::int64_t>& rows, const Keys& keys) {
    entries_.clear();
    best_.assign((rows.size() + kGroup - 1) / kGroup, 0);
    room_.resize(static_cast<std::size_t>(2 * rows_.d));
    copied_ = static_cast<std::int64_t>(rows.size()) * rows_.d <= kMostNumbers;
    numbers_.resize(copied_ ? rows.size() * static_cast<std::size_t>(rows_.d) : 0);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::int64_t row = rows[i];
      entries_.push_back({keys.key(row), keys.square(row), row, keys.seen(row)});
      if (!copied_) continue;
      if (i + 4 < rows.size()) prefetch_row(rows_, rows[i + 4]);
      const float* numbers = float_row(rows_, row, room_.data());
      std::copy(numbers, numbers + rows_.d,
                numbers_.begin() + static_cast<std::ptrdiff_t>(i) * rows_.d);
    }
    for (std::size_t group = 0; group < best_.size(); ++group) find_best(group);
  }

  /// The row of the largest key, with all centres counted; none: key -1.
  KeyedRow first(const Keys& keys) {
    while (true) {
      const std::size_t at = largest();
      if (at == entries_.size()) return {-1.0f, rows_.n};
      Entry& entry = entries_[at];
      if (entry.key < 0.0f || entry.seen == centres_.count()) return {entry.key, entry.row};
      update(at, keys, other_than(at));
    }
  }

  /// The row of the (skipped + 1)-th largest key, likewise; none: key -1.
  KeyedRow after(std::int64_t skipped, const Keys& keys) {
    if (skipped >= static_cast<std::int64_t>(entries_.size())) return {-1.0f, rows_.n};
    while (true) {
      order_.resize(entries_.size());
      for (std::size_t i = 0; i < order_.size(); ++i) {
        order_[i] = {{entries_[i].key, entries_[i].row}, i};
      }
      const auto at = order_.begin() + static_cast<std::ptrdiff_t>(skipped);
      std::nth_element(order_.begin(), at, order_.end());
      bool fresh = true;
      for (auto one = order_.begin(); one <= at; ++one) {
        if (one->keyed.key < 0.0f || entries_[one->entry].seen == centres_.count()) continue;
        update(one->entry, keys, 0.0f);
        fresh = false;
      }
      if (fresh) return at->keyed;
    }
  }

  /// The row is no longer to be taken.
  void drop(std::int64_t row) {
    const auto at = std::ranges::lower_bound(entries_, row, {}, &Entry::row);
    if (at == entries_.end() || at->row != row) return;
    at->key = at->square = -1.0f;
    find_best(static_cast<std::size_t>(at - entries_.begin()) / kGroup);
  }

  /// Writes back what was found.
  void store(Keys& keys) const {
    for (const Entry& entry : entries_) {
      if (entry.key < 0.0f) continue;
      const float before = keys.key(entry.row);
      keys.set(entry.row, entry.square, entry.seen);
      keys.count(entry.row, before);
    }
  }

  KCenterWork work() const { return work_; }

 private:
  static constexpr std::size_t kGroup = 64;
  static constexpr std::int64_t kMostNumbers = 1 << 21;  // that are copied: 8 MiB

  struct Entry {
    float key, square;
    std::int64_t row, seen;
  };
  struct Ordered {
    KeyedRow keyed;
    std::size_t entry;
    friend bool operator<(const Ordered& a, const Ordered& b) { return a.keyed < b.keyed; }
  };

  void find_best(std::size_t group) {
    std::size_t best = group * kGroup;
    const std::size_t end = std::min(best + kGroup, entries_.size());
    for (std::size_t i = best + 1; i < end; ++i) {
      if (entries_[i].key > entries_[best].key) best = i;
    }
    best_[group] = best;
  }

  std::size_t largest() const {
    std::size_t most = entries_.size();
    for (const std::size_t best : best_) {
      if (most == entries_.size() || entries_[best].key > entries_[most].key) most = best;
    }
    return most;
  }

  /// At most the largest key but that of an entry.
  float other_than(std::size_t at) const {
    float most = -1.0f;
    for (const std::size_t best : best_) {
      if (best != at) most = std::max(most, entries_[best].key);
    }
    return most;
  }

  /// Counts centres until all are or the key is below `enough`.
  void update(std::size_t at, const Keys& keys, float enough) {
    Entry& entry = entries_[at];
    const float* numbers = copied_ ? numbers_.data() + static_cast<std::ptrdiff_t>(at) * rows_.d
                                   : float_row(rows_, entry.row, room_.data());
    while (entry.seen < centres_.count() && entry.key >= enough) {
      const float square = centres_.distance(numbers, entry.seen, room_.data() + rows_.d);
      ++work_.distances;
      work_.coordinates += rows_.d;
      ++entry.seen;
      if (square < entry.square) {
        entry.square = square;
        entry.key = keys.key_of(entry.row, square);
      }
    }
    find_best(at / kGroup);
  }

  const Rows& rows_;
  const Centres& centres_;
  std::vector<Entry> entries_;     // rows ascending
  std::vector<std::size_t> best_;  // of each group of entries, the first of the largest key
  std::vector<float> numbers_, room_;
  std::vector<Ordered> order_;
  bool copied_ = false;
  KCenterWork work_;
};

}  // namespace coverset
