// Taking rows and LFs out of a label matrix, and putting matrices side by side.
#include <algorithm>

#include "coverset/label_matrix.hpp"
#include "coverset/parallel.hpp"
#include "label_matrix/rows.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlockRows = 1 << 12;

/// Turns the counts in indptr[1..] into ends.
void accumulate(std::span<std::int64_t> indptr) {
  indptr[0] = 0;
  for (std::size_t row = 1; row < indptr.size(); ++row) indptr[row] += indptr[row - 1];
}

}  // namespace

void sort_rows(const Cpu& device, std::span<const std::int64_t> indptr, std::span<std::int32_t> lfs,
               std::span<std::int16_t> labels) {
  const auto n = static_cast<std::int64_t>(indptr.size()) - 1;
  parallel_for(device, n, kBlockRows, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::pair<std::int32_t, std::int16_t>> scratch;
    for (std::int64_t row = begin; row < end; ++row) {
      const RowRange at = row_range(indptr, row);
      sort_row(lfs.data() + at.begin, labels.data() + at.begin, at.end - at.begin, scratch);
    }
  });
}

void size_rows(const Cpu& device, const Votes& votes, std::span<const std::int64_t> rows,
               std::span<std::int64_t> indptr) {
  const auto n = static_cast<std::int64_t>(rows.size());
  parallel_for(device, n, kBlockRows, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const RowRange at = row_range(votes.indptr, rows[i]);
      indptr[i + 1] = static_cast<std::int64_t>(at.end - at.begin);
    }
  });
  accumulate(indptr);
}

void fill_rows(const Cpu& device, const Votes& votes, std::span<const std::int64_t> rows,
               std::span<const std::int64_t> indptr, std::span<std::int32_t> lfs,
               std::span<std::int16_t> labels) {
  const auto n = static_cast<std::int64_t>(rows.size());
  parallel_for(device, n, kBlockRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const RowRange from = row_range(votes.indptr, rows[static_cast<std::size_t>(i)]);
      const std::int64_t to = indptr[static_cast<std::size_t>(i)];
      std::copy(votes.columns.data() + from.begin, votes.columns.data() + from.end,
                lfs.data() + to);
      std::copy(votes.values.data() + from.begin, votes.values.data() + from.end,
                labels.data() + to);
    }
  });
}

void size_lfs(const Cpu& device, const Votes& votes, std::span<const std::int32_t> new_id,
              std::span<std::int64_t> indptr) {
  parallel_for(device, votes.rows(), kBlockRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const RowRange at = row_range(votes.indptr, row);
      std::int64_t kept = 0;
      for (std::size_t e = at.begin; e < at.end; ++e) {
        kept += new_id[static_cast<std::size_t>(votes.columns[e])] >= 0;
      }
      indptr[static_cast<std::size_t>(row) + 1] = kept;
    }
  });
  accumulate(indptr);
}

void fill_lfs(const Cpu& device, const Votes& votes, std::span<const std::int32_t> new_id,
              std::span<const std::int64_t> indptr, std::span<std::int32_t> lfs,
              std::span<std::int16_t> labels) {
  parallel_for(device, votes.rows(), kBlockRows, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::pair<std::int32_t, std::int16_t>> scratch;
    for (std::int64_t row = begin; row < end; ++row) {
      const RowRange from = row_range(votes.indptr, row);
      const RowRange to = row_range(indptr, row);
      std::size_t next = to.begin;
      for (std::size_t e = from.begin; e < from.end; ++e) {
        const std::int32_t id = new_id[static_cast<std::size_t>(votes.columns[e])];
        if (id < 0) continue;
        lfs[next] = id;
        labels[next++] = votes.values[e];
      }
      sort_row(lfs.data() + to.begin, labels.data() + to.begin, to.end - to.begin, scratch);
    }
  });
}

void size_label(const Cpu& device, const Votes& votes, std::int16_t label,
                std::span<std::int64_t> indptr) {
  parallel_for(device, votes.rows(), kBlockRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const RowRange at = row_range(votes.indptr, row);
      indptr[static_cast<std::size_t>(row) + 1] =
          std::count(votes.values.data() + at.begin, votes.values.data() + at.end, label);
    }
  });
  accumulate(indptr);
}

void fill_label(const Cpu& device, const Votes& votes, std::int16_t label,
                std::span<const std::int64_t> indptr, std::span<std::int32_t> lfs) {
  parallel_for(device, votes.rows(), kBlockRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const RowRange from = row_range(votes.indptr, row);
      std::size_t next = row_range(indptr, row).begin;
      for (std::size_t e = from.begin; e < from.end; ++e) {
        if (votes.values[e] == label) lfs[next++] = votes.columns[e];
      }
    }
  });
}

void append_lfs(const Cpu& device, const Votes& block, std::int32_t first_lf,
                std::span<const std::int64_t> indptr, std::span<std::int64_t> filled,
                std::span<std::int32_t> lfs, std::span<std::int16_t> labels) {
  parallel_for(device, block.rows(), kBlockRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const auto r = static_cast<std::size_t>(row);
      const RowRange from = row_range(block.indptr, row);
      auto to = static_cast<std::size_t>(indptr[r] + filled[r]);
      for (std::size_t e = from.begin; e < from.end; ++e, ++to) {
        lfs[to] = block.columns[e] + first_lf;
        labels[to] = block.values[e];
      }
      filled[r] += static_cast<std::int64_t>(from.end - from.begin);
    }
  });
}

}  // namespace coverset
