// An Aho-Corasick automaton that is small: the trie's states in breadth-first order.
#pragma once

#include <array>
#include <cstdint>
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

  /// The state after one more byte of text. Amortized constant time over a text.
  std::int32_t step(std::int32_t state, char c) const {
    const char byte = fold_ascii(c);
    for (;;) {
      if (state == 0) return root_[static_cast<unsigned char>(byte)];
      const auto at = static_cast<std::size_t>(state);
      for (std::int32_t child = first_child_[at]; child < first_child_[at + 1]; ++child) {
        if (byte_[static_cast<std::size_t>(child)] == byte) return child;
      }
      state = failure_[at];
    }
  }

  /// Calls found(i) for each text i that ends in this state, from the longest to the shortest.
  template <class Found>
  void for_each_end(std::int32_t state, Found&& found) const {
    for (; state > 0; state = shorter_[static_cast<std::size_t>(state)]) {
      const auto at = static_cast<std::size_t>(state);
      const std::int32_t first = first_text_[at];
      if (first < 0) continue;
      const std::int32_t end = end_text_[static_cast<std::size_t>(first)];
      for (std::int32_t i = first; i < end; ++i) found(i);
    }
  }

  /// Whether some text ends in this state.
  bool ends(std::int32_t state) const {
    const auto at = static_cast<std::size_t>(state);
    return first_text_[at] >= 0 || shorter_[at] > 0;
  }

 private:
  void link();

  std::array<std::int32_t, 256> root_{};
  std::vector<std::int32_t> first_child_{};  // by state, and one more
  std::vector<char> byte_;                   // by state: the byte that leads to it
  std::vector<std::int32_t> failure_;        // by state: its longest proper suffix that is a state
  std::vector<std::int32_t> shorter_;        // by state: the longest such where a text ends, or 0
  std::vector<std::int32_t> first_text_;     // by state: the first text that ends there, or -1
  std::vector<std::int32_t> end_text_;       // by text: one past the last that equals it
};

}  // namespace coverset
