// find_outside, compiled once per level. Raw pointers, no STL.
#include "lf/outside.hpp"
#include "simd/lanes.hpp"

namespace coverset::COVERSET_LEVEL {
namespace {

constexpr long kChunk = 64;
constexpr long kGroup = 16;

#if defined(__AVX512BW__)
// within_bits(at, low, high): bit j says that low <= at[j] <= high, for one register of numbers.
#define COVERSET_WITHIN(T, set, compare, AtLeast, AtMost)                             \
  inline Bits within_bits(const T* at, T low, T high) {                               \
    const auto x = _mm512_loadu_si512(at);                                            \
    return (Bits)compare(x, set(low), AtLeast) & (Bits)compare(x, set(high), AtMost); \
  }
COVERSET_WITHIN(signed char, _mm512_set1_epi8, _mm512_cmp_epi8_mask, _MM_CMPINT_NLT, _MM_CMPINT_LE)
COVERSET_WITHIN(short, _mm512_set1_epi16, _mm512_cmp_epi16_mask, _MM_CMPINT_NLT, _MM_CMPINT_LE)
COVERSET_WITHIN(int, _mm512_set1_epi32, _mm512_cmp_epi32_mask, _MM_CMPINT_NLT, _MM_CMPINT_LE)
COVERSET_WITHIN(long long, _mm512_set1_epi64, _mm512_cmp_epi64_mask, _MM_CMPINT_NLT, _MM_CMPINT_LE)
COVERSET_WITHIN(unsigned char, _mm512_set1_epi8, _mm512_cmp_epu8_mask, _MM_CMPINT_NLT,
                _MM_CMPINT_LE)
COVERSET_WITHIN(unsigned short, _mm512_set1_epi16, _mm512_cmp_epu16_mask, _MM_CMPINT_NLT,
                _MM_CMPINT_LE)
COVERSET_WITHIN(unsigned, _mm512_set1_epi32, _mm512_cmp_epu32_mask, _MM_CMPINT_NLT, _MM_CMPINT_LE)
COVERSET_WITHIN(unsigned long long, _mm512_set1_epi64, _mm512_cmp_epu64_mask, _MM_CMPINT_NLT,
                _MM_CMPINT_LE)
#undef COVERSET_WITHIN
inline Bits within_bits(const float* at, float low, float high) {
  const __m512 x = _mm512_loadu_ps(at);
  return (Bits)_mm512_cmp_ps_mask(x, _mm512_set1_ps(low), _CMP_GE_OQ) &
         (Bits)_mm512_cmp_ps_mask(x, _mm512_set1_ps(high), _CMP_LE_OQ);
}
inline Bits within_bits(const double* at, double low, double high) {
  const __m512d x = _mm512_loadu_pd(at);
  return (Bits)_mm512_cmp_pd_mask(x, _mm512_set1_pd(low), _CMP_GE_OQ) &
         (Bits)_mm512_cmp_pd_mask(x, _mm512_set1_pd(high), _CMP_LE_OQ);
}

/// Bit j is set where at[j] is not within low..high, for a whole chunk.
template <class T>
inline Bits outside_bits(const T* at, T low, T high) {
  Bits within = 0;
  for (int j = 0; j < kChunk; j += kLanesOf<T>) within |= within_bits(at + j, low, high) << j;
  return ~within;
}
#else
/// Bit j is set where at[j] is not within low..high, for a whole chunk: groups that are all within,
/// as most are, take a compare a register.
template <class T>
inline Bits outside_bits(const T* at, T low, T high) {
  Bits outside = 0;
  for (long first = 0; first < kChunk; first += kGroup) {
    T within = 1;  // of the numbers' own width, so that it is vectorized without conversions
    for (long j = first; j < first + kGroup; ++j) {
      within = (at[j] >= low) & (at[j] <= high) ? within : (T)0;
    }
    if (within != (T)0) continue;
    for (long j = first; j < first + kGroup; ++j) {
      outside |= (Bits) !((at[j] >= low) & (at[j] <= high)) << j;
    }
  }
  return outside;
}
#endif

template <class T>
long outside_places(const void* numbers, long n, const void* lowest, const void* highest,
                    unsigned* places) {
  const T* values = (const T*)numbers;
  const T low = *(const T*)lowest, high = *(const T*)highest;
  long found = 0, at = 0;
  for (; at + kChunk <= n; at += kChunk) {
    for (Bits outside = outside_bits(values + at, low, high); outside != 0;
         outside &= outside - 1) {
      places[found++] = (unsigned)(at + __builtin_ctzll(outside));
    }
  }
  for (; at < n; ++at) {
    if (!((values[at] >= low) & (values[at] <= high))) places[found++] = (unsigned)at;
  }
  return found;
}

}  // namespace

long find_outside(NumberType type, const void* values, long n, const void* low, const void* high,
                  unsigned* places) {
  switch (type) {
    case NumberType::i8:
      return outside_places<signed char>(values, n, low, high, places);
    case NumberType::i16:
      return outside_places<short>(values, n, low, high, places);
    case NumberType::i32:
      return outside_places<int>(values, n, low, high, places);
    case NumberType::i64:
      return outside_places<long long>(values, n, low, high, places);
    case NumberType::u8:
      return outside_places<unsigned char>(values, n, low, high, places);
    case NumberType::u16:
      return outside_places<unsigned short>(values, n, low, high, places);
    case NumberType::u32:
      return outside_places<unsigned>(values, n, low, high, places);
    case NumberType::u64:
      return outside_places<unsigned long long>(values, n, low, high, places);
    case NumberType::f32:
      return outside_places<float>(values, n, low, high, places);
    default:
      return outside_places<double>(values, n, low, high, places);
  }
}

}  // namespace coverset::COVERSET_LEVEL
