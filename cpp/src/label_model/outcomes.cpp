// Rows of votes as joint outcomes of the components of a factor model.
#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "coverset/label_model.hpp"
#include "coverset/parallel.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlockRows = 1 << 12;

/// What the votes of one row add, by component.
class RowOutcomes {
 public:
  explicit RowOutcomes(const OutcomePlaces& places)
      : places_(places),
        classes_(places.added.size() / std::max<std::size_t>(places.component.size(), 1)),
        sum_(places.start.size()) {}

  /// Calls visit(component, sum of what its votes add) for each component that has votes.
  template <class Visit>
  void visit_row(const Votes& votes, std::size_t row, Visit&& visit) {
    for (auto e = static_cast<std::size_t>(votes.indptr[row]);
         e < static_cast<std::size_t>(votes.indptr[row + 1]); ++e) {
      const auto lf = static_cast<std::size_t>(votes.columns[e]);
      const std::int64_t added =
          places_.added[lf * classes_ + static_cast<std::size_t>(votes.values[e])];
      if (added <= 0) continue;
      const auto component = static_cast<std::size_t>(places_.component[lf]);
      if (sum_[component] == 0) heard_.push_back(component);
      sum_[component] += added;
    }
    std::ranges::sort(heard_);
    for (const std::size_t component : heard_) visit(component, std::exchange(sum_[component], 0));
    heard_.clear();
  }

 private:
  const OutcomePlaces& places_;
  std::size_t classes_;
  std::vector<std::int64_t> sum_;
  std::vector<std::size_t> heard_;
};

}  // namespace

void size_outcomes(const Cpu& device, const Votes& votes, const OutcomePlaces& places,
                   std::span<std::int64_t> indptr) {
  indptr[0] = 0;
  parallel_for(device, votes.rows(), kBlockRows, [&](std::int64_t begin, std::int64_t end) {
    RowOutcomes outcomes(places);
    for (auto row = static_cast<std::size_t>(begin); row < static_cast<std::size_t>(end); ++row) {
      std::int64_t heard = 0;
      outcomes.visit_row(votes, row, [&](std::size_t, std::int64_t) { ++heard; });
      indptr[row + 1] = heard;
    }
  });
  std::partial_sum(indptr.begin(), indptr.end(), indptr.begin());
}

void fill_outcomes(const Cpu& device, const Votes& votes, const OutcomePlaces& places,
                   std::span<const std::int64_t> indptr, std::span<std::int64_t> outcome) {
  parallel_for(device, votes.rows(), kBlockRows, [&](std::int64_t begin, std::int64_t end) {
    RowOutcomes outcomes(places);
    for (auto row = static_cast<std::size_t>(begin); row < static_cast<std::size_t>(end); ++row) {
      auto at = static_cast<std::size_t>(indptr[row]);
      outcomes.visit_row(votes, row, [&](std::size_t component, std::int64_t sum) {
        outcome[at++] = places.start[component] + sum;
      });
    }
  });
}

}  // namespace coverset
