// What is looked at before rows are searched: their middle and scale, and rows that are refused.
#include <algorithm>
#include <cmath>
#include <mutex>

#include "coverset/error.hpp"
#include "coverset/parallel.hpp"
#include "neighbors/canonical.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kSample = 1 << 10;
constexpr double kNearOrigin = 0.25;  // square of a mean, in mean squares around it
constexpr double kMostLonger = 16.0;
constexpr std::int64_t kBlockNumbers = 1 << 20;

/// Rows at equal distances, for cosine of length 1; without those that are many times as long as
/// half of the others, which would take the middle away from the rest.
struct Sample {
  Sample(const Rows& from, Metric metric) {
    const auto d = static_cast<std::size_t>(from.d);
    const std::int64_t most = std::min(from.n, kSample);
    numbers.resize(d * static_cast<std::size_t>(most));
    std::vector<float> room(d);
    std::vector<double> lengths;
    for (std::int64_t i = 0; i < most; ++i) {
      const float* row = float_row(from, i * from.n / most, room.data());
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

Frame find_frame(const Cpu&, const Rows& rows, Metric metric) {
  const auto d = static_cast<std::size_t>(rows.d);
  Frame frame{std::vector<float>(d), 1.0f};
  const Sample sample(rows, metric);
  if (sample.count == 0) return frame;
  for (std::size_t c = 0; c < d; ++c) {
    double sum = 0.0;
    for (const double* row : sample.rows) sum += row[c];
    frame.mean[c] = static_cast<float>(sum / sample.count);
  }
  double squares = 0.0, of_mean = 0.0;
  for (const double* row : sample.rows) {
    for (std::size_t c = 0; c < d; ++c) {
      const double gap = row[c] - frame.mean[c];
      squares += gap * gap;
    }
  }
  squares /= sample.count;
  for (const float m : frame.mean) of_mean += static_cast<double>(m) * m;
  if (rows.dtype == Dtype::int8 && of_mean < kNearOrigin * squares) {
    std::ranges::fill(frame.mean, 0.0f);  // then rows are multiplied as they are stored
    squares += of_mean;
  }
  const double size = std::sqrt(squares);
  if (size > 0.0 && std::isfinite(size)) {
    frame.scale = static_cast<float>(std::ldexp(1.0, std::clamp(-std::ilogb(size), -120, 120)));
  }
  return frame;
}

BadRow find_bad_row(const Cpu& device, const Rows& rows, Metric metric) {
  BadRow found;
  std::mutex mutex;
  const std::int64_t block =
      std::max<std::int64_t>(1, kBlockNumbers / std::max<std::int64_t>(1, rows.d));
  parallel_for(device, rows.n, block, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> room(static_cast<std::size_t>(rows.d));
    for (std::int64_t i = begin; i < end; ++i) {
      const float* row = float_row(rows, i, room.data());
      const RowSize size = COVERSET_AT_LEVEL(measure_row)(row, rows.d);
      const bool fits = size.squares <= kMostSquares;  // not so for NaN
      if (fits && (metric != Metric::cosine || size.largest >= 0x1p-126f)) continue;
      const std::lock_guard lock(mutex);
      if (found.row < 0 || i < found.row) found = {i, size.squares};
      return;
    }
  });
  return found;
}

void load_rows(const Cpu& device, const Rows& rows, std::span<float> out) {
  const std::int64_t block =
      std::max<std::int64_t>(1, kBlockNumbers / std::max<std::int64_t>(1, rows.d));
  parallel_for(device, rows.n, block, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      float* to = out.data() + i * rows.d;
      const float* row = float_row(rows, i, to);
      if (row != to) std::copy(row, row + rows.d, to);
    }
  });
}

}  // namespace coverset
