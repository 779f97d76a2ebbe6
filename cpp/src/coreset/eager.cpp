#include "coreset/eager.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "coreset/keys.hpp"
#include "coverset/parallel.hpp"
#include "neighbors/canonical.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlock = 1 << 12, kTogether = 128;

class Passes {
 public:
  Passes(const Cpu& device, const Rows& rows, const KCenterOptions& options)
      : device_(device),
        rows_(rows),
        options_(options),
        keys_(rows.n, options.weights),
        best_(static_cast<std::size_t>((rows.n + kBlock - 1) / kBlock)) {}

  /// Counts a centre.
  void add(std::int64_t row) {
    std::vector<float> room(static_cast<std::size_t>(rows_.d));
    const CanonicalQuery centre(Metric::sqeuclidean, float_row(rows_, row, room.data()), rows_.d);
    keys_.set(row, -1.0f, 0);
    parallel_for(device_, rows_.n, kBlock, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> mine(static_cast<std::size_t>(2 * rows_.d));
      std::array<float, kTogether> squares;
      KeyedRow best{-1.0f, rows_.n};
      for (std::int64_t from = begin; from < end; from += kTogether) {
        const std::int64_t count = std::min(kTogether, end - from);
        centre.distances(rows_, from, count, mine.data(), squares.data());
        for (std::int64_t i = 0; i < count; ++i) {
          const std::int64_t at = from + i;
          if (squares[static_cast<std::size_t>(i)] < keys_.square(at)) {
            keys_.set(at, squares[static_cast<std::size_t>(i)], 0);
          }
          best = std::min(best, KeyedRow{keys_.key(at), at});
        }
      }
      best_[static_cast<std::size_t>(begin / kBlock)] = best;
    });
  }

  /// The row that is to be taken; none: key -1.
  KeyedRow next() {
    if (options_.n_outliers == 0) return *std::min_element(best_.begin(), best_.end());
    std::vector<KeyedRow> all;
    for (std::int64_t row = 0; row < rows_.n; ++row) all.push_back({keys_.key(row), row});
    const auto at = all.begin() + static_cast<std::ptrdiff_t>(options_.n_outliers);
    std::nth_element(all.begin(), at, all.end());
    return *at;
  }

 private:
  const Cpu& device_;
  const Rows& rows_;
  const KCenterOptions& options_;
  Keys keys_;
  std::vector<KeyedRow> best_;
};

}  // namespace

KCenterWork k_center_eagerly(const Cpu& device, const Rows& rows, const KCenterOptions& options,
                             std::span<std::int64_t> indices, std::span<float> keys) {
  Passes passes(device, rows, options);
  KCenterWork work;
  for (const std::int64_t row : options.initial) passes.add(row);
  KeyedRow next = options.initial.empty() ? KeyedRow{0.0f, options.start} : passes.next();
  std::size_t taken = 0;
  if (!options.initial.empty()) work.before = std::max(next.key, 0.0f);
  const bool covered = !options.initial.empty() && next.key <= options.stop;
  while (taken < indices.size() && next.key >= 0.0f && !covered) {
    passes.add(next.row);
    indices[taken] = next.row;
    next = passes.next();
    keys[taken++] = std::max(next.key, 0.0f);
    if (next.key <= options.stop) break;
  }
  work.centres = static_cast<std::int64_t>(taken);
  work.refreshes = work.centres + static_cast<std::int64_t>(options.initial.size());
  work.distances = work.refreshes * rows.n;
  work.coordinates = work.distances * rows.d;
  work.bytes = work.distances * rows.stride_bytes;
  return work;
}

}  // namespace coverset
