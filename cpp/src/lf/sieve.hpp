// Building the tables of find_candidates.
#pragma once

#include <string>
#include <vector>

#include "coverset/lf.hpp"
#include "lf/filter.hpp"
#include "lf/word_index.hpp"

namespace coverset {

class Sieve {
 public:
  /// `texts`: of the literals, folded and sorted.
  Sieve(const std::vector<std::string>& texts, const std::vector<Literal>& literals,
        const WordIndex& index);
  Sieve(const Sieve&) = delete;
  Sieve& operator=(const Sieve&) = delete;

  /// find_candidates at the SIMD level in use.
  long candidates(const char* text, long n, long end, bool after_word, unsigned* positions) const {
    return COVERSET_AT_LEVEL(find_candidates)(filter_, text, n, end, after_word, positions);
  }

 private:
  void add_short(const std::string& text);

  CandidateFilter filter_;
  std::vector<unsigned long long> words_, fours_, threes_;
  std::vector<unsigned char> shorts_;
};

}  // namespace coverset
