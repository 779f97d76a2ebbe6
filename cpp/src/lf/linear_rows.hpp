// Weighted sums of one row, the part that has a variant per SIMD level.
#pragma once

#include "simd/dispatch.hpp"

namespace coverset {

/// A weight of one feature.
struct LinearWeight {
  double weight;
  int member;
};

/// A feature's weights: entries begin..end-1.
struct LinearFeature {
  unsigned begin, end;
};

/// A member's sum, of the row `row`.
struct LinearSum {
  double sum = 0.0;
  int row = -1;
};

struct LinearTables {
  const LinearFeature* features;
  const unsigned char*
      weighted;  // a bit a feature that has weights: this stays in the nearest cache
  unsigned long n_features;
  const LinearWeight* weights;
  const double* bias;
  int members;
};

enum class FeatureType { i32f32, i32f64, i64f32, i64f64 };

/// What sum_sparse and sum_dense return where a column is no feature.
inline constexpr int kNoFeature = -1;

/// Writes the members with a feature in the row, and returns how many; sums[member] are theirs.
/// `row` is another number for each row.
COVERSET_DECLARE_LEVELS(int sum_sparse(const LinearTables& tables, FeatureType type,
                                       const void* columns, const void* values, long n, int row,
                                       LinearSum* sums, int* touched));

/// Writes the members that fire, ascending, and returns how many. For many weights a row: `sums`
/// has one number a member.
COVERSET_DECLARE_LEVELS(int sum_dense(const LinearTables& tables, FeatureType type,
                                      const void* columns, const void* values, long n, double* sums,
                                      int* fired));

}  // namespace coverset
