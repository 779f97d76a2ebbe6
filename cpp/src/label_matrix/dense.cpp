#include "label_matrix/dense.hpp"

#include <algorithm>

#include "coverset/error.hpp"
#include "coverset/label_matrix.hpp"
#include "coverset/parallel.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlockBytes = 1 << 18;

/// Rows in a block: about 256 KiB of the matrix, so that the poll is never far away.
std::int64_t block_rows(const DenseView& dense) {
  return std::clamp<std::int64_t>(
      kBlockBytes / std::max<std::int64_t>(1, dense.columns * dense.bytes), 1, 1 << 16);
}

const char* row_of(const DenseView& dense, std::int64_t row) {
  return static_cast<const char*>(dense.data) + row * dense.row_stride;
}

DenseRows dense_rows(const DenseView& dense) {
  const std::int64_t slack =
      dense.row_stride > 0 ? (kSlackBytes + dense.row_stride - 1) / dense.row_stride : dense.rows;
  return {static_cast<const char*>(dense.data), dense.row_stride, dense.columns, dense.bytes,
          dense.rows - slack};
}

/// The largest label + 1 of rows begin..end-1, in one stretch where they lie side by side.
unsigned long long largest_of_rows(const DenseView& dense, std::int64_t begin, std::int64_t end) {
  const auto largest = COVERSET_AT_LEVEL(largest_above);
  if (dense.row_stride == dense.columns * dense.bytes) {
    return largest(row_of(dense, begin), (end - begin) * dense.columns, dense.bytes);
  }
  unsigned long long above = 0;
  for (std::int64_t row = begin; row < end; ++row) {
    above = std::max(above, largest(row_of(dense, row), dense.columns, dense.bytes));
  }
  return above;
}

std::int64_t cell(const DenseView& dense, std::int64_t row, std::int64_t column) {
  const char* cells = row_of(dense, row);
  const auto at = static_cast<std::size_t>(column);
  switch (dense.bytes) {
    case 1:
      return reinterpret_cast<const std::int8_t*>(cells)[at];
    case 2:
      return reinterpret_cast<const std::int16_t*>(cells)[at];
    case 4:
      return reinterpret_cast<const std::int32_t*>(cells)[at];
    default:
      return reinterpret_cast<const std::int64_t*>(cells)[at];
  }
}

[[noreturn]] void fail_at_first(const DenseView& dense, std::int64_t begin, std::int64_t end,
                                std::int64_t cardinality) {
  for (std::int64_t row = begin; row < end; ++row) {
    for (std::int64_t column = 0; column < dense.columns; ++column) {
      const std::int64_t label = cell(dense, row, column);
      require(kAbstain <= label && label < cardinality, "L[", row, ", ", column,
              "] must be -1 (abstain) or in 0..", cardinality - 1, ", got ", label);
    }
  }
  fail("L changed while it was read");
}

}  // namespace

std::int32_t count_dense(const Cpu& device, const DenseView& dense, std::int32_t cardinality,
                         std::span<std::int64_t> indptr) {
  const auto count = COVERSET_AT_LEVEL(count_rows);
  const DenseRows cells = dense_rows(dense);
  // label + 1 of a negative entry, as an unsigned number of this width, is above the middle
  const auto limit =
      std::min(static_cast<unsigned long long>(cardinality), 1ULL << (8 * dense.bytes - 1));
  indptr[0] = 0;
  const auto largest = parallel_reduce(
      device, dense.rows, block_rows(dense), 0ULL,
      [&](std::int64_t begin, std::int64_t end) {
        const unsigned long long above = largest_of_rows(dense, begin, end);
        if (above > limit) fail_at_first(dense, begin, end, cardinality);
        count(cells, begin, end, indptr.data() + 1);
        return above;
      },
      [](auto a, auto b) { return std::max(a, b); });
  for (std::size_t row = 1; row < indptr.size(); ++row) indptr[row] += indptr[row - 1];
  return static_cast<std::int32_t>(largest) - 1;
}

void fill_dense(const Cpu& device, const DenseView& dense, std::span<const std::int64_t> indptr,
                std::span<std::int32_t> lfs, std::span<std::int16_t> labels) {
  const auto fill = COVERSET_AT_LEVEL(fill_rows);
  const DenseRows cells = dense_rows(dense);
  parallel_for(device, dense.rows, block_rows(dense), [&](std::int64_t begin, std::int64_t end) {
    require(fill(cells, begin, end, indptr.data(), lfs.data(), labels.data()),
            "L changed while it was read");
  });
}

void to_dense(const Cpu& device, const Votes& votes, std::int64_t n_lfs,
              std::span<std::int16_t> dense) {
  const std::int64_t block =
      std::clamp<std::int64_t>((1 << 17) / std::max<std::int64_t>(1, n_lfs), 1, 1 << 16);
  parallel_for(device, votes.rows(), block, [&](std::int64_t begin, std::int64_t end) {
    std::int16_t* out = dense.data() + begin * n_lfs;
    std::fill(out, out + (end - begin) * n_lfs, static_cast<std::int16_t>(kAbstain));
    for (std::int64_t row = begin; row < end; ++row, out += n_lfs) {
      const auto last = static_cast<std::size_t>(votes.indptr[static_cast<std::size_t>(row) + 1]);
      for (auto at = static_cast<std::size_t>(votes.indptr[static_cast<std::size_t>(row)]);
           at < last; ++at) {
        out[votes.columns[at]] = votes.values[at];
      }
    }
  });
}

}  // namespace coverset
