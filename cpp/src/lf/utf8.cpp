#include "lf/utf8.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "coverset/lf.hpp"
#include "coverset/parallel.hpp"
#include "lf/text_blocks.hpp"

namespace coverset {
namespace {

bool valid_utf8(const char* text, std::int64_t bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(text);
  const auto* const end = at + bytes;
  while (at < end) {
    std::uint64_t word = 0;
    if (end - at >= 8 && (std::memcpy(&word, at, 8), (word & 0x8080808080808080ULL) == 0)) {
      at += 8;
      continue;
    }
    const int length = sequence_length(at, end - at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace

std::int64_t find_invalid_utf8(const Cpu& device, const TextView& text) {
  constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();
  const std::int64_t found = parallel_reduce(
      device, text.rows(), block_rows(text), kNone,
      [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
          if (!text.validity[row]) continue;
          const TextRow at = text.row(row);
          if (!valid_utf8(at.text, at.bytes)) return row;
        }
        return kNone;
      },
      [](std::int64_t a, std::int64_t b) { return std::min(a, b); });
  return found == kNone ? -1 : found;
}

}  // namespace coverset
