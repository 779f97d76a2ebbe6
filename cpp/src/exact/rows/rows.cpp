#include "coverset/rows.hpp"

#include <algorithm>
#include <mutex>
#include <vector>

#include "coverset/parallel.hpp"
#include "exact/rows/float_row.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlockNumbers = 1 << 20;

/// Rows of a block.
std::int64_t block_rows(const Rows& rows) {
  return std::max<std::int64_t>(1, kBlockNumbers / std::max<std::int64_t>(1, rows.d));
}

}  // namespace

BadRow find_bad_row(const Cpu& device, const Rows& rows, Metric metric) {
  BadRow found;
  std::mutex mutex;
  parallel_for(device, rows.n, block_rows(rows), [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> room(static_cast<std::size_t>(rows.d));
    for (std::int64_t i = begin; i < end; ++i) {
      const float* row = float_row(rows, i, room.data());
      const RowSize size = COVERSET_AT_LEVEL(measure_row)(row, rows.d);
      const bool fits = size.squares <= kMostSquares;  // not so for NaN
      if (fits && (metric != Metric::cosine || size.largest >= 0x1p-126f)) continue;
      const std::lock_guard lock(mutex);
      if (found.row < 0 || i < found.row) found = {i, size.squares};
      return;
    }
  });
  return found;
}

void load_rows(const Cpu& device, const Rows& rows, std::span<float> out) {
  parallel_for(device, rows.n, block_rows(rows), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      copy_float_row(rows, i, out.data() + i * rows.d);
    }
  });
}

}  // namespace coverset
