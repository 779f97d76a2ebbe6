#include "coreset/lazy.hpp"

#include <algorithm>
#include <array>

#include "coreset/costs.hpp"
#include "coverset/parallel.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kFewestRows = 1 << 8;     // of a front
constexpr std::int64_t kOrdinaryRows = 1 << 14;  // beyond, a share of all
constexpr std::int64_t kMostMeasured = 16;       // centres a row: more bits pay then
constexpr std::int64_t kAllRows = 1 << 14;       // that are brought up to date together
constexpr std::int64_t kFirstCentres = 64;       // on which prefixes are tried

}  // namespace

Lazy::Lazy(const Cpu& device, const Rows& rows, const KCenterOptions& options, std::int64_t wanted,
           Keys& keys)
    : device_(device),
      rows_(rows),
      options_(options),
      keys_(keys),
      centres_(rows, find_frame(device, rows, Metric::sqeuclidean)),
      pool_(rows, centres_),
      wanted_centres_(wanted),
      most_(std::max(kOrdinaryRows, rows.n / 64)),
      wanted_(std::clamp(rows.n / 64, 2 * kFewestRows, kOrdinaryRows / 4)) {
  for (int t = 0; t < thread_count(device); ++t) refreshers_.emplace_back(centres_);
}

void Lazy::begin(std::span<const std::int64_t> centres) {
  for (const std::int64_t row : centres) centres_.add(row);
  if (centres.size() == 1) {
    measure_first();
  } else {
    choose_way({wanted_centres_, static_cast<double>(centres.size())});
    catch_up();
  }
  for (const std::int64_t row : centres) keys_.take(row);
  begin_again();
}

void Lazy::measure_first() {
  constexpr std::int64_t kTogether = 128;
  std::vector<float> room(static_cast<std::size_t>(rows_.d));
  const float* numbers = float_row(rows_, centres_.row(0), room.data());
  const CanonicalQuery centre(Metric::sqeuclidean, numbers, rows_.d);
  parallel_for(device_, rows_.n, 1 << 13, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> mine(static_cast<std::size_t>(2 * rows_.d));
    std::array<float, kTogether> squares;
    for (std::int64_t row = begin; row < end; row += kTogether) {
      const std::int64_t count = std::min(kTogether, end - row);
      centre.distances(rows_, row, count, mine.data(), squares.data());
      for (std::int64_t i = 0; i < count; ++i) {
        keys_.set(row + i, squares[static_cast<std::size_t>(i)], 1);
      }
    }
  });
  first_.distances += rows_.n;
  first_.coordinates += rows_.n * rows_.d;
  first_.bytes += rows_.n * rows_.stride_bytes;
}

void Lazy::catch_up() {
  pool_.store(keys_);
  centres_.pack();
  std::vector<std::int64_t> some;
  for (std::int64_t row = 0; row < rows_.n; ++row) {
    if (keys_.key(row) > 0.0f && keys_.seen(row) < centres_.count()) some.push_back(row);
    if (!some.empty() && (row + 1 == rows_.n || std::ssize(some) == kAllRows)) {
      refresh(some);
      some.clear();
    }
  }
}

void Lazy::begin_again() {
  keys_.count_all();
  pool_.clear();
  next_ = {std::numeric_limits<float>::infinity(), -1};
  exhausted_ = false;
  picks_ = 1;
}

/// Panel by panel; keys are counted by who calls.
void Lazy::refresh(std::span<const std::int64_t> rows) {
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
                        rows.subspan(static_cast<std::size_t>(from), size), keys_);
                  }
                });
}

std::optional<KeyedRow> Lazy::next(double allowed) {
  const double until = spent() + allowed;
  while (true) {
    const double left = (until - spent()) / distance_cost(rows_.d);
    const auto distances = static_cast<std::int64_t>(std::clamp(left, 0.0, 0x1p40));
    const std::optional<KeyedRow> row = options_.n_outliers == 0
                                            ? pool_.first(keys_, distances)
                                            : pool_.after(options_.n_outliers, keys_, distances);
    if (!row) return row;
    if (row->key >= 0.0f && !(next_ < *row)) {
      ++picks_;
      return row;
    }
    if (exhausted_) return KeyedRow{-1.0f, rows_.n};
    if (spent() > until) return std::nullopt;
    renew();
  }
}

/// A new pool: the rows in front, up to date.
void Lazy::renew() {
  ++first_.refreshes;
  pool_.store(keys_);
  // more rows where the last pool gave none, fewer where it gave many
  if (picks_ == 0) wanted_ = std::min(2 * wanted_, most_);
  if (picks_ > 256) wanted_ = std::max(wanted_ / 2, kFewestRows);
  picks_ = 0;
  Front front = keys_.front(device_, wanted_ + options_.n_outliers);
  next_ = front.next;
  exhausted_ = static_cast<std::int64_t>(front.rows.size()) + centres_.count() >= rows_.n;
  by_age_.clear();
  for (const std::int64_t row : front.rows) {
    if (keys_.key(row) > 0.0f) by_age_.push_back(row);  // others stay 0
  }
  std::ranges::stable_sort(by_age_, {}, [&](std::int64_t row) { return keys_.seen(row); });
  before_.clear();
  for (const std::int64_t row : by_age_) before_.push_back(keys_.key(row));
  choose_way({wanted_centres_ - centres_.count(), missed()});
  centres_.pack();
  const KCenterWork before = of_refreshers();
  refresh(by_age_);
  look_back(before, static_cast<double>(by_age_.size()));
  for (std::size_t i = 0; i < by_age_.size(); ++i) keys_.count(by_age_[i], before_[i]);
  pool_.fill(front.rows, keys_);
}

/// Prefixes or not: once, when there are centres to try them on.
void Lazy::choose_way(WorkAhead ahead) {
  if (chosen_ || options_.way == KCenterWay::whole) return;
  if (options_.way == KCenterWay::prefix) {
    chosen_ = true;
    return centres_.use(short_prefix(device_, rows_, centres_.frame()));
  }
  if (centres_.count() < kFirstCentres) return;
  chosen_ = true;
  auto prefix = choose_prefix(device_, rows_, centres_.frame(), centres_.taken(), ahead);
  if (prefix) centres_.use(std::move(prefix));
}

/// Takes more bits, or whole rows, where a front took too many distances.
void Lazy::look_back(const KCenterWork& before, double rows) {
  const KCenterWork now = of_refreshers();
  const double measured = static_cast<double>(now.distances - before.distances) / rows;
  const bool finest = centres_.precision() == Precision::float32;
  if (centres_.prefix() == nullptr) {
    if (measured > kMostMeasured && !finest) centres_.refine();
    return;
  }
  const double multiplied = static_cast<double>(now.products - before.products) / rows;
  if (multiplied < missed() / 2.0) return;  // that says little
  const std::int64_t d = rows_.d, numbers = centres_.prefix()->count();
  const auto cost = [&](std::int64_t of, Precision precision, double distances) {
    return refresh_cost(multiplied, of, precision, distances, d);
  };
  if (!finest && measured > kMostMeasured &&
      cost(numbers, centres_.precision(), 0.0) < cost(0, Precision::float32, measured)) {
    centres_.refine();
  } else if (options_.way == KCenterWay::best &&
             cost(numbers, centres_.precision(), measured) >
                 cost(d, precision_from(Precision::int8, d), 2.0)) {
    centres_.use(nullptr);
  }
}

void Lazy::take(std::int64_t row) {
  pool_.drop(row);
  const float before = keys_.key(row);
  keys_.take(row);
  keys_.count(row, before);
  centres_.add(row);
}

KCenterWork Lazy::of_refreshers() const {
  KCenterWork all;
  for (const Refresher& refresher : refreshers_) all = all + refresher.work();
  return all;
}

KCenterWork Lazy::work() const {
  KCenterWork all = first_ + pool_.work() + of_refreshers();
  all.prefix = centres_.prefix() == nullptr ? 0 : centres_.prefix()->count();
  return all;
}

double Lazy::spent() const {
  const KCenterWork shared = of_refreshers();
  const double threads = static_cast<double>(refreshers_.size());
  const std::int64_t numbers = centres_.prefix() == nullptr ? rows_.d : centres_.prefix()->count();
  double refreshed = 0.0;
  for (const Refresher& one : refreshers_) refreshed += static_cast<double>(one.refreshed());
  const double together =
      refreshed * gather_cost(rows_.d) +
      refresh_cost(static_cast<double>(shared.products), numbers, centres_.precision(),
                   static_cast<double>(shared.distances), rows_.d) +
      static_cast<double>(first_.refreshes) * static_cast<double>(rows_.n) * kLookCost;
  const double alone = static_cast<double>(pool_.work().distances) * distance_cost(rows_.d) +
                       refreshed * kPoolCost + pool_.ordered() * kOrderCost;
  return together / threads + alone;
}

}  // namespace coverset
