// Linear labeling functions over sparse features.
#include "coverset/error.hpp"
#include "coverset/lf.hpp"
#include "lf/hits.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlock = 1 << 11;

/// The sums of one row; a member's sum counts where last_row is the row.
class Sums {
 public:
  explicit Sums(std::size_t members) : sums_(members), last_row_(members, -1) {}

  void start(std::int64_t row) {
    row_ = row;
    touched_.clear();
  }
  void add(std::int32_t member, double product) {
    const auto i = static_cast<std::size_t>(member);
    if (last_row_[i] != row_) {
      last_row_[i] = row_;
      sums_[i] = 0.0;
      touched_.push_back(member);
    }
    sums_[i] += product;
  }
  const std::vector<std::int32_t>& touched() const { return touched_; }
  bool touched(std::size_t member) const { return last_row_[member] == row_; }
  double sum(std::size_t member) const { return sums_[member]; }

 private:
  std::vector<double> sums_;
  std::vector<std::int64_t> last_row_;
  std::vector<std::int32_t> touched_;
  std::int64_t row_ = -1;
};

}  // namespace

template <class Index, class Value>
Hits match_features(const Cpu& device, const LinearRules& rules,
                    const FeatureView<Index, Value>& features) {
  std::vector<std::size_t> untouched_fire;
  for (std::size_t i = 0; i < rules.bias.size(); ++i) {
    if (rules.bias[i] >= 0.0) untouched_fire.push_back(i);
  }
  // a bit a feature: most features of a row have no weight, and this stays in the nearest cache
  std::vector<std::uint64_t> weighted(rules.indptr.size() / 64 + 1, 0);
  for (std::size_t j = 0; j + 1 < rules.indptr.size(); ++j) {
    if (rules.indptr[j] < rules.indptr[j + 1]) weighted[j / 64] |= std::uint64_t{1} << (j % 64);
  }
  const auto n = static_cast<std::int64_t>(features.indptr.size()) - 1;
  return collect_hits(device, n, kBlock, [&](std::int64_t begin, std::int64_t end, Hits& hits) {
    Sums sums(rules.bias.size());
    const auto fire = [&](std::int64_t row, std::size_t member) {
      hits.rows.push_back(static_cast<std::int32_t>(row));
      hits.rules.push_back(rules.rules[member]);
    };
    for (std::int64_t row = begin; row < end; ++row) {
      sums.start(row);
      const auto last =
          static_cast<std::size_t>(features.indptr[static_cast<std::size_t>(row) + 1]);
      for (auto e = static_cast<std::size_t>(features.indptr[static_cast<std::size_t>(row)]);
           e < last; ++e) {
        const auto j = static_cast<std::size_t>(features.columns[e]);
        require(j + 1 < rules.indptr.size(), "columns of the features must be in 0..",
                rules.indptr.size() - 2, ", row ", row, " has ", features.columns[e]);
        if ((weighted[j / 64] >> (j % 64) & 1) == 0) continue;
        const auto x = static_cast<double>(features.values[e]);
        const auto stop = static_cast<std::size_t>(rules.indptr[j + 1]);
        for (auto w = static_cast<std::size_t>(rules.indptr[j]); w < stop; ++w) {
          sums.add(rules.members[w], x * rules.weights[w]);
        }
      }
      for (const std::int32_t member : sums.touched()) {
        const auto i = static_cast<std::size_t>(member);
        if (sums.sum(i) + rules.bias[i] >= 0.0) fire(row, i);
      }
      for (const std::size_t member : untouched_fire) {
        if (!sums.touched(member)) fire(row, member);
      }
    }
  });
}

#define COVERSET_MATCH_FEATURES(Index, Value) \
  template Hits match_features(const Cpu&, const LinearRules&, const FeatureView<Index, Value>&);
COVERSET_MATCH_FEATURES(std::int32_t, float)
COVERSET_MATCH_FEATURES(std::int32_t, double)
COVERSET_MATCH_FEATURES(std::int64_t, float)
COVERSET_MATCH_FEATURES(std::int64_t, double)

}  // namespace coverset
