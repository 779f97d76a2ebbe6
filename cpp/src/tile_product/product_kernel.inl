// Panel products and their filter, compiled once per level. Raw pointers, no STL.
#include "tile_product/product.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#else
#include <arm_neon.h>
#endif

#pragma GCC diagnostic ignored "-Wpsabi"  // registers passed between functions of this file only

namespace coverset::COVERSET_LEVEL {
namespace {

#if defined(__AVX512F__)
constexpr long kLanes = 16, kRows = 12;
#elif defined(__AVX2__)
constexpr long kLanes = 8, kRows = 6;
#elif defined(__x86_64__)
constexpr long kLanes = 4, kRows = 6;
#else
constexpr long kLanes = 4, kRows = 8;
#endif
constexpr long kGroup = 2 * kLanes;  // queries side by side
constexpr long kDepth = 256;         // coordinates for which a group of queries stays in cache

static_assert(kPanelRows % kRows == 0 && kStripQueries % kGroup == 0);

typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));

inline Lanes load(const float* at) {
  Lanes lanes;
  __builtin_memcpy(&lanes, at, sizeof lanes);
  return lanes;
}

inline void store(const Lanes& lanes, float* at) { __builtin_memcpy(at, &lanes, sizeof lanes); }

/// kRows rows by the first kVectors * kLanes queries of a group, over coordinates from..to-1; `out`
/// is added to unless from is 0.
template <int kVectors>
inline void block(const float* rows, long depth, const float* group, long from, long to,
                  float* out) {
  Lanes sums[kRows][kVectors];
  for (long i = 0; i < kRows; ++i) {
    for (long j = 0; j < kVectors; ++j) {
      sums[i][j] = from == 0 ? Lanes{} : load(out + i * kStripQueries + j * kLanes);
    }
  }
  for (long c = from; c < to; ++c) {
    const Lanes first = load(group + c * kGroup);
    const Lanes second = kVectors == 2 ? load(group + c * kGroup + kLanes) : first;
    for (long i = 0; i < kRows; ++i) {
      const float value = rows[i * depth + c];
      sums[i][0] += first * value;
      if constexpr (kVectors == 2) sums[i][1] += second * value;
    }
  }
  for (long i = 0; i < kRows; ++i) {
    for (long j = 0; j < kVectors; ++j) store(sums[i][j], out + i * kStripQueries + j * kLanes);
  }
}

constexpr long kMask = 16;  // queries whose comparisons make one mask

/// Bit j: value - products[j] is not above threshold[j].
inline unsigned passing(const float* products, float offset, const float* threshold) {
#if defined(__AVX512F__)
  const __m512 value = _mm512_sub_ps(_mm512_set1_ps(offset), _mm512_loadu_ps(products));
  return _cvtmask16_u32(_mm512_cmp_ps_mask(value, _mm512_loadu_ps(threshold), _CMP_NGT_UQ));
#elif defined(__AVX2__)
  unsigned mask = 0;
  for (int half = 0; half < 2; ++half) {
    const __m256 value =
        _mm256_sub_ps(_mm256_set1_ps(offset), _mm256_loadu_ps(products + 8 * half));
    const __m256 passed = _mm256_cmp_ps(value, _mm256_loadu_ps(threshold + 8 * half), _CMP_NGT_UQ);
    mask |= static_cast<unsigned>(_mm256_movemask_ps(passed)) << (8 * half);
  }
  return mask;
#elif defined(__x86_64__)
  unsigned mask = 0;
  for (int part = 0; part < 4; ++part) {
    const __m128 value = _mm_sub_ps(_mm_set1_ps(offset), _mm_loadu_ps(products + 4 * part));
    const __m128 passed = _mm_cmpngt_ps(value, _mm_loadu_ps(threshold + 4 * part));
    mask |= static_cast<unsigned>(_mm_movemask_ps(passed)) << (4 * part);
  }
  return mask;
#else
  uint32x4_t above[4];
  for (int part = 0; part < 4; ++part) {
    const float32x4_t value = vsubq_f32(vdupq_n_f32(offset), vld1q_f32(products + 4 * part));
    above[part] = vcgtq_f32(value, vld1q_f32(threshold + 4 * part));
  }
  const uint32x4_t all = vandq_u32(vandq_u32(above[0], above[1]), vandq_u32(above[2], above[3]));
  if (vminvq_u32(all) != 0) return 0;
  unsigned mask = 0;
  for (int j = 0; j < kMask; ++j) {
    mask |= (offset - products[j] > threshold[j] ? 0u : 1u) << j;
  }
  return mask;
#endif
}

}  // namespace

void pack_queries(const float* queries, long count, long stride, long depth, float* packed) {
  const long strips = (count + kStripQueries - 1) / kStripQueries;
  for (long first = 0; first < strips * kStripQueries; first += kGroup) {
    float* group = packed + first * depth;
    for (long c = 0; c < depth; ++c) {
      for (long j = 0; j < kGroup; ++j) {
        const long query = first + j;
        group[c * kGroup + j] = query < count ? queries[query * stride + c] : 0.0f;
      }
    }
  }
}

void product_panel(const float* panel, long rows, const float* strip, long queries, long depth,
                   float* out) {
  for (long from = 0; from < depth; from += kDepth) {
    const long to = from + kDepth < depth ? from + kDepth : depth;
    for (long j = 0; j < queries; j += kGroup) {
      float* at = out + j;
      const float* group = strip + j * depth;
      if (queries - j <= kLanes) {
        for (long i = 0; i < rows; i += kRows) {
          block<1>(panel + i * depth, depth, group, from, to, at + i * kStripQueries);
        }
      } else {
        for (long i = 0; i < rows; i += kRows) {
          block<2>(panel + i * depth, depth, group, from, to, at + i * kStripQueries);
        }
      }
    }
  }
}

long filter_panel(const float* out, const float* offset, long rows, const float* threshold,
                  long queries, TileHit* hits) {
  long count = 0;
  for (long i = 0; i < rows; ++i) {
    for (long j = 0; j < queries; j += kMask) {
      const float* products = out + i * kStripQueries + j;
      unsigned mask = passing(products, offset[i], threshold + j);
      while (mask != 0) {
        const int lane = __builtin_ctz(mask);
        mask &= mask - 1;
        if (j + lane >= queries) break;
        hits[count++] = {offset[i] - products[lane], static_cast<std::uint16_t>(i),
                         static_cast<std::uint16_t>(j + lane)};
      }
    }
  }
  return count;
}

}  // namespace coverset::COVERSET_LEVEL
