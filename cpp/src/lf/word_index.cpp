#include "lf/word_index.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "lf/alphabet.hpp"
#include "lf/filter.hpp"

namespace coverset {

std::uint64_t word_key(const char* text, std::size_t n) {
  std::uint64_t key = 0;
  std::memcpy(&key, text, n);
  return n == kWordKeyBytes ? key | kFold : (key | kFold) & ((1ULL << 8 * n) - 1);
}

std::size_t first_word(const std::string& folded, const Literal& literal) {
  if (!literal.word_start) return 0;
  const auto end = std::ranges::find_if_not(folded, word_byte);
  return end != folded.end() || literal.word_end ? static_cast<std::size_t>(end - folded.begin())
                                                 : 0;
}

WordIndex::WordIndex(const std::vector<std::string>& texts, const std::vector<Literal>& literals) {
  std::vector<std::pair<std::uint64_t, std::int32_t>> keyed;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::size_t length = first_word(texts[i], literals[i]);
    if (length == 0) continue;
    keyed.emplace_back(word_key(texts[i].data(), std::min(length, kWordKeyBytes)),
                       static_cast<std::int32_t>(i));
  }
  std::ranges::sort(keyed);
  slots_.resize(std::bit_ceil(2 * keyed.size() + 2));
  for (std::size_t i = 0; i < keyed.size();) {
    std::size_t end = i;
    while (end < keyed.size() && keyed[end].first == keyed[i].first) {
      literals_.push_back(keyed[end++].second);
    }
    std::size_t slot = hash(keyed[i].first);
    while (slots_[slot].begin != slots_[slot].end) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = {keyed[i].first, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(end)};
    i = end;
  }
}

std::vector<std::uint64_t> WordIndex::keys() const {
  std::vector<std::uint64_t> keys;
  for (const Slot& slot : slots_) {
    if (slot.begin != slot.end) keys.push_back(slot.key);
  }
  return keys;
}

}  // namespace coverset
