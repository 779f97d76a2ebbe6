// How rows are refreshed with the centers that they missed.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "coreset/center_bounds.hpp"
#include "coreset/centers.hpp"
#include "coverset/coreset.hpp"
#include "exact/nearest_rows.hpp"

namespace coverset {

/// One thread's refreshing of rows.
class Refresher {
 public:
  /// `nearest`: where the number of each row's nearest center goes; or nothing.
  Refresher(const Centers& centers, std::span<std::int64_t> nearest)
      : centers_(centers),
        nearest_(nearest),
        room_(static_cast<std::size_t>(2 * centers.rows_.d)) {}

  /// Refreshes at most kPanelRows rows with all centers.
  void refresh(std::span<const std::int64_t> rows, CenterBounds& bounds) {
    refreshed_ += std::ssize(rows);
    std::int64_t from = centers_.count();
    for (const std::int64_t row : rows) from = std::min(from, bounds.seen(row));
    if (centers_.count() - from <= kFewCenters) return measure_all(rows, bounds);
    gather(rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      near_[i].clear();
      squares_[i] = bounds.square(rows[i]);
      queries_[i] = centers_.error_bounds_.as_query(panel_->halves()[i]);
      limit(i, rows[i]);
    }
    for (std::int64_t s = from / kStripQueries; s * kStripQueries < centers_.count(); ++s) {
      multiply(s, rows);
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (centers_.projection_) std::ranges::sort(near_[i], {}, &NearRow::distance);
      for (const NearRow& near : near_[i]) {
        if (!(near.distance > score_bounds_[i])) measure(i, rows[i], near.row);
      }
      bounds.set(rows[i], squares_[i], centers_.count());
    }
  }

  KCenterWork work() const { return work_; }
  std::int64_t refreshed() const { return refreshed_; }  // rows

 private:
  static constexpr std::int64_t kFewCenters = 4;

  void measure_all(std::span<const std::int64_t> rows, CenterBounds& bounds) {
    work_.bytes += static_cast<std::int64_t>(rows.size()) * centers_.rows_.stride_bytes;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i + 2 < rows.size()) prefetch_row(centers_.rows_, rows[i + 2]);
      squares_[i] = bounds.square(rows[i]);
      for (std::int64_t c = bounds.seen(rows[i]); c < centers_.count(); ++c) nearer(i, rows[i], c);
      bounds.set(rows[i], squares_[i], centers_.count());
    }
  }

  void gather(std::span<const std::int64_t> rows) {
    const auto count = static_cast<std::int64_t>(rows.size());
    if (form_ != centers_.form_) {
      form_ = centers_.form_;
      panel_.emplace(centers_.multiplied_, centers_.multiplied_normalization_, Metric::sqeuclidean,
                     centers_.precision_);
      projector_.reset();
      if (centers_.projection_) projector_.emplace(*centers_.projection_);
    }
    if (projector_) {
      const std::int64_t projected = projector_->project(rows);
      work_.coordinates += projected * centers_.rows_.d * centers_.projection_->count();
      work_.bytes += projected * centers_.rows_.stride_bytes;
    }
    panel_->take({count, 0, rows.data()}, centers_.error_bounds_);
    work_.coordinates += count * centers_.multiplied_.d;
    work_.bytes += count * centers_.multiplied_.stride_bytes;
    was_read_.fill(!centers_.projection_);
  }

  /// No center as near as the row's nearest has an exact score above.
  void limit(std::size_t i, std::int64_t row) {
    score_bounds_[i] = std::numeric_limits<double>::infinity();
    if (!(squares_[i] < std::numeric_limits<float>::infinity())) return;
    const double square = centers_.projection_
                              ? centers_.projection_->widened(row, squares_[i], centers_.error_)
                              : squares_[i];
    score_bounds_[i] = centers_.error_bounds_.score_bound(queries_[i], square);
  }

  void nearer(std::size_t i, std::int64_t row, std::int64_t center) {
    ++work_.distances;
    work_.coordinates += centers_.rows_.d;
    const float* numbers = float_row(centers_.rows_, row, room_.data());
    const float square = centers_.distance(numbers, center, room_.data() + centers_.rows_.d);
    if (!nearest_.empty()) {
      std::int64_t& known = nearest_[static_cast<std::size_t>(row)];
      const bool first = square == squares_[i] && (known < 0 || center < known);
      if (square < squares_[i] || first) known = center;
    }
    squares_[i] = std::min(squares_[i], square);
  }

  /// With a projection a distance that was measured lowers the limit.
  void measure(std::size_t i, std::int64_t row, std::int64_t center) {
    const float before = squares_[i];
    nearer(i, row, center);
    if (!was_read_[i]) work_.bytes += centers_.rows_.stride_bytes;
    was_read_[i] = true;
    if (centers_.projection_ && squares_[i] < before) limit(i, row);
  }

  void multiply(std::int64_t s, std::span<const std::int64_t> rows) {
    const Centers::Strip& strip = centers_.strips_[static_cast<std::size_t>(s)];
    const auto count = static_cast<std::int64_t>(rows.size());
    panel_->multiply(*strip.numbers, 0, strip.count);
    work_.products += count * strip.count;
    work_.coordinates += count * strip.count * centers_.multiplied_.d;
    panel_->find_least(strip.halves.data(), least_.data());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double error_bound =
          centers_.error_bounds_.error_bound(queries_[i], strip.norm, strip.lost, panel_->lost());
      if (least_[i] > float_above(score_bounds_[i] + error_bound)) continue;
      const float* products = panel_->products(static_cast<std::int64_t>(i));
      const std::int64_t done = tighten(i, rows[i], s, products, error_bound);
      const float limit = float_above(score_bounds_[i] + error_bound);
      for (std::int64_t j = 0; j < strip.count; ++j) {
        const float score = strip.halves[static_cast<std::size_t>(j)] - products[j];
        if (score > limit || j == done) continue;
        const bool not_finite = !(std::abs(score) < std::numeric_limits<float>::infinity());
        near_[i].push_back({not_finite ? -std::numeric_limits<float>::infinity()
                                       : -float_above(error_bound - static_cast<double>(score)),
                            s * kStripQueries + j});
      }
    }
  }

  /// Uses the best score in a strip: whole rows get a lower score bound from it; with a projection
  /// that center is measured at once. Returns the measured center's place in the strip, or -1.
  std::int64_t tighten(std::size_t i, std::int64_t row, std::int64_t s, const float* products,
                       double error_bound) {
    if (!(std::abs(least_[i]) < std::numeric_limits<float>::infinity())) return -1;
    if (!centers_.projection_) {
      score_bounds_[i] = std::min(score_bounds_[i], centers_.error_bounds_.score_bound_from(
                                                        queries_[i], least_[i] + error_bound));
      return -1;
    }
    const Centers::Strip& strip = centers_.strips_[static_cast<std::size_t>(s)];
    std::int64_t best = strip.count - 1;
    while (best > 0 && strip.halves[static_cast<std::size_t>(best)] - products[best] != least_[i]) {
      --best;
    }
    measure(i, row, s * kStripQueries + best);
    return best;
  }

  const Centers& centers_;
  std::span<std::int64_t> nearest_;
  std::optional<Panel> panel_;
  std::optional<Projector> projector_;
  int form_ = -1;
  std::int64_t refreshed_ = 0;
  std::vector<float> room_;
  std::array<float, kPanelRows> least_{}, squares_{};
  std::array<bool, kPanelRows> was_read_{};
  std::array<NormalizedQuery, kPanelRows> queries_{};
  std::array<double, kPanelRows> score_bounds_{};  // no nearer center's exact score is above
  std::array<std::vector<NearRow>, kPanelRows>
      near_;  // centers that may be nearer, and lower bounds of their exact scores
  KCenterWork work_;
};

}  // namespace coverset
