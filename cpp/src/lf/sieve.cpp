#include "lf/sieve.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace coverset {
namespace {

constexpr std::size_t kBuckets = 8;

Bloom make_bloom(const std::vector<std::uint64_t>& keys, std::vector<unsigned long long>& words) {
  const std::size_t size = std::bit_ceil(std::max<std::size_t>(1024, 4 * keys.size()));
  words.assign(size, 0);
  const Bloom bloom{words.data(), 64 - std::countr_zero(size)};
  for (const std::uint64_t key : keys) {
    const unsigned long long hash = key * kHashFactor;
    words[hash >> bloom.shift] |= 1ULL << bloom_bit(hash, 0) | 1ULL << bloom_bit(hash, 1);
  }
  return bloom;
}

}  // namespace

Sieve::Sieve(const std::vector<std::string>& texts, const std::vector<Literal>& literals,
             const WordIndex& index) {
  const std::vector<std::uint64_t> words = index.keys();
  std::vector<std::uint64_t> free[kTeddyBytes + 1];
  std::vector<const std::string*> free_texts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (first_word(texts[i], literals[i]) > 0) continue;
    const std::size_t bytes = std::min<std::size_t>(texts[i].size(), kTeddyBytes);
    free[bytes].push_back(word_key(texts[i].data(), bytes));
    free_texts.push_back(&texts[i]);
  }
  filter_.any_word = !words.empty();
  filter_.words = make_bloom(words, words_);
  filter_.any_free = !free_texts.empty();
  for (int g = 1; g <= kTeddyBytes; ++g) {
    if (free[g].empty()) continue;
    filter_.free_lengths |= 1 << g;
    filter_.free[g] = make_bloom(free[g], free_[g]);
  }
  add_teddy(free_texts);
}

/// Neighbors in sorted order share their first bytes: each eighth of them is a bucket.
void Sieve::add_teddy(const std::vector<const std::string*>& texts) {
  std::memset(filter_.low, 0, sizeof filter_.low);
  std::memset(filter_.high, 0, sizeof filter_.high);
  const std::size_t share = (texts.size() + kBuckets - 1) / kBuckets;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto bucket = static_cast<unsigned char>(1U << (i / share));
    for (std::size_t j = 0; j < kTeddyBytes; ++j) {
      for (unsigned nibble = 0; nibble < 16; ++nibble) {
        const auto byte = static_cast<unsigned char>(j < texts[i]->size() ? (*texts[i])[j] : '\0');
        const bool any = j >= texts[i]->size();
        if (any || nibble == (byte & 15U)) filter_.low[j][nibble] |= bucket;
        // the other case of a letter differs in bit 5: bit 1 of its high nibble
        if (any || (nibble | 2U) == (byte >> 4 | 2U)) filter_.high[j][nibble] |= bucket;
      }
    }
  }
}

}  // namespace coverset
