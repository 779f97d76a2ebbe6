#include "coreset/eager.hpp"

#include <algorithm>

#include "coverset/parallel.hpp"
#include "exact/canonical_query.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlock = 1 << 12;

}  // namespace

Passes::Passes(const Cpu& device, const Rows& rows, std::int64_t n_outliers, CenterBounds& bounds)
    : device_(device),
      rows_(rows),
      n_outliers_(n_outliers),
      bounds_(bounds),
      best_(static_cast<std::size_t>((rows.n + kBlock - 1) / kBlock)) {}

/// Calls block(begin, end, best) for each.
template <class Block>
void Passes::over_blocks(Block&& block) {
  parallel_for(device_, rows_.n, kBlock, [&](std::int64_t begin, std::int64_t end) {
    BoundedRow best{-1.0f, rows_.n};
    block(begin, end, best);
    best_[static_cast<std::size_t>(begin / kBlock)] = best;
  });
}

void Passes::look() {
  over_blocks([&](std::int64_t begin, std::int64_t end, BoundedRow& best) {
    for (std::int64_t row = begin; row < end; ++row) {
      best = std::min(best, BoundedRow{bounds_.bound(row), row});
    }
  });
}

void Passes::add(std::int64_t row) {
  std::vector<float> room(static_cast<std::size_t>(rows_.d));
  const CanonicalQuery center(Metric::sqeuclidean, float_row(rows_, row, room.data()), rows_.d);
  bounds_.take(row);
  over_blocks([&](std::int64_t begin, std::int64_t end, BoundedRow& best) {
    center.each(rows_, begin, end, [&](std::int64_t at, float square) {
      bounds_.lower(at, square);
      best = std::min(best, BoundedRow{bounds_.bound(at), at});
    });
  });
  ++work_.refreshes;
  work_.distances += rows_.n;
  work_.coordinates += rows_.n * rows_.d;
  work_.bytes += rows_.n * rows_.stride_bytes;
}

BoundedRow Passes::next() const {
  if (n_outliers_ == 0) return *std::min_element(best_.begin(), best_.end());
  return bounds_.after(n_outliers_);
}

}  // namespace coverset
