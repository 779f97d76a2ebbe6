// How far votes agree beyond chance.
#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "coverset/label_model.hpp"
#include "coverset/parallel.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlockRows = 1 << 12;
constexpr double kNoPairs = 1e-9;

/// Sums over patterns from which share and alpha follow.
struct AgreementSums {
  double covered = 0.0, disagreement = 0.0;
  std::vector<double> share, pairable;  // by class
};

/// Votes of a row, added up by some key; each key is visited once, and cleared on the way.
class Tallies {
 public:
  explicit Tallies(std::size_t keys) : sums_(keys) {}
  void add(std::size_t key, double votes) { sums_[key] += votes; }
  double take(std::size_t key) { return std::exchange(sums_[key], 0.0); }

 private:
  std::vector<double> sums_;
};

/// Adds the pairs of votes of one row. With V votes, of them V_y for class y and s_c in cluster c,
/// the row's pairs weigh V in all.
class RowPairs {
 public:
  RowPairs(const Patterns& patterns, const VoteColumns& columns,
           std::span<const std::int32_t> cluster, std::size_t k)
      : patterns_(patterns),
        columns_(columns),
        cluster_(cluster),
        by_class_(k),
        by_cluster_(cluster.size()),
        same_(k) {}

  void add(std::size_t i, AgreementSums& sums) {
    const auto first = static_cast<std::size_t>(patterns_.indptr[i]);
    const auto last = static_cast<std::size_t>(patterns_.indptr[i + 1]);
    if (first == last) return;
    double votes = 0.0, squares = 0.0, no_pairs = 0.0;
    for (std::size_t e = first; e < last; ++e) {
      const double weight = columns_.weight_of(column(e));
      votes += weight;
      by_class_.add(label(e), weight);
      if (!cluster_.empty()) by_cluster_.add(cluster(e), weight);
    }
    for (std::size_t e = first; e < last; ++e) {
      const double weight = columns_.weight_of(column(e));
      const double sum = cluster_.empty() ? weight : by_cluster_.take(cluster(e));
      same_[label(e)] += sum * sum;
      no_pairs += sum * sum;
    }
    const double row = patterns_.weight[i];
    const double pairs = votes * votes - no_pairs;
    const double scale = pairs > kNoPairs ? row * votes / pairs : 0.0;
    sums.covered += row;
    for (std::size_t e = first; e < last; ++e) {
      const double count = by_class_.take(label(e));
      if (count == 0.0) continue;
      sums.share[label(e)] += row * (count / votes);
      sums.pairable[label(e)] += scale * (count * votes - same_[label(e)]);
      squares += count * count;
      same_[label(e)] = 0.0;
    }
    sums.disagreement += scale * (votes * votes - squares);
  }

 private:
  std::size_t column(std::size_t e) const { return static_cast<std::size_t>(patterns_.column[e]); }
  std::size_t label(std::size_t e) const {
    return static_cast<std::size_t>(columns_.label[column(e)]);
  }
  std::size_t cluster(std::size_t e) const { return static_cast<std::size_t>(cluster_[column(e)]); }

  const Patterns& patterns_;
  const VoteColumns& columns_;
  std::span<const std::int32_t> cluster_;
  Tallies by_class_, by_cluster_;
  std::vector<double> same_;  // by class: squares of what its clusters weigh
};

}  // namespace

Agreement measure_agreement(const Cpu& device, const Patterns& patterns, const VoteColumns& columns,
                            std::span<const std::int32_t> cluster, std::span<double> share) {
  const std::size_t k = share.size();
  const AgreementSums empty{0.0, 0.0, std::vector<double>(k), std::vector<double>(k)};
  const std::int64_t block =
      std::max<std::int64_t>(kBlockRows, (patterns.size() + 255) / 256);  // at most 256 sums
  const AgreementSums sums = parallel_reduce(
      device, patterns.size(), block, empty,
      [&](std::int64_t begin, std::int64_t end) {
        AgreementSums part = empty;
        RowPairs pairs(patterns, columns, cluster, k);
        for (std::int64_t i = begin; i < end; ++i) pairs.add(static_cast<std::size_t>(i), part);
        return part;
      },
      [k](AgreementSums all, const AgreementSums& part) {
        all.covered += part.covered;
        all.disagreement += part.disagreement;
        for (std::size_t y = 0; y < k; ++y) {
          all.share[y] += part.share[y];
          all.pairable[y] += part.pairable[y];
        }
        return all;
      });
  Agreement result;
  result.covered = sums.covered;
  for (std::size_t y = 0; y < k; ++y) {
    share[y] = sums.covered > 0.0 ? sums.share[y] / sums.covered : 1.0 / static_cast<double>(k);
  }
  double n = 0.0;
  for (const double count : sums.pairable) n += count;
  double expected = 0.0;
  for (const double count : sums.pairable) expected += count * (n - count);
  // one class only: votes that cannot disagree say nothing about chance
  result.alpha = expected > 0.0 ? 1.0 - (n - 1.0) * sums.disagreement / expected
                                : std::numeric_limits<double>::quiet_NaN();
  return result;
}

}  // namespace coverset
