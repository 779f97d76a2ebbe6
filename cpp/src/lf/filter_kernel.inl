// find_candidates, compiled once per level. Raw pointers, no STL.
#include "lf/filter.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#else
#include <arm_neon.h>
#endif

namespace coverset::COVERSET_LEVEL {
namespace {

using Bits = unsigned long long;
constexpr int kChunk = 64;

// A word byte has a bit in common in both tables, by its low and its high four bits.
alignas(16) constexpr unsigned char kWordLow[16] = {13, 15, 15, 15, 15, 15, 15, 15,
                                                    15, 15, 14, 2,  2,  2,  2,  6};
alignas(16) constexpr unsigned char kWordHigh[16] = {0, 0, 0, 1, 2, 4, 2, 8};

// Register: some bytes of text. shuffled(table, nibbles) looks up 16-byte tables.
#if defined(__AVX512BW__)
using Register = __m512i;
inline Register load(const char* at) { return _mm512_loadu_si512(at); }
inline Register table(const unsigned char* at) {
  return _mm512_maskz_broadcast_i32x4(0xffff,
                                      _mm_loadu_si128((const __m128i*)at));  // GCC 12 warns else
}
inline Register shuffled(Register lookup, Register nibbles) {
  return _mm512_shuffle_epi8(lookup, nibbles);
}
inline Register low_nibbles(Register bytes) {
  return _mm512_and_si512(bytes, _mm512_set1_epi8(15));
}
inline Register high_nibbles(Register bytes) {
  return _mm512_and_si512(_mm512_srli_epi16(bytes, 4), _mm512_set1_epi8(15));
}
inline Register both(Register a, Register b) { return _mm512_and_si512(a, b); }
inline Bits not_zero(Register bytes) { return _cvtmask64_u64(_mm512_test_epi8_mask(bytes, bytes)); }
#elif defined(__AVX2__)
using Register = __m256i;
inline Register load(const char* at) { return _mm256_loadu_si256((const __m256i*)at); }
inline Register table(const unsigned char* at) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)at));
}
inline Register shuffled(Register lookup, Register nibbles) {
  return _mm256_shuffle_epi8(lookup, nibbles);
}
inline Register low_nibbles(Register bytes) {
  return _mm256_and_si256(bytes, _mm256_set1_epi8(15));
}
inline Register high_nibbles(Register bytes) {
  return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
}
inline Register both(Register a, Register b) { return _mm256_and_si256(a, b); }
inline Bits not_zero(Register bytes) {
  const Register zero = _mm256_cmpeq_epi8(bytes, _mm256_setzero_si256());
  return ~(unsigned)_mm256_movemask_epi8(zero);
}
#elif defined(__SSSE3__)
using Register = __m128i;
inline Register load(const char* at) { return _mm_loadu_si128((const __m128i*)at); }
inline Register table(const unsigned char* at) { return _mm_loadu_si128((const __m128i*)at); }
inline Register shuffled(Register lookup, Register nibbles) {
  return _mm_shuffle_epi8(lookup, nibbles);
}
inline Register low_nibbles(Register bytes) { return _mm_and_si128(bytes, _mm_set1_epi8(15)); }
inline Register high_nibbles(Register bytes) {
  return _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(15));
}
inline Register both(Register a, Register b) { return _mm_and_si128(a, b); }
inline Bits not_zero(Register bytes) {
  return 0xffff & ~(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_setzero_si128()));
}
#else
using Register = uint8x16_t;
inline Register load(const char* at) { return vld1q_u8((const unsigned char*)at); }
inline Register table(const unsigned char* at) { return vld1q_u8(at); }
inline Register shuffled(Register lookup, Register nibbles) { return vqtbl1q_u8(lookup, nibbles); }
inline Register low_nibbles(Register bytes) { return vandq_u8(bytes, vdupq_n_u8(15)); }
inline Register high_nibbles(Register bytes) { return vshrq_n_u8(bytes, 4); }
inline Register both(Register a, Register b) { return vandq_u8(a, b); }
inline Bits not_zero(Register bytes) {
  static const unsigned char weights[16] = {1, 2, 4, 8, 16, 32, 64, 128,
                                            1, 2, 4, 8, 16, 32, 64, 128};
  const Register set = vandq_u8(vtstq_u8(bytes, bytes), vld1q_u8(weights));
  return vaddv_u8(vget_low_u8(set)) | (Bits)vaddv_u8(vget_high_u8(set)) << 8;
}
#endif

/// Bit j of the result: bit of predicate(at + j), for a whole chunk.
template <class Predicate>
inline Bits over_chunk(const char* at, Predicate predicate) {
  constexpr int kStep = (int)sizeof(Register);
  Bits bits = 0;
  for (int j = 0; j < kChunk; j += kStep) bits |= predicate(at + j) << j;
  return bits;
}

/// The lowest n bits, of 64 at most.
inline Bits lowest(long n) { return n >= kChunk ? ~0ULL : n <= 0 ? 0 : (1ULL << n) - 1; }

/// Word bytes among the `left` bytes at `at`.
inline Bits word_bits(const char* at, long left) {
  if (left <= 0) return 0;
  const Register low = table(kWordLow), high = table(kWordHigh);
  const Bits bits = over_chunk(at, [&](const char* from) {
    const Register bytes = load(from);
    return not_zero(both(shuffled(low, low_nibbles(bytes)), shuffled(high, high_nibbles(bytes))));
  });
  return bits & lowest(left);
}

struct Teddy {
  Register low[kTeddyBytes], high[kTeddyBytes];
};

/// Positions of a chunk at which some bucket admits all of the next bytes.
inline Bits teddy_bits(const Teddy& teddy, const char* at) {
  return over_chunk(at, [&](const char* from) {
    Register admitted{};
    for (int i = 0; i < kTeddyBytes; ++i) {
      const Register bytes = load(from + i);
      const Register here = both(shuffled(teddy.low[i], low_nibbles(bytes)),
                                 shuffled(teddy.high[i], high_nibbles(bytes)));
      admitted = i == 0 ? here : both(admitted, here);
    }
    return not_zero(admitted);
  });
}

inline Bits load_bytes(const char* at) {
  Bits bytes;
  __builtin_memcpy(&bytes, at, sizeof bytes);
  return bytes;
}

/// The lowest n bytes set, n <= 8.
constexpr Bits kLowBytes[9] = {
    0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff, ~0ULL};

inline Bits holds(const Bloom& bloom, Bits key) {
  const Bits hash = key * kHashFactor;
  const Bits word = bloom.words[hash >> bloom.shift];
  return (word >> bloom_bit(hash, 0)) & (word >> bloom_bit(hash, 1)) & 1;
}

/// The starts at which the word there is in the filter.
inline Bits known_words(const Bloom& bloom, const char* at, Bits starts, Bits word, Bits next) {
  Bits known = 0;
  for (; starts != 0; starts &= starts - 1) {
    const int p = __builtin_ctzll(starts);
    const Bits run = (word >> p) | ((next << 1) << (63 - p));
    const int length = run == ~0ULL ? kChunk : __builtin_ctzll(~run);
    const Bits key = (load_bytes(at + p) | kFold) & kLowBytes[length < 8 ? length : 8];
    known |= holds(bloom, key) << p;
  }
  return known;
}

/// The positions among `bits` at which the next bytes are in a filter.
inline Bits known_starts(const CandidateFilter& filter, const char* at, Bits bits) {
  Bits known = 0;
  for (; bits != 0; bits &= bits - 1) {
    const int p = __builtin_ctzll(bits);
    const Bits bytes = load_bytes(at + p) | kFold;
    Bits hit = 0;
    for (int g = kTeddyBytes; g > 0; --g) {
      if ((filter.free_lengths >> g & 1) != 0) hit |= holds(filter.free[g], bytes & kLowBytes[g]);
    }
    known |= hit << p;
  }
  return known;
}

}  // namespace

long find_candidates(const CandidateFilter& filter, const char* text, long n, long end,
                     bool after_word, unsigned* positions) {
  Teddy teddy;
  for (int i = 0; i < kTeddyBytes; ++i) {
    teddy.low[i] = table(filter.low[i]);
    teddy.high[i] = table(filter.high[i]);
  }
  long found = 0;
  Bits carry = after_word ? 1 : 0;
  Bits next = filter.any_word ? word_bits(text, end) : 0;
  for (long at = 0; at < n; at += kChunk) {
    Bits words = 0, free = 0;
    const Bits inside = lowest(n - at);
    if (filter.any_word) {
      const Bits word = next;
      next = word_bits(text + at + kChunk, end - at - kChunk);
      const Bits starts = word & ~(word << 1 | carry) & inside;
      words = known_words(filter.words, text + at, starts, word, next);
      carry = word >> 63;
    }
    if (filter.any_free) {
      free = known_starts(filter, text + at, teddy_bits(teddy, text + at) & inside);
    }
    for (Bits both_kinds = words | free; both_kinds != 0; both_kinds &= both_kinds - 1) {
      const int p = __builtin_ctzll(both_kinds);
      positions[found++] = (unsigned)(at + p) | (unsigned)(free >> p & 1) << 31;
    }
  }
  return found;
}

}  // namespace coverset::COVERSET_LEVEL
