// Hits of every kind, put together as a label matrix.
#include <algorithm>

#include "coverset/error.hpp"
#include "coverset/lf.hpp"
#include "coverset/parallel.hpp"
#include "label_matrix/rows.hpp"

namespace coverset {
namespace {

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

std::vector<std::int64_t> count_votes(const Cpu& device, std::span<const VotePart> parts,
                                      const Rules& rules, std::int64_t n) {
  std::vector<std::int64_t> starts(
      static_cast<std::size_t>((n + kVoteBlockRows - 1) / kVoteBlockRows) + 1, 0);
  parallel_for(device, n, kVoteBlockRows, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t votes = 0;
    for_each_vote(parts, rules, begin, end,
                  [&](std::size_t, std::int32_t, std::int16_t) { ++votes; });
    starts[static_cast<std::size_t>(begin / kVoteBlockRows) + 1] = votes;
  });
  for (std::size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
  return starts;
}

void place_votes(const Cpu& device, std::span<const VotePart> parts, const Rules& rules,
                 std::span<const std::int64_t> starts, std::span<std::int64_t> indptr,
                 std::span<std::int32_t> lfs, std::span<std::int16_t> labels) {
  const auto n = static_cast<std::int64_t>(indptr.size()) - 1;
  indptr[0] = 0;
  parallel_for(device, n, kVoteBlockRows, [&](std::int64_t begin, std::int64_t end) {
    const auto base = static_cast<std::size_t>(begin);
    const auto rows = static_cast<std::size_t>(end - begin);
    std::int32_t counts[kVoteBlockRows] = {};
    std::int64_t next[kVoteBlockRows];     // where the row's next vote goes
    std::int32_t several[kVoteBlockRows];  // rows with more than one vote
    for_each_vote(parts, rules, begin, end,
                  [&](std::size_t row, std::int32_t, std::int16_t) { ++counts[row - base]; });
    std::int64_t at = starts[static_cast<std::size_t>(begin / kVoteBlockRows)];
    std::size_t n_several = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      next[i] = at;
      at += counts[i];
      indptr[base + i + 1] = at;
      several[n_several] = static_cast<std::int32_t>(i);
      n_several += counts[i] > 1;
    }
    for_each_vote(parts, rules, begin, end,
                  [&](std::size_t row, std::int32_t lf, std::int16_t label) {
                    const auto to = static_cast<std::size_t>(next[row - base]++);
                    lfs[to] = lf;
                    labels[to] = label;
                  });
    std::vector<std::pair<std::int32_t, std::int16_t>> scratch;
    for (std::size_t i = 0; i < n_several; ++i) {
      const std::int64_t row = begin + several[i];
      const auto last = static_cast<std::size_t>(indptr[static_cast<std::size_t>(row) + 1]);
      const std::size_t first = last - static_cast<std::size_t>(counts[several[i]]);
      sort_row(lfs.data() + first, labels.data() + first, last - first, scratch);
      for (std::size_t vote = first + 1; vote < last; ++vote) {
        require(lfs[vote - 1] != lfs[vote], "a labeling function may vote once a row, function ",
                lfs[vote], " votes twice on row ", row);
      }
    }
  });
}

}  // namespace coverset
