// The two loops over a dense row that have a variant per SIMD level.
#pragma once

#include "dispatch.hpp"

namespace coverset {

/// Counts entries that are not -1 among n; raises *above to the largest label + 1 (an entry
/// below -1 counts as a huge one).
COVERSET_DECLARE_LEVELS(long count_row(const void* cells, long n, int bytes,
                                       unsigned long long* above));

/// Writes position and value of each entry that is not -1.
COVERSET_DECLARE_LEVELS(void fill_row(const void* cells, long n, int bytes, int* lfs,
                                      short* labels));

}  // namespace coverset
