// Nearest neighbors: exact, over all rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "coverset/device.hpp"
#include "coverset/distance.hpp"
#include "coverset/view.hpp"

namespace coverset {

/// What is near. The canonical distance of rows x and q (see distance.hpp): sqeuclidean, the sum of
/// (x - q)^2; inner_product, the sum of x q, of which more is nearer; cosine, 1 - x' q' / (|x'|
/// |q'|), where x' and q' are x and q times the power of 2 that brings their largest number into
/// [1, 2), |x'| is the root of the inner product of x' with itself, and each operation is rounded.
enum class Metric : std::int32_t { sqeuclidean, cosine, inner_product };

/// Rows whose squares add up to more are refused: differences of two could overflow.
inline constexpr float kMostSquares = 0x1p126f;

/// A point near the middle of rows, and their scale: fast products are of (x - mean) * scale.
/// Whatever it is, answers are the same; it decides how many candidates there are.
struct Frame {
  std::vector<float> mean;
  float scale = 1.0f;  // a power of 2
};

/// The frame of at most 1,024 rows at equal distances. For cosine, of their directions.
Frame find_frame(const Cpu& device, const Rows& rows, Metric metric);

/// The first row whose squares add up to more than kMostSquares, or to no number, or which for
/// cosine has no number of at least 2^-126; row -1 if there is none. Reads each row once.
struct BadRow {
  std::int64_t row = -1;
  float squares = 0.0f;
};
BadRow find_bad_row(const Cpu& device, const Rows& rows, Metric metric);

/// All rows as float32: out (n, d).
void load_rows(const Cpu& device, const Rows& rows, std::span<float> out);

/// How a search is limited.
struct SearchOptions {
  Metric metric = Metric::sqeuclidean;
  std::int64_t k = 1;
  std::span<const std::uint8_t> excluded = {};  // (rows): 1 for rows that are no neighbor
  std::int64_t self = -1;  // query i is row self + i, which is no neighbor of its own; -1: none is
};

/// The k nearest rows of each query, by canonical distance, ties to the lower row: distances and
/// rows (queries, k) out; where fewer rows are left, the row -1 at distance infinity (for
/// inner products: -infinity). The rows have no bad row. Allocates O(k) a query and thread in work,
/// for at most 512 queries at a time, and a few MiB a thread.
void find_nearest(const Cpu& device, const Rows& rows, const Frame& frame, const FloatRows& queries,
                  const SearchOptions& options, std::span<float> distances,
                  std::span<std::int64_t> nearest);

/// Rows within a distance of each query: those of query i are rows[e] for
/// indptr[i] <= e < indptr[i + 1], nearest first, ties to the lower row.
struct RowsWithin {
  std::vector<std::int64_t> indptr;
  std::vector<float> distances;
  std::vector<std::int64_t> rows;
};

/// All rows whose canonical distance is at most `radius` (inner products: at least); options.k is
/// not read. Allocates the result twice.
RowsWithin find_within(const Cpu& device, const Rows& rows, const Frame& frame,
                       const FloatRows& queries, const SearchOptions& options, float radius);

/// Rows begin..end-1 of a graph, of which rows shared_from..begin-1 are there.
struct GraphRange {
  std::int64_t begin = 0, end = 0, shared_from = 0;
};

/// The k nearest other rows of rows begin..end-1, as find_nearest gives them: distances and rows
/// (n, k) out, in the rows' own places. Rows from `begin` on hold what rows shared_from..begin-1
/// found for them, at first row -1 at distance infinity; a product serves both of its rows, so
/// that later rows hold what these find. Allocates 24 bytes a row, O(k) a row of 1,024 and thread.
void extend_graph(const Cpu& device, const Rows& rows, const Frame& frame, Metric metric,
                  const GraphRange& range, std::int64_t k, std::span<float> distances,
                  std::span<std::int64_t> nearest);

}  // namespace coverset
