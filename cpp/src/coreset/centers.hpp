// Centers in the order they were taken, as they are multiplied.
#pragma once

#include <memory>
#include <vector>

#include "coreset/projection.hpp"

namespace coverset {

class Centers {
 public:
  Centers(const Cpu& device, const Rows& rows)
      : rows_(rows),
        mean_(static_cast<std::size_t>(rows.d)),
        origin_(static_cast<std::size_t>(rows.d)),
        normalization_{mean_, find_normalization(device, rows, Metric::sqeuclidean, mean_)},
        multiplied_(rows),
        multiplied_normalization_(normalization_),
        error_bounds_(Metric::sqeuclidean, rows.d, normalization_),
        precision_(precision_from(Precision::int8, rows.d)) {}
  Centers(const Centers&) = delete;  // normalizations borrow their means

  void add(std::int64_t row) {
    taken_.push_back(row);
    packed_ = std::min(packed_, (count() - 1) / kStripQueries);
  }
  std::int64_t count() const { return static_cast<std::int64_t>(taken_.size()); }
  std::int64_t row(std::int64_t center) const { return taken_[static_cast<std::size_t>(center)]; }
  std::span<const std::int64_t> taken() const { return taken_; }

  /// The canonical squared distance of a row, as float32, to a center. Room: d numbers.
  float distance(const float* row_numbers, std::int64_t center, float* room) const {
    const float* numbers = float_row(rows_, row(center), room);
    return squared_distance_of(row_numbers, numbers, rows_.d);
  }

  /// Packs what was added. Before rows are refreshed.
  void pack() {
    for (; packed_ * kStripQueries < count(); ++packed_) {
      strips_.resize(static_cast<std::size_t>(packed_));
      strips_.push_back(pack_strip(packed_ * kStripQueries));
    }
    packed_ = count() / kStripQueries;
  }

  /// Goes on with more bits.
  void refine() {
    precision_ = finer(precision_, multiplied_.d);
    pack_again();
  }

  /// Multiplies projected rows from now on; null: whole rows.
  void use(std::unique_ptr<Projection> projection) {
    projection_ = std::move(projection);
    multiplied_ = projection_ ? projection_->rows() : rows_;
    precision_ = precision_from(Precision::int8, rows_.d);
    multiplied_normalization_ = normalization_;
    if (projection_) {
      precision_ = precision_from(Precision::bfloat16, multiplied_.d);  // int8 tells too few apart
      multiplied_normalization_ = {
          std::span(origin_).first(static_cast<std::size_t>(multiplied_.d)), 1.0f};
    }
    error_bounds_ = ErrorBounds(Metric::sqeuclidean, multiplied_.d, multiplied_normalization_);
    pack_again();
  }

  const Projection* projection() const { return projection_.get(); }
  Precision precision() const { return precision_; }
  const Normalization& normalization() const { return normalization_; }

 private:
  friend class Refresher;

  struct Strip {
    std::unique_ptr<Strips> numbers;
    std::array<float, kStripQueries> halves{};
    std::int64_t count = 0;
    double norm = 0.0, lost = 0.0;  // of any of its centers
  };

  void pack_again() {
    ++form_;
    packed_ = 0;
    error_ = 0.0;
    pack();
  }

  Strip pack_strip(std::int64_t first) {
    const std::int64_t some = std::min<std::int64_t>(kStripQueries, count() - first);
    const std::int64_t d = multiplied_.d;
    const auto rows =
        taken().subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(some));
    if (projection_) Projector(*projection_).project(rows);
    std::vector<float> room(static_cast<std::size_t>(d)),
        normalized(static_cast<std::size_t>(some * d));
    Strip strip;
    strip.count = some;
    strip.halves.fill(0x1p126f);  // beyond the last
    for (std::int64_t q = 0; q < some; ++q) {
      const auto at = static_cast<std::size_t>(q);
      const float* numbers = float_row(multiplied_, rows[at], room.data());
      const NormalizedQuery query =
          error_bounds_.normalize(numbers, multiplied_normalization_, d, normalized.data() + q * d);
      strip.halves[at] = static_cast<float>(0.5 * query.shift);
      strip.norm = std::max(strip.norm, query.norm);
      if (projection_) error_ = std::max(error_, projection_->error(rows[at]));
    }
    strip.numbers = std::make_unique<Strips>(precision_, normalized, some, d);
    for (std::int64_t q = 0; q < some; ++q) {
      strip.lost = std::max(strip.lost, strip.numbers->lost(static_cast<std::size_t>(q)));
    }
    return strip;
  }

  Rows rows_;
  std::vector<float> mean_, origin_;
  Normalization normalization_;
  std::unique_ptr<Projection> projection_;
  Rows multiplied_;  // rows as they are, or projected
  Normalization multiplied_normalization_;
  ErrorBounds error_bounds_;
  Precision precision_;
  int form_ = 0;  // changes with what is multiplied
  std::vector<std::int64_t> taken_;
  std::vector<Strip> strips_;
  std::int64_t packed_ = 0;  // strips that are whole
  double error_ = 0.0;       // of any projected center
};

}  // namespace coverset
