// How text is cut into blocks of work.
#pragma once

#include <algorithm>
#include <cstdint>

#include "coverset/parallel.hpp"
#include "coverset/view.hpp"

namespace coverset {

/// Rows in a block: about 256 KiB of text on average, so that the poll is never far away.
template <class Offset>
std::int64_t block_rows(const TextView<Offset>& text) {
  if (text.rows() == 0) return 1;
  const std::int64_t bytes = static_cast<std::int64_t>(text.offsets.back()) - text.offsets.front();
  const std::int64_t mean = bytes / text.rows() + 1;
  return std::clamp<std::int64_t>((1 << 18) / mean, 1, 1 << 14);
}

struct TextRow {
  const char* text;
  std::int64_t bytes;
};

template <class Offset>
TextRow text_row(const TextView<Offset>& text, std::int64_t row) {
  const auto at = static_cast<std::size_t>(row);
  return {text.bytes + text.offsets[at], text.offsets[at + 1] - text.offsets[at]};
}

}  // namespace coverset
