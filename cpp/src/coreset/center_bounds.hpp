// How far every row is from its nearest center, as far as that is known: a stale distance is an
// upper bound, since distances only shrink.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "coverset/parallel.hpp"

namespace coverset {

/// A row and its bound. Sorted by descending bound, then by ascending row: the order rows are taken
/// in.
struct BoundedRow {
  float bound;
  std::int64_t row;

  friend bool operator<(const BoundedRow& a, const BoundedRow& b) {
    return a.bound > b.bound || (a.bound == b.bound && a.row < b.row);
  }
};

/// Rows of large bounds, and the one that follows them.
struct Front {
  std::vector<std::int64_t> rows;  // ascending
  BoundedRow next;                 // no other row comes before it
};

class CenterBounds {
 public:
  CenterBounds(std::int64_t n, std::span<const float> weights)
      : squares_(static_cast<std::size_t>(n), std::numeric_limits<float>::infinity()),
        seen_(static_cast<std::size_t>(n), 0),
        weights_(weights),
        counts_(kBins, 0),
        block_bins_(static_cast<std::size_t>((n + kBlock - 1) / kBlock), kBins - 1) {}

  /// Squared distance to the nearest of the first seen(row) centers; negative: the row is taken.
  float square(std::int64_t row) const { return squares_[static_cast<std::size_t>(row)]; }
  std::int64_t seen(std::int64_t row) const { return seen_[static_cast<std::size_t>(row)]; }

  float bound_of(std::int64_t row, float square) const {
    if (weights_.empty() || square < 0.0f) return square;
    const float weight = weights_[static_cast<std::size_t>(row)];
    const float scale = weight * weight;
    return scale > 0.0f ? scale * square : 0.0f;  // the square may be infinite
  }
  float bound(std::int64_t row) const { return bound_of(row, square(row)); }

  /// Safe for different rows at once; count() must follow.
  void set(std::int64_t row, float square, std::int64_t seen) {
    squares_[static_cast<std::size_t>(row)] = square;
    seen_[static_cast<std::size_t>(row)] = static_cast<std::int32_t>(seen);
  }

  /// Where that is less than what is known.
  void lower(std::int64_t row, float square) {
    float& known = squares_[static_cast<std::size_t>(row)];
    known = square < known ? square : known;
  }
  void take(std::int64_t row) { set(row, -1.0f, 0); }

  /// All rows have counted so many centers.
  void see_all(std::int64_t centers) {
    std::ranges::fill(seen_, static_cast<std::int32_t>(centers));
  }

  /// A row's bound was `before`.
  void count(std::int64_t row, float before) {
    if (before >= 0.0f) --counts_[bin(before)];
    const float now = bound(row);
    if (now >= 0.0f) ++counts_[bin(now)];
  }
  void count_all() {
    std::ranges::fill(counts_, 0);
    for (std::int64_t row = 0; row < rows(); ++row) {
      if (square(row) >= 0.0f) ++counts_[bin(bound(row))];
    }
    top_ = kBins - 1;
  }

  std::int64_t rows() const { return static_cast<std::int64_t>(squares_.size()); }

  /// About the first `wanted` rows by bounds as they are known, all of them if there are fewer.
  Front front(const Cpu& device, std::int64_t wanted) {
    while (top_ > 0 && counts_[top_] == 0) --top_;
    std::size_t from = top_;
    std::int64_t found = counts_[from];
    while (found < wanted && from > 0) found += counts_[--from];
    if (found > std::max(8 * wanted, kFewRows)) return first_rows(wanted);
    std::vector<std::vector<BoundedRow>> parts(block_bins_.size());
    const float least = lowest(from);
    parallel_for(device, rows(), kBlock, [&](std::int64_t begin, std::int64_t end) {
      const auto block = static_cast<std::size_t>(begin / kBlock);
      if (block_bins_[block] < from) return;
      float most = 0.0f;
      for (std::int64_t row = begin; row < end; ++row) {
        const float now = bound(row);
        most = std::max(most, now);
        if (now >= least) parts[block].push_back({now, row});
      }
      block_bins_[block] = static_cast<std::uint32_t>(bin(most));
    });
    std::vector<BoundedRow> all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    Front front{{}, {least, rows()}};  // rows that are left out have smaller bounds
    if (static_cast<std::int64_t>(all.size()) > 2 * wanted) {
      const auto end = all.begin() + static_cast<std::ptrdiff_t>(wanted);
      std::nth_element(all.begin(), end, all.end());
      front.next = *end;
      all.resize(static_cast<std::size_t>(wanted));
    }
    for (const BoundedRow& one : all) front.rows.push_back(one.row);
    std::sort(front.rows.begin(), front.rows.end());
    return front;
  }

  /// The row that `skipped` come before; bound -1 if no more are left.
  BoundedRow after(std::int64_t skipped) const {
    const auto [least, ties] = threshold_of(skipped + 1);
    if (least < 0.0f) return {-1.0f, rows()};
    std::int64_t row = -1;
    for (std::int64_t left = ties; left > 0; left -= bound(row) == least) ++row;
    return {least, row};
  }

 private:
  static constexpr int kShift = 14;  // of a bound's bits: 1/512 apart
  static constexpr std::size_t kBins = (0x7f800000u >> kShift) + 1;
  static constexpr std::int64_t kBlock = 1 << 14;
  static constexpr std::int64_t kFewRows = 1 << 17;  // that may be put in order

  static std::size_t bin(float bound) { return std::bit_cast<std::uint32_t>(bound) >> kShift; }
  static float lowest(std::size_t bin) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bin) << kShift);
  }

  /// The wanted-th largest bound, and how many rows with just that bound belong to the first
  /// `wanted`.
  struct Threshold {
    float bound;
    std::int64_t ties;
  };
  Threshold threshold_of(std::int64_t wanted) const {
    std::uint32_t leading = 0;
    for (const int shift : {16, 0}) {  // the leading bits, then the others
      std::vector<std::int64_t> counts(std::size_t{1} << 16, 0);
      for (std::int64_t row = 0; row < rows(); ++row) {
        const float now = bound(row);
        const auto bits = std::bit_cast<std::uint32_t>(now);
        if (now >= 0.0f && (shift == 16 || bits >> 16 == leading))
          ++counts[(bits >> shift) & 0xffff];
      }
      std::size_t at = counts.size() - 1;
      for (; counts[at] < wanted; --at) {
        wanted -= counts[at];
        if (at == 0) return {-1.0f, 0};
      }
      leading = (shift == 16 ? 0 : leading << 16) | static_cast<std::uint32_t>(at);
    }
    return {std::bit_cast<float>(leading), wanted};
  }

  /// The same where that many rows have bounds close to each other.
  Front first_rows(std::int64_t wanted) const {
    auto [least, ties] = threshold_of(wanted);
    Front front{{}, {least, rows()}};
    for (std::int64_t row = 0; row < rows(); ++row) {
      const float now = bound(row);
      if (now < least) continue;
      if (now > least || ties-- > 0) {
        front.rows.push_back(row);
      } else {
        front.next.row = std::min(front.next.row, row);
      }
    }
    return front;
  }

  std::vector<float> squares_;
  std::vector<std::int32_t> seen_;
  std::span<const float> weights_;
  std::vector<std::int64_t> counts_;       // rows by the leading bits of their bound
  std::vector<std::uint32_t> block_bins_;  // at least the bin of any row of a block
  std::size_t top_ = kBins - 1;
};

}  // namespace coverset
