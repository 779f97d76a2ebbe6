// Views: what a kernel borrows. They own nothing and check nothing.
#pragma once

#include <cstdint>
#include <cstring>
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

/// A bit for each row, as Arrow lays out validity: least significant bit first, row 0 at bit
/// `offset`. A null pointer: all are 1.
struct Bitmap {
  const std::uint8_t* bits = nullptr;
  std::int64_t offset = 0;

  bool all() const { return bits == nullptr; }
  bool operator[](std::int64_t row) const {
    const std::int64_t bit = offset + row;
    return bits == nullptr || ((bits[bit / 8] >> (bit % 8)) & 1) != 0;
  }
};

/// One string, and how many bytes may be read from its start: at least its own.
struct TextRow {
  const char* text;
  std::int64_t bytes, readable;
};

/// Memory that strings lie in.
struct TextBuffer {
  const char* data;
  std::int64_t bytes;
};

/// Strings as Arrow lays them out. With offsets, row i is bytes offsets[i] .. offsets[i + 1] - 1 of
/// the one buffer; with views, 16 bytes a row hold the length and up to 12 bytes of text, or
/// buffer and offset. A row is null where `validity` has a 0.
struct TextView {
  enum class Layout { offsets32, offsets64, views };
  static constexpr std::int32_t kInlineBytes = 12;

  Layout layout = Layout::offsets64;
  const void* index = nullptr;  // offsets, or views
  std::int64_t n = 0;
  std::span<const TextBuffer> buffers;
  Bitmap validity = {};

  std::int64_t rows() const { return n; }
  TextRow row(std::int64_t i) const {
    if (layout == Layout::offsets32) return between(static_cast<const std::int32_t*>(index) + i);
    if (layout == Layout::offsets64) return between(static_cast<const std::int64_t*>(index) + i);
    const char* view = static_cast<const char*>(index) + 16 * i;
    std::int32_t length_prefix_buffer_offset[4];
    std::memcpy(length_prefix_buffer_offset, view, 16);
    const std::int32_t bytes = length_prefix_buffer_offset[0];
    if (bytes <= kInlineBytes) return {view + 4, bytes, 16 * (n - i) - 4};
    const TextBuffer& in = buffers[static_cast<std::size_t>(length_prefix_buffer_offset[2])];
    const std::int32_t at = length_prefix_buffer_offset[3];
    return {in.data + at, bytes, in.bytes - at};
  }

 private:
  template <class Offset>
  TextRow between(const Offset* ends) const {
    const TextBuffer& all = buffers[0];
    return {all.data + ends[0], static_cast<std::int64_t>(ends[1] - ends[0]),
            all.bytes - static_cast<std::int64_t>(ends[0])};
  }
};

}  // namespace coverset
