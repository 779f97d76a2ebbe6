// How far a fast product may be from the canonical distance: docs/neighbors.md derives it.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "coverset/normalization.hpp"

namespace coverset {

/// A float that is at least `value`, where that is no subnormal number.
inline float float_above(double value) {
  return static_cast<float>(value + std::abs(value) * 0x1p-20);
}

/// A normalized query. Its score of a row x is half |x|^2 less the product (squared distances), or
/// less the product alone, of normalized rows; least is nearest. In exact numbers it would be a
/// rising function, score_bound(), of the distance.
struct NormalizedQuery {
  double norm = 0.0;      // of the query as it is multiplied, but for underflow
  double shift = 0.0;     // squared distances: |q|^2, which scores leave out; else q times the mean
  double constant = 0.0;  // the part of the error bound that no row changes
};

class ErrorBounds {
 public:
  ErrorBounds(Metric metric, std::int64_t d, const Normalization& normalization) : metric_(metric) {
    const auto numbers = static_cast<double>(d);
    scale_ = normalization.scale;
    canonical_ = (numbers / 16.0 + 8.0) * 0x1p-23;
    by_norms_ = (numbers + 16.0) * 0x1p-23 + 0x1p-18;
    by_squares_ = metric == Metric::sqeuclidean ? (numbers / 16.0 + 16.0) * 0x1p-22 : 0.0;
    underflow_ = numbers * 0x1p-118;
    sums_ = numbers * 0x1p-50;
    tiny_ = scale_ * scale_ * numbers * 0x1p-147;
    if (metric == Metric::inner_product) by_norms_ += canonical_;
    double squares = 0.0;
    for (const float m : normalization.mean) squares += static_cast<double>(m) * m;
    mean_norm_ = std::sqrt(squares) * scale_;
  }

  /// A query of d numbers, less the mean for squared distances and of length 1 for cosine, times
  /// the scale: `normalized` (d) out.
  NormalizedQuery normalize(const float* query, const Normalization& normalization, std::int64_t d,
                            float* normalized) const {
    double length = 1.0;
    if (metric_ == Metric::cosine) {
      length = 0.0;
      for (std::int64_t c = 0; c < d; ++c) length += static_cast<double>(query[c]) * query[c];
      length = std::sqrt(length);
    }
    NormalizedQuery result;
    double squares = 0.0, with_mean = 0.0;
    for (std::int64_t c = 0; c < d; ++c) {
      const double mean = normalization.mean[static_cast<std::size_t>(c)];
      const double value = query[c] / length;
      const double exact = (metric_ == Metric::sqeuclidean ? value - mean : value) * scale_;
      normalized[c] = static_cast<float>(exact);
      squares += exact * exact;
      with_mean += exact * mean;
    }
    result.norm = norm_of(squares, std::sqrt(squares) * (1.0 + 0x1p-20));
    result.shift = metric_ == Metric::sqeuclidean ? squares : with_mean;
    result.constant = underflow_ + tiny_;
    if (metric_ == Metric::inner_product) {
      result.constant += canonical_ * result.norm * mean_norm_;
      result.constant += sums_ * result.norm * mean_norm_;
    }
    if (metric_ == Metric::cosine) {
      result.constant +=
          scale_ * scale_ * (4.0 * canonical_ + 0x1p-17) * (1.0 + mean_norm_ / scale_);
    }
    return result;
  }

  /// A row of a panel as a query, from the computed half of its square: for squared distances.
  NormalizedQuery as_query(float half_square) const {
    const double size = norm(half_square);
    return {size, 2.0 * half_square, underflow_ + tiny_ + size * size * by_squares_};
  }

  /// A bound on the norm of a normalized row, from the computed half of its square. Infinite where
  /// products with it could overflow: then nothing is ruled out.
  double norm(double half_square) const {
    return norm_of(2.0 * half_square,
                   std::sqrt(2.0 * half_square) * (1.001 + canonical_) + underflow_ * 0x1p51);
  }

  /// Most that the score of a row of at most `norm` is off its exact value, where rounding to fewer
  /// bits took at most `lost` from the row and `query_lost` from the query.
  double error_bound(const NormalizedQuery& query, double norm, double lost,
                     double query_lost) const {
    const double row = norm + lost, other = query.norm + query_lost;
    const double most = product_error(row, other) + norm * norm * by_squares_ + norm * query_lost +
                        lost * other + query.constant;
    return most == most ? most : std::numeric_limits<double>::infinity();
  }

  /// Most that a product of two normalized rows is off, as they are multiplied.
  double product_error(double norm, double other) const {
    return norm * other * by_norms_ + (norm + other) * underflow_ * 0x1p-22 + underflow_;
  }

  /// An upper bound on the exact squared distance of two normalized rows whose canonical squared
  /// distance is `distance`.
  double normalized_square(double distance) const {
    return scale_ * scale_ * distance * (1.0 + 1.1 * canonical_) + 2.0 * tiny_;
  }

  /// Let one row have the exact score `score`: any row that is canonically as near or nearer has an
  /// exact score of at most this.
  double score_bound_from(const NormalizedQuery& query, double score) const {
    if (metric_ != Metric::sqeuclidean) return score;
    const double squares = std::max(2.0 * score + query.shift, 0.0);
    return score + 1.1 * canonical_ * squares + sums_ * query.shift + tiny_;
  }

  /// The exact score of rows at a canonical distance (of CanonicalQuery), or nearer: none is above.
  double score_bound(const NormalizedQuery& query, double distance) const {
    if (metric_ == Metric::sqeuclidean) {
      return 0.5 * (normalized_square(distance) - query.shift) + sums_ * query.shift;
    }
    // distances are -<q, x>, or 1 - cos; scores -<q, x - mean> times both scales
    const double near = metric_ == Metric::cosine ? distance - 1.0 : distance;
    return scale_ * scale_ * near + scale_ * query.shift + sums_ * scale_ * std::abs(query.shift);
  }

 private:
  static double norm_of(double squares, double norm) {
    constexpr double kOverflowing = 0x1p125;  // of two such, products and values are below 2^127
    return squares < kOverflowing ? norm : std::numeric_limits<double>::infinity();
  }

  Metric metric_;
  double scale_ = 1.0;
  double canonical_ = 0.0;               // of a canonical distance, relative
  double by_norms_ = 0.0;                // of a product, per |x| |q|
  double by_squares_ = 0.0;              // of half a square, per |x|^2
  double underflow_ = 0.0, tiny_ = 0.0;  // taken by underflow from products, from canonical squares
  double sums_ = 0.0;                    // of sums in doubles, relative
  double mean_norm_ = 0.0;               // of the mean, scaled
};

}  // namespace coverset
