// Scanning dense label matrices, compiled once per level. Raw pointers, no STL.
#include "label_matrix/dense.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace coverset::COVERSET_LEVEL {
namespace {

constexpr int kChunk = 64;

/// Bit j is set where cells[j] is not -1, for j below count (at most 64).
template <class T>
inline unsigned long long mask_of_some(const T* cells, int count) {
  unsigned long long mask = 0;
  for (int j = 0; j < count; ++j) {
    mask |= static_cast<unsigned long long>(cells[j] != static_cast<T>(-1)) << j;
  }
  return mask;
}

#if defined(__AVX512BW__)
inline unsigned long long vote_mask(const signed char* cells) {
  return _mm512_cmpneq_epi8_mask(_mm512_loadu_si512(cells), _mm512_set1_epi8(-1));
}
inline unsigned long long vote_mask(const short* cells) {
  const __m512i abstain = _mm512_set1_epi16(-1);
  const unsigned low = _cvtmask32_u32(_mm512_cmpneq_epi16_mask(_mm512_loadu_si512(cells), abstain));
  const unsigned high =
      _cvtmask32_u32(_mm512_cmpneq_epi16_mask(_mm512_loadu_si512(cells + 32), abstain));
  return low | (unsigned long long)high << 32;
}
inline unsigned long long vote_mask(const int* cells) {
  const __m512i abstain = _mm512_set1_epi32(-1);
  unsigned long long mask = 0;
  for (int part = 0; part < 4; ++part) {
    const unsigned long long bits =
        _mm512_cmpneq_epi32_mask(_mm512_loadu_si512(cells + 16 * part), abstain);
    mask |= bits << (16 * part);
  }
  return mask;
}
inline unsigned long long vote_mask(const long long* cells) {
  const __m512i abstain = _mm512_set1_epi64(-1);
  unsigned long long mask = 0;
  for (int part = 0; part < 8; ++part) {
    const unsigned long long bits =
        _mm512_cmpneq_epi64_mask(_mm512_loadu_si512(cells + 8 * part), abstain);
    mask |= bits << (8 * part);
  }
  return mask;
}
#elif defined(__AVX2__)
inline __m256i load(const void* cells) { return _mm256_loadu_si256((const __m256i*)cells); }
inline unsigned long long vote_mask(const signed char* cells) {
  const __m256i abstain = _mm256_set1_epi8(-1);
  const unsigned low = ~(unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load(cells), abstain));
  const unsigned high =
      ~(unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load(cells + 32), abstain));
  return low | (unsigned long long)high << 32;
}
inline unsigned long long vote_mask(const short* cells) {
  const __m256i abstain = _mm256_set1_epi16(-1);
  unsigned long long mask = 0;
  for (int part = 0; part < 2; ++part) {
    const short* at = cells + 32 * part;
    // packs works within 128-bit halves: put the four quarters back in order
    const __m256i packed =
        _mm256_permute4x64_epi64(_mm256_packs_epi16(_mm256_cmpeq_epi16(load(at), abstain),
                                                    _mm256_cmpeq_epi16(load(at + 16), abstain)),
                                 0xd8);
    mask |= (unsigned long long)~(unsigned)_mm256_movemask_epi8(packed) << (32 * part);
  }
  return mask;
}
inline unsigned long long vote_mask(const int* cells) {
  const __m256i abstain = _mm256_set1_epi32(-1);
  unsigned long long mask = 0;
  for (int part = 0; part < 8; ++part) {
    const __m256i equal = _mm256_cmpeq_epi32(load(cells + 8 * part), abstain);
    mask |= (unsigned long long)(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(equal))
            << (8 * part);
  }
  return ~mask;
}
inline unsigned long long vote_mask(const long long* cells) {
  const __m256i abstain = _mm256_set1_epi64x(-1);
  unsigned long long mask = 0;
  for (int part = 0; part < 16; ++part) {
    const __m256i equal = _mm256_cmpeq_epi64(load(cells + 4 * part), abstain);
    mask |= (unsigned long long)(unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(equal))
            << (4 * part);
  }
  return ~mask;
}
#elif defined(__SSE4_1__)
inline __m128i load(const void* cells) { return _mm_loadu_si128((const __m128i*)cells); }
inline unsigned long long vote_mask(const signed char* cells) {
  const __m128i abstain = _mm_set1_epi8(-1);
  unsigned long long mask = 0;
  for (int part = 0; part < 4; ++part) {
    const __m128i equal = _mm_cmpeq_epi8(load(cells + 16 * part), abstain);
    mask |= (unsigned long long)(unsigned)_mm_movemask_epi8(equal) << (16 * part);
  }
  return ~mask;
}
inline unsigned long long vote_mask(const short* cells) {
  const __m128i abstain = _mm_set1_epi16(-1);
  unsigned long long mask = 0;
  for (int part = 0; part < 4; ++part) {
    const short* at = cells + 16 * part;
    const __m128i equal =
        _mm_packs_epi16(_mm_cmpeq_epi16(load(at), abstain), _mm_cmpeq_epi16(load(at + 8), abstain));
    mask |= (unsigned long long)(unsigned)_mm_movemask_epi8(equal) << (16 * part);
  }
  return ~mask;
}
inline unsigned long long vote_mask(const int* cells) {
  const __m128i abstain = _mm_set1_epi32(-1);
  unsigned long long mask = 0;
  for (int part = 0; part < 16; ++part) {
    const __m128i equal = _mm_cmpeq_epi32(load(cells + 4 * part), abstain);
    mask |= (unsigned long long)(unsigned)_mm_movemask_ps(_mm_castsi128_ps(equal)) << (4 * part);
  }
  return ~mask;
}
inline unsigned long long vote_mask(const long long* cells) {
  const __m128i abstain = _mm_set1_epi64x(-1);
  unsigned long long mask = 0;
  for (int part = 0; part < 32; ++part) {
    const __m128i equal = _mm_cmpeq_epi64(load(cells + 2 * part), abstain);
    mask |= (unsigned long long)(unsigned)_mm_movemask_pd(_mm_castsi128_pd(equal)) << (2 * part);
  }
  return ~mask;
}
#else
template <class T>
inline unsigned long long vote_mask(const T* cells) {
  return mask_of_some(cells, kChunk);
}
#endif

template <class T, class Unsigned>
long count_cells(const T* cells, long n, unsigned long long* above) {
  long votes = 0;
  long j = 0;
  // label + 1 as an unsigned number: 0 is an abstain, anything below -1 becomes huge
  Unsigned largest = 0;
  for (; j + kChunk <= n; j += kChunk) {
    votes += __builtin_popcountll(vote_mask(cells + j));
    Unsigned most = 0;
    for (int i = 0; i < kChunk; ++i) {
      const Unsigned shifted = (Unsigned)((Unsigned)cells[j + i] + 1U);
      most = most > shifted ? most : shifted;
    }
    largest = largest > most ? largest : most;
  }
  for (; j < n; ++j) {
    const Unsigned shifted = (Unsigned)((Unsigned)cells[j] + 1U);
    votes += shifted != 0;
    largest = largest > shifted ? largest : shifted;
  }
  *above = *above > largest ? *above : largest;
  return votes;
}

template <class T>
void fill_cells(const T* cells, long n, int* lfs, short* labels) {
  for (long j = 0; j < n; j += kChunk) {
    const long left = n - j;
    unsigned long long mask =
        left >= kChunk ? vote_mask(cells + j) : mask_of_some(cells + j, (int)left);
    for (; mask != 0; mask &= mask - 1) {
      const long at = j + __builtin_ctzll(mask);
      *lfs++ = (int)at;
      *labels++ = (short)cells[at];
    }
  }
}

}  // namespace

long count_row(const void* cells, long n, int bytes, unsigned long long* above) {
  switch (bytes) {
    case 1:
      return count_cells<signed char, unsigned char>((const signed char*)cells, n, above);
    case 2:
      return count_cells<short, unsigned short>((const short*)cells, n, above);
    case 4:
      return count_cells<int, unsigned>((const int*)cells, n, above);
    default:
      return count_cells<long long, unsigned long long>((const long long*)cells, n, above);
  }
}

void fill_row(const void* cells, long n, int bytes, int* lfs, short* labels) {
  switch (bytes) {
    case 1:
      return fill_cells((const signed char*)cells, n, lfs, labels);
    case 2:
      return fill_cells((const short*)cells, n, lfs, labels);
    case 4:
      return fill_cells((const int*)cells, n, lfs, labels);
    default:
      return fill_cells((const long long*)cells, n, lfs, labels);
  }
}

}  // namespace coverset::COVERSET_LEVEL
