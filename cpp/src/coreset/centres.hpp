// Centres in the order they were taken, and how rows are brought up to date with them.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "coreset/keys.hpp"
#include "coverset/coreset.hpp"
#include "coverset/top_k.hpp"
#include "neighbors/panel.hpp"

namespace coverset {

class Centres {
 public:
  Centres(const Rows& rows, Frame frame)
      : rows_(rows),
        frame_(std::move(frame)),
        bounds_(Metric::sqeuclidean, rows.d, frame_),
        precision_(precision_from(Precision::int8, rows.d)) {}

  void add(std::int64_t row) {
    taken_.push_back(row);
    packed_ = std::min(packed_, (count() - 1) / kStripQueries);
  }
  std::int64_t count() const { return static_cast<std::int64_t>(taken_.size()); }
  std::int64_t row(std::int64_t centre) const { return taken_[static_cast<std::size_t>(centre)]; }

  /// The canonical squared distance of a row, as float32, to a centre. Room: d numbers.
  float distance(const float* row_numbers, std::int64_t centre, float* room) const {
    const float* numbers = float_row(rows_, row(centre), room);
    float value = 0.0f;
    COVERSET_AT_LEVEL(distance_tile)(true, row_numbers, 1, 0, numbers, 1, 0, rows_.d, &value);
    return value;
  }

  /// Packs what was added. Before rows are refreshed.
  void pack() {
    const std::int64_t d = rows_.d;
    std::vector<float> room(static_cast<std::size_t>(2 * d)), framed;
    for (; packed_ * kStripQueries < count(); ++packed_) {
      const std::int64_t first = packed_ * kStripQueries;
      const std::int64_t some = std::min<std::int64_t>(kStripQueries, count() - first);
      strips_.resize(static_cast<std::size_t>(packed_));
      framed.resize(static_cast<std::size_t>(some * d));
      Strip strip;
      strip.halves.fill(0x1p126f);  // beyond the last
      for (std::int64_t q = 0; q < some; ++q) {
        const float* numbers = float_row(rows_, row(first + q), room.data());
        const FramedQuery query = bounds_.frame(numbers, frame_, d, framed.data() + q * d);
        strip.halves[static_cast<std::size_t>(q)] = static_cast<float>(0.5 * query.shift);
        norm_ = std::max(norm_, query.norm);
      }
      strip.numbers = std::make_unique<Strips>(precision_, framed, some, d);
      for (std::int64_t q = 0; q < some; ++q) {
        lost_ = std::max(lost_, strip.numbers->lost(static_cast<std::size_t>(q)));
      }
      strip.count = some;
      strips_.push_back(std::move(strip));
    }
    packed_ = count() / kStripQueries;
  }

  /// Goes on with more bits.
  void refine() {
    precision_ = finer(precision_, rows_.d);
    packed_ = 0;
    pack();
  }

  Precision precision() const { return precision_; }

 private:
  friend class Refresher;

  struct Strip {
    std::unique_ptr<Strips> numbers;
    std::array<float, kStripQueries> halves{};
    std::int64_t count = 0;
  };

  Rows rows_;
  Frame frame_;
  Bounds bounds_;
  Precision precision_;
  std::vector<std::int64_t> taken_;
  std::vector<Strip> strips_;
  std::int64_t packed_ = 0;         // strips that are whole
  double norm_ = 0.0, lost_ = 0.0;  // of any centre
};

/// One thread's way of bringing rows up to date.
class Refresher {
 public:
  explicit Refresher(const Centres& centres)
      : centres_(centres),
        panel_(centres.rows_, centres.frame_, Metric::sqeuclidean, centres.precision()),
        precision_(centres.precision()),
        room_(static_cast<std::size_t>(2 * centres.rows_.d)),
        products_(kPanelRows * kStripQueries) {}

  /// Brings at most kPanelRows rows up to date with all centres.
  void refresh(std::span<const std::int64_t> rows, Keys& keys) {
    std::int64_t from = centres_.count();
    for (const std::int64_t row : rows) from = std::min(from, keys.seen(row));
    const auto count = static_cast<std::int64_t>(rows.size());
    work_.bytes += count * (centres_.rows_.stride_bytes);
    if (centres_.count() - from <= kFewCentres) return measure_all(rows, keys);
    if (precision_ != centres_.precision()) {
      precision_ = centres_.precision();
      panel_ = Panel(centres_.rows_, centres_.frame_, Metric::sqeuclidean, precision_);
    }
    panel_.gather(rows, centres_.bounds_);
    work_.coordinates += count * centres_.rows_.d;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      near_[i].clear();
      queries_[i] = centres_.bounds_.as_query(panel_.halves()[i]);
      const float square = keys.square(rows[i]);
      levels_[i] = square < std::numeric_limits<float>::infinity()
                       ? centres_.bounds_.level(queries_[i], square)
                       : std::numeric_limits<double>::infinity();
      slacks_[i] =
          centres_.bounds_.slack(queries_[i], centres_.norm_, centres_.lost_, panel_.lost());
      limits_[i] = float_above(levels_[i] + slacks_[i]);
    }
    for (std::int64_t s = from / kStripQueries; s * kStripQueries < centres_.count(); ++s) {
      multiply(s, count);
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      float square = keys.square(rows[i]);
      for (const NearRow& near : near_[i]) {
        if (!(near.distance > limits_[i])) square = nearer(rows[i], near.row, square);
      }
      keys.set(rows[i], square, centres_.count());
    }
  }

  KCenterWork work() const { return work_; }

 private:
  static constexpr std::int64_t kFewCentres = 4;

  void measure_all(std::span<const std::int64_t> rows, Keys& keys) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i + 2 < rows.size()) prefetch_row(centres_.rows_, rows[i + 2]);
      float square = keys.square(rows[i]);
      for (std::int64_t c = keys.seen(rows[i]); c < centres_.count(); ++c) {
        square = nearer(rows[i], c, square);
      }
      keys.set(rows[i], square, centres_.count());
    }
  }

  float nearer(std::int64_t row, std::int64_t centre, float square) {
    ++work_.distances;
    work_.coordinates += centres_.rows_.d;
    const float* numbers = float_row(centres_.rows_, row, room_.data());
    return std::min(square, centres_.distance(numbers, centre, room_.data() + centres_.rows_.d));
  }

  void multiply(std::int64_t s, std::int64_t count) {
    const Centres::Strip& strip = centres_.strips_[static_cast<std::size_t>(s)];
    panel_.multiply(*strip.numbers, 0, strip.count, products_.data());
    work_.products += count * strip.count;
    work_.coordinates += count * strip.count * centres_.rows_.d;
    COVERSET_AT_LEVEL(least_in_rows)
    (products_.data(), count, strip.halves.data(), strip.count, least_.data());
    for (std::int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (least_[at] > limits_[at]) continue;
      const float* products = products_.data() + i * kStripQueries;
      if (std::abs(least_[at]) < std::numeric_limits<float>::infinity()) {
        const double value = least_[at] + slacks_[at];
        levels_[at] = std::min(levels_[at], centres_.bounds_.beyond(queries_[at], value));
        limits_[at] = float_above(levels_[at] + slacks_[at]);
      }
      for (std::int64_t j = 0; j < strip.count; ++j) {
        const float value = strip.halves[static_cast<std::size_t>(j)] - products[j];
        if (!(value > limits_[at])) {
          const bool odd = !(std::abs(value) < std::numeric_limits<float>::infinity());
          near_[at].push_back(
              {odd ? -std::numeric_limits<float>::infinity() : value, s * kStripQueries + j});
        }
      }
    }
  }

  const Centres& centres_;
  Panel panel_;
  Precision precision_;
  std::vector<float> room_, products_;
  std::array<float, kPanelRows> least_{}, limits_{};
  std::array<FramedQuery, kPanelRows> queries_{};
  std::array<double, kPanelRows> levels_{};  // no nearer centre's level is above
  std::array<double, kPanelRows> slacks_{};
  std::array<std::vector<NearRow>, kPanelRows> near_;  // fast values of centres
  KCenterWork work_;
};

}  // namespace coverset
