// UTF-8, byte by byte.
#pragma once

#include <cstdint>

namespace coverset {

/// Bytes of the well-formed sequence at text (Unicode 15, table 3-7), or 0.
inline int sequence_length(const unsigned char* text, std::int64_t left) {
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

/// The code point of a well-formed sequence of that length.
inline std::uint32_t code_point(const unsigned char* text, int length) {
  if (length == 1) return text[0];
  std::uint32_t point = text[0] & (0xffU >> (length + 1));
  for (int i = 1; i < length; ++i) point = point << 6 | (text[i] & 0x3fU);
  return point;
}

/// Writes a code point; returns its length.
inline int encode(std::uint32_t point, char* out) {
  if (point < 0x80) return out[0] = static_cast<char>(point), 1;
  const int length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  for (int i = length - 1; i > 0; --i, point >>= 6) {
    out[i] = static_cast<char>(0x80 | (point & 0x3f));
  }
  out[0] = static_cast<char>((0xf00 >> length & 0xf0) | point);
  return length;
}

}  // namespace coverset
