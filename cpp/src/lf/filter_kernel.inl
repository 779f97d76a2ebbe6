// find_candidates, compiled once per level. Raw pointers, no STL.
#include "lf/filter.hpp"
#include "simd/lanes.hpp"

namespace coverset::COVERSET_LEVEL {
namespace {

constexpr int kChunk = 64;

// A word byte has a bit in common in both tables, by its low and its high four bits.
alignas(16) constexpr unsigned char kWordLow[16] = {13, 15, 15, 15, 15, 15, 15, 15,
                                                    15, 15, 14, 2,  2,  2,  2,  6};
alignas(16) constexpr unsigned char kWordHigh[16] = {0, 0, 0, 1, 2, 4, 2, 8};

using Register = Lanes<unsigned char>;

// table(at): 16 bytes, as often as they fit. shuffled(table, nibbles) looks up bytes of it.
#if defined(__AVX512BW__)
inline Register table(const unsigned char* at) {
  return (Register)_mm512_maskz_broadcast_i32x4(
      0xffff, _mm_loadu_si128((const __m128i*)at));  // GCC 12 warns else
}
inline Register shuffled(Register lookup, Register nibbles) {
  return (Register)_mm512_shuffle_epi8((__m512i)lookup, (__m512i)nibbles);
}
#elif defined(__AVX2__)
inline Register table(const unsigned char* at) {
  return (Register)_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)at));
}
inline Register shuffled(Register lookup, Register nibbles) {
  return (Register)_mm256_shuffle_epi8((__m256i)lookup, (__m256i)nibbles);
}
#elif defined(__SSSE3__)
inline Register table(const unsigned char* at) { return load(at); }
inline Register shuffled(Register lookup, Register nibbles) {
  return (Register)_mm_shuffle_epi8((__m128i)lookup, (__m128i)nibbles);
}
#else
inline Register table(const unsigned char* at) { return load(at); }
inline Register shuffled(Register lookup, Register nibbles) {
  return (Register)vqtbl1q_u8((uint8x16_t)lookup, (uint8x16_t)nibbles);
}
#endif

inline Register load_text(const char* at) { return load((const unsigned char*)at); }
inline Register low_nibbles(Register bytes) { return bytes & 15; }
inline Register high_nibbles(Register bytes) { return bytes >> 4; }
inline Bits not_zero(Register bytes) { return differing(bytes, Register{}); }

/// Bit j of the result: bit of predicate(at + j), for a whole chunk.
template <class Predicate>
inline Bits over_chunk(const char* at, Predicate predicate) {
  Bits bits = 0;
  for (int j = 0; j < kChunk; j += (int)kRegisterBytes) bits |= predicate(at + j) << j;
  return bits;
}

/// The lowest n bits, of 64 at most.
inline Bits lowest(long n) { return n >= kChunk ? ~0ULL : n <= 0 ? 0 : (1ULL << n) - 1; }

/// Word bytes among the `left` bytes at `at`.
inline Bits word_bits(const char* at, long left) {
  if (left <= 0) return 0;
  const Register low = table(kWordLow), high = table(kWordHigh);
  const Bits bits = over_chunk(at, [&](const char* from) {
    const Register bytes = load_text(from);
    return not_zero(shuffled(low, low_nibbles(bytes)) & shuffled(high, high_nibbles(bytes)));
  });
  return bits & lowest(left);
}

struct Teddy {
  Register low[kTeddyBytes], high[kTeddyBytes];
};

inline Teddy loaded(const NibbleMasks& masks) {
  Teddy teddy;
  for (int i = 0; i < kTeddyBytes; ++i) {
    teddy.low[i] = table(masks.low[i]);
    teddy.high[i] = table(masks.high[i]);
  }
  return teddy;
}

/// Positions of a chunk at which some bucket admits all of the next bytes.
inline Bits teddy_bits(const Teddy& teddy, const char* at) {
  return over_chunk(at, [&](const char* from) {
    Register admitted{};
    for (int i = 0; i < kTeddyBytes; ++i) {
      const Register bytes = load_text(from + i);
      const Register here =
          shuffled(teddy.low[i], low_nibbles(bytes)) & shuffled(teddy.high[i], high_nibbles(bytes));
      admitted = i == 0 ? here : admitted & here;
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

inline Bits holds(const Bloom bloom, Bits key) {
  const Bits hash = key * kHashFactor;
  const Bits word = bloom.words[hash >> bloom.shift];
  return (word >> bloom_bit(hash, 0)) & (word >> bloom_bit(hash, 1)) & 1;
}

/// Writes the positions of the bits, kAtOnce without asking how many there are: a loop whose length
/// the processor cannot guess costs more. Room for kChunk more is needed. Returns how many.
template <int kAtOnce>
inline long write_positions(Bits bits, unsigned first, unsigned* out) {
  const long count = __builtin_popcountll(bits);
  long written = 0;
  do {
    for (int i = 0; i < kAtOnce; ++i) {
      out[written + i] = first + (unsigned)__builtin_ctzll(bits | 1ULL << 63);
      bits &= bits - 1;
    }
    written += kAtOnce;
  } while (written < count);
  return count;
}

/// Keeps the positions at which the word there is in the filter. `words`: bits of the whole text.
long keep_known_words(const Bloom bloom, const char* text, const Bits* words, unsigned* positions,
                      long count) {
  long kept = 0;
  for (long i = 0; i < count; ++i) {
    const unsigned at = positions[i], p = at % kChunk;
    const Bits* word = words + at / kChunk;
    const Bits run = (word[0] >> p) | ((word[1] << 1) << (63 - p));
    const int length = __builtin_ctzll(~(run & 0xff));
    const Bits key = (load_bytes(text + at) | kFold) & kLowBytes[length];
    positions[kept] = at;
    kept += (long)holds(bloom, key);
  }
  return kept;
}

/// Keeps the positions at which the next bytes may start a literal: most fail the first look-up.
long keep_known_starts(const CandidateFilter& filter, const char* text, unsigned* positions,
                       long count) {
  const Bloom threes = filter.threes, fours = filter.fours;
  const unsigned char* const shorts = filter.shorts;
  const auto is_short = [&](Bits bytes) {
    return filter.any_short ? (Bits)(shorts[(bytes & 0xffff) >> 3] >> (bytes & 7) & 1) : 0;
  };
  long maybe = 0, kept = 0;
  for (long i = 0; i < count; ++i) {
    const unsigned at = positions[i];
    const Bits bytes = load_bytes(text + at) | kFold;
    positions[maybe] = at;
    maybe += (long)(holds(threes, bytes & kLowBytes[3]) | is_short(bytes));
  }
  for (long i = 0; i < maybe; ++i) {
    const unsigned at = positions[i];
    const Bits bytes = load_bytes(text + at) | kFold;
    positions[kept] = at;
    kept += (long)(holds(fours, bytes & kLowBytes[4]) | holds(fours, bytes & kLowBytes[3]) |
                   is_short(bytes));
  }
  return kept;
}

long find_words(const CandidateFilter& filter, const char* text, long n, long end, bool after_word,
                unsigned* positions) {
  Bits words[kPiece / kChunk + 1];
  const Teddy teddy = loaded(filter.word_masks);
  Bits carry = after_word ? 1 : 0;
  long found = 0;
  for (long at = 0; at < n; at += kChunk) {
    const Bits word = word_bits(text + at, end - at);
    words[at / kChunk] = word;
    const Bits starts = word & ~(word << 1 | carry) & lowest(n - at);
    carry = word >> 63;
    found += filter.few_words ? write_positions<4>(starts & teddy_bits(teddy, text + at),
                                                   (unsigned)at, positions + found)
                              : write_positions<16>(starts, (unsigned)at, positions + found);
  }
  const long chunks = (n + kChunk - 1) / kChunk;
  words[chunks] = word_bits(text + chunks * kChunk, end - chunks * kChunk);
  return keep_known_words(filter.words, text, words, positions, found);
}

long find_starts(const CandidateFilter& filter, const char* text, long n, unsigned* positions) {
  const Teddy teddy = loaded(filter.free_masks);
  long found = 0;
  for (long at = 0; at < n; at += kChunk) {
    const Bits bits = teddy_bits(teddy, text + at) & lowest(n - at);
    found += write_positions<8>(bits, (unsigned)at, positions + found);
  }
  return keep_known_starts(filter, text, positions, found);
}

}  // namespace

long find_candidates(const CandidateFilter& filter, const char* text, long n, long end,
                     bool after_word, unsigned* positions) {
  long words = 0;
  if (filter.any_word) words = find_words(filter, text, n, end, after_word, positions);
  if (!filter.any_free) return words;
  unsigned starts[kPiece + kChunk];
  const long free = find_starts(filter, text, n, starts);
  // merged from the back, so that no position is overwritten before it is read
  long w = words - 1, f = free - 1;
  for (long last = words + free - 1; f >= 0; --last) {
    const bool word = w >= 0 && positions[w] > starts[f];
    positions[last] = word ? positions[w] : starts[f] | kFree;
    w -= word;
    f -= !word;
  }
  return words + free;
}

}  // namespace coverset::COVERSET_LEVEL
