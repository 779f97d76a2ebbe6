// Equal rows become one pattern with a count, so that n leaves the training loop.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "coverset/error.hpp"
#include "coverset/label_model.hpp"
#include "coverset/parallel.hpp"
#include "coverset/random.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlockRows = 1 << 13;

std::uint64_t hash_row(const Votes& votes, std::int64_t row, std::int16_t gold) {
  auto hash = random_bits(0, static_cast<std::uint16_t>(gold));
  const auto last = static_cast<std::size_t>(votes.indptr[static_cast<std::size_t>(row) + 1]);
  for (auto at = static_cast<std::size_t>(votes.indptr[static_cast<std::size_t>(row)]); at < last;
       ++at) {
    const auto vote = static_cast<std::uint64_t>(votes.columns[at]) << 16 |
                      static_cast<std::uint16_t>(votes.values[at]);
    hash = (hash ^ vote) * 0x9fb21c651e98df25ULL;
    hash ^= hash >> 32;
  }
  return hash;
}

bool equal_rows(const Votes& votes, std::int64_t a, std::int64_t b) {
  const auto slice = [&](const auto& values, std::int64_t row) {
    const std::int64_t first = votes.indptr[static_cast<std::size_t>(row)];
    const std::int64_t last = votes.indptr[static_cast<std::size_t>(row) + 1];
    return values.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
  };
  return std::ranges::equal(slice(votes.columns, a), slice(votes.columns, b)) &&
         std::ranges::equal(slice(votes.values, a), slice(votes.values, b));
}

/// Open addressing from a row's hash to its pattern; grows with the patterns, not the rows.
class PatternTable {
 public:
  explicit PatternTable(std::span<std::int64_t> first_row) : first_row_(first_row), slots_(1024) {}

  template <class Equal>
  std::int64_t find_or_add(std::uint64_t hash, std::int64_t row, const Equal& equal) {
    if (2 * static_cast<std::size_t>(patterns_) >= slots_.size()) grow();
    std::size_t at = hash & (slots_.size() - 1);
    for (; slots_[at].pattern >= 0; at = (at + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[at];
      if (slot.hash == hash && equal(first_row_[static_cast<std::size_t>(slot.pattern)])) {
        return slot.pattern;
      }
    }
    slots_[at] = {hash, patterns_};
    first_row_[static_cast<std::size_t>(patterns_)] = row;
    return patterns_++;
  }

  std::int64_t size() const { return patterns_; }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::int64_t pattern = -1;
  };

  void grow() {
    std::vector<Slot> larger(2 * slots_.size());
    for (const Slot& slot : slots_) {
      if (slot.pattern < 0) continue;
      std::size_t at = slot.hash & (larger.size() - 1);
      while (larger[at].pattern >= 0) at = (at + 1) & (larger.size() - 1);
      larger[at] = slot;
    }
    slots_.swap(larger);
  }

  std::span<std::int64_t> first_row_;
  std::vector<Slot> slots_;
  std::int64_t patterns_ = 0;
};

}  // namespace

std::int64_t group_rows(const Cpu& device, const Votes& votes, std::span<const std::int16_t> gold,
                        std::span<std::int64_t> pattern_of_row, std::span<std::int64_t> first_row) {
  const auto gold_of = [&](std::int64_t row) {
    return gold.empty() ? std::int16_t{-1} : gold[static_cast<std::size_t>(row)];
  };
  PatternTable table(first_row);
  std::vector<std::uint64_t> hashes(
      static_cast<std::size_t>(std::min<std::int64_t>(votes.rows(), 64 * kBlockRows)));
  // hash a stretch of rows on all threads, then number them in order
  for (std::int64_t start = 0; start < votes.rows(); start += 64 * kBlockRows) {
    const std::int64_t stretch = std::min(votes.rows() - start, 64 * kBlockRows);
    parallel_for(device, stretch, kBlockRows, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        hashes[static_cast<std::size_t>(i)] = hash_row(votes, start + i, gold_of(start + i));
      }
    });
    for (std::int64_t i = 0; i < stretch; ++i) {
      const std::int64_t row = start + i;
      pattern_of_row[static_cast<std::size_t>(row)] =
          table.find_or_add(hashes[static_cast<std::size_t>(i)], row, [&](std::int64_t other) {
            return gold_of(other) == gold_of(row) && equal_rows(votes, other, row);
          });
    }
  }
  return table.size();
}

void find_columns(const Cpu& device, const Votes& votes, const VoteColumns& columns,
                  std::span<std::int32_t> column_of_vote) {
  parallel_for(device, votes.entries(), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
    for (auto at = static_cast<std::size_t>(begin); at < static_cast<std::size_t>(end); ++at) {
      const auto lf = static_cast<std::size_t>(votes.columns[at]);
      const auto first = columns.label.begin() + columns.indptr[lf];
      const auto last = columns.label.begin() + columns.indptr[lf + 1];
      const auto found = std::lower_bound(first, last, votes.values[at]);
      const bool known = found != last && *found == votes.values[at];
      column_of_vote[at] =
          known ? static_cast<std::int32_t>(found - columns.label.begin()) : std::int32_t{-1};
    }
  });
}

}  // namespace coverset
