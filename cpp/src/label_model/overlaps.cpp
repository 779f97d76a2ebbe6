// How often columns occur together: half of the sparse product of the patterns with themselves.
#include <algorithm>
#include <utility>

#include "coverset/label_model.hpp"
#include "coverset/parallel.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kDenseColumns = 1 << 10;  // up to here all pairs have a place: 8 MiB
constexpr std::int64_t kDenseParts = 4;

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

/// Rows of the table of all pairs of columns begin..end-1 with those above, and which are not 0.
Part dense_part(const Patterns& patterns, std::int64_t begin, std::int64_t end,
                std::int64_t columns) {
  const auto width = static_cast<std::size_t>(columns);
  std::vector<double> sums(static_cast<std::size_t>(end - begin) * width);
  for (std::size_t i = 0; i < static_cast<std::size_t>(patterns.size()); ++i) {
    const double weight = patterns.weight[i];
    const auto first = static_cast<std::size_t>(patterns.indptr[i]);
    const auto last = static_cast<std::size_t>(patterns.indptr[i + 1]);
    for (std::size_t e = first; e < last && patterns.column[e] < end; ++e) {
      if (patterns.column[e] < begin) continue;
      double* row = sums.data() + static_cast<std::size_t>(patterns.column[e] - begin) * width;
      for (std::size_t f = e + 1; f < last; ++f) row[patterns.column[f]] += weight;
    }
  }
  Part part;
  for (std::int64_t c = begin; c < end; ++c) {
    const double* row = sums.data() + static_cast<std::size_t>(c - begin) * width;
    const std::size_t before = part.other.size();
    for (std::size_t other = static_cast<std::size_t>(c) + 1; other < width; ++other) {
      if (row[other] == 0.0) continue;
      part.other.push_back(static_cast<std::int32_t>(other));
      part.rows.push_back(row[other]);
    }
    part.counts.push_back(static_cast<std::int64_t>(part.other.size() - before));
  }
  return part;
}

Overlaps joined(const std::vector<Part>& parts) {
  Overlaps all;
  all.indptr.push_back(0);
  for (const Part& part : parts) {
    for (const std::int64_t count : part.counts) all.indptr.push_back(all.indptr.back() + count);
    all.other.insert(all.other.end(), part.other.begin(), part.other.end());
    all.rows.insert(all.rows.end(), part.rows.begin(), part.rows.end());
  }
  return all;
}

}  // namespace

Overlaps count_overlaps(const Cpu& device, const Patterns& patterns, std::int64_t columns) {
  const auto size = static_cast<std::size_t>(columns);
  if (columns <= kDenseColumns) {
    std::vector<Part> parts(kDenseParts);
    parallel_for(device, kDenseParts, 1, [&](std::int64_t at, std::int64_t) {
      parts[static_cast<std::size_t>(at)] = dense_part(patterns, at * columns / kDenseParts,
                                                       (at + 1) * columns / kDenseParts, columns);
    });
    return joined(parts);
  }
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
  return joined(parts);
}

}  // namespace coverset
