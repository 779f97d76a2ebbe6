#include "coverset/canonical.hpp"
#include "exact/distance/tile.hpp"

namespace coverset {

void inner_products(const FloatRows& a, const FloatRows& b, float* out) {
  COVERSET_AT_LEVEL(distance_tile)(false, a.data, a.n, a.stride, b.data, b.n, b.stride, a.d, out);
}

void squared_distances(const FloatRows& a, const FloatRows& b, float* out) {
  COVERSET_AT_LEVEL(distance_tile)(true, a.data, a.n, a.stride, b.data, b.n, b.stride, a.d, out);
}

}  // namespace coverset
