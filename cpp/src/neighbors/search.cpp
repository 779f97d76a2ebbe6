// Exact search: fast products propose rows within proved bounds, canonical distances decide.
#include <algorithm>
#include <array>
#include <memory>

#include "coverset/error.hpp"
#include "coverset/neighbors.hpp"
#include "coverset/parallel.hpp"
#include "exact/scan.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kMostQueries = 512;          // of a block
constexpr std::int64_t kCandidateBytes = 16 << 20;  // of a block's candidates, in one scan
constexpr std::int64_t kDirectQueries = 3;          // so few are measured without a product
constexpr std::int64_t kDirectRows = 128;
constexpr std::int64_t kFewQueries = 16;  // rounding rows to fewer bits takes longer than it saves

/// One thread's share of the rows, for one query block.
class SearchScan {
 public:
  SearchScan(const QueryBlock& block, const PackedQueries& queries,
             const Normalization& normalization, Metric metric)
      : scan_(block, normalization, metric, queries.strips().precision()), queries_(&queries) {}

  void scan(const ScannedRows& rows) {
    if (queries_->count() <= kDirectQueries) return measure(rows);
    scan_.scan(rows, *queries_);
    scanned_ += rows.count;
    refine_if_it_pays();
  }

  Precision precision() const { return queries_->strips().precision(); }
  Candidates& candidates(std::size_t query) { return scan_.candidates(query); }

 private:
  /// Goes on with more bits, where fewer make too many rows candidates.
  void refine_if_it_pays() {
    if (precision() == Precision::float32) return;
    const auto free = static_cast<double>(2 * scan_.block().wanted.capacity());
    const double most = kMostWasted * static_cast<double>(scanned_) + free;
    const std::int64_t wasted = scan_.wasted() - wasted_before_;
    if (static_cast<double>(wasted) <= most * static_cast<double>(queries_->count())) return;
    const Precision more = finer(precision(), scan_.block().rows.d);
    scan_.change_precision(more);
    own_queries_ = std::make_unique<PackedQueries>(scan_.block(), more);
    queries_ = own_queries_.get();
    scanned_ = 0;
    wasted_before_ += wasted;
  }

  /// Canonical distances of all rows: for few queries memory is what takes the time.
  void measure(const ScannedRows& rows) {
    const QueryBlock& block = scan_.block();
    std::array<float, kDirectRows> distances;
    for (std::int64_t at = 0; at < rows.count; at += kDirectRows) {
      const ScannedRows some = rows.part(at, std::min<std::int64_t>(kDirectRows, rows.count - at));
      for (std::size_t q = 0; q < block.canonical.size(); ++q) {
        block.canonical[q].distances(block.rows, some, scan_.room(), distances.data());
        Candidates& candidates = scan_.candidates(q);
        for (std::int64_t i = 0; i < some.count; ++i) {
          const float distance = distances[static_cast<std::size_t>(i)];
          if (!candidates.out(distance)) candidates.add_measured(distance, some.row(i));
        }
      }
    }
  }

  CandidateScan scan_;
  const PackedQueries* queries_;
  std::unique_ptr<PackedQueries> own_queries_;  // once they are finer than the block's
  std::int64_t scanned_ = 0, wasted_before_ = 0;
};

/// Whether less than half of the rows are left: those are gathered then.
bool most_are_out(std::span<const std::uint8_t> excluded) {
  return 2 * std::ranges::count(excluded, std::uint8_t{0}) < std::ssize(excluded);
}

/// Rows that are left, ascending.
std::vector<std::int64_t> admitted_rows(std::span<const std::uint8_t> excluded) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < std::ssize(excluded); ++i) {
    if (excluded[static_cast<std::size_t>(i)] == 0) rows.push_back(i);
  }
  return rows;
}

/// Searches blocks of queries; visit(query, rows) is called once for each, in any order.
class Search {
 public:
  Search(const Rows& rows, const Normalization& normalization, const FloatRows& queries,
         const SearchOptions& options)
      : rows_(rows),
        normalization_(normalization),
        queries_(queries),
        metric_(options.metric),
        own_(options.own),
        bounds_(options.metric, rows.d, normalization),
        precision_(precision_from(Precision::int8, rows.d)),
        scanned_{rows.n} {
    wanted_.k = options.k;
    wanted_.excluded = options.excluded;
    if (!most_are_out(options.excluded)) return;
    admitted_ = admitted_rows(options.excluded);
    scanned_ = {std::ssize(admitted_), 0, admitted_.data()};
  }

  void limit(float radius) {
    wanted_.within = true;
    wanted_.radius = metric_ == Metric::inner_product ? -radius : radius;
  }

  template <class Visit>
  void run(const Cpu& device, Visit&& visit) {
    const auto bytes = static_cast<std::int64_t>(sizeof(NearRow) * wanted_.capacity());
    const std::int64_t most =
        std::clamp(kCandidateBytes / bytes, std::int64_t{kStripQueries}, kMostQueries);
    for (std::int64_t first = 0; first < queries_.n; first += most) {
      const std::int64_t count = std::min(most, queries_.n - first);
      const FloatRows some{queries_.row(first), count, queries_.d, queries_.stride};
      if (!own_.empty()) {
        wanted_.own =
            own_.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
      }
      const QueryBlock block(rows_, bounds_, metric_, normalization_, some, wanted_);
      const PackedQueries queries(block, precision_of(count));
      std::vector<SearchScan> scans = scan(device, block, queries);
      for (const SearchScan& scan : scans) precision_ = std::max(precision_, scan.precision());
      parallel_for(device, count, 8, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> room(static_cast<std::size_t>(2 * rows_.d));
        for (std::int64_t q = begin; q < end; ++q) {
          visit(first + q, finish(scans, static_cast<std::size_t>(q), room.data()));
        }
      });
    }
  }

 private:
  Precision precision_of(std::int64_t queries) const {
    const bool few =
        queries <= kFewQueries && !multiplied_as_stored(rows_, normalization_, Precision::int8);
    return few ? Precision::float32 : precision_;
  }

  /// Every thread scans a range of rows; all advance together, so that the poll is never far away.
  std::vector<SearchScan> scan(const Cpu& device, const QueryBlock& block,
                               const PackedQueries& queries) const {
    const std::int64_t threads = thread_count(device);
    const std::int64_t panels = (scanned_.count + kPanelRows - 1) / kPanelRows;
    const std::int64_t count = std::clamp<std::int64_t>(panels, 1, threads);
    const std::int64_t range = (panels + count - 1) / count * kPanelRows;
    const double work = static_cast<double>(block.count() * rows_.d) * kPanelRows;
    const auto step = std::max<std::int64_t>(1, static_cast<std::int64_t>(kStepProducts / work));
    std::vector<SearchScan> scans;
    scans.reserve(static_cast<std::size_t>(count));
    for (std::int64_t s = 0; s < count; ++s) {
      scans.emplace_back(block, queries, normalization_, metric_);
    }
    advance_parts(device, 0, scanned_.count, range, step * kPanelRows,
                  [&](std::int64_t s, std::int64_t from, std::int64_t to) {
                    scans[static_cast<std::size_t>(s)].scan(scanned_.part(from, to - from));
                  });
    return scans;
  }

  const Rows& rows_;
  const Normalization& normalization_;
  const FloatRows& queries_;
  Metric metric_;
  std::span<const std::int64_t> own_;
  ErrorBounds bounds_;
  Precision precision_;
  std::vector<std::int64_t> admitted_;
  ScannedRows scanned_;
  Wanted wanted_;
};

}  // namespace

void find_nearest(const Cpu& device, const Rows& rows, const Normalization& normalization,
                  const FloatRows& queries, const SearchOptions& options,
                  std::span<float> distances, std::span<std::int64_t> nearest) {
  const bool product = options.metric == Metric::inner_product;
  const float none = std::numeric_limits<float>::infinity();
  const auto k = static_cast<std::size_t>(options.k);
  Search(rows, normalization, queries, options)
      .run(device, [&](std::int64_t query, const std::vector<NearRow>& found) {
        const std::size_t first = static_cast<std::size_t>(query) * k;
        for (std::size_t i = 0; i < k; ++i) {
          const NearRow near = i < found.size() ? found[i] : NearRow{none, -1};
          distances[first + i] = product ? -near.distance : near.distance;
          nearest[first + i] = near.row;
        }
      });
}

RowsWithin find_within(const Cpu& device, const Rows& rows, const Normalization& normalization,
                       const FloatRows& queries, const SearchOptions& options, float radius) {
  const bool product = options.metric == Metric::inner_product;
  std::vector<std::vector<NearRow>> found(static_cast<std::size_t>(queries.n));
  SearchOptions one = options;
  one.k = 1;
  Search search(rows, normalization, queries, one);
  search.limit(radius);
  search.run(device, [&](std::int64_t query, const std::vector<NearRow>& near) {
    found[static_cast<std::size_t>(query)] = near;
  });
  RowsWithin all;
  all.indptr.push_back(0);
  for (const auto& near : found) {
    for (const NearRow& row : near) {
      all.distances.push_back(product ? -row.distance : row.distance);
      all.rows.push_back(row.row);
    }
    all.indptr.push_back(static_cast<std::int64_t>(all.rows.size()));
  }
  return all;
}

}  // namespace coverset
