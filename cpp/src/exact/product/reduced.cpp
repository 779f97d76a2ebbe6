#include "exact/product/reduced.hpp"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
namespace coverset {
namespace {

constexpr long kGroup = 16;  // queries side by side

/// Numbers of 4 bytes together, `flip` in every byte's top bit.
template <class Number, class Packed>
void pack(const Number* queries, long count, long depth, Packed flip, Packed* packed) {
  constexpr long kTogether = 4 / static_cast<long>(sizeof(Number));
  const long strips = (count + kStripQueries - 1) / kStripQueries;
  std::fill_n(packed, strips * kStripQueries * depth, flip);
  for (long query = 0; query < count; ++query) {
    Packed* group = packed + query / kGroup * kGroup * depth;
    for (long c = 0; c < depth; ++c) {
      const auto bits = static_cast<Packed>(queries[query * depth + c]);
      group[(c / kTogether * kGroup + query % kGroup) * kTogether + c % kTogether] =
          static_cast<Packed>(bits ^ flip);
    }
  }
}

}  // namespace

void pack_int8(const std::int8_t* queries, long count, long depth, std::uint8_t* packed) {
  pack<std::int8_t, std::uint8_t>(queries, count, depth, 0x80, packed);
}

void pack_bfloat16(const std::uint16_t* queries, long count, long depth, std::uint16_t* packed) {
  pack<std::uint16_t, std::uint16_t>(queries, count, depth, 0, packed);
}

}  // namespace coverset
#endif
