// The plain form of farthest first: one fused pass over all rows for every centre.
#pragma once

#include "coverset/coreset.hpp"

namespace coverset {

/// As k_center(): the same rows and keys.
KCenterWork k_center_eagerly(const Cpu& device, const Rows& rows, const KCenterOptions& options,
                             std::span<std::int64_t> indices, std::span<float> keys);

}  // namespace coverset
