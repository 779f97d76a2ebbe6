// Queries that are in work together: normalized and canonical, and which rows they want.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "coverset/metric.hpp"
#include "exact/canonical_query.hpp"
#include "exact/error_bounds.hpp"

namespace coverset {

/// Which rows a block of queries wants. Rows are called by their ids where they are told apart:
/// excluded, own, and in answers, whose ties go to the lower id.
struct Wanted {
  std::int64_t k = 1;                           // the k nearest,
  bool within = false;                          // or everything up to a radius,
  float radius = 0.0f;                          // as CanonicalQuery measures
  std::span<const std::uint8_t> excluded = {};  // by id: 1 for rows that are no neighbor
  std::span<const std::int64_t> own = {};       // of each query: the id that it is itself, or -1
  std::span<const std::int64_t> ids = {};       // of each row; none: its number

  std::int64_t id_of(std::int64_t row) const {
    return ids.empty() ? row : ids[static_cast<std::size_t>(row)];
  }
  bool admits(std::size_t query, std::int64_t id) const {
    if (!excluded.empty() && excluded[static_cast<std::size_t>(id)] != 0) return false;
    return own.empty() || own[query] != id;
  }

  /// Candidates that a query holds before they are thinned out.
  std::size_t capacity() const {
    constexpr std::int64_t kFewest = 1 << 8;
    return static_cast<std::size_t>(std::max(kFewest, 8 * k));
  }
};

/// What all that scan rows for the same queries share. Borrows everything it is given but queries.
struct QueryBlock {
  const Rows& rows;
  const ErrorBounds& bounds;
  Wanted wanted;
  std::vector<NormalizedQuery> normalized;
  std::vector<float> numbers;  // normalized: (count, d)
  std::vector<CanonicalQuery> canonical;

  QueryBlock(const Rows& among, const ErrorBounds& bounds_, Metric metric,
             const Normalization& normalization, const FloatRows& queries, const Wanted& wanted_)
      : rows(among),
        bounds(bounds_),
        wanted(wanted_),
        numbers(static_cast<std::size_t>(queries.n * queries.d)) {
    for (std::int64_t q = 0; q < queries.n; ++q) {
      float* to = numbers.data() + q * queries.d;
      normalized.push_back(bounds.normalize(queries.row(q), normalization, queries.d, to));
      canonical.emplace_back(metric, queries.row(q), queries.d);
    }
  }

  std::int64_t count() const { return static_cast<std::int64_t>(normalized.size()); }
};

}  // namespace coverset
