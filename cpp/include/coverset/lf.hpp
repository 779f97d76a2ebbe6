// Labeling functions over text: all keywords of a column in one pass.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "coverset/device.hpp"
#include "coverset/view.hpp"

namespace coverset {

/// A literal to look for, and the labeling function that wants it.
struct Keyword {
  std::string text;        // UTF-8, not empty
  std::int32_t lf = 0;     // the labeling function that fires
  bool whole_word = true;  // no ASCII letter, digit or underscore may touch the match
  bool fold_case = true;   // ASCII letters match in either case; other bytes match exactly
};

/// An Aho-Corasick automaton over ASCII-folded bytes: one transition a byte of text, whatever
/// the number of keywords. Case-sensitive keywords are compared again at their folded match.
/// Memory: 4 bytes for each state and distinct keyword byte. Immutable once built.
class KeywordAutomaton {
 public:
  /// Throws std::invalid_argument for an empty keyword, std::bad_alloc when memory runs out.
  explicit KeywordAutomaton(std::vector<Keyword> keywords);

  /// Appends to `fired` each labeling function with a match in the text, in ascending order.
  /// `seen` has one entry a labeling function, none equal to `stamp`; it is how a function fires
  /// once a text.
  void scan(const char* text, std::int64_t bytes, std::int64_t stamp, std::span<std::int64_t> seen,
            std::vector<std::int32_t>& fired) const;

  std::int32_t n_lfs() const { return n_lfs_; }

 private:
  void insert_all();
  void link_all();
  bool accepts(const Keyword& keyword, const char* text, std::int64_t bytes,
               std::int64_t end) const;

  std::vector<Keyword> keywords_;
  std::int32_t n_lfs_ = 0;
  std::array<std::uint16_t, 256> class_of_{};  // 0: in no keyword
  std::int32_t classes_ = 1;
  // next_[state * classes_ + class]: the next state, negated when some keyword ends there
  std::vector<std::int32_t> next_;
  std::vector<std::int32_t> first_keyword_;  // by state: a keyword that ends there, or -1
  std::vector<std::int32_t> same_text_;      // by keyword: the next with the same folded text
  std::vector<std::int32_t> shorter_;        // by state: longest proper suffix where one ends, or 0
};

/// Rows and labeling functions that fired, ascending by row, then by labeling function.
struct Hits {
  std::vector<std::int64_t> rows;
  std::vector<std::int32_t> lfs;
};

/// Scans every row that is not null. Reads each byte once; allocates O(hits).
Hits scan_keywords(const Cpu& device, const KeywordAutomaton& automaton,
                   const TextView<std::int32_t>& text);
Hits scan_keywords(const Cpu& device, const KeywordAutomaton& automaton,
                   const TextView<std::int64_t>& text);

/// The first row that is not null and not valid UTF-8, or -1.
std::int64_t find_invalid_utf8(const Cpu& device, const TextView<std::int32_t>& text);
std::int64_t find_invalid_utf8(const Cpu& device, const TextView<std::int64_t>& text);

}  // namespace coverset
