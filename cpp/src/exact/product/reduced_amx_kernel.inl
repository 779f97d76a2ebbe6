// Products of int8 and bfloat16 panels by AMX tiles. Raw pointers, no STL.
#include "exact/product/reduced.hpp"
#include "exact/product/tiles.hpp"

namespace coverset::amx {
namespace {

constexpr long kSide = 16;   // rows or queries of a tile
constexpr long kBytes = 64;  // of each, per step

static_assert(kPanelRows % (2 * kSide) == 0 && kStripQueries % (2 * kSide) == 0);

/// Palette 1, every tile 16 rows of 64 bytes.
struct alignas(64) Configuration {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(Configuration) == 64);

// Tiles 0..3 hold sums of 32 rows by 32 queries, 4 and 5 rows, 6 and 7 queries.
#define COVERSET_BLOCK(add)                                     \
  COVERSET_TILE_ZERO(0);                                        \
  COVERSET_TILE_ZERO(1);                                        \
  COVERSET_TILE_ZERO(2);                                        \
  COVERSET_TILE_ZERO(3);                                        \
  for (long c = 0; c < bytes; c += kBytes) {                    \
    COVERSET_TILE_LOAD(4, rows + c, bytes);                     \
    COVERSET_TILE_LOAD(6, group + c * kSide, kBytes);           \
    add(0, 4, 6);                                               \
    COVERSET_TILE_LOAD(7, group + (bytes + c) * kSide, kBytes); \
    add(1, 4, 7);                                               \
    COVERSET_TILE_LOAD(5, rows + kSide * bytes + c, bytes);     \
    add(2, 5, 6);                                               \
    add(3, 5, 7);                                               \
  }                                                             \
  COVERSET_TILE_STORE(0, out, kStride);                         \
  COVERSET_TILE_STORE(1, out + kSide, kStride);                 \
  COVERSET_TILE_STORE(2, out + kSide * kStripQueries, kStride); \
  COVERSET_TILE_STORE(3, out + kSide * kStripQueries + kSide, kStride)

constexpr long kStride = kStripQueries * 4;  // bytes between rows of products

inline void block_int8(const std::int8_t* rows, long bytes, const std::uint8_t* group,
                       std::uint32_t* out) {
  COVERSET_BLOCK(COVERSET_TILE_ADD_INT8);
}

inline void block_bfloat16(const std::uint8_t* rows, long bytes, const std::uint8_t* group,
                           float* out) {
  COVERSET_BLOCK(COVERSET_TILE_ADD_BFLOAT16);
}

}  // namespace

void product_int8(const std::int8_t* panel, const ReducedRow* rows, const std::uint8_t* strip,
                  const float* factors, long queries, long depth, float* out) {
  const Configuration configuration;
  COVERSET_TILES_BEGIN(&configuration);
  alignas(64) std::uint32_t sums[2 * kSide * kStripQueries];
  for (long i = 0; i < kPanelRows; i += 2 * kSide) {
    for (long j = 0; j < queries; j += 2 * kSide) {
      block_int8(panel + i * depth, depth, strip + j * depth, sums + j);
    }
    for (long row = 0; row < 2 * kSide; ++row) {
      const ReducedRow& reduced = rows[i + row];
      const std::uint32_t* from = sums + row * kStripQueries;
      float* to = out + (i + row) * kStripQueries;
      for (long j = 0; j < queries; ++j) {
        const auto whole =
            static_cast<std::int32_t>(from[j] - 128u * static_cast<std::uint32_t>(reduced.sum));
        to[j] = static_cast<float>(whole) * (reduced.factor * factors[j]);
      }
    }
  }
  COVERSET_TILES_END();
}

void product_bfloat16(const std::uint16_t* panel, const std::uint16_t* strip, long queries,
                      long depth, float* out) {
  const Configuration configuration;
  COVERSET_TILES_BEGIN(&configuration);
  const auto* rows = reinterpret_cast<const std::uint8_t*>(panel);
  const auto* groups = reinterpret_cast<const std::uint8_t*>(strip);
  for (long i = 0; i < kPanelRows; i += 2 * kSide) {
    for (long j = 0; j < queries; j += 2 * kSide) {
      block_bfloat16(rows + i * 2 * depth, 2 * depth, groups + j * 2 * depth,
                     out + i * kStripQueries + j);
    }
  }
  COVERSET_TILES_END();
}

#undef COVERSET_BLOCK

}  // namespace coverset::amx
