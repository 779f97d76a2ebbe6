// The loop over numbers that has a variant per SIMD level.
#pragma once

#include "simd/dispatch.hpp"

namespace coverset {

enum class NumberType { i8, i16, i32, i64, u8, u16, u32, u64, f32, f64 };

/// Writes the ascending places of the numbers that are not within low..high, NaN among them, and
/// returns how many.
COVERSET_DECLARE_LEVELS(long find_outside(NumberType type, const void* values, long n,
                                          const void* low, const void* high, unsigned* places));

}  // namespace coverset
