// What each labeling function did, in one pass over the votes.
#include <algorithm>
#include <mutex>
#include <vector>

#include "coverset/label_matrix.hpp"
#include "coverset/parallel.hpp"
#include "label_matrix/rows.hpp"

namespace coverset {
namespace {

/// Counts of one block of rows; sums of whole numbers, so the order of blocks does not matter.
struct Tally {
  std::vector<std::int64_t> votes, overlaps, conflicts, correct, incorrect;

  Tally(std::size_t n_lfs, std::size_t classes)
      : votes(n_lfs * classes),
        overlaps(n_lfs),
        conflicts(n_lfs),
        correct(n_lfs),
        incorrect(n_lfs) {}

  void count_row(const Votes& all, RowRange at, std::size_t classes, std::int32_t gold) {
    const std::size_t n = at.end - at.begin;
    const std::int16_t* labels = all.values.data() + at.begin;
    bool differ = false;
    for (std::size_t i = 1; i < n; ++i) differ |= labels[i] != labels[0];
    for (std::size_t i = 0; i < n; ++i) {
      const auto lf = static_cast<std::size_t>(all.columns[at.begin + i]);
      ++votes[lf * classes + static_cast<std::size_t>(labels[i])];
      overlaps[lf] += n > 1;
      conflicts[lf] += differ;
      if (gold < 0) continue;
      correct[lf] += labels[i] == gold;
      incorrect[lf] += labels[i] != gold;
    }
  }
};

void add(std::span<std::int64_t> sum, const std::vector<std::int64_t>& part) {
  for (std::size_t i = 0; i < part.size(); ++i) sum[i] += part[i];
}

}  // namespace

void count_lfs(const Cpu& device, const Votes& votes, std::int32_t cardinality,
               std::span<const std::int16_t> gold, const LfCounts& counts) {
  const std::size_t n_lfs = counts.overlaps.size();
  const auto classes = static_cast<std::size_t>(cardinality);
  for (const auto span :
       {counts.votes, counts.overlaps, counts.conflicts, counts.correct, counts.incorrect}) {
    std::ranges::fill(span, 0);
  }
  // blocks large enough that adding a tally up costs little beside filling it
  const auto tally_size = static_cast<std::int64_t>(n_lfs * (classes + 4));
  const std::int64_t block = std::max<std::int64_t>(1 << 14, tally_size);
  std::mutex mutex;
  parallel_for(device, votes.rows(), block, [&](std::int64_t begin, std::int64_t end) {
    Tally tally(n_lfs, classes);
    for (std::int64_t row = begin; row < end; ++row) {
      tally.count_row(votes, row_range(votes.indptr, row), classes,
                      gold.empty() ? kAbstain : gold[static_cast<std::size_t>(row)]);
    }
    const std::lock_guard lock(mutex);
    add(counts.votes, tally.votes);
    add(counts.overlaps, tally.overlaps);
    add(counts.conflicts, tally.conflicts);
    add(counts.correct, tally.correct);
    add(counts.incorrect, tally.incorrect);
  });
}

void count_labels(const Cpu& device, const Votes& votes, std::int32_t cardinality,
                  std::span<std::int64_t> counts) {
  std::ranges::fill(counts, 0);
  const auto classes = static_cast<std::size_t>(cardinality);
  const auto block = std::max<std::int64_t>(1 << 18, static_cast<std::int64_t>(counts.size()));
  std::mutex mutex;
  parallel_for(device, votes.entries(), block, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> part(counts.size());
    for (auto e = static_cast<std::size_t>(begin); e < static_cast<std::size_t>(end); ++e) {
      ++part[static_cast<std::size_t>(votes.columns[e]) * classes +
             static_cast<std::size_t>(votes.values[e])];
    }
    const std::lock_guard lock(mutex);
    add(counts, part);
  });
}

}  // namespace coverset
