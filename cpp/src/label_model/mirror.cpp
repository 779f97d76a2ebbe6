// Overlaps both ways round, by one sweep in the order of the columns.
#include <algorithm>
#include <numeric>
#include <vector>

#include "coverset/label_model.hpp"
#include "coverset/parallel.hpp"

namespace coverset {

void mirror_overlaps(const Cpu& device, const OverlapView& overlaps, std::span<std::int64_t> indptr,
                     std::span<std::int32_t> other, std::span<std::int64_t> entry) {
  constexpr std::int64_t kStep = 1 << 3;  // columns, each with up to all others
  const auto n = static_cast<std::int64_t>(overlaps.indptr.size()) - 1;
  std::ranges::fill(indptr, 0);
  for (std::size_t c = 0; c < static_cast<std::size_t>(n); ++c) {
    indptr[c + 1] += overlaps.indptr[c + 1] - overlaps.indptr[c];
  }
  for (const std::int32_t d : overlaps.other) ++indptr[static_cast<std::size_t>(d) + 1];
  std::partial_sum(indptr.begin(), indptr.end(), indptr.begin());
  std::vector<std::int64_t> next(indptr.begin(), indptr.end() - 1);
  const auto put = [&](std::size_t column, std::size_t with, std::size_t e) {
    const auto at = static_cast<std::size_t>(next[column]++);
    other[at] = static_cast<std::int32_t>(with);
    entry[at] = static_cast<std::int64_t>(e);
  };
  // when it is a column's turn, all those below have been put before it
  advance_parts(device, 0, n, n, kStep, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
    for (auto c = static_cast<std::size_t>(begin); c < static_cast<std::size_t>(end); ++c) {
      for (auto e = static_cast<std::size_t>(overlaps.indptr[c]);
           e < static_cast<std::size_t>(overlaps.indptr[c + 1]); ++e) {
        const auto d = static_cast<std::size_t>(overlaps.other[e]);
        put(c, d, e);
        put(d, c, e);
      }
    }
  });
}

}  // namespace coverset
