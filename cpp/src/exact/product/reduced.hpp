// Products of a panel with a strip in int8 or bfloat16, where a CPU multiplies more of those at
// once: rows and queries are rounded to fewer bits, and what that loses is kept count of.
#pragma once

#include <cstdint>

#include "coverset/simd.hpp"
#include "exact/product/product.hpp"

namespace coverset {

/// What rows and queries are rounded to before they are multiplied, coarsest first.
enum class Precision { int8, bfloat16, float32 };

/// A row in fewer bits: factor times its numbers (1 for bfloat16), whose sum is `sum` (int8).
struct ReducedRow {
  float factor;
  std::int32_t sum;
  float lost;  // the sum of squares of what rounding took away
};

#if defined(__x86_64__)
namespace vnni {

/// out (depth, a multiple of 64) = the row in int8, zeros beyond d.
ReducedRow reduce_to_int8(const float* row, long d, long depth, std::int8_t* out);

/// The same of a row that is int8 already; `lost` is the sum of its squares.
ReducedRow copy_int8(const std::int8_t* row, long d, long depth, std::int8_t* out);

/// out (depth, a multiple of 32) = the row in bfloat16, subnormals as zeros, zeros beyond d.
/// Needs multiplies_bfloat16().
ReducedRow reduce_to_bfloat16(const float* row, long d, long depth, std::uint16_t* out);

}  // namespace vnni

// Both levels take the same layout. Queries are packed in strips of kStripQueries: 16 queries side
// by side, 4 bytes of each; int8 ones have 128 added.

/// Queries (count, depth) to strips; the last is filled up with zeros.
void pack_int8(const std::int8_t* queries, long count, long depth, std::uint8_t* packed);
void pack_bfloat16(const std::uint16_t* queries, long count, long depth, std::uint16_t* packed);

/// Products as product_panel writes them, of int8 numbers times the factors of row and query.
#define COVERSET_PRODUCT_INT8                                                                    \
  void product_int8(const std::int8_t* panel, const ReducedRow* rows, const std::uint8_t* strip, \
                    const float* factors, long queries, long depth, float* out)
#define COVERSET_PRODUCT_BFLOAT16                                                             \
  void product_bfloat16(const std::uint16_t* panel, const std::uint16_t* strip, long queries, \
                        long depth, float* out)
namespace vnni {
COVERSET_PRODUCT_INT8;
COVERSET_PRODUCT_BFLOAT16;
}  // namespace vnni
namespace amx {
COVERSET_PRODUCT_INT8;
COVERSET_PRODUCT_BFLOAT16;
}  // namespace amx
#undef COVERSET_PRODUCT_INT8
#undef COVERSET_PRODUCT_BFLOAT16
#endif

}  // namespace coverset
