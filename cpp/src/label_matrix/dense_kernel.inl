// Scanning dense label matrices, compiled once per level. Raw pointers, no STL.
#include "label_matrix/dense.hpp"
#include "simd/lanes.hpp"

namespace coverset::COVERSET_LEVEL {
namespace {

constexpr int kChunk = 64;

/// Bit j is set where cells[j] is not -1, for j below count (at most 64). Reads nothing else.
template <class T>
inline Bits mask_of_some(const T* cells, int count) {
  Bits mask = 0;
  for (int j = 0; j < count; ++j) {
    mask |= static_cast<Bits>(cells[j] != static_cast<T>(-1)) << j;
  }
  return mask;
}

/// As mask_of_some, by whole registers: reads up to kSlackBytes - 1 bytes past the last cell.
template <class T>
inline Bits mask_of(const T* cells, int count) {
  constexpr int kGroup = (int)kLanesOf<T>;
  static_assert(kRegisterBytes <= kSlackBytes);
  const Lanes<T> abstain = repeated((T)-1);
  Bits mask = 0;
  for (int j = 0; j < count; j += kGroup) mask |= differing(load(cells + j), abstain) << j;
  return count < kChunk ? mask & ((1ULL << count) - 1) : mask;
}

template <class T>
inline Bits next_mask(const T* cells, long left, bool slack) {
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
      Bits mask = next_mask(cells + j, rows.columns - j, row < rows.slack_rows);
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
