// Core-sets: few rows that cover all others.
#pragma once

#include <cstdint>
#include <span>

#include "coverset/device.hpp"
#include "coverset/rows.hpp"

namespace coverset {

/// How distances are found; whatever it is, answers are the same.
enum class KCenterStrategy : std::int32_t {
  best,        // what pays, as far as the first centers show
  whole,       // few rows, whole ones
  projection,  // few rows, by a low-dimensional projection where that is enough
  eager        // every row for every center
};

/// Which rows k-center greedy takes. A row's bound is its squared distance (canonical) to the
/// nearest center, times the square of its weight, each rounded; 0 where that square is 0.
struct KCenterOptions {
  std::int64_t start = 0;                      // the first row taken, if nothing is `initial`
  std::span<const std::int64_t> initial = {};  // rows that are centers already
  std::span<const float> weights = {};         // (rows): in [0, 1]; none: 1
  std::int64_t n_outliers = 0;                 // rows that need not be covered
  float stop = -1.0f;                          // ends once the largest bound is at most that
  KCenterStrategy strategy = KCenterStrategy::best;
};

/// What a traversal did.
struct KCenterWork {
  std::int64_t centers = 0;      // taken
  float before = 0.0f;           // the largest bound with the initial rows alone
  std::int64_t distances = 0;    // canonical ones
  std::int64_t products = 0;     // pairs of a row and a center that were multiplied
  std::int64_t coordinates = 0;  // that were subtracted or multiplied, rounded rows included
  std::int64_t bytes = 0;        // of rows that were read
  std::int64_t refreshes = 0;    // times that rows were chosen and refreshed together
  std::int64_t projection = 0;   // its dimensions at the end; 0: whole rows
};

/// k-center greedy, farthest first (Gonzalez 1985): takes `indices.size()` rows one after another,
/// each the row of the largest bound among those not yet taken, ties to the lower row; with
/// n_outliers z, the z farthest rows are ignored: the (z + 1)-th largest counts. bounds[i] is that
/// bound after i + 1 rows were taken, 0 if no row is left. Rows have no bad row (find_bad_row);
/// indices.size() + initial.size() + n_outliers <= n; initial rows differ. Scratch: 8 bytes a row,
/// d bytes a row taken, 100 bytes for each of n_outliers and some MiB; where a projection pays, 4
/// bytes a number of it and 4 more a row, at most 512 MiB.
KCenterWork k_center(const Cpu& device, const Rows& rows, const KCenterOptions& options,
                     std::span<std::int64_t> indices, std::span<float> bounds);

/// nearest[i]: the center (a row) that is nearest to row i by canonical distance; of equally near
/// ones the first. Rows have no bad row. Scratch: 8 bytes a row, d bytes a center and some MiB, and
/// for a projection as k_center.
void assign_nearest(const Cpu& device, const Rows& rows, std::span<const std::int64_t> centers,
                    std::span<std::int64_t> nearest);

}  // namespace coverset
