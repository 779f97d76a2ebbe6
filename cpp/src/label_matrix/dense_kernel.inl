// Scanning dense label matrices, compiled once per level. Raw pointers, no STL.
#include "label_matrix/dense.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace coverset::COVERSET_LEVEL {
namespace {

constexpr int kChunk = 64;

/// Bit j is set where cells[j] is not -1, for j below count (at most 64). Reads nothing else.
template <class T>
inline unsigned long long mask_of_some(const T* cells, int count) {
  unsigned long long mask = 0;
  for (int j = 0; j < count; ++j) {
    mask |= static_cast<unsigned long long>(cells[j] != static_cast<T>(-1)) << j;
  }
  return mask;
}

// group_mask(cells): the same for the kGroupBytes / sizeof(T) cells of one register.
#if defined(__AVX512BW__)
constexpr int kGroupBytes = 64;
inline unsigned long long group_mask(const signed char* cells) {
  return _cvtmask64_u64(_mm512_cmpneq_epi8_mask(_mm512_loadu_si512(cells), _mm512_set1_epi8(-1)));
}
inline unsigned long long group_mask(const short* cells) {
  return _cvtmask32_u32(_mm512_cmpneq_epi16_mask(_mm512_loadu_si512(cells), _mm512_set1_epi16(-1)));
}
inline unsigned long long group_mask(const int* cells) {
  return _cvtmask16_u32(_mm512_cmpneq_epi32_mask(_mm512_loadu_si512(cells), _mm512_set1_epi32(-1)));
}
inline unsigned long long group_mask(const long long* cells) {
  return _cvtmask8_u32(_mm512_cmpneq_epi64_mask(_mm512_loadu_si512(cells), _mm512_set1_epi64(-1)));
}
#elif defined(__AVX2__)
constexpr int kGroupBytes = 32;
inline __m256i load(const void* cells) { return _mm256_loadu_si256((const __m256i*)cells); }
inline unsigned long long group_mask(const signed char* cells) {
  return ~(unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load(cells), _mm256_set1_epi8(-1)));
}
inline unsigned long long group_mask(const short* cells) {
  const __m256i equal = _mm256_cmpeq_epi16(load(cells), _mm256_set1_epi16(-1));
  // packs works within 128-bit halves: put the quarters back in order
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi16(equal, equal), 0xd8);
  return 0xffff & ~(unsigned)_mm256_movemask_epi8(packed);
}
inline unsigned long long group_mask(const int* cells) {
  const __m256i equal = _mm256_cmpeq_epi32(load(cells), _mm256_set1_epi32(-1));
  return 0xff & ~(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(equal));
}
inline unsigned long long group_mask(const long long* cells) {
  const __m256i equal = _mm256_cmpeq_epi64(load(cells), _mm256_set1_epi64x(-1));
  return 0xf & ~(unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(equal));
}
#elif defined(__SSE4_1__)
constexpr int kGroupBytes = 16;
inline __m128i load(const void* cells) { return _mm_loadu_si128((const __m128i*)cells); }
inline unsigned long long group_mask(const signed char* cells) {
  return 0xffff & ~(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(load(cells), _mm_set1_epi8(-1)));
}
inline unsigned long long group_mask(const short* cells) {
  const __m128i equal = _mm_cmpeq_epi16(load(cells), _mm_set1_epi16(-1));
  return 0xff & ~(unsigned)_mm_movemask_epi8(_mm_packs_epi16(equal, equal));
}
inline unsigned long long group_mask(const int* cells) {
  const __m128i equal = _mm_cmpeq_epi32(load(cells), _mm_set1_epi32(-1));
  return 0xf & ~(unsigned)_mm_movemask_ps(_mm_castsi128_ps(equal));
}
inline unsigned long long group_mask(const long long* cells) {
  const __m128i equal = _mm_cmpeq_epi64(load(cells), _mm_set1_epi64x(-1));
  return 0x3 & ~(unsigned)_mm_movemask_pd(_mm_castsi128_pd(equal));
}
#else
constexpr int kGroupBytes = 16;
template <class T>
inline unsigned long long group_mask(const T* cells) {
  return mask_of_some(cells, kGroupBytes / (int)sizeof(T));
}
#endif

/// As mask_of_some, by whole registers: reads up to kSlackBytes - 1 bytes past the last cell.
template <class T>
inline unsigned long long mask_of(const T* cells, int count) {
  constexpr int kGroup = kGroupBytes / (int)sizeof(T);
  static_assert(kGroupBytes <= kSlackBytes);
  unsigned long long mask = 0;
  for (int j = 0; j < count; j += kGroup) mask |= group_mask(cells + j) << j;
  return count < kChunk ? mask & ((1ULL << count) - 1) : mask;
}

template <class T>
inline unsigned long long next_mask(const T* cells, long left, bool slack) {
  const int count = left < kChunk ? (int)left : kChunk;
  return slack || count == kChunk ? mask_of(cells, count) : mask_of_some(cells, count);
}

template <class T>
void count_cells(const DenseRows& rows, long begin, long end, long* counts) {
  for (long row = begin; row < end; ++row) {
    const T* cells = (const T*)(rows.data + row * rows.stride);
    long votes = 0;
    for (long j = 0; j < rows.columns; j += kChunk) {
      votes += __builtin_popcountll(next_mask(cells + j, rows.columns - j, row < rows.slack_rows));
    }
    counts[row] = votes;
  }
}

template <class T>
bool fill_cells(const DenseRows& rows, long begin, long end, const long* indptr, int* lfs,
                short* labels) {
  bool as_counted = true;
  for (long row = begin; row < end; ++row) {
    const T* cells = (const T*)(rows.data + row * rows.stride);
    long next = indptr[row];
    const long stop = indptr[row + 1];
    for (long j = 0; j < rows.columns; j += kChunk) {
      unsigned long long mask = next_mask(cells + j, rows.columns - j, row < rows.slack_rows);
      for (; mask != 0 && next < stop; mask &= mask - 1, ++next) {
        const long at = j + __builtin_ctzll(mask);
        lfs[next] = (int)at;
        labels[next] = (short)cells[at];
      }
      as_counted &= mask == 0;
    }
    as_counted &= next == stop;
  }
  return as_counted;
}

/// label + 1 as an unsigned number: 0 is an abstain, anything below -1 becomes huge.
template <class T, class Unsigned>
unsigned long long largest_of(const T* cells, long n) {
  Unsigned largest = 0;
  for (long j = 0; j < n; ++j) {
    const Unsigned shifted = (Unsigned)((Unsigned)cells[j] + 1U);
    largest = largest > shifted ? largest : shifted;
  }
  return largest;
}

}  // namespace

unsigned long long largest_above(const void* cells, long n, int bytes) {
  switch (bytes) {
    case 1:
      return largest_of<signed char, unsigned char>((const signed char*)cells, n);
    case 2:
      return largest_of<short, unsigned short>((const short*)cells, n);
    case 4:
      return largest_of<int, unsigned>((const int*)cells, n);
    default:
      return largest_of<long long, unsigned long long>((const long long*)cells, n);
  }
}

void count_rows(const DenseRows& rows, long begin, long end, long* counts) {
  switch (rows.bytes) {
    case 1:
      return count_cells<signed char>(rows, begin, end, counts);
    case 2:
      return count_cells<short>(rows, begin, end, counts);
    case 4:
      return count_cells<int>(rows, begin, end, counts);
    default:
      return count_cells<long long>(rows, begin, end, counts);
  }
}

bool fill_rows(const DenseRows& rows, long begin, long end, const long* indptr, int* lfs,
               short* labels) {
  switch (rows.bytes) {
    case 1:
      return fill_cells<signed char>(rows, begin, end, indptr, lfs, labels);
    case 2:
      return fill_cells<short>(rows, begin, end, indptr, lfs, labels);
    case 4:
      return fill_cells<int>(rows, begin, end, indptr, lfs, labels);
    default:
      return fill_cells<long long>(rows, begin, end, indptr, lfs, labels);
  }
}

}  // namespace coverset::COVERSET_LEVEL
