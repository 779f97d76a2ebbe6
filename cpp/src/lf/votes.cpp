// Hits of every kind, put together as a label matrix.
#include <algorithm>

#include "coverset/error.hpp"
#include "coverset/lf.hpp"
#include "coverset/parallel.hpp"
#include "label_matrix/rows.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlock = 1 << 13;

/// Calls vote(row, lf, label) for the votes of rows begin..end-1, part by part.
template <class Vote>
void for_each_vote(std::span<const VotePart> parts, const Rules& rules, std::int64_t begin,
                   std::int64_t end, Vote&& vote) {
  for (const VotePart& part : parts) {
    const auto first = std::ranges::lower_bound(part.rows, static_cast<std::int32_t>(begin));
    for (auto i = static_cast<std::size_t>(first - part.rows.begin());
         i < part.rows.size() && part.rows[i] < end; ++i) {
      const auto rule = static_cast<std::size_t>(part.rules[i]);
      const std::int16_t label = part.labels.empty() ? rules.labels[rule] : part.labels[i];
      if (label >= 0) vote(static_cast<std::size_t>(part.rows[i]), rules.lfs[rule], label);
    }
  }
}

}  // namespace

void count_votes(const Cpu& device, std::span<const VotePart> parts, const Rules& rules,
                 std::span<std::int64_t> indptr) {
  std::ranges::fill(indptr, 0);
  const auto n = static_cast<std::int64_t>(indptr.size()) - 1;
  parallel_for(device, n, kBlock, [&](std::int64_t begin, std::int64_t end) {
    for_each_vote(parts, rules, begin, end,
                  [&](std::size_t row, std::int32_t, std::int16_t) { ++indptr[row + 1]; });
  });
  for (std::size_t row = 1; row < indptr.size(); ++row) indptr[row] += indptr[row - 1];
}

void place_votes(const Cpu& device, std::span<const VotePart> parts, const Rules& rules,
                 std::span<const std::int64_t> indptr, std::span<std::int32_t> lfs,
                 std::span<std::int16_t> labels) {
  const auto n = static_cast<std::int64_t>(indptr.size()) - 1;
  parallel_for(device, n, kBlock, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> next(indptr.begin() + begin, indptr.begin() + end);
    for_each_vote(
        parts, rules, begin, end, [&](std::size_t row, std::int32_t lf, std::int16_t label) {
          const auto at = static_cast<std::size_t>(next[row - static_cast<std::size_t>(begin)]++);
          lfs[at] = lf;
          labels[at] = label;
        });
    std::vector<std::pair<std::int32_t, std::int16_t>> scratch;
    for (std::int64_t row = begin; row < end; ++row) {
      const auto [first, last] = row_range(indptr, row);
      sort_row(lfs.data() + first, labels.data() + first, last - first, scratch);
      for (std::size_t at = first + 1; at < last; ++at) {
        require(lfs[at - 1] != lfs[at], "a labeling function may vote once a row, function ",
                lfs[at], " votes twice on row ", row);
      }
    }
  });
}

}  // namespace coverset
