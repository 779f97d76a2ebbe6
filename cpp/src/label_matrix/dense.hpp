// The loops over dense cells that have a variant per SIMD level. Cells are signed integers of 1, 2,
// 4 or 8 bytes.
#pragma once

#include "simd/dispatch.hpp"

namespace coverset {

inline constexpr int kSlackBytes = 64;

/// Rows of cells. After each of the first `slack_rows` the matrix goes on for kSlackBytes, which
/// may be read (and are ignored), so that whole registers serve.
struct DenseRows {
  const char* data;
  long stride, columns;
  int bytes;
  long slack_rows;
};

/// The largest cell + 1 among n, 0 if all are -1; a cell below -1 counts as a huge one, above the
/// middle of the unsigned range of its width.
COVERSET_DECLARE_LEVELS(unsigned long long largest_above(const void* cells, long n, int bytes));

/// counts[row]: cells of the row that are not -1, for begin <= row < end.
COVERSET_DECLARE_LEVELS(void count_rows(const DenseRows& rows, long begin, long end, long* counts));

/// Writes column and value of each such cell of row r at indptr[r] .. indptr[r + 1] - 1. Returns
/// false, and writes nowhere else, if a row no longer has that many.
COVERSET_DECLARE_LEVELS(bool fill_rows(const DenseRows& rows, long begin, long end,
                                       const long* indptr, int* lfs, short* labels));

}  // namespace coverset
