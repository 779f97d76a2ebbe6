// The plain form of farthest first: one fused pass over all rows for every center.
#pragma once

#include <vector>

#include "coreset/keys.hpp"
#include "coverset/coreset.hpp"
#include "coverset/view.hpp"

namespace coverset {

/// Passes over keys that are up to date, from one center to the next.
class Passes {
 public:
  Passes(const Cpu& device, const Rows& rows, std::int64_t n_outliers, Keys& keys);

  /// Looks at all keys. Before the first pass.
  void look();

  /// Counts a center, which is taken itself. Says nothing of it to `seen`.
  void add(std::int64_t row);

  /// The row that is to be taken, the largest key but n_outliers; none: key -1.
  KeyedRow next() const;

  KCenterWork work() const { return work_; }

 private:
  template <class Block>
  void over_blocks(Block&& block);

  const Cpu& device_;
  const Rows& rows_;
  std::int64_t n_outliers_;
  Keys& keys_;
  std::vector<KeyedRow> best_;  // of each block
  KCenterWork work_;
};

}  // namespace coverset
