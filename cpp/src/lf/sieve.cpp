#include "lf/sieve.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <string_view>

namespace coverset {
namespace {

constexpr std::size_t kBuckets = 8;
constexpr std::size_t kFewWords = 256;  // with more, the masks let most words pass

Bloom make_bloom(const std::vector<std::uint64_t>& keys, std::vector<unsigned long long>& words) {
  const std::size_t size = std::bit_ceil(std::max<std::size_t>(512, keys.size()));
  words.assign(size, 0);
  const Bloom bloom{words.data(), 64 - std::countr_zero(size)};
  for (const std::uint64_t key : keys) {
    const unsigned long long hash = key * kHashFactor;
    words[hash >> bloom.shift] |= 1ULL << bloom_bit(hash, 0) | 1ULL << bloom_bit(hash, 1);
  }
  return bloom;
}

/// How many of a thousand bytes of English text each byte is, roughly.
constexpr std::array<int, 256> kFrequency = [] {
  constexpr std::string_view kLetters = "etaoinsrhldcumfpgwybvkxjqz";
  constexpr int kShare[] = {100, 75, 70, 66, 62, 58, 55, 53, 50, 35, 32, 26, 25,
                            22,  18, 18, 17, 17, 15, 13, 9,  6,  2,  2,  1,  1};
  std::array<int, 256> frequency{};
  frequency.fill(3);
  frequency[' '] = 170;
  for (std::size_t i = 0; i < kLetters.size(); ++i) {
    const auto letter = static_cast<unsigned char>(kLetters[i]);
    frequency[letter] = kShare[i];
    frequency[letter ^ 0x20U] = kShare[i] / 16 + 1;
  }
  return frequency;
}();

/// Texts that share a bucket: the nibbles that each of their first bytes may have.
struct Bucket {
  unsigned low[kTeddyBytes] = {}, high[kTeddyBytes] = {};  // a bit a nibble

  void add(std::string_view text) {
    for (std::size_t j = 0; j < kTeddyBytes; ++j) {
      if (j >= text.size()) {
        low[j] = high[j] = 0xffff;
        continue;
      }
      const unsigned byte = static_cast<unsigned char>(text[j]);
      low[j] |= 1U << (byte & 15);
      // the other case of a letter differs in bit 5: bit 1 of its high nibble
      high[j] |= 1U << (byte >> 4 | 2) | 1U << (byte >> 4 & ~2U);
    }
  }
  Bucket with(const Bucket& other) const {
    Bucket both = *this;
    for (int j = 0; j < kTeddyBytes; ++j) {
      both.low[j] |= other.low[j];
      both.high[j] |= other.high[j];
    }
    return both;
  }
  /// How often text passes.
  double rate() const {
    double rate = 1.0;
    for (int j = 0; j < kTeddyBytes; ++j) {
      int sum = 0;
      for (unsigned byte = 0; byte < 256; ++byte) {
        if ((low[j] >> (byte & 15) & high[j] >> (byte >> 4) & 1) != 0) sum += kFrequency[byte];
      }
      rate *= 1e-3 * sum;
    }
    return rate;
  }
};

/// Texts by their first byte, and those shorter than what is compared apart; then whatever pair
/// costs least is merged, until the buckets are few enough.
std::vector<Bucket> buckets_of(const std::vector<std::string_view>& sorted) {
  std::map<std::pair<char, bool>, Bucket> by_first;
  for (const std::string_view text : sorted) {
    by_first[{text[0], text.size() < kTeddyBytes}].add(text);
  }
  std::vector<Bucket> buckets;
  for (const auto& [first, bucket] : by_first) buckets.push_back(bucket);
  std::vector<std::vector<double>> gain(buckets.size(), std::vector<double>(buckets.size()));
  const auto compare = [&](std::size_t i, std::size_t j) {
    gain[i][j] = buckets[i].with(buckets[j]).rate() - buckets[i].rate() - buckets[j].rate();
  };
  for (std::size_t j = 0; j < buckets.size(); ++j) {
    for (std::size_t i = 0; i < j; ++i) compare(i, j);
  }
  while (buckets.size() > kBuckets) {
    std::size_t left = 0, right = 1;
    for (std::size_t j = 0; j < buckets.size(); ++j) {
      for (std::size_t i = 0; i < j; ++i) {
        if (gain[i][j] < gain[left][right]) left = i, right = j;
      }
    }
    buckets[left] = buckets[left].with(buckets[right]);
    const std::size_t last = buckets.size() - 1;
    if (right != last) {
      buckets[right] = buckets[last];
      for (std::size_t i = 0; i < last; ++i) {
        if (i != right) compare(std::min(i, right), std::max(i, right));
      }
    }
    buckets.pop_back();
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      if (i != left) compare(std::min(i, left), std::max(i, left));
    }
  }
  return buckets;
}

NibbleMasks masks_of(const std::vector<std::string_view>& sorted) {
  NibbleMasks masks;
  const std::vector<Bucket> buckets = buckets_of(sorted);
  for (std::size_t b = 0; b < buckets.size(); ++b) {
    for (std::size_t j = 0; j < kTeddyBytes; ++j) {
      for (unsigned nibble = 0; nibble < 16; ++nibble) {
        masks.low[j][nibble] |= static_cast<unsigned char>((buckets[b].low[j] >> nibble & 1) << b);
        masks.high[j][nibble] |=
            static_cast<unsigned char>((buckets[b].high[j] >> nibble & 1) << b);
      }
    }
  }
  return masks;
}

}  // namespace

Sieve::Sieve(const std::vector<std::string>& texts, const std::vector<Literal>& literals,
             const WordIndex& index) {
  const std::vector<std::uint64_t> words = index.keys();
  std::vector<std::uint64_t> fours, threes;
  std::vector<std::string_view> free_texts, word_texts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::size_t word = first_word(texts[i], literals[i]);
    if (word > 0) {
      word_texts.push_back(std::string_view(texts[i]).substr(0, word));
      continue;
    }
    if (texts[i].size() >= 3) {
      threes.push_back(word_key(texts[i].data(), 3));
      fours.push_back(word_key(texts[i].data(), std::min<std::size_t>(texts[i].size(), 4)));
    } else {
      add_short(texts[i]);
    }
    free_texts.push_back(texts[i]);
  }
  filter_.any_word = !words.empty();
  filter_.few_words = words.size() <= kFewWords;
  if (filter_.few_words) filter_.word_masks = masks_of(word_texts);
  filter_.words = make_bloom(words, words_);
  filter_.any_free = !free_texts.empty();
  filter_.fours = make_bloom(fours, fours_);
  filter_.threes = make_bloom(threes, threes_);
  filter_.any_short = !shorts_.empty();
  filter_.shorts = shorts_.data();
  filter_.free_masks = masks_of(free_texts);
}

void Sieve::add_short(const std::string& text) {
  shorts_.resize((1 << 16) / 8);
  const std::uint64_t key = word_key(text.data(), text.size());
  for (unsigned second = 0; second < (text.size() == 1 ? 256U : 1U); ++second) {
    const std::uint64_t pair = key | static_cast<std::uint64_t>(second) << 8;
    shorts_[pair >> 3] = static_cast<unsigned char>(shorts_[pair >> 3] | 1U << (pair & 7));
  }
}

}  // namespace coverset
