// Views: what a kernel borrows. They own nothing and check nothing.
#pragma once

#include <cstdint>
#include <span>

namespace coverset {

/// Sparse rows: the entries of row i are columns[e], values[e] for indptr[i] <= e < indptr[i + 1].
template <class Column, class Value>
struct CsrView {
  std::span<const std::int64_t> indptr;  // rows + 1 entries, indptr[0] == 0
  std::span<const Column> columns;       // ascending within a row
  std::span<const Value> values;

  std::int64_t rows() const { return static_cast<std::int64_t>(indptr.size()) - 1; }
  std::int64_t entries() const { return static_cast<std::int64_t>(columns.size()); }
};

/// Votes of a label matrix: labeling functions and the labels they gave; an abstain is absent.
using Votes = CsrView<std::int32_t, std::int16_t>;

/// Strings in one buffer: row i is bytes[offsets[i]] .. bytes[offsets[i + 1] - 1]. A row is null
/// where `validity` (Arrow's bitmap, least significant bit first, starting at bit
/// `validity_offset`) has a 0; a null pointer means that no row is null.
template <class Offset>
struct TextView {
  std::span<const Offset> offsets;
  const char* bytes = nullptr;
  const std::uint8_t* validity = nullptr;
  std::int64_t validity_offset = 0;

  std::int64_t rows() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  bool valid(std::int64_t row) const {
    const std::int64_t bit = validity_offset + row;
    return validity == nullptr || ((validity[bit / 8] >> (bit % 8)) & 1) != 0;
  }
};

}  // namespace coverset
