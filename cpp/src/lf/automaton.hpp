// An Aho-Corasick automaton that is small: the trie's states in breadth-first order.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace coverset {

constexpr char fold_ascii(char c) {
  return 'A' <= c && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// Finds every occurrence of some texts over ASCII-folded bytes. State 0 is the root. Children of a
/// state lie side by side, since states are numbered breadth first: 17 bytes a state.
class Automaton {
 public:
  /// `texts`: folded, not empty, sorted; equal ones are allowed. Throws std::bad_alloc beyond 2^31
  /// states.
  explicit Automaton(const std::vector<std::string>& texts);

  /// The state that the byte leads to from here, or 0 where no text goes on so.
  std::int32_t child(std::int32_t state, char c) const {
    const char byte = fold_ascii(c);
    return state == 0 ? root_[static_cast<unsigned char>(byte)] : child_by(state, byte);
  }

  /// The state after one more byte of text: the longest end of what was read that begins some text.
  /// Amortized constant time over a text.
  std::int32_t step(std::int32_t state, char c) const {
    for (;;) {
      const std::int32_t next = child(state, c);
      if (next != 0 || state == 0) return next;
      state = failure_[static_cast<std::size_t>(state)];
    }
  }

  /// Calls found(i) for each text i that is what leads from the root to this state.
  template <class Found>
  void for_each_text(std::int32_t state, Found&& found) const {
    const std::int32_t first = first_text_[static_cast<std::size_t>(state)];
    if (first < 0) return;
    const std::int32_t end = end_text_[static_cast<std::size_t>(first)];
    for (std::int32_t i = first; i < end; ++i) found(i);
  }

  /// Calls found(i) for each text i that ends in this state, from the longest to the shortest.
  template <class Found>
  void for_each_end(std::int32_t state, Found&& found) const {
    for (; state > 0; state = shorter_[static_cast<std::size_t>(state)]) {
      for_each_text(state, found);
    }
  }

 private:
  void link();

  /// The child that a byte leads to, or 0: eight children at a time.
  std::int32_t child_by(std::int32_t state, char byte) const {
    constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
    const auto at = static_cast<std::size_t>(state);
    const std::int32_t end = first_child_[at + 1];
    for (std::int32_t child = first_child_[at]; child < end; child += 8) {
      std::uint64_t bytes;
      std::memcpy(&bytes, byte_.data() + child, 8);
      bytes ^= kOnes * static_cast<unsigned char>(byte);
      const std::uint64_t zero = (bytes - kOnes) & ~bytes & (kOnes << 7);  // the lowest is exact
      if (zero == 0) continue;
      const std::int32_t found = child + std::countr_zero(zero) / 8;
      return found < end ? found : 0;
    }
    return 0;
  }

  std::array<std::int32_t, 256> root_{};
  std::vector<std::int32_t> first_child_{};  // by state, and one more
  std::vector<char> byte_;                   // by state: the byte that leads to it; 8 more
  std::vector<std::int32_t> failure_;        // by state: its longest proper suffix that is a state
  std::vector<std::int32_t> shorter_;        // by state: the longest such where a text ends, or 0
  std::vector<std::int32_t> first_text_;     // by state: the first text that ends there, or -1
  std::vector<std::int32_t> end_text_;       // by text: one past the last that equals it
};

}  // namespace coverset
