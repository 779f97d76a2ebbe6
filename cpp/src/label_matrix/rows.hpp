// One row of votes, and how to put it in order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "coverset/view.hpp"

namespace coverset {

struct RowRange {
  std::size_t begin, end;
};

inline RowRange row_range(std::span<const std::int64_t> indptr, std::int64_t row) {
  const auto at = static_cast<std::size_t>(row);
  return {static_cast<std::size_t>(indptr[at]), static_cast<std::size_t>(indptr[at + 1])};
}

/// Sorts the n votes at lfs, labels by LF, stably. `scratch` is reused from row to row.
inline void sort_row(std::int32_t* lfs, std::int16_t* labels, std::size_t n,
                     std::vector<std::pair<std::int32_t, std::int16_t>>& scratch) {
  constexpr std::size_t kInsertion = 24;
  if (n <= kInsertion) {
    for (std::size_t i = 1; i < n; ++i) {
      const std::int32_t lf = lfs[i];
      const std::int16_t label = labels[i];
      std::size_t j = i;
      for (; j > 0 && lfs[j - 1] > lf; --j) {
        lfs[j] = lfs[j - 1];
        labels[j] = labels[j - 1];
      }
      lfs[j] = lf;
      labels[j] = label;
    }
    return;
  }
  scratch.clear();
  for (std::size_t i = 0; i < n; ++i) scratch.emplace_back(lfs[i], labels[i]);
  std::ranges::stable_sort(scratch, {}, &std::pair<std::int32_t, std::int16_t>::first);
  for (std::size_t i = 0; i < n; ++i) {
    lfs[i] = scratch[i].first;
    labels[i] = scratch[i].second;
  }
}

}  // namespace coverset
