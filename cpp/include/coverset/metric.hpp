// What is near.
#pragma once

#include <cstdint>

namespace coverset {

/// The canonical distance of rows x and q (canonical.hpp): sqeuclidean, the sum of (x - q)^2;
/// inner_product, the sum of x q, of which more is nearer; cosine, 1 - x' q' / (|x'| |q'|), where
/// x' and q' are x and q times the power of 2 that brings their largest number into [1, 2), |x'| is
/// the root of the inner product of x' with itself, and each operation is rounded.
enum class Metric : std::int32_t { sqeuclidean, cosine, inner_product };

}  // namespace coverset
