// Linear labeling functions over sparse features.
#include "coverset/error.hpp"
#include "coverset/lf.hpp"
#include "lf/hits.hpp"
#include "lf/linear_rows.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlock = 1 << 11;
constexpr double kManyProducts = 1.0 / 8;  // a member: then sums of all members are kept

template <class Index, class Value>
constexpr FeatureType kType =
    sizeof(Index) == 4 ? (sizeof(Value) == 4 ? FeatureType::i32f32 : FeatureType::i32f64)
                       : (sizeof(Value) == 4 ? FeatureType::i64f32 : FeatureType::i64f64);

/// The weights of a feature side by side, so that they come with one look at memory.
struct Tables {
  explicit Tables(const LinearRules& rules) {
    require(rules.weights.size() < (std::size_t{1} << 32), "linear functions must have fewer than ",
            std::size_t{1} << 32, " weights, got ", rules.weights.size());
    weighted.assign(rules.indptr.size() / 8 + 1, 0);
    for (std::size_t j = 0; j + 1 < rules.indptr.size(); ++j) {
      const bool any = rules.indptr[j] < rules.indptr[j + 1];
      weighted[j / 8] = static_cast<unsigned char>(weighted[j / 8] | (any ? 1U << (j % 8) : 0U));
      features.push_back(
          {static_cast<unsigned>(rules.indptr[j]), static_cast<unsigned>(rules.indptr[j + 1])});
    }
    for (std::size_t w = 0; w < rules.weights.size(); ++w) {
      weights.push_back({rules.weights[w], rules.members[w]});
    }
  }

  std::vector<LinearFeature> features;
  std::vector<LinearWeight> weights;
  std::vector<unsigned char> weighted;
};

}  // namespace

template <class Index, class Value>
Hits match_features(const Cpu& device, const LinearRules& rules,
                    const FeatureView<Index, Value>& features) {
  const Tables packed(rules);
  const std::size_t members = rules.bias.size();
  const LinearTables tables{packed.features.data(), packed.weighted.data(),
                            packed.features.size(), packed.weights.data(),
                            rules.bias.data(),      static_cast<int>(members)};
  std::vector<std::size_t> untouched_fire;
  for (std::size_t i = 0; i < members; ++i) {
    if (rules.bias[i] >= 0.0) untouched_fire.push_back(i);
  }
  const auto n = static_cast<std::int64_t>(features.indptr.size()) - 1;
  const auto entries = static_cast<double>(features.indptr.back() - features.indptr.front());
  const auto width = static_cast<double>(packed.features.size() + 1);
  const double products = entries * static_cast<double>(packed.weights.size()) / width;
  const bool dense =
      products > kManyProducts * static_cast<double>(members) * static_cast<double>(n);
  constexpr FeatureType type = kType<Index, Value>;
  return collect_hits(device, n, kBlock, [&](std::int64_t begin, std::int64_t end, Hits& hits) {
    std::vector<LinearSum> sums(dense ? 0 : members);
    std::vector<double> all(dense ? members : 0);
    std::vector<std::int32_t> found(members + 1);
    const auto fire = [&](std::int64_t row, std::size_t member) {
      hits.rows.push_back(static_cast<std::int32_t>(row));
      hits.rules.push_back(rules.rules[member]);
    };
    const auto check = [&](int found_in_row, std::int64_t row) {
      require(found_in_row != kNoFeature, "columns of the features must be in 0..",
              static_cast<std::int64_t>(packed.features.size()) - 1, ", those of row ", row,
              " are not");
    };
    for (std::int64_t row = begin; row < end; ++row) {
      const auto first = static_cast<std::size_t>(features.indptr[static_cast<std::size_t>(row)]);
      const auto last =
          static_cast<std::size_t>(features.indptr[static_cast<std::size_t>(row) + 1]);
      const Index* columns = features.columns.data() + first;
      const Value* values = features.values.data() + first;
      const auto size = static_cast<long>(last - first);
      if (dense) {
        const int fired = COVERSET_AT_LEVEL(sum_dense)(tables, type, columns, values, size,
                                                       all.data(), found.data());
        check(fired, row);
        for (int i = 0; i < fired; ++i)
          fire(row, static_cast<std::size_t>(found[static_cast<std::size_t>(i)]));
        continue;
      }
      const auto number = static_cast<int>(row - begin);
      const int touched = COVERSET_AT_LEVEL(sum_sparse)(tables, type, columns, values, size, number,
                                                        sums.data(), found.data());
      check(touched, row);
      for (int t = 0; t < touched; ++t) {
        const auto i = static_cast<std::size_t>(found[static_cast<std::size_t>(t)]);
        if (sums[i].sum + rules.bias[i] >= 0.0) fire(row, i);
      }
      for (const std::size_t i : untouched_fire) {
        if (sums[i].row != number) fire(row, i);
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
