// What each vote adds to the evidence of its row.
#include "coverset/parallel.hpp"
#include "label_model/evidence.hpp"

namespace coverset {

void explain_votes(const Cpu& device, std::span<const std::int64_t> indptr,
                   std::span<const std::int32_t> column, const Evidence& weights,
                   std::span<double> evidence) {
  const auto n = static_cast<std::int64_t>(indptr.size()) - 1;
  const std::size_t k = weights.log_prior.size();
  const auto weight = uneven(weights.weight);
  const std::int64_t numbers =
      indptr.back() * static_cast<std::int64_t>(k) / std::max<std::int64_t>(n, 1);
  const std::int64_t block =
      std::clamp<std::int64_t>((1 << 18) / std::max<std::int64_t>(numbers, 1), kGroup, 1 << 13);
  parallel_for(device, n, block, [&](std::int64_t begin, std::int64_t end) {
    RowGroup group;
    for (std::int64_t row = begin; row < end; row += group.count) {
      group.clear();
      for (std::int64_t i = row; i < std::min(row + kGroup, end); ++i) {
        group.add(indptr, column.data(), i);
      }
      group.weigh(weights.row_correlation, weight);
      double* out =
          evidence.data() + static_cast<std::size_t>(group.rows[0].first - column.data()) * k;
      for (std::size_t i = 0; i < static_cast<std::size_t>(group.count); ++i) {
        for (const auto* c = group.rows[i].first; c != group.rows[i].last; ++c, out += k) {
          const double* own = weights.log_weight.data() + static_cast<std::size_t>(*c) * k;
          for (std::size_t y = 0; y < k; ++y) out[y] = own[y] * group.share[i];
        }
      }
    }
  });
}

}  // namespace coverset
