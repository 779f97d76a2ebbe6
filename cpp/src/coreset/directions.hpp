// Directions along which rows differ most.
#pragma once

#include <span>
#include <vector>

#include "coverset/normalization.hpp"

namespace coverset {

/// The number of directions is a multiple of this, unless rows span fewer.
inline constexpr std::int64_t kDirections = 16;

/// At most `most` directions (each d numbers that bfloat16 has), of length 1 and at right angles up
/// to that rounding, the most telling first; of at most 512 rows at equal distances. Whatever they
/// are, answers are the same.
std::vector<float> find_directions(const Cpu& device, const Rows& rows,
                                   const Normalization& normalization, std::int64_t most);

/// Normalized rows: (some, d).
std::vector<float> normalized_rows(const Rows& rows, const Normalization& normalization,
                                   std::span<const std::int64_t> some);

}  // namespace coverset
