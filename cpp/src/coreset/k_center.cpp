// k-center greedy as lazy greedy: keys only shrink, so that a stale one is an upper bound and only
// rows that come to the front are brought up to date.
#include <algorithm>
#include <array>
#include <limits>

#include "coreset/eager.hpp"
#include "coreset/pool.hpp"
#include "coverset/coreset.hpp"
#include "coverset/error.hpp"
#include "coverset/neighbors.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kFewestRows = 1 << 8;     // of a front
constexpr std::int64_t kOrdinaryRows = 1 << 14;  // beyond, a share of all
constexpr std::int64_t kMostMeasured = 16;       // centres a row: more bits pay then
constexpr std::int64_t kAllRows = 1 << 14;       // in work together at the start

class Traversal {
 public:
  Traversal(const Cpu& device, const Rows& rows, const KCenterOptions& options)
      : device_(device),
        rows_(rows),
        options_(options),
        keys_(rows.n, options.weights),
        centres_(rows, find_frame(device, rows, Metric::sqeuclidean)),
        pool_(rows, centres_),
        most_(std::max(kOrdinaryRows, rows.n / 64)),
        wanted_(std::clamp(rows.n / 64, 2 * kFewestRows, kOrdinaryRows / 4)) {
    const int threads = device.threads > 0 ? device.threads : available_threads();
    for (int t = 0; t < threads; ++t) refreshers_.emplace_back(centres_);
  }

  KCenterWork run(std::span<std::int64_t> indices, std::span<float> keys) {
    for (const std::int64_t row : options_.initial) centres_.add(row);
    if (options_.initial.empty()) centres_.add(options_.start);
    measure_all();
    for (std::int64_t c = 0; c < centres_.count(); ++c) keys_.set(centres_.row(c), -1.0f, 0);
    keys_.count_all();
    std::size_t taken = 0;
    if (options_.initial.empty()) indices[taken++] = options_.start;
    while (true) {
      const KeyedRow next = find_next();
      (taken > 0 ? keys[taken - 1] : first_.before) = std::max(next.key, 0.0f);
      if (taken == indices.size() || next.key <= options_.stop || next.key < 0.0f) break;
      indices[taken++] = next.row;
      take(next.row);
    }
    return total(static_cast<std::int64_t>(taken));
  }

 private:
  /// Keys of all rows, with the centres there are.
  void measure_all() {
    if (centres_.count() == 1) return measure_first();
    centres_.pack();
    std::vector<std::int64_t> some(static_cast<std::size_t>(kAllRows));
    for (std::int64_t first = 0; first < rows_.n; first += kAllRows) {
      some.resize(static_cast<std::size_t>(std::min(kAllRows, rows_.n - first)));
      for (std::size_t i = 0; i < some.size(); ++i) some[i] = first + static_cast<std::int64_t>(i);
      refresh(some);
    }
  }

  void measure_first() {
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

  /// Brings rows up to date, panel by panel; their keys are counted by who calls.
  void refresh(std::span<const std::int64_t> rows) {
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

  /// The row that is to be taken, or key -1.
  KeyedRow find_next() {
    while (true) {
      const KeyedRow row =
          options_.n_outliers == 0 ? pool_.first(keys_) : pool_.after(options_.n_outliers, keys_);
      if (row.key >= 0.0f && !(next_ < row)) {
        ++picks_;
        return row;
      }
      if (exhausted_) return {-1.0f, rows_.n};
      renew();
    }
  }

  /// A new pool: the rows in front, up to date.
  void renew() {
    ++first_.refreshes;
    pool_.store(keys_);
    // more rows where the last pool gave none, fewer where it gave many
    if (picks_ == 0) wanted_ = std::min(2 * wanted_, most_);
    if (picks_ > 256) wanted_ = std::max(wanted_ / 2, kFewestRows);
    picks_ = 0;
    Front front = keys_.front(device_, wanted_ + options_.n_outliers);
    next_ = front.next;
    exhausted_ = static_cast<std::int64_t>(front.rows.size()) + centres_.count() >= rows_.n;
    by_age_ = front.rows;
    std::ranges::stable_sort(by_age_, {}, [&](std::int64_t row) { return keys_.seen(row); });
    before_.clear();
    for (const std::int64_t row : by_age_) before_.push_back(keys_.key(row));
    centres_.pack();
    const std::int64_t measured = total(0).distances;
    refresh(by_age_);
    if (total(0).distances - measured > kMostMeasured * static_cast<std::int64_t>(by_age_.size()) &&
        centres_.precision() != Precision::float32) {
      centres_.refine();
    }
    for (std::size_t i = 0; i < by_age_.size(); ++i) keys_.count(by_age_[i], before_[i]);
    pool_.fill(front.rows, keys_);
  }

  void take(std::int64_t row) {
    pool_.drop(row);
    const float before = keys_.key(row);
    keys_.set(row, -1.0f, 0);
    keys_.count(row, before);
    centres_.add(row);
  }

  KCenterWork total(std::int64_t taken) const {
    KCenterWork all = first_;
    all.centres = taken;
    const auto add = [&all](const KCenterWork& work) {
      all.distances += work.distances;
      all.products += work.products;
      all.coordinates += work.coordinates;
      all.bytes += work.bytes;
    };
    add(pool_.work());
    for (const Refresher& refresher : refreshers_) add(refresher.work());
    return all;
  }

  const Cpu& device_;
  const Rows& rows_;
  const KCenterOptions& options_;
  Keys keys_;
  Centres centres_;
  Pool pool_;
  std::vector<Refresher> refreshers_;
  KCenterWork first_;
  KeyedRow next_{std::numeric_limits<float>::infinity(), -1};  // no pool yet
  bool exhausted_ = false;                                     // the pool has all rows
  std::int64_t most_, wanted_, picks_ = 1;
  std::vector<std::int64_t> by_age_;
  std::vector<float> before_;
};

}  // namespace

KCenterWork k_center(const Cpu& device, const Rows& rows, const KCenterOptions& options,
                     std::span<std::int64_t> indices, std::span<float> keys) {
  const auto wanted = static_cast<std::int64_t>(indices.size() + options.initial.size());
  require(!indices.empty(), "indices must have room for one row, got none");
  require(wanted + options.n_outliers <= rows.n, "indices must be at most ", rows.n,
          " in all, got ", wanted + options.n_outliers);
  if (options.eager) return k_center_eagerly(device, rows, options, indices, keys);
  return Traversal(device, rows, options).run(indices, keys);
}

}  // namespace coverset
