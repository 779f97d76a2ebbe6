// One row of votes, and how to put it in order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <tuple>
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

/// Rows up to here are sorted by insertion: beyond, that costs more than merging.
inline constexpr std::size_t kFewVotes = 24;

/// Sorts n votes by LF, stably: get(i) and set(i, vote) reach them, lf_of(vote) is the LF.
template <class Get, class Set, class LfOf>
inline void insertion_sort(std::size_t n, Get&& get, Set&& set, LfOf&& lf_of) {
  for (std::size_t i = 1; i < n; ++i) {
    const auto vote = get(i);
    std::size_t j = i;
    for (; j > 0 && lf_of(get(j - 1)) > lf_of(vote); --j) set(j, get(j - 1));
    set(j, vote);
  }
}

/// Sorts the n votes at lfs, labels by LF, stably. `scratch` is reused from row to row.
inline void sort_row(std::int32_t* lfs, std::int16_t* labels, std::size_t n,
                     std::vector<std::pair<std::int32_t, std::int16_t>>& scratch) {
  using Vote = std::pair<std::int32_t, std::int16_t>;
  const auto get = [=](std::size_t i) { return Vote{lfs[i], labels[i]}; };
  const auto set = [=](std::size_t i, const Vote& vote) { std::tie(lfs[i], labels[i]) = vote; };
  const auto lf_of = [](const Vote& vote) { return vote.first; };
  if (n <= kFewVotes) return insertion_sort(n, get, set, lf_of);
  scratch.clear();
  for (std::size_t i = 0; i < n; ++i) scratch.push_back(get(i));
  std::ranges::stable_sort(scratch, {}, lf_of);
  for (std::size_t i = 0; i < n; ++i) set(i, scratch[i]);
}

}  // namespace coverset
