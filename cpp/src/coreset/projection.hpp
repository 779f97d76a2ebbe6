// A low-dimensional projection of rows: how far they reach along some directions. No two are
// farther apart there than they are, but for rounding; so what is far there need not be measured.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "exact/panel.hpp"

namespace coverset {

class Projection {
 public:
  /// Of directions (p, d) as find_directions gives them. Nothing is computed yet: p numbers a row,
  /// which take up memory once they are written.
  Projection(const Rows& rows, const Normalization& normalization,
             std::span<const float> directions)
      : rows_(rows),
        normalization_(normalization),
        error_bounds_(Metric::sqeuclidean, rows.d, normalization),
        count_(static_cast<std::int64_t>(directions.size()) / rows.d),
        precision_(precision_from(Precision::bfloat16, rows.d)),
        strips_(precision_, directions, count_, rows.d),
        numbers_(new float[static_cast<std::size_t>(rows.n * count_)]),
        errors_(static_cast<std::size_t>(rows.n), kMissing) {
    double most = 0.0;  // the largest sum of a row of their Gram matrix bounds its norm
    for (std::int64_t i = 0; i < count_; ++i) {
      double sum = 0.0;
      for (std::int64_t j = 0; j < count_; ++j) {
        const auto d = static_cast<std::size_t>(rows.d);
        const float* a = directions.data() + static_cast<std::size_t>(i) * d;
        const float* b = directions.data() + static_cast<std::size_t>(j) * d;
        double product = 0.0;
        for (std::size_t c = 0; c < d; ++c) product += static_cast<double>(a[c]) * b[c];
        sum += std::abs(product);
      }
      most = std::max(most, sum);
    }
    stretch_ = std::sqrt(most) * (1.0 + 0x1p-30);
  }

  /// The numbers of all rows; those of a row are there once it was projected.
  Rows rows() const {
    return {numbers_.get(), rows_.n, count_, count_ * static_cast<std::int64_t>(sizeof(float))};
  }
  std::int64_t count() const { return count_; }

  /// If a center is canonically at most `square` from the row, their squared distance in the
  /// projection is at most this; `error` is the largest error of any center's projected numbers.
  double widened(std::int64_t row, double square, double error) const {
    const double apart =
        std::sqrt(error_bounds_.normalized_square(square)) * stretch_ + this->error(row) + error;
    return apart * apart * (1.0 + 0x1p-30);
  }
  /// How far a row's numbers may be off, together.
  double error(std::int64_t row) const {
    return static_cast<double>(errors_[static_cast<std::size_t>(row)]);
  }

 private:
  friend class Projector;
  static constexpr float kMissing = -1.0f;

  Rows rows_;
  Normalization normalization_;
  ErrorBounds error_bounds_;
  std::int64_t count_;
  Precision precision_;
  Strips strips_;
  std::unique_ptr<float[]> numbers_;
  std::vector<float> errors_;
  double stretch_ = 1.0;  // of the directions together
};

/// Computes a projection, one thread at a time.
class Projector {
 public:
  explicit Projector(Projection& projection)
      : projection_(projection),
        panel_(projection.rows_, projection.normalization_, Metric::sqeuclidean,
               projection.precision_) {}

  /// Projects those of at most kPanelRows rows that are not yet. Returns how many.
  std::int64_t project(std::span<const std::int64_t> rows) {
    new_.clear();
    for (const std::int64_t row : rows) {
      if (projection_.error(row) < 0.0) new_.push_back(row);
    }
    if (new_.empty()) return 0;
    panel_.take({std::ssize(new_), 0, new_.data()}, projection_.error_bounds_);
    for (std::int64_t first = 0; first < projection_.count_; first += kStripQueries) {
      const std::int64_t some = std::min<std::int64_t>(kStripQueries, projection_.count_ - first);
      panel_.multiply(projection_.strips_, first, some);
      for (std::size_t i = 0; i < new_.size(); ++i) {
        const float* from = panel_.products(static_cast<std::int64_t>(i));
        std::copy(from, from + some,
                  projection_.numbers_.get() + new_[i] * projection_.count_ + first);
      }
    }
    for (std::size_t i = 0; i < new_.size(); ++i) {
      const double norm = projection_.error_bounds_.norm(panel_.halves()[i]);
      projection_.errors_[static_cast<std::size_t>(new_[i])] =
          float_above(off(norm, panel_.lost()));
    }
    return static_cast<std::int64_t>(new_.size());
  }

 private:
  /// What normalizing, rounding and the products may be off.
  double off(double norm, double lost) const {
    const double each = projection_.error_bounds_.product_error(norm + lost, projection_.stretch_);
    const double off = projection_.stretch_ * (lost + norm * 0x1p-22) +
                       std::sqrt(static_cast<double>(projection_.count_)) * each;
    return off == off ? off : std::numeric_limits<double>::infinity();
  }

  Projection& projection_;
  Panel panel_;
  std::vector<std::int64_t> new_;
};

}  // namespace coverset
