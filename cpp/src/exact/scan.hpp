// One thread's scan of rows for a block of queries: panels are multiplied with packed queries, and
// what a limit lets pass becomes a candidate. Searches and graphs are made of this.
#pragma once

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "exact/candidates.hpp"
#include "exact/panel.hpp"

namespace coverset {

inline constexpr double kStepProducts = 5e8;  // multiplications between two polls
inline constexpr double kMostWasted = 0.02;   // of rows, measured in vain: beyond, more bits pay

/// Queries of a block that are multiplied together: all of them, or those of a list.
class PackedQueries {
 public:
  PackedQueries(const QueryBlock& block, Precision precision)
      : count_(block.count()), strips_(precision, block.numbers, count_, block.rows.d) {}

  PackedQueries(const QueryBlock& block, std::span<const std::int64_t> some, Precision precision)
      : count_(std::ssize(some)),
        list_(some.begin(), some.end()),
        strips_(precision, gathered(block), count_, block.rows.d) {}

  std::int64_t count() const { return count_; }
  /// The number in its block of the query in a place.
  std::size_t query(std::int64_t place) const {
    return static_cast<std::size_t>(list_.empty() ? place : list_[static_cast<std::size_t>(place)]);
  }
  const Strips& strips() const { return strips_; }
  double lost(std::int64_t place) const { return strips_.lost(static_cast<std::size_t>(place)); }

 private:
  std::vector<float> gathered(const QueryBlock& block) const {
    const std::int64_t d = block.rows.d;
    std::vector<float> numbers;
    for (const std::int64_t query : list_) {
      const float* from = block.numbers.data() + query * d;
      numbers.insert(numbers.end(), from, from + d);
    }
    return numbers;
  }

  std::int64_t count_;
  std::vector<std::int64_t> list_;
  Strips strips_;
};

class CandidateScan {
 public:
  CandidateScan(const QueryBlock& block, const Normalization& normalization, Metric metric,
                Precision precision)
      : block_(block),
        panel_(block.rows, normalization, metric, precision),
        room_(static_cast<std::size_t>(2 * block.rows.d)) {
    for (std::int64_t q = 0; q < block.count(); ++q) {
      candidates_.emplace_back(block, static_cast<std::size_t>(q));
    }
  }

  const QueryBlock& block() const { return block_; }
  Panel& panel() { return panel_; }
  float* room() { return room_.data(); }  // 2 d numbers
  Candidates& candidates(std::size_t query) { return candidates_[query]; }

  /// Finds candidates among these rows for these queries, of the panel's precision.
  void scan(const ScannedRows& rows, const PackedQueries& queries) {
    for (std::int64_t at = 0; at < rows.count; at += kPanelRows) {
      const ScannedRows some = rows.part(at, std::min<std::int64_t>(kPanelRows, rows.count - at));
      panel_.take(some, block_.bounds);
      for (std::int64_t strip = 0; strip < queries.count(); strip += kStripQueries) {
        multiply(queries, strip);
        for (const TileHit& hit : panel_.below(limits_.data())) {
          add(some, queries, strip, hit);
        }
      }
    }
  }

  /// Multiplies the panel with a strip of queries. Returns how many those are.
  std::int64_t multiply(const PackedQueries& queries, std::int64_t strip) {
    const std::int64_t count = std::min<std::int64_t>(kStripQueries, queries.count() - strip);
    panel_.multiply(queries.strips(), strip, count);
    for (std::int64_t j = 0; j < count; ++j) {
      const std::size_t query = queries.query(strip + j);
      const double error_bound = block_.bounds.error_bound(block_.normalized[query], panel_.norm(),
                                                           panel_.lost(), queries.lost(strip + j));
      limits_[static_cast<std::size_t>(j)] = candidates_[query].limit_at(error_bound);
    }
    return count;
  }

  /// Scores above are out: of each query of the strip.
  const float* limits() const { return limits_.data(); }

  /// A product that passed.
  void add(const ScannedRows& panel, const PackedQueries& queries, std::int64_t strip,
           const TileHit& hit) {
    const float score = panel_.offsets()[hit.row] - hit.product;
    candidates_[queries.query(strip + hit.query)].add(score, panel.row(hit.row), room_.data());
  }

  /// Rows that were measured in vain.
  std::int64_t wasted() const {
    std::int64_t all = 0;
    for (const Candidates& candidates : candidates_) all += candidates.wasted();
    return all;
  }

  /// Goes on at another precision.
  void change_precision(Precision precision) {
    for (Candidates& candidates : candidates_) candidates.settle(room_.data());
    panel_ = panel_.at(precision);
  }

 private:
  const QueryBlock& block_;
  Panel panel_;
  std::vector<float> room_;
  std::array<float, kStripQueries> limits_{};
  std::vector<Candidates> candidates_;
};

/// Joins what several scans found for a query, and returns it nearest first.
template <class Scans>
const std::vector<NearRow>& finish(Scans& scans, std::size_t query, float* room) {
  Candidates& all = scans[0].candidates(query);
  for (std::size_t s = 1; s < scans.size(); ++s) all.join(std::move(scans[s].candidates(query)));
  return all.finish(room);
}

}  // namespace coverset
