// The loop over numbers that has a variant per SIMD level.
#pragma once

#include "dispatch.hpp"

namespace coverset {

enum class NumberType { i8, i16, i32, i64, u8, u16, u32, u64, f32, f64 };

/// Numbers looked at together: a loud one makes its whole group loud.
inline constexpr long kQuietGroup = 16;

/// Writes the ascending groups in which some number is not within low..high, and returns how many.
/// Group g is numbers g * kQuietGroup and on; a short last group is always written.
COVERSET_DECLARE_LEVELS(long find_loud(NumberType type, const void* values, long n, const void* low,
                                       const void* high, unsigned* groups));

}  // namespace coverset
