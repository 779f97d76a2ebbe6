#include <algorithm>
#include <cstring>
#include <limits>

#include "coverset/lf.hpp"
#include "lf/text_blocks.hpp"

namespace coverset {
namespace {

/// Bytes of the well-formed sequence at text (Unicode 15, table 3-7), or 0.
int sequence_length(const unsigned char* text, std::int64_t left) {
  const auto in = [](unsigned char c, int low, int high) { return low <= c && c <= high; };
  const auto tail = [&](int i) { return i < left && in(text[i], 0x80, 0xbf); };
  const unsigned char first = text[0];
  if (first < 0x80) return 1;
  if (in(first, 0xc2, 0xdf)) return tail(1) ? 2 : 0;
  if (in(first, 0xe0, 0xef)) {
    const int low = first == 0xe0 ? 0xa0 : 0x80;
    const int high = first == 0xed ? 0x9f : 0xbf;  // no surrogates
    return left > 1 && in(text[1], low, high) && tail(2) ? 3 : 0;
  }
  if (in(first, 0xf0, 0xf4)) {
    const int low = first == 0xf0 ? 0x90 : 0x80;
    const int high = first == 0xf4 ? 0x8f : 0xbf;  // nothing above U+10FFFF
    return left > 1 && in(text[1], low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

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

template <class Offset>
std::int64_t find_invalid(const Cpu& device, const TextView<Offset>& text) {
  constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();
  const std::int64_t found = parallel_reduce(
      device, text.rows(), block_rows(text), kNone,
      [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
          if (!text.valid(row)) continue;
          const TextRow at = text_row(text, row);
          if (!valid_utf8(at.text, at.bytes)) return row;
        }
        return kNone;
      },
      [](std::int64_t a, std::int64_t b) { return std::min(a, b); });
  return found == kNone ? -1 : found;
}

}  // namespace

std::int64_t find_invalid_utf8(const Cpu& device, const TextView<std::int32_t>& text) {
  return find_invalid(device, text);
}
std::int64_t find_invalid_utf8(const Cpu& device, const TextView<std::int64_t>& text) {
  return find_invalid(device, text);
}

}  // namespace coverset
