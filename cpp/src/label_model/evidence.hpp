// From the votes of a row to its class probabilities: the E-step, and prediction.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "coverset/exp_log.hpp"
#include "coverset/label_model.hpp"

namespace coverset {

/// Rows whose exponentials are taken together.
inline constexpr std::int64_t kGroup = 32;

/// Adds up the evidence of row `row` (log scale) into logits (cardinality), less its maximum.
/// Returns the number of votes that have a column.
inline std::int64_t add_evidence(std::span<const std::int64_t> indptr,
                                 std::span<const std::int32_t> column, std::int64_t row,
                                 const Evidence& evidence, double* logits) {
  const std::size_t k = evidence.log_prior.size();
  const auto first = static_cast<std::size_t>(indptr[static_cast<std::size_t>(row)]);
  const auto last = static_cast<std::size_t>(indptr[static_cast<std::size_t>(row) + 1]);
  std::fill(logits, logits + k, 0.0);
  std::int64_t votes = 0;
  double counted = 0.0;
  for (std::size_t at = first; at < last; ++at) {
    if (column[at] < 0) continue;
    ++votes;
    counted +=
        evidence.weight.empty() ? 1.0 : evidence.weight[static_cast<std::size_t>(column[at])];
    const double* weight = evidence.log_weight.data() + static_cast<std::size_t>(column[at]) * k;
    for (std::size_t y = 0; y < k; ++y) logits[y] += weight[y];
  }
  const double repeats = std::max(counted - 1.0, 0.0);
  const double share = 1.0 / (1.0 + evidence.row_correlation * repeats);
  double most = -1e300;
  for (std::size_t y = 0; y < k; ++y) {
    logits[y] = logits[y] * share + evidence.log_prior[y];
    most = std::max(most, logits[y]);
  }
  for (std::size_t y = 0; y < k; ++y) logits[y] -= most;
  return votes;
}

/// Class probabilities of `count` rows, at most kGroup: (count, cardinality) in `logits`, and each
/// row's number of votes with a column in `votes`. Row i of the group is row_of(i).
template <class RowOf>
void group_probabilities(std::span<const std::int64_t> indptr, std::span<const std::int32_t> column,
                         std::int64_t count, RowOf&& row_of, const Evidence& evidence,
                         std::span<double> logits, std::span<std::int64_t> votes) {
  const std::size_t k = evidence.log_prior.size();
  const auto rows = static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < rows; ++i) {
    votes[i] = add_evidence(indptr, column, row_of(static_cast<std::int64_t>(i)), evidence,
                            logits.data() + i * k);
  }
  exp_in_place(logits.first(rows * k));
  for (std::size_t i = 0; i < rows; ++i) {
    double* p = logits.data() + i * k;
    double sum = 0.0;
    for (std::size_t y = 0; y < k; ++y) sum += p[y];
    for (std::size_t y = 0; y < k; ++y) p[y] /= sum;
  }
}

}  // namespace coverset
