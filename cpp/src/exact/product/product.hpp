// Products of a panel of rows with a strip of queries, made in cache and filtered at once: they
// propose candidates and decide nothing.
#pragma once

#include <cstdint>

#include "simd/dispatch.hpp"

namespace coverset {

inline constexpr long kPanelRows = 96;     // a multiple of every level's rows in registers
inline constexpr long kStripQueries = 64;  // likewise of its queries

/// A product that passed: row and query count from the start of panel and strip.
struct TileHit {
  float product;
  std::uint16_t row, query;
};

/// Queries (count, stride floats apart) as product_panel takes them: strips of kStripQueries, each
/// kStripQueries * depth floats; the last is filled up with zeros.
COVERSET_DECLARE_LEVELS(void pack_queries(const float* queries, long count, long stride, long depth,
                                          float* packed));

/// out[i * kStripQueries + j] is the inner product of row i of the panel (depth floats each) and
/// query j of the strip, for the first `queries` of them, rounded in some order.
COVERSET_DECLARE_LEVELS(void product_panel(const float* panel, long rows, const float* strip,
                                           long queries, long depth, float* out));

/// Writes the products for which offset[i] - out[i, j] is not above limit[j] (a NaN is not) to hits
/// (at most rows * queries). Returns how many. Arrays of queries are kStripQueries long.
COVERSET_DECLARE_LEVELS(long filter_panel(const float* out, const float* offset, long rows,
                                          const float* limit, long queries, TileHit* hits));

/// The same where each side looks for the other: those also for which query_offset[j] - out[i, j]
/// is not above row_limit[i].
COVERSET_DECLARE_LEVELS(long filter_pairs(const float* out, const float* row_offset,
                                          const float* row_limit, long rows,
                                          const float* query_offset, const float* query_limit,
                                          long queries, TileHit* hits));

/// least[i]: the least query_offset[j] - out[i, j]; -infinity if one is not finite. Queries are
/// rounded up to whole registers: offsets beyond them are finite and large.
COVERSET_DECLARE_LEVELS(void least_in_rows(const float* out, long rows, const float* query_offset,
                                           long queries, float* least));

}  // namespace coverset
