// Accuracies from triplets of labeling functions (Fu et al. 2020), all of them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "coverset/label_model.hpp"
#include "coverset/parallel.hpp"

namespace coverset {

void solve_triplets(const Cpu& device, const Correlations& correlations,
                    std::span<double> mean_out) {
  const auto m = static_cast<std::int64_t>(correlations.indptr.size()) - 1;
  const auto pairs = [&](std::size_t lf) {
    return std::pair(static_cast<std::size_t>(correlations.indptr[lf]),
                     static_cast<std::size_t>(correlations.indptr[lf + 1]));
  };
  parallel_for(device, m, 4, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> own(static_cast<std::size_t>(m), -1.0);  // |correlation|; -1: none
    for (auto j = static_cast<std::size_t>(begin); j < static_cast<std::size_t>(end); ++j) {
      const auto [first, last] = pairs(j);
      for (std::size_t e = first; e < last; ++e) {
        own[static_cast<std::size_t>(correlations.lf[e])] = std::abs(correlations.correlation[e]);
      }
      double sum = 0.0;
      std::int64_t count = 0;
      for (std::size_t e = first; e < last; ++e) {
        const auto a = static_cast<std::size_t>(correlations.lf[e]);
        const auto [from, to] = pairs(a);
        for (std::size_t f = from; f < to; ++f) {
          const auto b = static_cast<std::size_t>(correlations.lf[f]);
          const double between = std::abs(correlations.correlation[f]);
          if (b <= a || b == j || own[b] < 0.0 || between == 0.0) continue;
          sum += std::sqrt(own[a] * own[b] / between);
          ++count;
        }
      }
      mean_out[j] =
          count > 0 ? sum / static_cast<double>(count) : std::numeric_limits<double>::quiet_NaN();
      for (std::size_t e = first; e < last; ++e) {
        own[static_cast<std::size_t>(correlations.lf[e])] = -1.0;
      }
    }
  });
}

}  // namespace coverset
