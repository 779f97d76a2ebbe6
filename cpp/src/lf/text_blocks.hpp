// How text is cut into blocks of work.
#pragma once

#include <algorithm>
#include <cstdint>

#include "coverset/lf.hpp"

namespace coverset {

/// Rows in a block: about 256 KiB of text on average, so that the poll is never far away.
inline std::int64_t block_rows(const TextView& text) {
  if (text.rows() == 0) return 1;
  const std::int64_t bytes = total_bytes(text);
  return std::clamp<std::int64_t>((1 << 18) / (bytes / text.rows() + 1), 1, 1 << 14);
}

}  // namespace coverset
