// k-center greedy: lazily where that pays, else pass by pass.
#include <algorithm>
#include <limits>

#include "coreset/costs.hpp"
#include "coreset/eager.hpp"
#include "coreset/lazy.hpp"
#include "coverset/coreset.hpp"
#include "coverset/error.hpp"
#include "coverset/parallel.hpp"

namespace coverset {
namespace {

class Traversal {
 public:
  Traversal(const Cpu& device, const Rows& rows, const KCenterOptions& options, std::int64_t wanted)
      : options_(options),
        bounds_(rows.n, options.weights),
        lazy_(device, rows, options, wanted, bounds_),
        passes_(device, rows, options.n_outliers, bounds_),
        pass_(static_cast<double>(rows.n) * (pass_cost(rows.d) / thread_count(device) +
                                             (options.n_outliers > 0 ? kChooseCost : 0.0))),
        saved_(patience(wanted)) {}

  KCenterWork run(std::span<std::int64_t> indices, std::span<float> bounds) {
    lazy_.begin(options_.initial.empty() ? std::span(&options_.start, 1) : options_.initial);
    if (options_.strategy == KCenterStrategy::eager) {
      passes_.look();
      eager_ = std::numeric_limits<std::int64_t>::max();
    }
    std::size_t taken = 0;
    float before = 0.0f;
    if (options_.initial.empty()) indices[taken++] = options_.start;
    while (true) {
      const BoundedRow next = find_next();
      (taken > 0 ? bounds[taken - 1] : before) = std::max(next.bound, 0.0f);
      if (taken == indices.size() || next.bound <= options_.stop || next.bound < 0.0f) break;
      indices[taken++] = next.row;
      take(next.row);
    }
    return total(static_cast<std::int64_t>(taken), before);
  }

 private:
  /// The row that is to be taken, or bound -1.
  BoundedRow find_next() {
    if (eager_ > 0) return passes_.next();
    const bool may_pass = options_.strategy == KCenterStrategy::best;
    const double before = lazy_.spent();
    const auto next = lazy_.next(may_pass ? saved_ : std::numeric_limits<double>::infinity());
    saved_ = std::min(saved_ + pass_ - (lazy_.spent() - before), kMostSaved * pass_);
    if (next) return *next;
    lazy_.catch_up();
    passes_.look();
    eager_ = period_;
    period_ *= 2;
    return passes_.next();
  }

  void take(std::int64_t row) {
    if (eager_ == 0) return lazy_.take(row);
    lazy_.add(row);
    passes_.add(row);
    if (--eager_ > 0) return;
    bounds_.see_all(lazy_.centers());
    lazy_.begin_again();
    saved_ = patience(period_);
  }

  KCenterWork total(std::int64_t taken, float before) const {
    KCenterWork all = lazy_.work() + passes_.work();
    all.centers = taken;
    all.before = before;
    return all;
  }

  static constexpr double kMostSaved = 64.0;  // passes

  /// Nanoseconds that being lazy may lose before passes take over, where about so many are ahead.
  double patience(std::int64_t passes) const {
    return (2.0 + static_cast<double>(passes) / 16.0) * pass_;
  }

  const KCenterOptions& options_;
  CenterBounds bounds_;
  Lazy lazy_;
  Passes passes_;
  double pass_;                          // what one costs, in nanoseconds
  double saved_;                         // nanoseconds that the lazy traversal may still spend
  std::int64_t eager_ = 0, period_ = 8;  // centers to be counted pass by pass; the next time
};

}  // namespace

KCenterWork k_center(const Cpu& device, const Rows& rows, const KCenterOptions& options,
                     std::span<std::int64_t> indices, std::span<float> bounds) {
  const auto wanted = static_cast<std::int64_t>(indices.size() + options.initial.size());
  require(!indices.empty(), "indices must have room for one row, got none");
  require(wanted + options.n_outliers <= rows.n, "indices must be at most ", rows.n,
          " in all, got ", wanted + options.n_outliers);
  return Traversal(device, rows, options, wanted).run(indices, bounds);
}

}  // namespace coverset
