// The plain form of farthest first: one fused pass over all rows for every center.
#pragma once

#include <vector>

#include "coreset/center_bounds.hpp"
#include "coverset/coreset.hpp"
#include "coverset/view.hpp"

namespace coverset {

/// Passes over exact bounds, from one center to the next.
class Passes {
 public:
  Passes(const Cpu& device, const Rows& rows, std::int64_t n_outliers, CenterBounds& bounds);

  /// Looks at all bounds. Before the first pass.
  void look();

  /// Counts a center, which is taken itself. Says nothing of it to `seen`.
  void add(std::int64_t row);

  /// The row that is to be taken, the largest bound with the n_outliers farthest rows ignored;
  /// none: bound -1.
  BoundedRow next() const;

  KCenterWork work() const { return work_; }

 private:
  template <class Block>
  void over_blocks(Block&& block);

  const Cpu& device_;
  const Rows& rows_;
  std::int64_t n_outliers_;
  CenterBounds& bounds_;
  std::vector<BoundedRow> best_;  // of each block
  KCenterWork work_;
};

}  // namespace coverset
