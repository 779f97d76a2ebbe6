// Unicode text made ready for a scan over bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "coverset/lf.hpp"

namespace coverset {

constexpr bool word_byte(char c) {
  return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') || c == '_';
}

/// A text with its letters folded, and for each byte whether it belongs to a word character of the
/// text as it was.
struct FoldedText {
  std::string bytes;
  std::vector<char> word;
};

/// An Alphabet as tables.
class Letters {
 public:
  explicit Letters(const Alphabet& alphabet);

  bool unicode() const { return !word_.empty(); }
  /// Under ASCII, the text as it is. `folded` is reused from text to text.
  void fold(const char* text, std::int64_t bytes, FoldedText& folded) const;
  bool is_word(std::uint32_t point) const { return (word_[point / 64] >> (point % 64) & 1) != 0; }

 private:
  std::vector<std::uint64_t> word_;   // a bit a code point
  std::vector<std::uint32_t> folds_;  // by code point; beyond it, each is its own
};

}  // namespace coverset
