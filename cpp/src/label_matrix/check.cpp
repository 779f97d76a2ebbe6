// Checking votes that came from outside.
#include <algorithm>
#include <atomic>
#include <limits>
#include <utility>
#include <vector>

#include "coverset/error.hpp"
#include "coverset/label_matrix.hpp"
#include "coverset/parallel.hpp"
#include "label_matrix/rows.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlockValues = 1 << 18;
constexpr std::int64_t kBlockRows = 1 << 14;

template <class In, class Out>
void narrow_values(const Cpu& device, const char* name, const In* values, std::int64_t n,
                   std::int64_t low, std::int64_t high, Out* out) {
  parallel_for(device, n, kBlockValues, [=](std::int64_t begin, std::int64_t end) {
    bool inside = true;
    for (std::int64_t i = begin; i < end; ++i) {
      const In value = values[i];
      inside = inside && std::cmp_greater_equal(value, low) && std::cmp_less_equal(value, high);
      if (out != nullptr) out[i] = static_cast<Out>(value);
    }
    if (inside) return;
    for (std::int64_t i = begin; i < end; ++i) {
      require(std::cmp_greater_equal(values[i], low) && std::cmp_less_equal(values[i], high), name,
              "[", i, "] must be in ", low, "..", high, ", got ", +values[i]);
    }
    fail(name, " changed while it was read");
  });
}

template <class Out>
void narrow_any(const Cpu& device, const char* name, Integers values, std::int64_t low,
                std::int64_t high, Out* out) {
  const auto as = [&]<class In>(In) {
    narrow_values(device, name, static_cast<const In*>(values.data), values.n, low, high, out);
  };
  switch (values.bytes * (values.is_signed ? 1 : -1)) {
    case 1:
      return as(std::int8_t{});
    case 2:
      return as(std::int16_t{});
    case 4:
      return as(std::int32_t{});
    case 8:
      return as(std::int64_t{});
    case -1:
      return as(std::uint8_t{});
    case -2:
      return as(std::uint16_t{});
    case -4:
      return as(std::uint32_t{});
    case -8:
      return as(std::uint64_t{});
    default:
      fail(name, " must hold integers of 1, 2, 4 or 8 bytes, got ", values.bytes);
  }
}

void check_indptr(const Cpu& device, std::span<const std::int64_t> indptr, std::int64_t entries) {
  const auto n = static_cast<std::int64_t>(indptr.size()) - 1;
  require(n >= 0, "indptr must have one entry more than there are rows, got 0 entries");
  require(indptr[0] == 0, "indptr[0] must be 0, got ", indptr[0]);
  parallel_for(device, n, kBlockValues, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t falls = 0;
    for (auto at = static_cast<std::size_t>(begin); at < static_cast<std::size_t>(end); ++at) {
      falls += indptr[at] > indptr[at + 1];
    }
    for (std::int64_t row = begin; falls > 0 && row < end; ++row) {
      const auto at = static_cast<std::size_t>(row);
      require(indptr[at] <= indptr[at + 1], "indptr must not fall: indptr[", row,
              "] = ", indptr[at], ", indptr[", row + 1, "] = ", indptr[at + 1]);
    }
  });
  const std::int64_t last = indptr[static_cast<std::size_t>(n)];
  require(last == entries, "indptr[", n, "] must be the number of votes, ", entries, ", got ",
          last);
}

/// Whether all n values lie in 0..limit-1. Straight loops: the compiler uses whole registers.
template <class T>
bool in_range(const T* values, std::size_t n, std::int64_t limit) {
  T low = 0, high = 0;
  for (std::size_t i = 0; i < n; ++i) {
    low = std::min(low, values[i]);
    high = std::max(high, values[i]);
  }
  return n == 0 || (low >= 0 && high < limit);
}

[[noreturn]] void fail_out_of_range(const Votes& votes, std::int64_t begin, std::int64_t end,
                                    std::int64_t n_lfs, std::int32_t cardinality) {
  for (std::int64_t row = begin; row < end; ++row) {
    const RowRange at = row_range(votes.indptr, row);
    for (std::size_t e = at.begin; e < at.end; ++e) {
      const std::int32_t lf = votes.columns[e];
      const std::int16_t label = votes.values[e];
      require(0 <= lf && lf < n_lfs, "lfs[", e, "] (row ", row, ") must be in 0..", n_lfs - 1,
              ", got ", lf);
      require(0 <= label && label < cardinality, "labels[", e, "] (row ", row, ") must be in 0..",
              cardinality - 1, ", got ", label);
    }
  }
  fail("votes changed while they were read");
}

/// Whether LF ids ascend within each of the rows: every vote whose id does not exceed the one
/// before it must be the first of its row. Counted flat, not row by row.
bool rows_ascend(const Votes& votes, std::int64_t begin, std::int64_t end) {
  const auto first = static_cast<std::size_t>(votes.indptr[static_cast<std::size_t>(begin)]);
  const auto last = static_cast<std::size_t>(votes.indptr[static_cast<std::size_t>(end)]);
  const std::int32_t* lfs = votes.columns.data();
  std::int64_t falls = 0;
  for (std::size_t e = first + 1; e < last; ++e) falls += lfs[e] <= lfs[e - 1];
  std::int64_t at_starts = 0;
  for (std::int64_t row = begin + 1; row < end; ++row) {
    const RowRange at = row_range(votes.indptr, row);
    if (at.begin == at.end || at.begin == first) continue;
    at_starts += lfs[at.begin] <= lfs[at.begin - 1];
  }
  return falls == at_starts;
}

/// Fails if an LF stands twice in the row.
void check_unsorted_row(const Votes& votes, std::int64_t row) {
  const RowRange at = row_range(votes.indptr, row);
  std::vector<std::int32_t> sorted(votes.columns.begin() + static_cast<std::ptrdiff_t>(at.begin),
                                   votes.columns.begin() + static_cast<std::ptrdiff_t>(at.end));
  std::ranges::sort(sorted);
  const auto twice = std::ranges::adjacent_find(sorted);
  require(twice == sorted.end(), "row ", row, " holds LF ", twice == sorted.end() ? 0 : *twice,
          " twice");
}

}  // namespace

void narrow(const Cpu& device, const char* name, Integers values, std::int64_t low,
            std::int64_t high, std::int64_t* out) {
  narrow_any(device, name, values, low, high, out);
}
void narrow(const Cpu& device, const char* name, Integers values, std::int64_t low,
            std::int64_t high, std::int32_t* out) {
  narrow_any(device, name, values, low, high, out);
}
void narrow(const Cpu& device, const char* name, Integers values, std::int64_t low,
            std::int64_t high, std::int16_t* out) {
  narrow_any(device, name, values, low, high, out);
}

bool check_votes(const Cpu& device, const Votes& votes, std::int64_t n_lfs,
                 std::int32_t cardinality) {
  require(votes.columns.size() == votes.values.size(), "lfs and labels must be of one length, got ",
          votes.columns.size(), " and ", votes.values.size());
  check_indptr(device, votes.indptr, votes.entries());
  std::atomic<bool> sorted{true};
  parallel_for(device, votes.rows(), kBlockRows, [&](std::int64_t begin, std::int64_t end) {
    const auto first = static_cast<std::size_t>(votes.indptr[static_cast<std::size_t>(begin)]);
    const auto last = static_cast<std::size_t>(votes.indptr[static_cast<std::size_t>(end)]);
    if (!in_range(votes.columns.data() + first, last - first, n_lfs) ||
        !in_range(votes.values.data() + first, last - first, cardinality)) {
      fail_out_of_range(votes, begin, end, n_lfs, cardinality);
    }
    if (rows_ascend(votes, begin, end)) return;
    for (std::int64_t row = begin; row < end; ++row) check_unsorted_row(votes, row);
    sorted = false;
  });
  return sorted;
}

}  // namespace coverset
