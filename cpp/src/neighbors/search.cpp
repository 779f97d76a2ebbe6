// Exact search: fast products propose rows within proved bounds, canonical distances decide.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "coverset/error.hpp"
#include "coverset/parallel.hpp"
#include "neighbors/queries.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kMostQueries = 512;          // of a block
constexpr std::int64_t kCandidateBytes = 16 << 20;  // of a block's candidates, in one part
constexpr std::int64_t kDirectQueries = 3;          // so few are measured without a product
constexpr std::int64_t kDirectRows = 128;
constexpr std::int64_t kFewQueries = 16;  // rounding rows to fewer bits takes longer than it saves

/// One thread's share of the rows, for one query block.
class Part {
 public:
  Part(const Queries& queries, const Frame& frame)
      : queries_(queries),
        frame_(frame),
        strips_(&queries.strips),
        panel_(queries.block.rows, frame, queries.block.options.metric, strips_->precision()),
        room_(static_cast<std::size_t>(2 * queries.block.rows.d)),
        products_(kPanelRows * kStripQueries),
        hits_(kPanelRows * kStripQueries) {
    for (std::int64_t q = 0; q < queries.count; ++q) {
      candidates_.emplace_back(queries.block, static_cast<std::size_t>(q));
    }
  }

  void scan(std::int64_t begin, std::int64_t end) {
    if (queries_.count <= kDirectQueries) return measure(begin, end);
    for (std::int64_t row = begin; row < end; row += kPanelRows) {
      const std::int64_t count = std::min<std::int64_t>(kPanelRows, end - row);
      panel_.fill(row, count, queries_.block.bounds);
      for (std::int64_t strip = 0; strip < queries_.count; strip += kStripQueries) {
        multiply(row, count, strip);
      }
      scanned_ += count;
    }
    refine_if_it_pays();
  }

  Precision precision() const { return strips_->precision(); }

  Candidates& candidates(std::int64_t query) {
    return candidates_[static_cast<std::size_t>(query)];
  }

 private:
  void multiply(std::int64_t row, std::int64_t count, std::int64_t strip) {
    const std::int64_t queries = std::min<std::int64_t>(kStripQueries, queries_.count - strip);
    panel_.multiply(*strips_, strip, queries, products_.data());
    const QueryBlock& block = queries_.block;
    for (std::int64_t j = 0; j < queries; ++j) {
      const auto query = static_cast<std::size_t>(strip + j);
      const double slack = block.bounds.slack(block.framed[query], panel_.norm(), panel_.lost(),
                                              strips_->lost(query));
      limits_[static_cast<std::size_t>(j)] = candidates_[query].limit_at(slack);
    }
    const long passed = COVERSET_AT_LEVEL(filter_panel)(products_.data(), panel_.offsets(), count,
                                                        limits_.data(), queries, hits_.data());
    for (long h = 0; h < passed; ++h) {
      const TileHit& hit = hits_[static_cast<std::size_t>(h)];
      const float value = panel_.offsets()[hit.row] - hit.product;
      candidates_[static_cast<std::size_t>(strip) + hit.query].add(value, row + hit.row,
                                                                   room_.data());
    }
  }

  /// Goes on with more bits, where fewer make too many rows candidates.
  void refine_if_it_pays() {
    if (precision() == Precision::float32) return;
    const auto free = static_cast<std::int64_t>(2 * queries_.block.capacity);
    const double most = kMostWasted * static_cast<double>(scanned_) + static_cast<double>(free);
    std::int64_t wasted = -wasted_before_;
    for (const Candidates& candidates : candidates_) wasted += candidates.wasted();
    if (static_cast<double>(wasted) <= most * static_cast<double>(queries_.count)) return;
    for (Candidates& candidates : candidates_) candidates.settle(room_.data());
    own_strips_ =
        std::make_unique<Strips>(queries_.strips_at(finer(precision(), queries_.block.rows.d)));
    strips_ = own_strips_.get();
    panel_ = Panel(queries_.block.rows, frame_, queries_.block.options.metric, precision());
    scanned_ = 0;
    wasted_before_ += wasted;
  }

  /// Canonical distances of all rows: for few queries memory is what takes the time.
  void measure(std::int64_t begin, std::int64_t end) {
    const QueryBlock& block = queries_.block;
    std::array<float, kDirectRows> distances;
    for (std::int64_t row = begin; row < end; row += kDirectRows) {
      const std::int64_t count = std::min<std::int64_t>(kDirectRows, end - row);
      for (std::int64_t q = 0; q < queries_.count; ++q) {
        const auto query = static_cast<std::size_t>(q);
        block.canonical[query].distances(block.rows, row, count, room_.data(), distances.data());
        candidates_[query].add_measured(distances.data(), row, count);
      }
    }
  }

  const Queries& queries_;
  const Frame& frame_;
  const Strips* strips_;
  std::unique_ptr<Strips> own_strips_;  // once they are finer than the block's
  Panel panel_;
  std::int64_t scanned_ = 0, wasted_before_ = 0;
  std::vector<float> room_, products_;
  std::vector<TileHit> hits_;
  std::array<float, kStripQueries> limits_{};
  std::vector<Candidates> candidates_;
};

/// Searches blocks of queries; visit(query, rows) is called once for each, in any order.
class Search {
 public:
  Search(const Rows& rows, const Frame& frame, const FloatRows& queries,
         const SearchOptions& options)
      : rows_(rows),
        frame_(frame),
        queries_(queries),
        options_(options),
        bounds_(options.metric, rows.d, frame),
        precision_(precision_from(Precision::int8, rows.d)) {}

  void limit(float radius) {
    within_ = true;
    const bool product = options_.metric == Metric::inner_product;
    radius_ = product ? -radius : radius;
  }

  template <class Visit>
  void run(const Cpu& device, Visit&& visit) {
    const std::int64_t capacity = std::max(kFewestCandidates, 8 * options_.k);
    const auto bytes = static_cast<std::int64_t>(sizeof(NearRow)) * capacity;
    const std::int64_t most =
        std::clamp(kCandidateBytes / bytes, std::int64_t{kStripQueries}, kMostQueries);
    for (std::int64_t first = 0; first < queries_.n; first += most) {
      const std::int64_t count = std::min(most, queries_.n - first);
      const Queries block = frame(first, count, static_cast<std::size_t>(capacity));
      std::vector<Part> parts = scan(device, block);
      for (const Part& part : parts) precision_ = std::max(precision_, part.precision());
      parallel_for(device, count, 8, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> room(static_cast<std::size_t>(2 * rows_.d));
        for (std::int64_t q = begin; q < end; ++q) {
          Candidates& all = parts[0].candidates(q);
          for (std::size_t p = 1; p < parts.size(); ++p) {
            all.join(std::move(parts[p].candidates(q)));
          }
          visit(first + q, all.finish(room.data()));
        }
      });
    }
  }

 private:
  Queries frame(std::int64_t first, std::int64_t count, std::size_t capacity) const {
    const bool float32 =
        count <= kFewQueries && !multiplied_as_stored(rows_, frame_, Precision::int8);
    const FloatRows some{queries_.row(first), count, queries_.d, queries_.stride};
    return {{rows_, bounds_, options_, {}, {}, first, capacity, within_, radius_},
            some,
            count,
            frame_,
            float32 ? Precision::float32 : precision_};
  }

  /// Every part scans a range of rows; all advance together, so that the poll is never far away.
  std::vector<Part> scan(const Cpu& device, const Queries& queries) {
    const std::int64_t threads = thread_count(device);
    const std::int64_t panels = (rows_.n + kPanelRows - 1) / kPanelRows;
    const std::int64_t count = std::clamp<std::int64_t>(panels, 1, threads);
    const std::int64_t range = (panels + count - 1) / count * kPanelRows;
    const double work = static_cast<double>(queries.count * rows_.d) * kPanelRows;
    const auto step = std::max<std::int64_t>(1, static_cast<std::int64_t>(kStepProducts / work));
    std::vector<Part> parts;
    parts.reserve(static_cast<std::size_t>(count));
    for (std::int64_t p = 0; p < count; ++p) parts.emplace_back(queries, frame_);
    advance_parts(device, 0, rows_.n, range, step * kPanelRows,
                  [&](std::int64_t part, std::int64_t from, std::int64_t to) {
                    parts[static_cast<std::size_t>(part)].scan(from, to);
                  });
    return parts;
  }

  const Rows& rows_;
  const Frame& frame_;
  const FloatRows& queries_;
  const SearchOptions& options_;
  Bounds bounds_;
  Precision precision_;
  bool within_ = false;
  float radius_ = 0.0f;
};

}  // namespace

void find_nearest(const Cpu& device, const Rows& rows, const Frame& frame, const FloatRows& queries,
                  const SearchOptions& options, std::span<float> distances,
                  std::span<std::int64_t> nearest) {
  const bool product = options.metric == Metric::inner_product;
  const float none = std::numeric_limits<float>::infinity();
  const auto k = static_cast<std::size_t>(options.k);
  Search(rows, frame, queries, options)
      .run(device, [&](std::int64_t query, const std::vector<NearRow>& found) {
        const std::size_t first = static_cast<std::size_t>(query) * k;
        for (std::size_t i = 0; i < k; ++i) {
          const NearRow near = i < found.size() ? found[i] : NearRow{none, -1};
          distances[first + i] = product ? -near.distance : near.distance;
          nearest[first + i] = near.row;
        }
      });
}

RowsWithin find_within(const Cpu& device, const Rows& rows, const Frame& frame,
                       const FloatRows& queries, const SearchOptions& options, float radius) {
  const bool product = options.metric == Metric::inner_product;
  std::vector<std::vector<NearRow>> found(static_cast<std::size_t>(queries.n));
  SearchOptions one = options;
  one.k = 1;
  Search search(rows, frame, queries, one);
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
