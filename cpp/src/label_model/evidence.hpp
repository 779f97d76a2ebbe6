// From the votes of a row to its class probabilities: the E-step, and prediction.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "coverset/label_model.hpp"
#include "label_model/row_votes.hpp"

namespace coverset {

/// Rows that pass through the kernels together.
inline constexpr std::int64_t kGroup = 64;

/// The votes of at most kGroup rows, and how much of a row's evidence counts: votes of a row
/// repeat each other.
struct RowGroup {
  std::array<RowVotes, kGroup> rows{};
  std::array<double, kGroup> share{};
  std::int64_t count = 0;

  void clear() { count = 0; }
  void add(std::span<const std::int64_t> indptr, const std::int32_t* column, std::int64_t row) {
    const auto i = static_cast<std::size_t>(row);
    rows[static_cast<std::size_t>(count++)] = {column + indptr[i], column + indptr[i + 1]};
  }
  /// Finds the shares. `weight` (columns) is how much of a vote counts; empty: 1.
  void weigh(double row_correlation, std::span<const double> weight) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      double counted = 0.0;
      if (weight.empty()) counted = static_cast<double>(votes(i));
      for (auto c = rows[i].first; !weight.empty() && c != rows[i].last; ++c) {
        if (*c >= 0) counted += weight[static_cast<std::size_t>(*c)];
      }
      share[i] = 1.0 / (1.0 + row_correlation * std::max(counted - 1.0, 0.0));
    }
  }
  /// Number of votes of row i that have a column.
  std::int64_t votes(std::size_t i) const {
    return (rows[i].last - rows[i].first) - std::count(rows[i].first, rows[i].last, -1);
  }
};

/// Class probabilities (group.count, cardinality) of the rows of a group, whose shares are known.
inline void group_probabilities(const RowGroup& group, std::span<const double> log_weight,
                                std::span<const double> log_prior, double* probabilities) {
  const auto k = static_cast<long>(log_prior.size());
  const auto count = static_cast<long>(group.count);
  COVERSET_AT_LEVEL(gather_rows)
  (log_weight.data(), k, group.rows.data(), count, probabilities);
  COVERSET_AT_LEVEL(softmax_rows)
  (group.share.data(), log_prior.data(), k, count, probabilities);
}

/// The weights that a pass needs: none where every vote counts in full.
inline std::span<const double> uneven(std::span<const double> weight) {
  const bool even = std::ranges::all_of(weight, [](double w) { return w == 1.0; });
  return even ? std::span<const double>() : weight;
}

}  // namespace coverset
