// Sums of what rows weigh, by vote and by column.
#include <algorithm>
#include <mutex>
#include <vector>

#include "coverset/label_model.hpp"
#include "coverset/parallel.hpp"

namespace coverset {
namespace {

/// Rows that have about so many votes together.
std::int64_t rows_of(std::int64_t votes, std::span<const std::int64_t> indptr) {
  const auto n = static_cast<std::int64_t>(indptr.size()) - 1;
  return std::max<std::int64_t>(
      1, votes / std::max<std::int64_t>(1, indptr.back() / std::max<std::int64_t>(n, 1)));
}

}  // namespace

void weigh_labels(const Cpu& device, const Votes& votes, std::span<const double> weight,
                  std::int32_t cardinality, std::span<std::int64_t> counts) {
  std::ranges::fill(counts, 0);
  const auto classes = static_cast<std::size_t>(cardinality);
  const auto votes_of_block =
      std::max<std::int64_t>(1 << 18, static_cast<std::int64_t>(counts.size()));
  const std::int64_t block = rows_of(votes_of_block, votes.indptr);
  std::mutex mutex;
  parallel_for(device, votes.rows(), block, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> part(counts.size());
    for (auto row = static_cast<std::size_t>(begin); row < static_cast<std::size_t>(end); ++row) {
      const auto rows = static_cast<std::int64_t>(weight[row]);
      for (auto e = static_cast<std::size_t>(votes.indptr[row]);
           e < static_cast<std::size_t>(votes.indptr[row + 1]); ++e) {
        part[static_cast<std::size_t>(votes.columns[e]) * classes +
             static_cast<std::size_t>(votes.values[e])] += rows;
      }
    }
    const std::lock_guard lock(mutex);
    for (std::size_t i = 0; i < part.size(); ++i) counts[i] += part[i];
  });
}

void add_by_column(const Cpu& device, std::span<const std::int64_t> indptr,
                   std::span<const std::int32_t> column, std::span<const double> mass,
                   std::int32_t cardinality, std::span<double> sums) {
  std::ranges::fill(sums, 0.0);
  const auto k = static_cast<std::size_t>(cardinality);
  const auto n = static_cast<std::int64_t>(indptr.size()) - 1;
  const std::int64_t step = rows_of((1 << 20) / cardinality, indptr);
  advance_parts(device, 0, n, n, step, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
    for (auto row = static_cast<std::size_t>(begin); row < static_cast<std::size_t>(end); ++row) {
      const double* own = mass.data() + row * k;
      for (auto e = static_cast<std::size_t>(indptr[row]);
           e < static_cast<std::size_t>(indptr[row + 1]); ++e) {
        double* sum = sums.data() + static_cast<std::size_t>(column[e]) * k;
        for (std::size_t y = 0; y < k; ++y) sum[y] += own[y];
      }
    }
  });
}

}  // namespace coverset
