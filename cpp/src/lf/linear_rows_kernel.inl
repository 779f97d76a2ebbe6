// sum_sparse and sum_dense, compiled once per level. Raw pointers, no STL.
#include "lf/linear_rows.hpp"

namespace coverset::COVERSET_LEVEL {
namespace {

constexpr long kAhead = 64;  // features whose weights are asked of memory before they are added

/// Calls add(member, product) for the products of the row, in the order of its entries. Returns
/// false, before any call, where a column is no feature.
template <class Index, class Value, class Add>
inline bool for_each_product(const LinearTables& tables, const Index* columns, const Value* values,
                             long n, Add&& add) {
  Index outside = 0;
  const auto limit = (Index)tables.n_features;
  for (long i = 0; i < n; ++i) outside |= (Index)((columns[i] < 0) | (columns[i] >= limit));
  if (outside != 0) return false;
  LinearFeature features[kAhead];
  int places[kAhead];
  for (long first = 0; first < n; first += kAhead) {
    const long some = n - first < kAhead ? n - first : kAhead;
    int weighted = 0;
    for (int i = 0; i < some; ++i) {
      const Index column = columns[first + i];
      places[weighted] = i;
      weighted += tables.weighted[column >> 3] >> (column & 7) & 1;
    }
    for (int i = 0; i < weighted; ++i) {
      features[i] = tables.features[columns[first + places[i]]];
      __builtin_prefetch(tables.weights + features[i].begin);
    }
    for (int i = 0; i < weighted; ++i) {
      const double x = (double)values[first + places[i]];
      unsigned w = features[i].begin;
      do {
        add(tables.weights[w].member, x * tables.weights[w].weight);
      } while (++w < features[i].end);
    }
  }
  return true;
}

template <class Add>
inline bool for_each_typed(const LinearTables& tables, FeatureType type, const void* columns,
                           const void* values, long n, Add&& add) {
  switch (type) {
    case FeatureType::i32f32:
      return for_each_product(tables, (const int*)columns, (const float*)values, n, add);
    case FeatureType::i32f64:
      return for_each_product(tables, (const int*)columns, (const double*)values, n, add);
    case FeatureType::i64f32:
      return for_each_product(tables, (const long*)columns, (const float*)values, n, add);
    default:
      return for_each_product(tables, (const long*)columns, (const double*)values, n, add);
  }
}

}  // namespace

int sum_sparse(const LinearTables& tables, FeatureType type, const void* columns,
               const void* values, long n, int row, LinearSum* sums, int* touched) {
  int count = 0;
  const bool known =
      for_each_typed(tables, type, columns, values, n, [&](int member, double product) {
        LinearSum& at = sums[member];
        touched[count] = member;
        count += at.row != row;
        at.sum = (at.row == row ? at.sum : 0.0) + product;
        at.row = row;
      });
  return known ? count : kNoFeature;
}

int sum_dense(const LinearTables& tables, FeatureType type, const void* columns, const void* values,
              long n, double* sums, int* fired) {
  for (int i = 0; i < tables.members; ++i) sums[i] = 0.0;
  const bool known = for_each_typed(tables, type, columns, values, n,
                                    [&](int member, double product) { sums[member] += product; });
  if (!known) return kNoFeature;
  int count = 0;
  constexpr int kGroup = 16;
  int i = 0;
  for (; i + kGroup <= tables.members; i += kGroup) {
    double highest = -1.0;
    for (int j = i; j < i + kGroup; ++j) {
      const double sum = sums[j] + tables.bias[j];
      highest = sum >= 0.0 ? 1.0 : highest;
    }
    if (highest < 0.0) continue;
    for (int j = i; j < i + kGroup; ++j) {
      fired[count] = j;
      count += sums[j] + tables.bias[j] >= 0.0;
    }
  }
  for (; i < tables.members; ++i) {
    fired[count] = i;
    count += sums[i] + tables.bias[i] >= 0.0;
  }
  return count;
}

}  // namespace coverset::COVERSET_LEVEL
