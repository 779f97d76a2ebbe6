// Centers in the order they were taken, as they are multiplied.
#pragma once

#include <memory>
#include <vector>

#include "coreset/prefix.hpp"

namespace coverset {

class Centers {
 public:
  Centers(const Rows& rows, Frame frame)
      : rows_(rows),
        frame_(std::move(frame)),
        multiplied_(rows),
        multiplied_frame_(frame_),
        bounds_(Metric::sqeuclidean, rows.d, frame_),
        precision_(precision_from(Precision::int8, rows.d)) {}

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
    float value = 0.0f;
    COVERSET_AT_LEVEL(distance_tile)(true, row_numbers, 1, 0, numbers, 1, 0, rows_.d, &value);
    return value;
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

  /// Multiplies prefixes from now on; null: whole rows.
  void use(std::unique_ptr<Prefix> prefix) {
    prefix_ = std::move(prefix);
    multiplied_ = prefix_ ? prefix_->rows() : rows_;
    precision_ = precision_from(Precision::int8, rows_.d);
    multiplied_frame_ = frame_;
    if (prefix_) {
      precision_ = precision_from(Precision::bfloat16, multiplied_.d);  // int8 tells too few apart
      multiplied_frame_ = {std::vector<float>(static_cast<std::size_t>(multiplied_.d)), 1.0f};
    }
    bounds_ = Bounds(Metric::sqeuclidean, multiplied_.d, multiplied_frame_);
    pack_again();
  }

  const Prefix* prefix() const { return prefix_.get(); }
  Precision precision() const { return precision_; }
  const Frame& frame() const { return frame_; }

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
    if (prefix_) Projector(*prefix_).project(rows);
    std::vector<float> room(static_cast<std::size_t>(d)),
        framed(static_cast<std::size_t>(some * d));
    Strip strip;
    strip.count = some;
    strip.halves.fill(0x1p126f);  // beyond the last
    for (std::int64_t q = 0; q < some; ++q) {
      const auto at = static_cast<std::size_t>(q);
      const float* numbers = float_row(multiplied_, rows[at], room.data());
      const FramedQuery query = bounds_.frame(numbers, multiplied_frame_, d, framed.data() + q * d);
      strip.halves[at] = static_cast<float>(0.5 * query.shift);
      strip.norm = std::max(strip.norm, query.norm);
      if (prefix_) error_ = std::max(error_, prefix_->error(rows[at]));
    }
    strip.numbers = std::make_unique<Strips>(precision_, framed, some, d);
    for (std::int64_t q = 0; q < some; ++q) {
      strip.lost = std::max(strip.lost, strip.numbers->lost(static_cast<std::size_t>(q)));
    }
    return strip;
  }

  Rows rows_;
  Frame frame_;
  std::unique_ptr<Prefix> prefix_;
  Rows multiplied_;  // rows as they are, or their prefixes
  Frame multiplied_frame_;
  Bounds bounds_;
  Precision precision_;
  int form_ = 0;  // changes with what is multiplied
  std::vector<std::int64_t> taken_;
  std::vector<Strip> strips_;
  std::int64_t packed_ = 0;  // strips that are whole
  double error_ = 0.0;       // of any center's prefix
};

}  // namespace coverset
