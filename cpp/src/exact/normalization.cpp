#include "coverset/normalization.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "exact/rows/float_row.hpp"
#include "exact/rows/scanned_rows.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kSample = 1 << 10;
constexpr double kNearOrigin =
    0.25;  // |mean|^2 of int8 rows that count as centered, in mean squares
constexpr double kMostLonger = 16.0;  // than the median row

/// A sample at equal distances, of length 1 for cosine; without rows many times as long as the
/// median one, which would pull the mean away from the rest.
struct Sample {
  Sample(const Rows& from, Metric metric) {
    const auto d = static_cast<std::size_t>(from.d);
    const std::vector<std::int64_t> some = spread_rows(from.n, kSample);
    const auto most = std::ssize(some);
    numbers.resize(d * some.size());
    std::vector<float> room(d);
    std::vector<double> lengths;
    for (std::int64_t i = 0; i < most; ++i) {
      const float* row = float_row(from, some[static_cast<std::size_t>(i)], room.data());
      double squares = 0.0;
      for (std::size_t c = 0; c < d; ++c) squares += static_cast<double>(row[c]) * row[c];
      const double length = std::sqrt(squares);
      const double norm = metric == Metric::cosine && length > 0.0 ? length : 1.0;
      double* to = numbers.data() + static_cast<std::size_t>(i) * d;
      for (std::size_t c = 0; c < d; ++c) to[c] = row[c] / norm;
      lengths.push_back(length / norm);
    }
    if (most == 0) return;
    std::vector<double> sorted = lengths;
    const auto middle = sorted.begin() + most / 2;
    std::nth_element(sorted.begin(), middle, sorted.end());
    for (std::int64_t i = 0; i < most; ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (lengths[at] <= kMostLonger * *middle) rows.push_back(numbers.data() + at * d);
    }
    count = static_cast<double>(rows.size());
  }

  std::vector<double> numbers;
  std::vector<const double*> rows;
  double count = 0.0;
};

}  // namespace

float find_normalization(const Cpu&, const Rows& rows, Metric metric, std::span<float> mean) {
  const auto d = static_cast<std::size_t>(rows.d);
  std::ranges::fill(mean, 0.0f);
  const Sample sample(rows, metric);
  if (sample.count == 0) return 1.0f;
  for (std::size_t c = 0; c < d; ++c) {
    double sum = 0.0;
    for (const double* row : sample.rows) sum += row[c];
    mean[c] = static_cast<float>(sum / sample.count);
  }
  double squares = 0.0, of_mean = 0.0;
  for (const double* row : sample.rows) {
    for (std::size_t c = 0; c < d; ++c) {
      const double gap = row[c] - mean[c];
      squares += gap * gap;
    }
  }
  squares /= sample.count;
  for (const float m : mean) of_mean += static_cast<double>(m) * m;
  if (rows.dtype == Dtype::int8 && of_mean < kNearOrigin * squares) {
    std::ranges::fill(mean, 0.0f);  // then rows are multiplied as they are stored
    squares += of_mean;
  }
  const double size = std::sqrt(squares);
  if (!(size > 0.0) || !std::isfinite(size)) return 1.0f;
  return static_cast<float>(std::ldexp(1.0, std::clamp(-std::ilogb(size), -120, 120)));
}

}  // namespace coverset
