#include "coreset/lazy.hpp"

#include <algorithm>

#include "coreset/costs.hpp"
#include "coverset/parallel.hpp"
#include "exact/canonical_query.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kFewestRows = 1 << 8;     // of a front
constexpr std::int64_t kOrdinaryRows = 1 << 14;  // at most so many, or n / 64 where that is more

}  // namespace

Lazy::Lazy(const Cpu& device, const Rows& rows, const KCenterOptions& options, std::int64_t wanted,
           CenterBounds& bounds)
    : device_(device),
      rows_(rows),
      options_(options),
      bounds_(bounds),
      refreshers_(device, rows, options.strategy, bounds),
      shortlist_(rows, refreshers_.centers()),
      wanted_centers_(wanted),
      most_(std::max(kOrdinaryRows, rows.n / 64)),
      wanted_(std::clamp(rows.n / 64, 2 * kFewestRows, kOrdinaryRows / 4)) {}

void Lazy::begin(std::span<const std::int64_t> centers) {
  for (const std::int64_t row : centers) {
    add(row);
    bounds_.take(row);
  }
  if (centers.size() == 1) {
    measure_first();
  } else {
    refreshers_.consider_projection({wanted_centers_, static_cast<double>(centers.size())});
    refreshers_.catch_up();
  }
  begin_again();
}

void Lazy::measure_first() {
  std::vector<float> room(static_cast<std::size_t>(rows_.d));
  const float* numbers = float_row(rows_, refreshers_.centers().row(0), room.data());
  const CanonicalQuery center(Metric::sqeuclidean, numbers, rows_.d);
  parallel_for(device_, rows_.n, 1 << 13, [&](std::int64_t begin, std::int64_t end) {
    center.each(rows_, begin, end, [&](std::int64_t row, float square) {
      if (bounds_.square(row) >= 0.0f) bounds_.set(row, square, 1);  // not of the center itself
    });
  });
  first_.distances += rows_.n;
  first_.coordinates += rows_.n * rows_.d;
  first_.bytes += rows_.n * rows_.stride_bytes;
}

void Lazy::catch_up() {
  shortlist_.store(bounds_);
  refreshers_.catch_up();
}

void Lazy::begin_again() {
  bounds_.count_all();
  shortlist_.clear();
  next_ = {std::numeric_limits<float>::infinity(), -1};
  exhausted_ = false;
  picks_ = 1;
}

std::optional<BoundedRow> Lazy::next(double allowed) {
  const double until = spent() + allowed;
  while (true) {
    const double left = (until - spent()) / distance_cost(rows_.d);
    const auto distances = static_cast<std::int64_t>(std::clamp(left, 0.0, 0x1p40));
    const std::optional<BoundedRow> row =
        options_.n_outliers == 0 ? shortlist_.first(bounds_, distances)
                                 : shortlist_.after(options_.n_outliers, bounds_, distances);
    if (!row) return row;
    if (row->bound >= 0.0f && !(next_ < *row)) {
      ++picks_;
      return row;
    }
    if (exhausted_) return BoundedRow{-1.0f, rows_.n};
    if (spent() > until) return std::nullopt;
    renew();
  }
}

/// A new shortlist: the rows in front, refreshed.
void Lazy::renew() {
  ++first_.refreshes;
  shortlist_.store(bounds_);
  // more rows where the last shortlist gave none, fewer where it gave many
  if (picks_ == 0) wanted_ = std::min(2 * wanted_, most_);
  if (picks_ > 256) wanted_ = std::max(wanted_ / 2, kFewestRows);
  picks_ = 0;
  Front front = bounds_.front(device_, wanted_ + options_.n_outliers);
  next_ = front.next;
  exhausted_ = static_cast<std::int64_t>(front.rows.size()) + centers() >= rows_.n;
  if (exhausted_) next_ = {-1.0f, rows_.n};  // no row is left out
  by_age_.clear();
  for (const std::int64_t row : front.rows) {
    if (bounds_.bound(row) > 0.0f) by_age_.push_back(row);  // others stay 0
  }
  std::ranges::stable_sort(by_age_, {}, [&](std::int64_t row) { return bounds_.seen(row); });
  before_.clear();
  for (const std::int64_t row : by_age_) before_.push_back(bounds_.bound(row));
  // a row is refreshed with a fifth of all centers at a time, as seen on many sets
  refreshers_.consider_projection(
      {wanted_centers_ - centers(), static_cast<double>(wanted_centers_) / 5.0});
  refreshers_.refresh(by_age_);
  for (std::size_t i = 0; i < by_age_.size(); ++i) bounds_.count(by_age_[i], before_[i]);
  shortlist_.fill(front.rows, bounds_);
}

void Lazy::take(std::int64_t row) {
  shortlist_.drop(row);
  const float before = bounds_.bound(row);
  bounds_.take(row);
  bounds_.count(row, before);
  add(row);
}

KCenterWork Lazy::work() const { return refreshers_.work() + first_ + shortlist_.work(); }

double Lazy::spent() const {
  const double looked = static_cast<double>(first_.refreshes) * static_cast<double>(rows_.n);
  return refreshers_.spent() + looked * kLookCost / thread_count(device_) +
         static_cast<double>(shortlist_.work().distances) * distance_cost(rows_.d) +
         shortlist_.ordered() * kOrderCost;
}

}  // namespace coverset
