// The tile kernels, with AMX's operations in plain loops: what they give on any machine.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

namespace {

struct Tile {
  unsigned char bytes[16][64];
};
Tile tiles[8];

void load_tile(int tile, const void* from, long stride) {
  for (int row = 0; row < 16; ++row) {
    std::memcpy(tiles[tile].bytes[row], static_cast<const char*>(from) + row * stride, 64);
  }
}

void store_tile(int tile, void* to, long stride) {
  for (int row = 0; row < 16; ++row) {
    std::memcpy(static_cast<char*>(to) + row * stride, tiles[tile].bytes[row], 64);
  }
}

/// Signed bytes of rows by unsigned bytes of queries, four at a time.
void add_int8(int sums, int rows, int queries) {
  for (int i = 0; i < 16; ++i) {
    for (int j = 0; j < 16; ++j) {
      std::uint32_t sum;
      std::memcpy(&sum, tiles[sums].bytes[i] + 4 * j, 4);
      for (int c = 0; c < 64; ++c) {
        const int row = static_cast<signed char>(tiles[rows].bytes[i][c]);
        sum += static_cast<std::uint32_t>(row * tiles[queries].bytes[c / 4][4 * j + c % 4]);
      }
      std::memcpy(tiles[sums].bytes[i] + 4 * j, &sum, 4);
    }
  }
}

float brain(const unsigned char* bytes) {
  std::uint16_t half;
  std::memcpy(&half, bytes, 2);
  const std::uint32_t bits = static_cast<std::uint32_t>(half) << 16;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

void add_bfloat16(int sums, int rows, int queries) {
  for (int i = 0; i < 16; ++i) {
    for (int j = 0; j < 16; ++j) {
      float sum;
      std::memcpy(&sum, tiles[sums].bytes[i] + 4 * j, 4);
      for (int c = 0; c < 32; ++c) {
        sum += brain(tiles[rows].bytes[i] + 2 * c) *
               brain(tiles[queries].bytes[c / 2] + 4 * j + 2 * (c % 2));
      }
      std::memcpy(tiles[sums].bytes[i] + 4 * j, &sum, 4);
    }
  }
}

}  // namespace

#define COVERSET_EMULATE_TILES
#define COVERSET_TILES_BEGIN(configuration) static_cast<void>(configuration)
#define COVERSET_TILES_END() static_cast<void>(0)
#define COVERSET_TILE_ZERO(tile) \
  tiles[tile] = Tile {}
#define COVERSET_TILE_LOAD(tile, from, stride) load_tile(tile, from, stride)
#define COVERSET_TILE_STORE(tile, to, stride) store_tile(tile, to, stride)
#define COVERSET_TILE_ADD_INT8(sums, rows, queries) add_int8(sums, rows, queries)
#define COVERSET_TILE_ADD_BFLOAT16(sums, rows, queries) add_bfloat16(sums, rows, queries)

#include "coverset/random.hpp"
#if defined(__x86_64__)
#define amx emulated  // the library has the real ones
#include "exact/product/reduced_amx_kernel.inl"
#undef amx

namespace {

using namespace coverset;

int number(std::uint64_t seed, std::size_t i) {
  return static_cast<int>(random_below(seed, i, 255)) - 127;
}

bool int8_is_exact(long depth, long queries) {
  std::vector<std::int8_t> panel(static_cast<std::size_t>(kPanelRows * depth));
  std::vector<std::int8_t> strip(static_cast<std::size_t>(queries * depth));
  for (std::size_t i = 0; i < panel.size(); ++i) panel[i] = static_cast<std::int8_t>(number(1, i));
  for (std::size_t i = 0; i < strip.size(); ++i) strip[i] = static_cast<std::int8_t>(number(2, i));
  std::vector<std::uint8_t> packed(static_cast<std::size_t>(kStripQueries * depth));
  pack_int8(strip.data(), queries, depth, packed.data());
  std::vector<ReducedRow> rows(kPanelRows);
  std::vector<float> factors(kStripQueries), out(kPanelRows * kStripQueries), vectors(out.size());
  for (long i = 0; i < kPanelRows; ++i) {
    auto& row = rows[static_cast<std::size_t>(i)];
    row = {0.5f + static_cast<float>(i), 0, 0.0f};
    for (long c = 0; c < depth; ++c) row.sum += panel[static_cast<std::size_t>(i * depth + c)];
  }
  for (std::size_t j = 0; j < factors.size(); ++j) factors[j] = 1.0f + static_cast<float>(j);
  emulated::product_int8(panel.data(), rows.data(), packed.data(), factors.data(), queries, depth,
                         out.data());
  const bool on_this_cpu = simd_supported(SimdLevel::vnni);
  if (on_this_cpu) {
    vnni::product_int8(panel.data(), rows.data(), packed.data(), factors.data(), queries, depth,
                       vectors.data());
  }
  for (long i = 0; i < kPanelRows; ++i) {
    for (long j = 0; j < queries; ++j) {
      long sum = 0;
      for (long c = 0; c < depth; ++c) {
        sum += panel[static_cast<std::size_t>(i * depth + c)] *
               strip[static_cast<std::size_t>(j * depth + c)];
      }
      const auto at = static_cast<std::size_t>(i * kStripQueries + j);
      const float exact = static_cast<float>(sum) * (rows[static_cast<std::size_t>(i)].factor *
                                                     factors[static_cast<std::size_t>(j)]);
      if (out[at] != exact || (on_this_cpu && vectors[at] != exact)) return false;
    }
  }
  return true;
}

bool bfloat16_is_near(long depth, long queries) {
  const auto half = [](std::uint64_t seed, std::size_t i) {  // -7.9 to 7.9, exact in bfloat16
    const float value = static_cast<float>(number(seed, i)) / 16.0f;
    std::uint32_t bits;
    std::memcpy(&bits, &value, 4);
    return static_cast<std::uint16_t>(bits >> 16);
  };
  std::vector<std::uint16_t> panel(static_cast<std::size_t>(kPanelRows * depth));
  std::vector<std::uint16_t> strip(static_cast<std::size_t>(queries * depth));
  for (std::size_t i = 0; i < panel.size(); ++i) panel[i] = half(3, i);
  for (std::size_t i = 0; i < strip.size(); ++i) strip[i] = half(4, i);
  std::vector<std::uint16_t> packed(static_cast<std::size_t>(kStripQueries * depth));
  pack_bfloat16(strip.data(), queries, depth, packed.data());
  std::vector<float> out(kPanelRows * kStripQueries), vectors(out.size());
  emulated::product_bfloat16(panel.data(), packed.data(), queries, depth, out.data());
  const bool on_this_cpu = simd_supported(SimdLevel::vnni) && multiplies_bfloat16();
  if (on_this_cpu) {
    vnni::product_bfloat16(panel.data(), packed.data(), queries, depth, vectors.data());
  }
  for (long i = 0; i < kPanelRows; ++i) {
    for (long j = 0; j < queries; ++j) {
      double sum = 0.0, size = 0.0;
      for (long c = 0; c < depth; ++c) {
        const double product =
            static_cast<double>(number(3, static_cast<std::size_t>(i * depth + c))) *
            number(4, static_cast<std::size_t>(j * depth + c)) / 256.0;
        sum += product;
        size += std::fabs(product);
      }
      const auto at = static_cast<std::size_t>(i * kStripQueries + j);
      const double most = size * static_cast<double>(depth) * 0x1p-23;
      if (std::fabs(out[at] - sum) > most) return false;
      if (on_this_cpu && std::fabs(vectors[at] - sum) > most) return false;
    }
  }
  return true;
}

}  // namespace

int main() {
  for (const long queries : {1, 16, 17, 33, 64}) {
    for (const long bytes : {64, 128, 832}) {
      if (!int8_is_exact(bytes, queries) || !bfloat16_is_near(bytes / 2, queries)) {
        std::printf("tiles: wrong at %ld queries of %ld bytes\n", queries, bytes);
        return 1;
      }
    }
  }
  std::printf("tiles: all products hold\n");
  return 0;
}
#else
int main() {
  std::printf("tiles: all products hold\n");
  return 0;
}
#endif
