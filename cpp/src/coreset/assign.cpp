#include <algorithm>

#include "coreset/refreshers.hpp"
#include "coverset/coreset.hpp"

namespace coverset {

void assign_nearest(const Cpu& device, const Rows& rows, std::span<const std::int64_t> centers,
                    std::span<std::int64_t> nearest) {
  CenterBounds bounds(rows.n, {});
  std::ranges::fill(nearest, -1);
  Refreshers refreshers(device, rows, KCenterStrategy::best, bounds, nearest);
  for (const std::int64_t row : centers) refreshers.centers().add(row);
  refreshers.consider_projection({std::ssize(centers), static_cast<double>(centers.size())});
  refreshers.catch_up();
  for (std::int64_t& center : nearest) center = centers[static_cast<std::size_t>(center)];
}

}  // namespace coverset
