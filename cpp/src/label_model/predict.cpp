#include <algorithm>

#include "coverset/exp_log.hpp"
#include "coverset/parallel.hpp"
#include "label_model/evidence.hpp"

namespace coverset {
void predict_proba(const Cpu& device, std::span<const std::int64_t> indptr,
                   std::span<const std::int32_t> column, const Evidence& evidence,
                   std::span<const double> without_votes, std::span<float> probabilities) {
  const auto n = static_cast<std::int64_t>(indptr.size()) - 1;
  const std::size_t k = without_votes.size();
  const std::int64_t block =
      std::clamp<std::int64_t>((1 << 16) / static_cast<std::int64_t>(k), kGroup, 1 << 13);
  std::vector<double> log_prior(evidence.log_prior.begin(), evidence.log_prior.end());
  for (std::size_t y = 0; y < k; ++y)
    log_prior[y] += kTieBreaker * log_exact_order(without_votes[y]);
  const auto weight = uneven(evidence.weight);
  parallel_for(device, n, block, [&](std::int64_t begin, std::int64_t end) {
    RowGroup group;
    std::vector<double> classes(static_cast<std::size_t>(kGroup) * k);
    for (std::int64_t row = begin; row < end; row += group.count) {
      group.clear();
      for (std::int64_t i = row; i < std::min(row + kGroup, end); ++i) {
        group.add(indptr, column.data(), i);
      }
      group.weigh(evidence.row_correlation, weight);
      group_probabilities(group, evidence.log_weight, log_prior, classes.data());
      for (std::size_t i = 0; i < static_cast<std::size_t>(group.count); ++i) {
        if (group.votes(i) == 0) std::ranges::copy(without_votes, classes.data() + i * k);
      }
      float* out = probabilities.data() + static_cast<std::size_t>(row) * k;
      const std::size_t size = static_cast<std::size_t>(group.count) * k;
      for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<float>(classes[i]);
    }
  });
}

void predict_one_vs_rest(const Cpu& device, std::span<const std::int64_t> indptr,
                         std::span<const std::int32_t> column, const Evidence& evidence,
                         std::span<float> probabilities) {
  constexpr double kMost = 700.0;  // beyond, the exponential leaves the range of normal numbers
  const std::size_t k = evidence.log_prior.size();
  const auto n = static_cast<std::int64_t>(indptr.size()) - 1;
  const std::int64_t block =
      std::clamp<std::int64_t>((1 << 16) / static_cast<std::int64_t>(k), 1, 1 << 13);
  parallel_for(device, n, block, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> p(k);
    for (std::int64_t row = begin; row < end; ++row) {
      std::ranges::copy(evidence.log_prior, p.begin());
      for (auto e = indptr[static_cast<std::size_t>(row)];
           e < indptr[static_cast<std::size_t>(row) + 1]; ++e) {
        const auto c = static_cast<std::size_t>(column[static_cast<std::size_t>(e)]);
        for (std::size_t y = 0; y < k; ++y) p[y] += evidence.log_weight[c * k + y];
      }
      if (k == 2) p[0] = -p[1];
      for (double& z : p) z = -std::clamp(z, -kMost, kMost);
      exp_in_place(p);
      double sum = 0.0;
      for (double& q : p) sum += q = 1.0 / (1.0 + q);
      float* out = probabilities.data() + static_cast<std::size_t>(row) * k;
      for (std::size_t y = 0; y < k; ++y) out[y] = static_cast<float>(p[y] / sum);
    }
  });
}

}  // namespace coverset
