// How often columns occur together: half of the sparse product of the patterns with themselves.
#include <algorithm>
#include <utility>

#include "coverset/label_model.hpp"
#include "coverset/parallel.hpp"

namespace coverset {
namespace {

/// The patterns of each column, ascending.
struct ByColumn {
  std::vector<std::int64_t> starts, pattern;

  ByColumn(const Patterns& patterns, std::size_t columns) : starts(columns + 1, 0) {
    for (const std::int32_t c : patterns.column) ++starts[static_cast<std::size_t>(c) + 1];
    for (std::size_t c = 0; c < columns; ++c) starts[c + 1] += starts[c];
    pattern.resize(patterns.column.size());
    std::vector<std::int64_t> next(starts.begin(), starts.end() - 1);
    for (std::int64_t i = 0; i < patterns.size(); ++i) {
      for (std::int64_t e = patterns.indptr[static_cast<std::size_t>(i)];
           e < patterns.indptr[static_cast<std::size_t>(i) + 1]; ++e) {
        const auto c = static_cast<std::size_t>(patterns.column[static_cast<std::size_t>(e)]);
        pattern[static_cast<std::size_t>(next[c]++)] = i;
      }
    }
  }
};

struct Part {
  std::vector<std::int64_t> counts;
  std::vector<std::int32_t> other;
  std::vector<double> rows;
};

}  // namespace

Overlaps count_overlaps(const Cpu& device, const Patterns& patterns, std::int64_t columns) {
  const auto size = static_cast<std::size_t>(columns);
  const ByColumn by_column(patterns, size);
  const std::int64_t block = std::max<std::int64_t>(8, columns / 256);
  std::vector<Part> parts(static_cast<std::size_t>((columns + block - 1) / block));
  parallel_for(device, columns, block, [&](std::int64_t begin, std::int64_t end) {
    Part& part = parts[static_cast<std::size_t>(begin / block)];
    std::vector<double> sums(size);
    std::vector<std::int32_t> seen;
    for (std::int64_t c = begin; c < end; ++c) {
      const auto at = static_cast<std::size_t>(c);
      for (std::int64_t e = by_column.starts[at]; e < by_column.starts[at + 1]; ++e) {
        const auto i = static_cast<std::size_t>(by_column.pattern[static_cast<std::size_t>(e)]);
        // a row's columns ascend: those above c are at its end
        for (std::int64_t f = patterns.indptr[i + 1] - 1;
             f >= patterns.indptr[i] && patterns.column[static_cast<std::size_t>(f)] > c; --f) {
          const std::int32_t other = patterns.column[static_cast<std::size_t>(f)];
          double& sum = sums[static_cast<std::size_t>(other)];
          if (sum == 0.0) seen.push_back(other);
          sum += patterns.weight[i];
        }
      }
      std::ranges::sort(seen);
      for (const std::int32_t other : seen) {
        part.other.push_back(other);
        part.rows.push_back(std::exchange(sums[static_cast<std::size_t>(other)], 0.0));
      }
      part.counts.push_back(static_cast<std::int64_t>(seen.size()));
      seen.clear();
    }
  });
  Overlaps all;
  all.indptr.push_back(0);
  for (const Part& part : parts) {
    for (const std::int64_t count : part.counts) {
      all.indptr.push_back(all.indptr.back() + count);
    }
    all.other.insert(all.other.end(), part.other.begin(), part.other.end());
    all.rows.insert(all.rows.end(), part.rows.begin(), part.rows.end());
  }
  return all;
}

}  // namespace coverset
