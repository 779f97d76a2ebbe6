// What the levels of a pass over votes share with their callers.
#pragma once

#include <cstdint>

#include "simd/dispatch.hpp"

namespace coverset {

/// Columns of the votes of a row.
struct RowVotes {
  const std::int32_t* first;
  const std::int32_t* last;
};

/// out (count, width): for each row the sum of the rows of `table` that its votes name; a
/// negative column is none.
COVERSET_DECLARE_LEVELS(void gather_rows(const double* table, long width, const RowVotes* rows,
                                         long count, double* out));

/// Adds scale[i] * values[i] (count, width) to `total` (width) and to each row of `table` that
/// the votes of row i name. What is added is rounded to the distance of doubles at `grain`, a
/// power of 2 and a half; 0: not at all.
COVERSET_DECLARE_LEVELS(void scatter_rows(const double* values, const double* scale, double grain,
                                          long width, const RowVotes* rows, long count,
                                          double* table, double* total));

/// logits (count, k) become probabilities, of share[i] * logits + log_prior.
COVERSET_DECLARE_LEVELS(void softmax_rows(const double* share, const double* log_prior, long k,
                                          long count, double* logits));

/// Writes values to `kept`; returns how far the one furthest away moved.
COVERSET_DECLARE_LEVELS(double keep_rows(const double* values, long count, float* kept);
                        double keep_exact_rows(const double* values, long count, double* kept));

}  // namespace coverset
