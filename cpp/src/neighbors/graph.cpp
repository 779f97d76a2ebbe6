// Graphs of all rows against all: a product of two rows serves both of them.
#include <algorithm>
#include <array>
#include <cmath>

#include "coverset/neighbors.hpp"
#include "coverset/parallel.hpp"
#include "exact/scan.hpp"
#include "neighbors/neighbor_lists.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlock = 1 << 10;  // rows that are queries together

/// A product is also one of the row with the query: what is needed to see the block's queries as
/// neighbors of the row.
struct SharedSide {
  const std::vector<NormalizedQuery>& as_queries;  // of all rows
  std::int64_t first = 0;                          // the row that is the first query
  std::int64_t shared_from = 0;    // from here on rows are queries later: they share
  std::vector<float> halves = {};  // of the queries' squares; zeros for other metrics
  double norm = 0.0, lost = 0.0;   // of any query
};

/// One thread's share of the rows that a block of queries is compared with.
class GraphScan {
 public:
  GraphScan(const QueryBlock& block, const PackedQueries& queries,
            const Normalization& normalization, Metric metric, const SharedSide& side,
            NeighborLists& lists)
      : scan_(block, normalization, metric, queries.strips().precision()),
        queries_(queries),
        side_(side),
        lists_(lists) {
    for (std::int64_t q = 0; q < block.count(); ++q) {
      const std::int64_t row = side.first + q;
      if (lists.full(row)) candidates(static_cast<std::size_t>(q)).start_within(lists.worst(row));
    }
  }

  void scan(std::int64_t begin, std::int64_t end) {
    const std::int64_t shared = std::clamp(side_.shared_from, begin, end);
    scan_.scan({shared - begin, begin}, queries_);
    for (std::int64_t row = shared; row < end; row += kPanelRows) {
      scan_shared({std::min<std::int64_t>(kPanelRows, end - row), row});
    }
  }

  Candidates& candidates(std::size_t query) { return scan_.candidates(query); }
  std::int64_t wasted() const { return wasted_ + scan_.wasted(); }

 private:
  const QueryBlock& block() const { return scan_.block(); }

  void scan_shared(const ScannedRows& rows) {
    scan_.panel().take(rows, block().bounds);
    open_rows(rows);
    for (std::int64_t strip = 0; strip < queries_.count(); strip += kStripQueries) {
      scan_.multiply(queries_, strip);
      const float* halves = side_.halves.data() + strip;
      for (const TileHit& hit :
           scan_.panel().below_either(scan_.limits(), halves, row_limits_.data())) {
        const float of_row = scan_.panel().offsets()[hit.row] - hit.product;
        if (!(of_row > scan_.limits()[hit.query])) scan_.add(rows, queries_, strip, hit);
        const float of_query = halves[hit.query] - hit.product;
        if (!(of_query > row_limits_[hit.row])) {
          add_to_row(rows.first, hit.row, strip + hit.query, of_query);
        }
      }
    }
    close_rows(rows);
  }

  /// The other side: rows of the panel as queries, queries of the block as their neighbors.
  void open_rows(const ScannedRows& rows) {
    new_lists_.clear();
    for (std::int64_t i = 0; i < rows.count; ++i) {
      const NormalizedQuery& query = as_query(rows.first + i);
      error_bounds_[static_cast<std::size_t>(i)] =
          block().bounds.error_bound(query, side_.norm, side_.lost, scan_.panel().lost());
      set_limit(rows.first, i);
    }
  }

  void set_limit(std::int64_t first, std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    const std::int64_t row = first + i;
    row_limits_[at] =
        lists_.full(row)
            ? float_above(block().bounds.score_bound(as_query(row), lists_.worst(row)) +
                          error_bounds_[at])
            : std::numeric_limits<float>::infinity();
  }

  void add_to_row(std::int64_t first, std::int64_t i, std::int64_t query, float score) {
    const std::int64_t row = first + i;
    const std::int64_t other = side_.first + query;
    if (!lists_.full(row)) return start_list(i).push_back({score, other});
    const float distance = measure(row, query);
    if (lists_.insert(row, {distance, other})) {
      set_limit(first, i);
    } else {
      ++wasted_;
    }
  }

  std::vector<NearRow>& start_list(std::int64_t i) {
    new_lists_.resize(kPanelRows);
    return new_lists_[static_cast<std::size_t>(i)];
  }

  /// Measures what may be among the first k of lists that are not full.
  void close_rows(const ScannedRows& rows) {
    for (std::int64_t i = 0; !new_lists_.empty() && i < rows.count; ++i) {
      std::vector<NearRow>& scored = new_lists_[static_cast<std::size_t>(i)];
      if (scored.empty()) continue;
      const std::int64_t row = rows.first + i;
      NearestRows near(block().wanted.k);
      lists_.each(row, [&](const NearRow& one) { near.add(one.distance, one.row); });
      const double most = most_of_first(scored, row, i);
      for (const NearRow& one : scored) {
        if (one.distance > most) continue;
        near.add(measure(row, one.row - side_.first), one.row);
      }
      lists_.set(row, near.sorted());
    }
  }

  /// A score above which none of these is among the first k.
  double most_of_first(std::vector<NearRow>& scored, std::int64_t row, std::int64_t i) const {
    const double infinity = std::numeric_limits<double>::infinity();
    const auto k = static_cast<std::size_t>(block().wanted.k);
    const auto not_finite = [](const NearRow& one) { return !std::isfinite(one.distance); };
    if (scored.size() <= k || std::ranges::any_of(scored, not_finite)) return infinity;
    const auto last = scored.begin() + static_cast<std::ptrdiff_t>(k) - 1;
    std::nth_element(scored.begin(), last, scored.end());
    const double error_bound = error_bounds_[static_cast<std::size_t>(i)];
    return block().bounds.score_bound_from(as_query(row), last->distance + error_bound) +
           error_bound;
  }

  const NormalizedQuery& as_query(std::int64_t row) const {
    return side_.as_queries[static_cast<std::size_t>(row)];
  }

  /// Canonical distance of a row to a query of the block.
  float measure(std::int64_t row, std::int64_t query) {
    return block().canonical[static_cast<std::size_t>(query)].distance(block().rows, row,
                                                                       scan_.room());
  }

  CandidateScan scan_;
  const PackedQueries& queries_;
  const SharedSide& side_;
  NeighborLists& lists_;
  std::array<float, kPanelRows> row_limits_{};
  std::array<double, kPanelRows> error_bounds_{};
  std::vector<std::vector<NearRow>> new_lists_;  // rows and their scores
  std::int64_t wasted_ = 0;
};

/// The least multiple of kPanelRows above `rows`.
constexpr std::int64_t panels(std::int64_t rows) { return (rows / kPanelRows + 1) * kPanelRows; }

/// Lists of one block of rows after the other.
class Growth {
 public:
  Growth(const Cpu& device, const Rows& rows, const Normalization& normalization, Metric metric,
         std::int64_t k, NeighborLists lists)
      : device_(device),
        rows_(rows),
        normalization_(normalization),
        metric_(metric),
        k_(k),
        lists_(lists),
        bounds_(metric, rows.d, normalization),
        precision_(precision_from(Precision::int8, rows.d)),
        as_queries_(static_cast<std::size_t>(rows.n)) {
    parallel_for(device, rows.n, kBlock, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> room(static_cast<std::size_t>(2 * rows.d));
      for (std::int64_t i = begin; i < end; ++i) {
        as_queries_[static_cast<std::size_t>(i)] = bounds_.normalize(
            float_row(rows, i, room.data()), normalization_, rows.d, room.data() + rows.d);
      }
    });
  }

  /// Ends the lists of rows first..first+count-1. Rows before `begin` are not shared with.
  void add(std::int64_t begin, std::int64_t first, std::int64_t count) {
    const std::int64_t d = rows_.d;
    std::vector<float> some(static_cast<std::size_t>(count * d));
    std::vector<std::int64_t> own(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
      copy_float_row(rows_, first + i, some.data() + i * d);
      own[static_cast<std::size_t>(i)] = first + i;
    }
    Wanted wanted;
    wanted.k = k_;
    wanted.own = own;
    const QueryBlock block(rows_, bounds_, metric_, normalization_, {some.data(), count, d, d},
                           wanted);
    const PackedQueries queries(block, precision_);
    SharedSide side{as_queries_, first, first + count};
    side.halves.resize(
        static_cast<std::size_t>((count + kStripQueries) / kStripQueries * kStripQueries));
    for (std::size_t q = 0; q < block.normalized.size(); ++q) {
      const NormalizedQuery& query = block.normalized[q];
      if (metric_ == Metric::sqeuclidean) side.halves[q] = static_cast<float>(0.5 * query.shift);
      side.norm = std::max(side.norm, query.norm);
      side.lost = std::max(side.lost, queries.lost(static_cast<std::int64_t>(q)));
    }
    std::vector<GraphScan> scans = compare(block, queries, side, begin);
    std::int64_t wasted = 0;
    for (const GraphScan& scan : scans) wasted += scan.wasted();
    const double free =
        static_cast<double>(2 * wanted.capacity()) + kMostWasted * static_cast<double>(rows_.n);
    if (static_cast<double>(wasted) > free * static_cast<double>(count) &&
        precision_ != Precision::float32) {
      precision_ = finer(precision_, d);
    }
    end(scans, first, count);
  }

 private:
  std::vector<GraphScan> compare(const QueryBlock& block, const PackedQueries& queries,
                                 const SharedSide& side, std::int64_t begin) {
    const std::int64_t threads = thread_count(device_);
    const double work = static_cast<double>(queries.count() * rows_.d);
    const auto step = panels(static_cast<std::int64_t>(kStepProducts / work));
    std::vector<GraphScan> scans;
    scans.reserve(static_cast<std::size_t>(threads));
    for (std::int64_t s = 0; s < threads; ++s) {
      scans.emplace_back(block, queries, normalization_, metric_, side, lists_);
    }
    const auto over = [&](std::int64_t from, std::int64_t to) {
      const std::int64_t range = panels((to - from) / threads);
      advance_parts(device_, from, to, range, step,
                    [&](std::int64_t s, std::int64_t a, std::int64_t b) {
                      scans[static_cast<std::size_t>(s)].scan(a, b);
                    });
    };
    over(0, begin);
    over(side.first, rows_.n);
    return scans;
  }

  void end(std::vector<GraphScan>& scans, std::int64_t first, std::int64_t count) {
    parallel_for(device_, count, 8, [&](std::int64_t from, std::int64_t to) {
      std::vector<float> room(static_cast<std::size_t>(2 * rows_.d));
      for (std::int64_t q = from; q < to; ++q) {
        const auto query = static_cast<std::size_t>(q);
        Candidates& all = scans[0].candidates(query);
        lists_.each(first + q, [&](const NearRow& near) { all.start_with(near); });
        lists_.set(first + q, finish(scans, query, room.data()));
        if (metric_ == Metric::inner_product) lists_.negate(first + q);
      }
    });
  }

  const Cpu& device_;
  const Rows& rows_;
  const Normalization& normalization_;
  Metric metric_;
  std::int64_t k_;
  NeighborLists lists_;
  ErrorBounds bounds_;
  Precision precision_;
  std::vector<NormalizedQuery> as_queries_;
};

}  // namespace

void extend_graph(const Cpu& device, const Rows& rows, const Normalization& normalization,
                  Metric metric, const GraphRange& range, std::int64_t k,
                  std::span<float> distances, std::span<std::int64_t> nearest) {
  const std::vector<float> origin(static_cast<std::size_t>(rows.d));
  const bool centered = metric == Metric::sqeuclidean;  // products of others are not symmetric then
  const Normalization symmetric{centered ? normalization.mean : origin, normalization.scale};
  Growth growth(device, rows, symmetric, metric, k, {k, distances, nearest});
  for (std::int64_t first = range.begin; first < range.end; first += kBlock) {
    growth.add(range.shared_from, first, std::min(kBlock, range.end - first));
  }
}

}  // namespace coverset
