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

/// Votes of a row that have a column, and how much of them counts.
struct Heard {
  std::int64_t votes = 0;
  double counted = 0.0;
};

/// Adds up the evidence of the votes `columns` into logits (k). Few classes stay in registers.
template <std::size_t kFew>
Heard add_votes(std::span<const std::int32_t> columns, const Evidence& evidence, std::size_t k,
                double* logits) {
  Heard heard;
  double few[kFew > 0 ? kFew : 1] = {};
  if (kFew == 0) std::fill(logits, logits + k, 0.0);
  for (const std::int32_t column : columns) {
    if (column < 0) continue;
    const auto c = static_cast<std::size_t>(column);
    ++heard.votes;
    heard.counted += evidence.weight.empty() ? 1.0 : evidence.weight[c];
    if constexpr (kFew > 0) {
      const double* weight = evidence.log_weight.data() + c * kFew;
      for (std::size_t y = 0; y < kFew; ++y) few[y] += weight[y];
    } else {
      const double* weight = evidence.log_weight.data() + c * k;
      for (std::size_t y = 0; y < k; ++y) logits[y] += weight[y];
    }
  }
  if (kFew > 0) std::copy(few, few + kFew, logits);
  return heard;
}

/// Adds up the evidence of row `row` (log scale) into logits (cardinality), less its maximum.
/// Returns the number of votes that have a column.
inline std::int64_t add_evidence(std::span<const std::int64_t> indptr,
                                 std::span<const std::int32_t> column, std::int64_t row,
                                 const Evidence& evidence, double* logits) {
  const std::size_t k = evidence.log_prior.size();
  const auto first = static_cast<std::size_t>(indptr[static_cast<std::size_t>(row)]);
  const auto last = static_cast<std::size_t>(indptr[static_cast<std::size_t>(row) + 1]);
  const auto some = column.subspan(first, last - first);
  const Heard heard = k == 2   ? add_votes<2>(some, evidence, k, logits)
                      : k == 3 ? add_votes<3>(some, evidence, k, logits)
                      : k == 4 ? add_votes<4>(some, evidence, k, logits)
                      : k == 5 ? add_votes<5>(some, evidence, k, logits)
                               : add_votes<0>(some, evidence, k, logits);
  const double repeats = std::max(heard.counted - 1.0, 0.0);
  const double share = 1.0 / (1.0 + evidence.row_correlation * repeats);
  double most = -1e300;
  for (std::size_t y = 0; y < k; ++y) {
    logits[y] = logits[y] * share + evidence.log_prior[y];
    most = std::max(most, logits[y]);
  }
  for (std::size_t y = 0; y < k; ++y) logits[y] -= most;
  return heard.votes;
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
