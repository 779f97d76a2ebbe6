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

constexpr std::size_t kTablePairs = 1 << 16;
constexpr std::int64_t kBlockRows = 1 << 13;
constexpr std::int64_t kStretch = 64 * kBlockRows;
constexpr std::int64_t kAhead = 16;   // rows between a slot's prefetch and its use
constexpr std::int64_t kTables = 64;  // at most
constexpr int kTableBit = 58;         // hashes part into tables by what is above

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
  template <class Equal>
  std::int64_t find_or_add(std::uint64_t hash, std::int64_t row, const Equal& equal) {
    if (2 * first_row_.size() >= slots_.size()) grow();
    const std::uint64_t tag = hash & kTag;
    std::size_t at = hash & (slots_.size() - 1);
    for (; slots_[at] != 0; at = (at + 1) & (slots_.size() - 1)) {
      const std::uint64_t found = (slots_[at] & ~kTag) - 1;
      if ((slots_[at] & kTag) == tag && equal(first_row_[found])) {
        return static_cast<std::int64_t>(found);
      }
    }
    first_row_.push_back(row);
    hash_.push_back(hash);
    slots_[at] = tag | first_row_.size();
    return static_cast<std::int64_t>(first_row_.size()) - 1;
  }

  void prefetch(std::uint64_t hash) const {
    __builtin_prefetch(slots_.data() + (hash & (slots_.size() - 1)));
  }

  /// The first row of each pattern, ascending.
  const std::vector<std::int64_t>& first_row() const { return first_row_; }

 private:
  static constexpr std::uint64_t kTag = ~std::uint64_t{0} << 40;

  void grow() {
    std::vector<std::uint64_t> larger(4 * slots_.size());
    for (std::size_t pattern = 0; pattern < hash_.size(); ++pattern) {
      std::size_t at = hash_[pattern] & (larger.size() - 1);
      while (larger[at] != 0) at = (at + 1) & (larger.size() - 1);
      larger[at] = (hash_[pattern] & kTag) | (pattern + 1);
    }
    slots_.swap(larger);
  }

  std::vector<std::int64_t> first_row_;
  std::vector<std::uint64_t> hash_;  // of each pattern
  // high bits of a hash, and the pattern's number plus 1; 0: free
  std::vector<std::uint64_t> slots_ = std::vector<std::uint64_t>(1024);
};

/// Numbers the patterns of all tables by their first rows. pattern_of_row: kTables times a row's
/// pattern in its table, plus the table, becomes the row's pattern.
std::int64_t number_patterns(const Cpu& device, const std::vector<PatternTable>& tables,
                             std::span<std::int64_t> pattern_of_row,
                             std::span<std::int64_t> first_row) {
  std::vector<std::vector<std::int64_t>> number(tables.size());
  for (std::size_t t = 0; t < tables.size(); ++t) number[t].reserve(tables[t].first_row().size());
  std::int64_t count = 0;
  for (;;) {  // the table with the lowest first row that is left has the next pattern
    std::size_t next = tables.size();
    std::int64_t row = std::numeric_limits<std::int64_t>::max();
    for (std::size_t t = 0; t < tables.size(); ++t) {
      const auto& rows = tables[t].first_row();
      if (number[t].size() < rows.size() && rows[number[t].size()] < row) {
        next = t;
        row = rows[number[t].size()];
      }
    }
    if (next == tables.size()) break;
    number[next].push_back(count);
    first_row[static_cast<std::size_t>(count++)] = row;
  }
  const auto n = static_cast<std::int64_t>(pattern_of_row.size());
  parallel_for(device, n, kBlockRows, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const auto found = static_cast<std::size_t>(pattern_of_row[i]);
      pattern_of_row[i] = number[found % kTables][found / kTables];
    }
  });
  return count;
}

}  // namespace

std::int64_t group_rows(const Cpu& device, const Votes& votes, std::span<const std::int16_t> gold,
                        std::span<std::int64_t> pattern_of_row, std::span<std::int64_t> first_row) {
  const auto gold_of = [&](std::int64_t row) {
    return gold.empty() ? std::int16_t{-1} : gold[static_cast<std::size_t>(row)];
  };
  // equal rows meet in one table, whose rows come in order: how many tables does not show
  const std::int64_t threads = thread_count(device);
  const auto parts = static_cast<std::int64_t>(
      std::bit_ceil(static_cast<std::uint64_t>(std::clamp<std::int64_t>(threads, 1, kTables))));
  const auto part_of = [&](std::uint64_t hash) {
    return static_cast<std::int64_t>(hash >> kTableBit) & (parts - 1);
  };
  std::vector<PatternTable> tables(static_cast<std::size_t>(parts));
  std::vector<std::uint64_t> hashes(
      static_cast<std::size_t>(std::min<std::int64_t>(votes.rows(), kStretch)));
  for (std::int64_t start = 0; start < votes.rows(); start += kStretch) {
    const std::int64_t stretch = std::min(votes.rows() - start, kStretch);
    parallel_for(device, stretch, kBlockRows, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        hashes[static_cast<std::size_t>(i)] = hash_row(votes, start + i, gold_of(start + i));
      }
    });
    parallel_for(device, parts, 1, [&](std::int64_t part, std::int64_t) {
      PatternTable& table = tables[static_cast<std::size_t>(part)];
      for (std::int64_t i = 0; i < stretch; ++i) {
        if (i + kAhead < stretch) table.prefetch(hashes[static_cast<std::size_t>(i + kAhead)]);
        const std::uint64_t hash = hashes[static_cast<std::size_t>(i)];
        if (part_of(hash) != part) continue;
        const std::int64_t row = start + i;
        const std::int64_t found = table.find_or_add(hash, row, [&](std::int64_t other) {
          return gold_of(other) == gold_of(row) && equal_rows(votes, other, row);
        });
        pattern_of_row[static_cast<std::size_t>(row)] = found * kTables + part;
      }
    });
  }
  return number_patterns(device, tables, pattern_of_row, first_row);
}

void find_columns(const Cpu& device, const Votes& votes, const VoteColumns& columns,
                  std::span<std::int32_t> column_of_vote) {
  // few pairs of LF and label: all have a place in a table
  std::size_t labels = 0;
  for (const std::int16_t label : columns.label) {
    labels = std::max(labels, static_cast<std::size_t>(label) + 1);
  }
  const auto lfs = static_cast<std::size_t>(columns.n_lfs());
  std::vector<std::int32_t> table(lfs * labels <= kTablePairs ? lfs * labels : 0, -1);
  for (std::size_t lf = 0; !table.empty() && lf < lfs; ++lf) {
    for (std::int64_t c = columns.indptr[lf]; c < columns.indptr[lf + 1]; ++c) {
      const auto label = static_cast<std::size_t>(columns.label[static_cast<std::size_t>(c)]);
      table[lf * labels + label] = static_cast<std::int32_t>(c);
    }
  }
  const auto find = [&](std::size_t lf, std::int16_t label) {
    const auto first = columns.label.begin() + columns.indptr[lf];
    const auto last = columns.label.begin() + columns.indptr[lf + 1];
    const auto found = std::lower_bound(first, last, label);
    const bool known = found != last && *found == label;
    return known ? static_cast<std::int32_t>(found - columns.label.begin()) : std::int32_t{-1};
  };
  parallel_for(device, votes.entries(), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
    for (auto at = static_cast<std::size_t>(begin); at < static_cast<std::size_t>(end); ++at) {
      const auto lf = static_cast<std::size_t>(votes.columns[at]);
      const std::int16_t label = votes.values[at];
      const auto place = static_cast<std::size_t>(label);
      if (table.empty()) {
        column_of_vote[at] = find(lf, label);
      } else {
        column_of_vote[at] = place < labels ? table[lf * labels + place] : -1;
      }
    }
  });
}

}  // namespace coverset
