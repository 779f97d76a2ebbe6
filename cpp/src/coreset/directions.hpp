// Directions along which rows differ most.
#pragma once

#include <vector>

#include "coverset/neighbors.hpp"

namespace coverset {

/// Numbers that directions have in all are a multiple of this, but where rows span fewer.
inline constexpr std::int64_t kDirections = 16;

/// At most `most` directions (each d numbers that bfloat16 has), of length 1 and at right angles up
/// to that rounding, the most telling first; of at most 512 rows at equal distances. Whatever they
/// are, answers are the same.
std::vector<float> find_directions(const Cpu& device, const Rows& rows, const Frame& frame,
                                   std::int64_t most);

/// At most `most` of n rows at equal distances.
std::vector<std::int64_t> spread_rows(std::int64_t n, std::int64_t most);

/// Rows in the frame: (some, d).
std::vector<float> framed_rows(const Rows& rows, const Frame& frame,
                               std::span<const std::int64_t> some);

}  // namespace coverset
