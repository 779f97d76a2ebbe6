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
constexpr std::int64_t kBlockNumbers = 1 << 20;

}  // namespace

Frame find_frame(const Cpu&, const Rows& rows, Metric metric) {
  const auto d = static_cast<std::size_t>(rows.d);
  Frame frame{std::vector<float>(d), 1.0f};
  const std::int64_t count = std::min(rows.n, kSample);
  if (count == 0) return frame;
  std::vector<double> sum(d), sample(d * static_cast<std::size_t>(count));
  std::vector<float> room(d);
  for (std::int64_t i = 0; i < count; ++i) {
    const float* row = float_row(rows, i * rows.n / count, room.data());
    double squares = 0.0;
    for (std::size_t c = 0; c < d; ++c) squares += static_cast<double>(row[c]) * row[c];
    const double norm = metric == Metric::cosine && squares > 0.0 ? std::sqrt(squares) : 1.0;
    for (std::size_t c = 0; c < d; ++c) {
      const double value = row[c] / norm;
      sample[static_cast<std::size_t>(i) * d + c] = value;
      sum[c] += value;
    }
  }
  for (std::size_t c = 0; c < d; ++c) {
    frame.mean[c] = static_cast<float>(sum[c] / static_cast<double>(count));
  }
  double squares = 0.0, of_mean = 0.0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const double gap = sample[i] - frame.mean[i % d];
    squares += gap * gap;
  }
  squares /= static_cast<double>(count);
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
