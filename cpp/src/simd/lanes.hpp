// Vectors of numbers as wide as the level's registers, for the kernels (.inl) alone: whatever is
// here is compiled once per level, under the level's own name. Raw pointers, no STL.
//
// Operators of lanes (+, *, <, ?:) are the compiler's and work lane by lane, each result rounded.
#pragma once

#if !defined(COVERSET_LEVEL)
#error "lanes.hpp is for kernels: include it where COVERSET_LEVEL is set"
#endif

#if defined(__x86_64__)
#include <immintrin.h>
#else
#include <arm_neon.h>
#endif

#pragma GCC diagnostic ignored "-Wpsabi"  // lanes passed between functions of one file only

namespace coverset::COVERSET_LEVEL {
namespace {

#if defined(__AVX512F__)
constexpr long kRegisterBytes = 64;
#elif defined(__AVX2__)
constexpr long kRegisterBytes = 32;
#else
constexpr long kRegisterBytes = 16;
#endif

/// How many numbers of a type a register holds.
template <class T>
constexpr long kLanesOf = kRegisterBytes / static_cast<long>(sizeof(T));

template <class T, long kCount>
struct Vector {
  typedef T Type __attribute__((vector_size(kCount * sizeof(T))));
};

/// kCount numbers side by side: a register of them, or a power of 2 that is said.
template <class T, long kCount = kLanesOf<T>>
using Lanes = typename Vector<T, kCount>::Type;

template <class T>
inline Lanes<T> load(const T* at) {
  Lanes<T> lanes;
  __builtin_memcpy(&lanes, at, sizeof lanes);
  return lanes;
}

template <long kCount, class T>
inline Lanes<T, kCount> load(const T* at) {
  Lanes<T, kCount> lanes;
  __builtin_memcpy(&lanes, at, sizeof lanes);
  return lanes;
}

template <class AnyLanes, class T>
inline void store(const AnyLanes& lanes, T* at) {
  __builtin_memcpy(at, &lanes, sizeof lanes);
}

/// A register of one number; subtracting 0 changes no bit of it.
template <class T>
inline Lanes<T> repeated(T value) {
  return value - Lanes<T>{};
}

// Of numbers, or lane by lane. The first stays where they do not compare.
template <class T>
inline T larger(const T& a, const T& b) {
  return b > a ? b : a;
}
template <class T>
inline T smaller(const T& a, const T& b) {
  return b < a ? b : a;
}

/// Joins kCount numbers, a power of 2, into the first: calls join(l, l + half) for the first half,
/// then for the half of that, and so on. This is the order in which lanes are summed.
template <long kCount, class Join>
inline void fold_halves(Join&& join) {
  for (long half = kCount / 2; half > 0; half /= 2) {
    for (long l = 0; l < half; ++l) join(l, l + half);
  }
}

using Bits = unsigned long long;

/// Bit l: lane l of whole numbers differs.
template <class AnyLanes>
inline Bits differing(const AnyLanes& a, const AnyLanes& b) {
  static_assert(sizeof(AnyLanes) == kRegisterBytes);
  constexpr int kBytes = sizeof(a[0]);
#if defined(__AVX512BW__)
  const auto x = reinterpret_cast<__m512i>(a), y = reinterpret_cast<__m512i>(b);
  if constexpr (kBytes == 1) return _cvtmask64_u64(_mm512_cmpneq_epi8_mask(x, y));
  if constexpr (kBytes == 2) return _cvtmask32_u32(_mm512_cmpneq_epi16_mask(x, y));
  if constexpr (kBytes == 4) return _cvtmask16_u32(_mm512_cmpneq_epi32_mask(x, y));
  if constexpr (kBytes == 8) return _cvtmask8_u32(_mm512_cmpneq_epi64_mask(x, y));
#elif defined(__x86_64__)
  constexpr auto kAll = static_cast<unsigned>((Bits{1} << (kRegisterBytes / kBytes)) - 1);
  const auto equal = a == b;
  int mask;
#if defined(__AVX2__)
  const auto same = reinterpret_cast<__m256i>(equal);
  if constexpr (kBytes == 1) mask = _mm256_movemask_epi8(same);
  if constexpr (kBytes == 2) {
    // packs works within 128-bit halves: put the quarters back in order
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi16(same, same), 0xd8);
    mask = _mm256_movemask_epi8(packed);
  }
  if constexpr (kBytes == 4) mask = _mm256_movemask_ps(_mm256_castsi256_ps(same));
  if constexpr (kBytes == 8) mask = _mm256_movemask_pd(_mm256_castsi256_pd(same));
#else
  const auto same = reinterpret_cast<__m128i>(equal);
  if constexpr (kBytes == 1) mask = _mm_movemask_epi8(same);
  if constexpr (kBytes == 2) mask = _mm_movemask_epi8(_mm_packs_epi16(same, same));
  if constexpr (kBytes == 4) mask = _mm_movemask_ps(_mm_castsi128_ps(same));
  if constexpr (kBytes == 8) mask = _mm_movemask_pd(_mm_castsi128_pd(same));
#endif
  return ~static_cast<unsigned>(mask) & kAll;
#else
  if constexpr (kBytes == 1) {
    const uint8x16_t weights = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t set = vandq_u8(reinterpret_cast<uint8x16_t>(a != b), weights);
    return vaddv_u8(vget_low_u8(set)) | static_cast<Bits>(vaddv_u8(vget_high_u8(set))) << 8;
  } else {
    Bits bits = 0;
    for (long l = 0; l < kRegisterBytes / kBytes; ++l) {
      bits |= static_cast<Bits>(a[l] != b[l]) << l;
    }
    return bits;
  }
#endif
}

}  // namespace
}  // namespace coverset::COVERSET_LEVEL
