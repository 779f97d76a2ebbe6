// Nearest neighbors: exact, over all rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "coverset/device.hpp"
#include "coverset/metric.hpp"
#include "coverset/normalization.hpp"
#include "coverset/rows.hpp"

namespace coverset {

/// How a search is limited.
struct SearchOptions {
  Metric metric = Metric::sqeuclidean;
  std::int64_t k = 1;
  std::span<const std::uint8_t> excluded = {};  // (rows): 1 for rows that are no neighbor
  std::span<const std::int64_t> own = {};       // (queries): the row that a query is, which is no
                                                // neighbor of its own; -1, or no entries: none is
};

/// The k nearest rows of each query, by canonical distance, ties to the lower row: distances and
/// rows (queries, k) out; where fewer rows are left, the row -1 at distance infinity (for
/// inner products: -infinity). The rows have no bad row. Scratch: O(k) a query and thread in work,
/// for at most 512 queries at a time, and a few MiB a thread.
void find_nearest(const Cpu& device, const Rows& rows, const Normalization& normalization,
                  const FloatRows& queries, const SearchOptions& options,
                  std::span<float> distances, std::span<std::int64_t> nearest);

/// Rows within a distance of each query: those of query i are rows[e] for
/// indptr[i] <= e < indptr[i + 1], nearest first, ties to the lower row.
struct RowsWithin {
  std::vector<std::int64_t> indptr;
  std::vector<float> distances;
  std::vector<std::int64_t> rows;
};

/// All rows whose canonical distance is at most `radius` (inner products: at least); options.k is
/// not read. How many there are depends on the data, so that this is for the host alone. Allocates
/// the result twice.
RowsWithin find_within(const Cpu& device, const Rows& rows, const Normalization& normalization,
                       const FloatRows& queries, const SearchOptions& options, float radius);

/// Rows begin..end-1 of a graph, of which rows shared_from..begin-1 are there.
struct GraphRange {
  std::int64_t begin = 0, end = 0, shared_from = 0;
};

/// The k nearest other rows of rows begin..end-1, as find_nearest gives them: distances and rows
/// (n, k) out, in the rows' own places. Rows from `begin` on hold what rows shared_from..begin-1
/// found for them, at first row -1 at distance infinity; a product serves both of its rows, so
/// that later rows hold what these find. Scratch: 24 bytes a row, O(k) a row of 1,024 and thread.
void extend_graph(const Cpu& device, const Rows& rows, const Normalization& normalization,
                  Metric metric, const GraphRange& range, std::int64_t k,
                  std::span<float> distances, std::span<std::int64_t> nearest);

}  // namespace coverset
