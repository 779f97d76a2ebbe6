#include "coreset/refreshers.hpp"

#include <algorithm>

#include "coreset/costs.hpp"
#include "coverset/parallel.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kMostMeasured = 16;  // centers a row: more bits pay then
constexpr std::int64_t kAllRows = 1 << 14;  // that are refreshed together
constexpr std::int64_t kFirstCenters = 64;  // on which projections are tried

}  // namespace

Refreshers::Refreshers(const Cpu& device, const Rows& rows, KCenterStrategy strategy,
                       CenterBounds& bounds, std::span<std::int64_t> nearest)
    : device_(device), rows_(rows), strategy_(strategy), bounds_(bounds), centers_(device, rows) {
  for (int t = 0; t < thread_count(device); ++t) refreshers_.emplace_back(centers_, nearest);
}

void Refreshers::consider_projection(WorkAhead ahead) {
  missed_ = ahead.missed;
  if (chosen_ || strategy_ == KCenterStrategy::whole) return;
  if (strategy_ == KCenterStrategy::projection) {
    chosen_ = true;
    return centers_.use(short_projection(device_, rows_, centers_.normalization()));
  }
  if (centers_.count() < kFirstCenters) return;
  chosen_ = true;
  auto projection =
      choose_projection(device_, rows_, centers_.normalization(), centers_.taken(), ahead);
  if (projection) centers_.use(std::move(projection));
}

void Refreshers::refresh(std::span<const std::int64_t> rows) {
  centers_.pack();
  const KCenterWork before = work();
  const auto count = static_cast<std::int64_t>(rows.size());
  const auto threads = static_cast<std::int64_t>(refreshers_.size());
  const std::int64_t panels = (count + kPanelRows - 1) / kPanelRows;
  const std::int64_t range = (panels + threads - 1) / threads * kPanelRows;
  advance_parts(device_, 0, count, range, kPanelRows * 16,
                [&](std::int64_t part, std::int64_t from, std::int64_t to) {
                  for (; from < to; from += kPanelRows) {
                    const auto size =
                        static_cast<std::size_t>(std::min<std::int64_t>(kPanelRows, to - from));
                    refreshers_[static_cast<std::size_t>(part)].refresh(
                        rows.subspan(static_cast<std::size_t>(from), size), bounds_);
                  }
                });
  look_back(before, static_cast<double>(count));
}

void Refreshers::catch_up() {
  std::vector<std::int64_t> some;
  for (std::int64_t row = 0; row < rows_.n; ++row) {
    if (bounds_.bound(row) > 0.0f && bounds_.seen(row) < centers_.count()) some.push_back(row);
    if (!some.empty() && (row + 1 == rows_.n || std::ssize(some) == kAllRows)) {
      refresh(some);
      some.clear();
    }
  }
}

/// Takes more bits, or whole rows, where a front took too many distances.
void Refreshers::look_back(const KCenterWork& before, double rows) {
  if (rows == 0.0) return;
  const KCenterWork now = work();
  const double measured = static_cast<double>(now.distances - before.distances) / rows;
  const bool finest = centers_.precision() == Precision::float32;
  if (centers_.projection() == nullptr) {
    if (measured > kMostMeasured && !finest) centers_.refine();
    return;
  }
  const double multiplied = static_cast<double>(now.products - before.products) / rows;
  if (multiplied < missed_ / 2.0) return;  // that says little
  const std::int64_t d = rows_.d, numbers = centers_.projection()->count();
  const auto cost = [&](std::int64_t of, Precision precision, double distances) {
    return refresh_cost(multiplied, of, precision, distances, d);
  };
  if (!finest && measured > kMostMeasured &&
      cost(numbers, centers_.precision(), 0.0) < cost(0, Precision::float32, measured)) {
    centers_.refine();
  } else if (strategy_ == KCenterStrategy::best &&
             cost(numbers, centers_.precision(), measured) >
                 cost(d, precision_from(Precision::int8, d), 2.0)) {
    centers_.use(nullptr);
  }
}

KCenterWork Refreshers::work() const {
  KCenterWork all;
  for (const Refresher& one : refreshers_) all = all + one.work();
  all.projection = centers_.projection() == nullptr ? 0 : centers_.projection()->count();
  return all;
}

double Refreshers::refreshed() const {
  double rows = 0.0;
  for (const Refresher& one : refreshers_) rows += static_cast<double>(one.refreshed());
  return rows;
}

double Refreshers::spent() const {
  const KCenterWork all = work();
  const std::int64_t numbers = all.projection > 0 ? all.projection : rows_.d;
  const double together =
      refreshed() * gather_cost(rows_.d) +
      refresh_cost(static_cast<double>(all.products), numbers, centers_.precision(),
                   static_cast<double>(all.distances), rows_.d);
  return together / static_cast<double>(refreshers_.size()) + refreshed() * kShortlistCost;
}

}  // namespace coverset
