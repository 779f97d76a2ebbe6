#include "coreset/choice.hpp"

#include <algorithm>
#include <cmath>

#include "coreset/costs.hpp"
#include "coreset/directions.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kTriedRows = 128, kTriedCenters = 96;
constexpr std::int64_t kMostDirections = 128, kLeastShare = 4;  // at most a quarter of a row
constexpr std::int64_t kMostBytes = std::int64_t{1} << 29;
constexpr double kLeastWork = 0x1p34;  // numbers of all rows and centers: below, nothing is tried
constexpr double kPays = 0.6;          // of what whole rows cost
constexpr double kMeasuredWhole = 2.0;

/// How many directions there is room for.
std::int64_t most_directions(const Rows& rows) {
  const std::int64_t fit = kMostBytes / std::max<std::int64_t>(rows.n, 1) / 4 - 1;
  const std::int64_t most = std::min({kMostDirections, rows.d / kLeastShare, fit});
  return std::max<std::int64_t>(most / kDirections * kDirections, 0);
}

/// Tries projections on a sample of rows and the first centers.
class Trial {
 public:
  Trial(const Rows& rows, const Normalization& normalization, std::span<const std::int64_t> centers,
        const std::vector<float>& directions)
      : rows_(std::min(rows.n, kTriedRows)),
        centers_(std::min(static_cast<std::int64_t>(centers.size()), kTriedCenters)),
        count_(static_cast<std::int64_t>(directions.size()) / rows.d),
        distances_(static_cast<std::size_t>(rows_ * centers_)) {
    const std::vector<std::int64_t> some = spread_rows(rows.n, kTriedRows);
    const auto near = normalized_rows(rows, normalization, some);
    const auto far =
        normalized_rows(rows, normalization, centers.first(static_cast<std::size_t>(centers_)));
    COVERSET_AT_LEVEL(distance_tile)
    (true, near.data(), rows_, rows.d, far.data(), centers_, rows.d, rows.d, distances_.data());
    row_numbers_ = along(near, directions, rows.d);
    center_numbers_ = along(far, directions, rows.d);
  }

  /// Centers a row that a projection of `numbers` cannot tell from its nearest, and that one.
  double measured(std::int64_t numbers) const {
    std::int64_t found = 0;
    for (std::int64_t i = 0; i < rows_; ++i) {
      const float* exact = distances_.data() + i * centers_;
      const float least = *std::min_element(exact, exact + centers_);
      for (std::int64_t j = 0; j < centers_; ++j) {
        float square = 0.0f;
        for (std::int64_t c = 0; c < numbers && square <= least; ++c) {
          const float gap = row_numbers_[static_cast<std::size_t>(i * count_ + c)] -
                            center_numbers_[static_cast<std::size_t>(j * count_ + c)];
          square += gap * gap;
        }
        found += square <= least;
      }
    }
    return static_cast<double>(found) / static_cast<double>(rows_);
  }

  std::int64_t centers() const { return centers_; }

 private:
  static std::vector<float> along(const std::vector<float>& rows,
                                  const std::vector<float>& directions, std::int64_t d) {
    std::vector<float> out;
    for (auto row = rows.data(); row != rows.data() + rows.size(); row += d) {
      for (auto to = directions.data(); to != directions.data() + directions.size(); to += d) {
        out.push_back(inner_product_of(row, to, d));
      }
    }
    return out;
  }

  std::int64_t rows_, centers_, count_;
  std::vector<float> distances_, row_numbers_, center_numbers_;
};

}  // namespace

std::unique_ptr<Projection> choose_projection(const Cpu& device, const Rows& rows,
                                              const Normalization& normalization,
                                              std::span<const std::int64_t> centers,
                                              WorkAhead ahead) {
  const double work = static_cast<double>(rows.n) * static_cast<double>(rows.d) *
                      static_cast<double>(ahead.centers);
  const std::int64_t most = most_directions(rows);
  if (most == 0 || work < kLeastWork) return nullptr;
  const std::vector<float> directions = find_directions(device, rows, normalization, most);
  const std::int64_t d = rows.d, count = static_cast<std::int64_t>(directions.size()) / d;
  if (count == 0) return nullptr;
  const Trial trial(rows, normalization, centers, directions);
  // rows in front, and more centers, are harder to tell apart
  const double harder =
      2.0 * std::pow(std::max(ahead.missed / static_cast<double>(trial.centers()), 1.0), 0.25);
  const Precision whole = precision_from(Precision::int8, d);
  double least = kPays * refresh_cost(ahead.missed, d, whole, kMeasuredWhole, d);
  std::int64_t best = 0;
  for (std::int64_t numbers = std::min(kDirections, count);;
       numbers = std::min(2 * numbers, count)) {
    const double once = projection_cost(numbers, d) / 2.0;  // rows are refreshed twice or so
    const double cost =
        once + refresh_cost(ahead.missed, numbers, precision_from(Precision::bfloat16, numbers),
                            harder * trial.measured(numbers), d);
    if (cost < least) least = cost, best = numbers;
    if (numbers == count) break;
  }
  if (best == 0) return nullptr;
  const auto size = static_cast<std::size_t>(best * d);
  return std::make_unique<Projection>(rows, normalization, std::span(directions).first(size));
}

std::unique_ptr<Projection> short_projection(const Cpu& device, const Rows& rows,
                                             const Normalization& normalization) {
  const std::vector<float> directions = find_directions(device, rows, normalization, kDirections);
  if (directions.empty()) return nullptr;
  return std::make_unique<Projection>(rows, normalization, directions);
}

}  // namespace coverset
