// Farthest first as lazy greedy: bounds only shrink, so that a stale one is an upper bound and only
// rows that come to the front are refreshed.
#pragma once

#include <optional>
#include <vector>

#include "coreset/refreshers.hpp"
#include "coreset/shortlist.hpp"

namespace coverset {

class Lazy {
 public:
  /// `wanted`: rows to be taken, and initial ones.
  Lazy(const Cpu& device, const Rows& rows, const KCenterOptions& options, std::int64_t wanted,
       CenterBounds& bounds);

  /// Sets the bounds of all rows by the first center or the initial ones.
  void begin(std::span<const std::int64_t> centers);

  /// The row that is to be taken, the largest bound with the n_outliers farthest rows ignored;
  /// none: bound -1; or nothing, where it would cost more than that many nanoseconds.
  std::optional<BoundedRow> next(double allowed);

  void take(std::int64_t row);

  /// Refreshes all rows. Until begin_again() bounds may change and centers be added.
  void catch_up();
  void add(std::int64_t row) { refreshers_.centers().add(row); }
  void begin_again();
  std::int64_t centers() const { return refreshers_.centers().count(); }

  /// Nanoseconds, about.
  double spent() const;
  KCenterWork work() const;

 private:
  void measure_first();
  void renew();

  const Cpu& device_;
  const Rows& rows_;
  const KCenterOptions& options_;
  CenterBounds& bounds_;
  Refreshers refreshers_;
  Shortlist shortlist_;
  KCenterWork first_;
  BoundedRow next_{std::numeric_limits<float>::infinity(), -1};  // no shortlist yet
  bool exhausted_ = false;                                       // the shortlist has all rows
  std::int64_t wanted_centers_, most_, wanted_, picks_ = 1;
  std::vector<std::int64_t> by_age_;
  std::vector<float> before_;
};

}  // namespace coverset
