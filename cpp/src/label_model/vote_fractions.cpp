#include "coverset/label_model.hpp"
#include "coverset/parallel.hpp"
#include "coverset/random.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlockRows = 1 << 13;

}  // namespace

void vote_fractions(const Cpu& device, const Votes& votes, std::int32_t cardinality,
                    std::span<float> probabilities) {
  parallel_for(device, votes.rows(), kBlockRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t first = votes.indptr[static_cast<std::size_t>(row)];
      const std::int64_t last = votes.indptr[static_cast<std::size_t>(row) + 1];
      vote_fractions_of_row(votes.values.data() + first, last - first, cardinality,
                            probabilities.data() + row * cardinality);
    }
  });
}

void choose_labels(const Cpu& device, std::span<const float> probabilities,
                   std::int32_t cardinality, TieBreak tie_break, std::uint64_t seed,
                   std::span<std::int16_t> labels) {
  const auto n = static_cast<std::int64_t>(labels.size());
  parallel_for(device, n, kBlockRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const float* p = probabilities.data() + row * cardinality;
      std::int32_t best = 0;
      std::uint32_t tied = 1;
      for (std::int32_t y = 1; y < cardinality; ++y) {
        if (p[y] > p[best]) {
          best = y;
          tied = 1;
        } else if (p[y] == p[best]) {
          ++tied;
        }
      }
      if (tied > 1 && tie_break == TieBreak::abstain) best = -1;
      if (tied > 1 && tie_break == TieBreak::random) {
        std::uint32_t skip = random_below(seed, static_cast<std::uint64_t>(row), tied);
        const float most = p[best];
        while (p[best] != most || skip-- > 0) ++best;
      }
      labels[static_cast<std::size_t>(row)] = static_cast<std::int16_t>(best);
    }
  });
}

}  // namespace coverset
