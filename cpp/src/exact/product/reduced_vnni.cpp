// Rounding to int8 and bfloat16, and their products by AVX-512. Raw pointers, no STL.
#include <immintrin.h>

#include "exact/product/reduced.hpp"

#pragma GCC diagnostic ignored "-Wpsabi"  // registers passed between functions of this file only

namespace coverset::vnni {
namespace {

constexpr long kRows = 12;   // in registers at a time, by 2 groups of queries
constexpr long kGroup = 16;  // queries side by side
constexpr long kLargest = 127;

static_assert(kPanelRows % kRows == 0 && kStripQueries % (2 * kGroup) == 0);

inline __mmask16 first_lanes(long count) {
  return count >= 16 ? static_cast<__mmask16>(0xffff) : static_cast<__mmask16>((1u << count) - 1u);
}

typedef std::int32_t Lanes __attribute__((vector_size(64)));

// sums += queries * the 4 bytes at `row`, repeated. As assembly, for the repeat to be part of it.
struct Int8 {
  static void add(Lanes& sums, Lanes queries, const char* row) {
    asm("vpdpbusd %2%{1to16%}, %1, %0"
        : "+v"(sums)
        : "v"(queries), "m"(*reinterpret_cast<const std::int32_t*>(row)));
  }
};
struct Bfloat16 {
  static void add(Lanes& sums, Lanes queries, const char* row) {
    asm("vdpbf16ps %2%{1to16%}, %1, %0"
        : "+v"(sums)
        : "v"(queries), "m"(*reinterpret_cast<const std::int32_t*>(row)));
  }
};

/// Sums of rows by groups of queries, one member each: compilers keep arrays of them in memory.
template <class Kind, int kCount, int kGroups>
struct Sums {
  Sums<Kind, kCount - 1, kGroups> before;
  Lanes first = {}, second = {};

  __attribute__((always_inline)) void add(const char* rows, long bytes, Lanes a, Lanes b) {
    before.add(rows, bytes, a, b);
    Kind::add(first, a, rows + (kCount - 1) * bytes);
    if constexpr (kGroups == 2) Kind::add(second, b, rows + (kCount - 1) * bytes);
  }
  template <class Store>
  __attribute__((always_inline)) void each(Store&& store) {
    before.each(store);
    store(kCount - 1, 0, first);
    if constexpr (kGroups == 2) store(kCount - 1, 1, second);
  }
};
template <class Kind, int kGroups>
struct Sums<Kind, 0, kGroups> {
  void add(const char*, long, Lanes, Lanes) {}
  template <class Store>
  void each(Store&&) {}
};

/// kRows rows (`bytes` each) by kGroups groups of queries: store(row, group, sums) for each.
template <class Kind, int kGroups, class Store>
inline void block(const char* rows, long bytes, const char* group, Store&& store) {
  Sums<Kind, kRows, kGroups> sums;
  for (long c = 0; c < bytes; c += 4) {
    Lanes first, second;
    __builtin_memcpy(&first, group + c * kGroup, sizeof first);
    __builtin_memcpy(&second, group + (kGroups == 2 ? bytes + c : c) * kGroup, sizeof second);
    sums.add(rows + c, bytes, first, second);
  }
  sums.each(store);
}

/// A whole panel by the groups that hold `queries` queries: store(row, first query, sums).
template <class Kind, class Store>
inline void panel_by_strip(const char* panel, const char* strip, long queries, long bytes,
                           Store&& store) {
  for (long j = 0; j < queries; j += 2 * kGroup) {
    for (long i = 0; i < kPanelRows; i += kRows) {
      const auto at = [&](long row, long group, const Lanes& sums) {
        store(i + row, j + group * kGroup, sums);
      };
      if (queries - j <= kGroup) {
        block<Kind, 1>(panel + i * bytes, bytes, strip + j * bytes, at);
      } else {
        block<Kind, 2>(panel + i * bytes, bytes, strip + j * bytes, at);
      }
    }
  }
}

}  // namespace

ReducedRow reduce_to_int8(const float* row, long d, long depth, std::int8_t* out) {
  __m512 most = _mm512_setzero_ps();
  for (long c = 0; c < d; c += 16) {
    most = _mm512_max_ps(most, _mm512_abs_ps(_mm512_maskz_loadu_ps(first_lanes(d - c), row + c)));
  }
  const float largest = _mm512_reduce_max_ps(most);
  const float factor = largest > 0x1p-100f ? largest * (1.0f / kLargest) : 0.0f;
  const __m512 inverse = _mm512_set1_ps(factor > 0.0f ? kLargest / largest : 0.0f);
  const __m512 back = _mm512_set1_ps(-factor);
  const __m512i end = _mm512_set1_epi32(kLargest), start = _mm512_set1_epi32(-kLargest);
  __m512 lost = _mm512_setzero_ps();
  __m512i sum = _mm512_setzero_si512();
  long c = 0;
  for (; c < d; c += 16) {
    const __m512 values = _mm512_maskz_loadu_ps(first_lanes(d - c), row + c);
    __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(values, inverse));
    whole = _mm512_min_epi32(_mm512_max_epi32(whole, start), end);
    const __m512 gap = _mm512_fmadd_ps(_mm512_cvtepi32_ps(whole), back, values);
    lost = _mm512_fmadd_ps(gap, gap, lost);
    sum = _mm512_add_epi32(sum, whole);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + c), _mm512_cvtepi32_epi8(whole));
  }
  for (; c < depth; c += 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + c), _mm_setzero_si128());
  }
  return {factor, _mm512_reduce_add_epi32(sum), _mm512_reduce_add_ps(lost)};
}

ReducedRow copy_int8(const std::int8_t* row, long d, long depth, std::int8_t* out) {
  __m512i sum = _mm512_setzero_si512(), squares = _mm512_setzero_si512();
  const __m512i ones = _mm512_set1_epi16(1);
  for (long c = 0; c < depth; c += 32) {
    const long left = d - c;
    const __mmask32 mask = left >= 32 ? ~0u : left > 0 ? (1u << left) - 1u : 0u;
    const __m256i values = _mm256_maskz_loadu_epi8(mask, row + c);
    const __m512i wide = _mm512_cvtepi8_epi16(values);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + c), values);
    sum = _mm512_dpwssd_epi32(sum, wide, ones);
    squares = _mm512_dpwssd_epi32(squares, wide, wide);
  }
  return {1.0f, _mm512_reduce_add_epi32(sum), static_cast<float>(_mm512_reduce_add_epi32(squares))};
}

ReducedRow reduce_to_bfloat16(const float* row, long d, long depth, std::uint16_t* out) {
  __m512 lost = _mm512_setzero_ps();
  for (long c = 0; c < depth; c += 16) {
    const long left = d - c > 0 ? d - c : 0;
    const __m512 values = _mm512_maskz_loadu_ps(first_lanes(left), row + c);
    const __m256bh halves = _mm512_cvtneps_pbh(values);
    const __m256i bits = reinterpret_cast<__m256i>(halves);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + c), bits);
    const __m512i back = _mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16);
    const __m512 gap = _mm512_sub_ps(values, _mm512_castsi512_ps(back));
    lost = _mm512_fmadd_ps(gap, gap, lost);
  }
  return {1.0f, 0, _mm512_reduce_add_ps(lost)};
}

void product_int8(const std::int8_t* panel, const ReducedRow* rows, const std::uint8_t* strip,
                  const float* factors, long queries, long depth, float* out) {
  panel_by_strip<Int8>(reinterpret_cast<const char*>(panel), reinterpret_cast<const char*>(strip),
                       queries, depth, [&](long i, long j, const Lanes& sums) {
                         const __m512i whole =
                             _mm512_sub_epi32(reinterpret_cast<const __m512i&>(sums),
                                              _mm512_slli_epi32(_mm512_set1_epi32(rows[i].sum), 7));
                         const __m512 factor = _mm512_mul_ps(_mm512_set1_ps(rows[i].factor),
                                                             _mm512_loadu_ps(factors + j));
                         _mm512_storeu_ps(out + i * kStripQueries + j,
                                          _mm512_mul_ps(_mm512_cvtepi32_ps(whole), factor));
                       });
}

void product_bfloat16(const std::uint16_t* panel, const std::uint16_t* strip, long queries,
                      long depth, float* out) {
  panel_by_strip<Bfloat16>(reinterpret_cast<const char*>(panel),
                           reinterpret_cast<const char*>(strip), queries, 2 * depth,
                           [&](long i, long j, Lanes sums) {
                             __builtin_memcpy(out + i * kStripQueries + j, &sums, sizeof sums);
                           });
}

}  // namespace coverset::vnni
