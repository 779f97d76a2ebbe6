// Where in a text a literal may begin: the part of the scan that has a variant per SIMD level.
//
// Literals that must begin and end a word are looked up where words begin: the first eight folded
// bytes of the word are hashed into a Bloom filter. All others pass two sieves at every byte:
// Teddy's shuffled nibble masks of their first bytes, then a Bloom filter of as many. Where whole
// words are few, they pass the masks first, too.
#pragma once

#include "simd/dispatch.hpp"

namespace coverset {

/// A split Bloom filter: one 64-bit word a key, two bits in it.
struct Bloom {
  const unsigned long long* words = nullptr;
  int shift = 63;  // 64 - log2 of the number of words
};

static constexpr int bloom_bit(unsigned long long hash, int which) {
  return static_cast<int>(hash >> (32 + 6 * which) & 63);
}

inline constexpr int kTeddyBytes = 4;
inline constexpr unsigned long long kHashFactor = 0x9e3779b97f4a7c15ULL;
inline constexpr unsigned long long kFold = 0x2020202020202020ULL;  // ASCII letters: lower case

/// Teddy's masks: bit b of low[i][x] & high[i][y] says that in bucket b a literal's byte i may be
/// 16 * y + x.
struct NibbleMasks {
  unsigned char low[kTeddyBytes][16] = {}, high[kTeddyBytes][16] = {};
};

/// What find_candidates looks for. Keys are little-endian bytes with kFold's bits set.
struct CandidateFilter {
  bool any_word = false;   // some literals are whole words ...
  bool few_words = false;  // ... so few that these masks sieve out most others ...
  NibbleMasks word_masks;
  Bloom words;             // ... and this holds their first word, at most 8 bytes of it
  bool any_free = false;   // some literals are no whole words ...
  Bloom threes;            // ... the first three bytes of those that have as many ...
  Bloom fours;             // ... the first four, or all three ...
  bool any_short = false;  // ... and some have fewer ...
  const unsigned char* shorts = nullptr;  // ... a bit for each two bytes that they may start with
  NibbleMasks free_masks;
};

/// Bytes that find_candidates may read past the text.
inline constexpr long kReadAhead = 72;
/// The most bytes of a piece.
inline constexpr long kPiece = 4096;
/// Room that the positions found in a piece need: one may be there twice, once marked kFree.
inline constexpr long kPositions = 2 * kPiece + 64;

/// A literal that is no whole word may begin at this position.
inline constexpr unsigned kFree = 1U << 31;

/// Writes the ascending positions below `n` (at most kPiece) at which a literal may begin, some
/// marked kFree (at equal ones, last), and returns their number. The text goes on until `end` >= n;
/// `after_word`: a word byte precedes it.
COVERSET_DECLARE_LEVELS(long find_candidates(const CandidateFilter& filter, const char* text,
                                             long n, long end, bool after_word,
                                             unsigned* positions));

}  // namespace coverset
