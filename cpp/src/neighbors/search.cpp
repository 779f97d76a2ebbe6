// Exact search: fast products propose rows within proved bounds, canonical distances decide.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "coverset/error.hpp"
#include "coverset/parallel.hpp"
#include "neighbors/candidates.hpp"
#include "tile_product/product.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kMostQueries = 512;          // of a block
constexpr std::int64_t kCandidateBytes = 16 << 20;  // of a block's candidates, in one part
constexpr std::int64_t kFewestCandidates = 1 << 8;  // that a query holds
constexpr double kStepProducts = 5e8;               // multiplications between two polls
constexpr std::int64_t kDirectQueries = 3;          // so few are measured without a product
constexpr std::int64_t kDirectRows = 128;

/// A panel of framed rows, and what they say of their products.
class Panel {
 public:
  Panel(const Rows& rows, const Frame& frame, Metric metric)
      : rows_(rows),
        frame_(frame),
        metric_(metric),
        depth_(depth_of(rows.d)),
        framed_(static_cast<std::size_t>(kPanelRows * depth_)),
        room_(static_cast<std::size_t>(rows.d)) {}

  /// Coordinates of a framed row, zeros included: whole registers, and no two rows of a panel a
  /// multiple of 1,024 bytes apart, where they would fight for their place in the cache.
  static std::int64_t depth_of(std::int64_t d) {
    const std::int64_t depth = (d + 15) / 16 * 16;
    return depth % 256 == 0 ? depth + 16 : depth;
  }

  void fill(std::int64_t first, std::int64_t count, const Bounds& bounds) {
    float most = 0.0f;
    bool odd = false;
    for (std::int64_t i = 0; i < count; ++i) {
      const float* row = float_row(rows_, first + i, room_.data());
      const float norm = metric_ == Metric::cosine ? inverse_norm(row) : 1.0f;
      float* out = framed_.data() + i * depth_;
      const float half = COVERSET_AT_LEVEL(centre_row)(row, norm, frame_.mean.data(), frame_.scale,
                                                       rows_.d, depth_, out);
      offsets_[static_cast<std::size_t>(i)] = metric_ == Metric::sqeuclidean ? half : 0.0f;
      most = std::max(most, half);
      odd = odd || !(half < std::numeric_limits<float>::infinity());
    }
    std::fill(framed_.begin() + count * depth_, framed_.end(), 0.0f);
    norm_ = odd ? std::numeric_limits<double>::infinity() : bounds.norm(most);
  }

  std::int64_t depth() const { return depth_; }
  const float* framed() const { return framed_.data(); }
  const float* offsets() const { return offsets_.data(); }
  double norm() const { return norm_; }

 private:
  float inverse_norm(const float* row) const {
    const RowSize size = COVERSET_AT_LEVEL(measure_row)(row, rows_.d);
    if (size.squares > 0x1p-100f) return 1.0f / std::sqrt(size.squares);
    double squares = 0.0;
    for (std::int64_t c = 0; c < rows_.d; ++c) squares += static_cast<double>(row[c]) * row[c];
    return static_cast<float>(1.0 / std::sqrt(squares));
  }

  const Rows& rows_;
  const Frame& frame_;
  Metric metric_;
  std::int64_t depth_;
  std::vector<float> framed_, room_;
  std::array<float, kPanelRows> offsets_{};
  double norm_ = 0.0;
};

/// Queries in work together, packed.
struct Packed {
  QueryBlock block;
  std::vector<float> strips;
  std::int64_t count = 0;
};

/// One thread's share of the rows, for one query block.
class Part {
 public:
  Part(const Packed& packed, const Frame& frame)
      : packed_(packed),
        panel_(packed.block.rows, frame, packed.block.options.metric),
        room_(static_cast<std::size_t>(2 * packed.block.rows.d)),
        products_(kPanelRows * kStripQueries),
        hits_(kPanelRows * kStripQueries) {
    for (std::int64_t q = 0; q < packed.count; ++q) {
      candidates_.emplace_back(packed.block, static_cast<std::size_t>(q));
    }
  }

  void scan(std::int64_t begin, std::int64_t end) {
    if (packed_.count <= kDirectQueries) return measure(begin, end);
    for (std::int64_t row = begin; row < end; row += kPanelRows) {
      const std::int64_t count = std::min<std::int64_t>(kPanelRows, end - row);
      panel_.fill(row, count, packed_.block.bounds);
      norm_ = std::max(norm_, panel_.norm());
      for (std::int64_t strip = 0; strip < packed_.count; strip += kStripQueries) {
        multiply(row, count, strip);
      }
    }
  }

  Candidates& candidates(std::int64_t query) {
    return candidates_[static_cast<std::size_t>(query)];
  }
  double norm() const { return norm_; }

 private:
  void multiply(std::int64_t row, std::int64_t count, std::int64_t strip) {
    const std::int64_t queries = std::min<std::int64_t>(kStripQueries, packed_.count - strip);
    COVERSET_AT_LEVEL(product_panel)
    (panel_.framed(), kPanelRows, packed_.strips.data() + strip * panel_.depth(), queries,
     panel_.depth(), products_.data());
    const QueryBlock& block = packed_.block;
    for (std::int64_t j = 0; j < queries; ++j) {
      const auto query = static_cast<std::size_t>(strip + j);
      const double most =
          candidates_[query].threshold() + block.bounds.slack(block.framed[query], panel_.norm());
      thresholds_[static_cast<std::size_t>(j)] =
          static_cast<float>(most + std::abs(most) * 0x1p-20);
    }
    const long passed = COVERSET_AT_LEVEL(filter_panel)(products_.data(), panel_.offsets(), count,
                                                        thresholds_.data(), queries, hits_.data());
    for (long h = 0; h < passed; ++h) {
      const TileHit& hit = hits_[static_cast<std::size_t>(h)];
      candidates_[static_cast<std::size_t>(strip) + hit.query].add(hit.value, row + hit.row, norm_,
                                                                   room_.data());
    }
  }

  /// Canonical distances of all rows: for few queries memory is what takes the time.
  void measure(std::int64_t begin, std::int64_t end) {
    const QueryBlock& block = packed_.block;
    std::array<float, kDirectRows> distances;
    for (std::int64_t row = begin; row < end; row += kDirectRows) {
      const std::int64_t count = std::min<std::int64_t>(kDirectRows, end - row);
      for (std::int64_t q = 0; q < packed_.count; ++q) {
        const auto query = static_cast<std::size_t>(q);
        block.canonical[query].distances(block.rows, row, count, room_.data(), distances.data());
        candidates_[query].add_measured(distances.data(), row, count);
      }
    }
  }

  const Packed& packed_;
  Panel panel_;
  std::vector<float> room_, products_;
  std::vector<TileHit> hits_;
  std::array<float, kStripQueries> thresholds_{};
  std::vector<Candidates> candidates_;
  double norm_ = 0.0;
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
        bounds_(options.metric, rows.d, frame) {}

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
      const Packed packed = pack(first, count, static_cast<std::size_t>(capacity));
      std::vector<Part> parts = scan(device, packed);
      double norm = 0.0;
      for (const Part& part : parts) norm = std::max(norm, part.norm());
      parallel_for(device, count, 8, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> room(static_cast<std::size_t>(2 * rows_.d));
        for (std::int64_t q = begin; q < end; ++q) {
          Candidates& all = parts[0].candidates(q);
          for (std::size_t p = 1; p < parts.size(); ++p) {
            all.join(std::move(parts[p].candidates(q)));
          }
          visit(first + q, all.finish(norm, room.data()));
        }
      });
    }
  }

 private:
  Packed pack(std::int64_t first, std::int64_t count, std::size_t capacity) {
    const std::int64_t depth = Panel::depth_of(rows_.d);
    const auto size = static_cast<std::size_t>(count);
    Packed packed{{rows_, bounds_, options_, {}, {}, first, capacity, within_, radius_}, {}, count};
    std::vector<float> framed(size * static_cast<std::size_t>(depth));
    packed.block.framed.resize(size);
    for (std::int64_t q = 0; q < count; ++q) {
      const float* query = queries_.row(first + q);
      packed.block.framed[static_cast<std::size_t>(q)] =
          bounds_.frame(query, frame_, rows_.d, framed.data() + q * depth);
      packed.block.canonical.emplace_back(options_.metric, query, rows_.d);
    }
    const std::int64_t strips = (count + kStripQueries - 1) / kStripQueries;
    packed.strips.resize(static_cast<std::size_t>(strips * kStripQueries * depth));
    COVERSET_AT_LEVEL(pack_queries)(framed.data(), count, depth, depth, packed.strips.data());
    return packed;
  }

  /// Every part scans a range of rows; all advance together, so that the poll is never far away.
  std::vector<Part> scan(const Cpu& device, const Packed& packed) {
    const std::int64_t threads = device.threads > 0 ? device.threads : available_threads();
    const std::int64_t panels = (rows_.n + kPanelRows - 1) / kPanelRows;
    const std::int64_t count = std::clamp<std::int64_t>(panels, 1, threads);
    const std::int64_t range = (panels + count - 1) / count * kPanelRows;
    const double work = static_cast<double>(packed.count * rows_.d) * kPanelRows;
    const auto step = std::max<std::int64_t>(1, static_cast<std::int64_t>(kStepProducts / work));
    std::vector<Part> parts;
    parts.reserve(static_cast<std::size_t>(count));
    for (std::int64_t p = 0; p < count; ++p) parts.emplace_back(packed, frame_);
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
