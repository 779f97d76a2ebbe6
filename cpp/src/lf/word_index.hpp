// Whole words, found by hashing: which literals begin with the word at a place.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "coverset/lf.hpp"

namespace coverset {

inline constexpr std::size_t kWordKeyBytes = 8;

/// The first n <= 8 bytes of a word as a number; letters of either case are one.
std::uint64_t word_key(const char* text, std::size_t n);

/// The length of the first word of a literal that must start and end as one; else 0.
std::size_t first_word(const std::string& folded, const Literal& literal);

/// Literals by word_key of their first word.
class WordIndex {
 public:
  WordIndex(const std::vector<std::string>& texts, const std::vector<Literal>& literals);

  /// One key for each literal that has a first word.
  std::vector<std::uint64_t> keys() const;

  /// The literals whose first word has this key.
  std::span<const std::int32_t> find(std::uint64_t key) const {
    for (std::size_t slot = hash(key);; slot = (slot + 1) & (slots_.size() - 1)) {
      const Slot& at = slots_[slot];
      if (at.begin == at.end) return {};
      if (at.key == key) return std::span(literals_).subspan(at.begin, at.end - at.begin);
    }
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::uint32_t begin = 0, end = 0;  // of literals_
  };
  std::size_t hash(std::uint64_t key) const {
    return key * 0x9e3779b97f4a7c15ULL >> (64 - std::countr_zero(slots_.size()));
  }

  std::vector<Slot> slots_;
  std::vector<std::int32_t> literals_;
};

}  // namespace coverset
