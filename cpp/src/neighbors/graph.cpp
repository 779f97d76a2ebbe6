// Graphs of all rows against all: a product of two rows serves both of them.
#include <algorithm>
#include <array>
#include <cmath>

#include "coverset/parallel.hpp"
#include "neighbors/queries.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlock = 1 << 10;  // rows that are queries together

/// The lists of a graph that grows: of every row, the nearest rows so far, nearest first, then
/// row -1 at an infinite distance. Distances are as CanonicalQuery measures.
class Lists {
 public:
  Lists(std::int64_t k, std::span<float> distances, std::span<std::int64_t> nearest)
      : k_(static_cast<std::size_t>(k)), distances_(distances), nearest_(nearest) {}

  bool full(std::int64_t row) const { return nearest_[end(row) - 1] >= 0; }
  float worst(std::int64_t row) const { return distances_[end(row) - 1]; }

  template <class Visit>
  void each(std::int64_t row, Visit&& visit) const {
    for (std::size_t at = end(row) - k_; at < end(row) && nearest_[at] >= 0; ++at) {
      visit(NearRow{distances_[at], nearest_[at]});
    }
  }

  void set(std::int64_t row, const std::vector<NearRow>& near) {
    for (std::size_t i = 0; i < k_; ++i) {
      const NearRow one =
          i < near.size() ? near[i] : NearRow{std::numeric_limits<float>::infinity(), -1};
      distances_[end(row) - k_ + i] = one.distance;
      nearest_[end(row) - k_ + i] = one.row;
    }
  }

  void negate(std::int64_t row) {
    for (std::size_t at = end(row) - k_; at < end(row); ++at) distances_[at] = -distances_[at];
  }

  /// Puts a row that is nearer than the last of a full list in its place. Whether it is.
  bool insert(std::int64_t row, const NearRow& near) {
    const std::size_t first = end(row) - k_;
    std::size_t at = end(row) - 1;
    if (!(near < NearRow{distances_[at], nearest_[at]})) return false;
    for (; at > first && near < NearRow{distances_[at - 1], nearest_[at - 1]}; --at) {
      distances_[at] = distances_[at - 1];
      nearest_[at] = nearest_[at - 1];
    }
    distances_[at] = near.distance;
    nearest_[at] = near.row;
    return true;
  }

 private:
  std::size_t end(std::int64_t row) const { return (static_cast<std::size_t>(row) + 1) * k_; }

  std::size_t k_;
  std::span<float> distances_;
  std::span<std::int64_t> nearest_;
};

/// What the other side of a product needs of the queries of a block.
struct Side {
  const std::vector<FramedQuery>& as_queries;  // of all rows
  std::int64_t shared_from = 0;                // from here on rows are queries later: they share
  std::vector<float> halves = {};              // of the queries' squares; zeros for other metrics
  double norm = 0.0, lost = 0.0;               // of any query
};

/// One thread's share of the rows that a block of queries is compared with.
class Part {
 public:
  Part(const Queries& queries, const Frame& frame, const Side& side, Lists& lists)
      : queries_(queries),
        side_(side),
        lists_(lists),
        panel_(queries.block.rows, frame, queries.block.options.metric, queries.strips.precision()),
        room_(static_cast<std::size_t>(2 * queries.block.rows.d)),
        products_(kPanelRows * kStripQueries),
        hits_(kPanelRows * kStripQueries) {
    for (std::int64_t q = 0; q < queries.count; ++q) {
      columns_.emplace_back(queries.block, static_cast<std::size_t>(q));
      const std::int64_t row = queries.block.first + q;
      if (lists.full(row)) columns_.back().start_within(lists.worst(row));
    }
  }

  void scan(std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end;) {
      const std::int64_t last = row < side_.shared_from ? std::min(end, side_.shared_from) : end;
      const std::int64_t count = std::min<std::int64_t>(kPanelRows, last - row);
      panel_.fill(row, count, queries_.block.bounds);
      const bool shared = row >= side_.shared_from;
      if (shared) open_rows(row, count);
      for (std::int64_t strip = 0; strip < queries_.count; strip += kStripQueries) {
        multiply(row, count, strip, shared);
      }
      if (shared) close_rows(row, count);
      row += count;
    }
  }

  Candidates& column(std::int64_t query) { return columns_[static_cast<std::size_t>(query)]; }
  std::int64_t wasted() const {
    std::int64_t all = wasted_;
    for (const Candidates& candidates : columns_) all += candidates.wasted();
    return all;
  }

 private:
  void multiply(std::int64_t row, std::int64_t count, std::int64_t strip, bool shared) {
    const std::int64_t queries = std::min<std::int64_t>(kStripQueries, queries_.count - strip);
    panel_.multiply(queries_.strips, strip, queries, products_.data());
    const QueryBlock& block = queries_.block;
    for (std::int64_t j = 0; j < queries; ++j) {
      const auto query = static_cast<std::size_t>(strip + j);
      column_limits_[static_cast<std::size_t>(j)] = columns_[query].limit_at(block.bounds.slack(
          block.framed[query], panel_.norm(), panel_.lost(), queries_.strips.lost(query)));
    }
    const float* halves = side_.halves.data() + strip;
    const long passed =
        shared ? COVERSET_AT_LEVEL(filter_pairs)(products_.data(), panel_.offsets(),
                                                 row_limits_.data(), count, halves,
                                                 column_limits_.data(), queries, hits_.data())
               : COVERSET_AT_LEVEL(filter_panel)(products_.data(), panel_.offsets(), count,
                                                 column_limits_.data(), queries, hits_.data());
    for (long h = 0; h < passed; ++h) {
      const TileHit& hit = hits_[static_cast<std::size_t>(h)];
      const std::int64_t query = strip + hit.query;
      const float of_row = panel_.offsets()[hit.row] - hit.product;
      if (!(of_row > column_limits_[hit.query])) {
        column(query).add(of_row, row + hit.row, room_.data());
      }
      if (!shared) continue;
      const float of_query = halves[hit.query] - hit.product;
      if (!(of_query > row_limits_[hit.row])) add_to_row(row, hit.row, query, of_query);
    }
  }

  /// The other side: rows of the panel as queries, queries of the block as their neighbors.
  void open_rows(std::int64_t first, std::int64_t count) {
    new_lists_.clear();
    for (std::int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const FramedQuery& query = side_.as_queries[static_cast<std::size_t>(first + i)];
      slacks_[at] = queries_.block.bounds.slack(query, side_.norm, side_.lost, panel_.lost());
      set_limit(first, i);
    }
  }

  void set_limit(std::int64_t first, std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    const FramedQuery& query = side_.as_queries[static_cast<std::size_t>(first + i)];
    row_limits_[at] =
        lists_.full(first + i)
            ? float_above(queries_.block.bounds.level(query, lists_.worst(first + i)) + slacks_[at])
            : std::numeric_limits<float>::infinity();
  }

  void add_to_row(std::int64_t first, std::int64_t i, std::int64_t query, float value) {
    const std::int64_t row = first + i;
    const std::int64_t other = queries_.block.first + query;
    if (!lists_.full(row)) return start_list(i).push_back({value, other});
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
  void close_rows(std::int64_t first, std::int64_t count) {
    for (std::int64_t i = 0; !new_lists_.empty() && i < count; ++i) {
      const std::vector<NearRow>& values = new_lists_[static_cast<std::size_t>(i)];
      if (values.empty()) continue;
      const std::int64_t row = first + i;
      NearestRows near(queries_.block.options.k);
      lists_.each(row, [&](const NearRow& one) { near.add(one.distance, one.row); });
      const double most = most_of_first(new_lists_[static_cast<std::size_t>(i)], row, i);
      for (const NearRow& value : values) {
        if (value.distance > most) continue;
        near.add(measure(row, value.row - queries_.block.first), value.row);
      }
      lists_.set(row, near.sorted());
    }
  }

  /// A fast value above which none of these is among the first k.
  double most_of_first(std::vector<NearRow>& values, std::int64_t row, std::int64_t i) const {
    const double infinity = std::numeric_limits<double>::infinity();
    const auto k = static_cast<std::size_t>(queries_.block.options.k);
    const auto odd = [](const NearRow& value) { return !std::isfinite(value.distance); };
    if (values.size() <= k || std::ranges::any_of(values, odd)) return infinity;
    const auto last = values.begin() + static_cast<std::ptrdiff_t>(k) - 1;
    std::nth_element(values.begin(), last, values.end());
    const double slack = slacks_[static_cast<std::size_t>(i)];
    const FramedQuery& query = side_.as_queries[static_cast<std::size_t>(row)];
    return queries_.block.bounds.beyond(query, last->distance + slack) + slack;
  }

  /// Canonical distance of a row to a query of the block.
  float measure(std::int64_t row, std::int64_t query) {
    return queries_.block.canonical[static_cast<std::size_t>(query)].distance(queries_.block.rows,
                                                                              row, room_.data());
  }

  const Queries& queries_;
  const Side& side_;
  Lists& lists_;
  Panel panel_;
  std::vector<float> room_, products_;
  std::vector<TileHit> hits_;
  std::array<float, kStripQueries> column_limits_{};
  std::array<float, kPanelRows> row_limits_{};
  std::array<double, kPanelRows> slacks_{};
  std::vector<Candidates> columns_;
  std::vector<std::vector<NearRow>> new_lists_;
  std::int64_t wasted_ = 0;
};

/// More than so many rows, in whole panels.
constexpr std::int64_t panels(std::int64_t rows) { return (rows / kPanelRows + 1) * kPanelRows; }

/// Lists of one block of rows after the other.
class Growth {
 public:
  Growth(const Cpu& device, const Rows& rows, const Frame& frame, const SearchOptions& options,
         Lists lists)
      : device_(device),
        rows_(rows),
        frame_(frame),
        options_(options),
        lists_(lists),
        bounds_(options.metric, rows.d, frame),
        precision_(precision_from(Precision::int8, rows.d)),
        as_queries_(static_cast<std::size_t>(rows.n)) {
    parallel_for(device, rows.n, kBlock, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> room(static_cast<std::size_t>(2 * rows.d));
      for (std::int64_t i = begin; i < end; ++i) {
        as_queries_[static_cast<std::size_t>(i)] =
            bounds_.frame(float_row(rows, i, room.data()), frame_, rows.d, room.data() + rows.d);
      }
    });
  }

  /// Ends the lists of rows first..first+count-1. Rows before `begin` are not shared with.
  void add(std::int64_t begin, std::int64_t first, std::int64_t count) {
    const std::int64_t d = rows_.d;
    std::vector<float> some(static_cast<std::size_t>(count * d));
    for (std::int64_t i = 0; i < count; ++i) {
      COVERSET_AT_LEVEL(load_row)
      (rows_.dtype, rows_.row(first + i), rows_.scale_of(first + i), d, some.data() + i * d);
    }
    const auto capacity = static_cast<std::size_t>(std::max(kFewestCandidates, 8 * options_.k));
    const Queries queries({rows_, bounds_, options_, {}, {}, first, capacity},
                          {some.data(), count, d, d}, count, frame_, precision_);
    Side side{as_queries_, first + count};
    side.halves.resize(
        static_cast<std::size_t>((count + kStripQueries) / kStripQueries * kStripQueries));
    for (std::size_t q = 0; q < queries.block.framed.size(); ++q) {
      const FramedQuery& query = queries.block.framed[q];
      if (options_.metric == Metric::sqeuclidean) {
        side.halves[q] = static_cast<float>(0.5 * query.shift);
      }
      side.norm = std::max(side.norm, query.norm);
      side.lost = std::max(side.lost, queries.strips.lost(q));
    }
    std::vector<Part> parts = compare(queries, side, begin);
    std::int64_t wasted = 0;
    for (const Part& part : parts) wasted += part.wasted();
    const double free =
        static_cast<double>(2 * capacity) + kMostWasted * static_cast<double>(rows_.n);
    if (static_cast<double>(wasted) > free * static_cast<double>(count) &&
        precision_ != Precision::float32) {
      precision_ = finer(precision_, d);
    }
    end(parts, first, count);
  }

 private:
  std::vector<Part> compare(const Queries& queries, const Side& side, std::int64_t begin) {
    const std::int64_t threads = thread_count(device_);
    const double work = static_cast<double>(queries.count * rows_.d);
    const auto step = panels(static_cast<std::int64_t>(kStepProducts / work));
    std::vector<Part> parts;
    parts.reserve(static_cast<std::size_t>(threads));
    for (std::int64_t p = 0; p < threads; ++p) parts.emplace_back(queries, frame_, side, lists_);
    const auto scan = [&](std::int64_t from, std::int64_t to) {
      const std::int64_t range = panels((to - from) / threads);
      advance_parts(device_, from, to, range, step,
                    [&](std::int64_t part, std::int64_t a, std::int64_t b) {
                      parts[static_cast<std::size_t>(part)].scan(a, b);
                    });
    };
    scan(0, begin);
    scan(queries.block.first, rows_.n);
    return parts;
  }

  void end(std::vector<Part>& parts, std::int64_t first, std::int64_t count) {
    parallel_for(device_, count, 8, [&](std::int64_t from, std::int64_t to) {
      std::vector<float> room(static_cast<std::size_t>(2 * rows_.d));
      for (std::int64_t q = from; q < to; ++q) {
        Candidates& all = parts[0].column(q);
        lists_.each(first + q, [&](const NearRow& near) { all.start_with(near); });
        for (std::size_t p = 1; p < parts.size(); ++p) all.join(std::move(parts[p].column(q)));
        lists_.set(first + q, all.finish(room.data()));
        if (options_.metric == Metric::inner_product) lists_.negate(first + q);
      }
    });
  }

  const Cpu& device_;
  const Rows& rows_;
  const Frame& frame_;
  const SearchOptions& options_;
  Lists lists_;
  Bounds bounds_;
  Precision precision_;
  std::vector<FramedQuery> as_queries_;
};

}  // namespace

void extend_graph(const Cpu& device, const Rows& rows, const Frame& frame, Metric metric,
                  const GraphRange& range, std::int64_t k, std::span<float> distances,
                  std::span<std::int64_t> nearest) {
  Frame symmetric = frame;
  if (metric != Metric::sqeuclidean) std::ranges::fill(symmetric.mean, 0.0f);
  SearchOptions options{metric, k, {}, 0};
  Lists lists(k, distances, nearest);
  Growth growth(device, rows, symmetric, options, lists);
  for (std::int64_t first = range.begin; first < range.end; first += kBlock) {
    growth.add(range.shared_from, first, std::min(kBlock, range.end - first));
  }
}

}  // namespace coverset
