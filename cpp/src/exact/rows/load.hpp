// Rows of any type as float32: what every capability computes with.
#pragma once

#include "coverset/rows.hpp"
#include "simd/dispatch.hpp"

namespace coverset {

/// out (d): scale times the numbers at `row`. float16 and bfloat16 are exact; int8 is rounded once.
COVERSET_DECLARE_LEVELS(void load_row(Dtype dtype, const void* row, float scale, long d,
                                      float* out));

/// out (d): (row * norm - mean) * scale, each operation rounded, and zeros up to `depth`. Returns
/// half the sum of squares.
COVERSET_DECLARE_LEVELS(float center_row(const float* row, float norm, const float* mean,
                                         float scale, long d, long depth, float* out));

/// The sum of squares, in 16 lanes, and the largest absolute value.
struct RowSize {
  float squares, largest;
};
COVERSET_DECLARE_LEVELS(RowSize measure_row(const float* row, long d));

/// out (d) = row * factor.
COVERSET_DECLARE_LEVELS(void scale_row(const float* row, float factor, long d, float* out));

}  // namespace coverset
