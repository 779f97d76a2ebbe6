// The distance loops that have a variant per SIMD level.
#pragma once

#include "simd/dispatch.hpp"

namespace coverset {

/// All pairs of rows of a and b: `gaps` chooses (a - b)^2, else a b. Strides count floats.
COVERSET_DECLARE_LEVELS(void distance_tile(bool gaps, const float* a, long n, long a_stride,
                                           const float* b, long m, long b_stride, long d,
                                           float* out));

}  // namespace coverset
