#include "lf/alphabet.hpp"

#include "lf/utf8.hpp"

namespace coverset {
namespace {

constexpr std::uint32_t kCodePoints = 0x110000;

}  // namespace

Letters::Letters(const Alphabet& alphabet) {
  if (!alphabet.unicode()) return;
  word_.assign(kCodePoints / 64, 0);
  for (std::size_t i = 0; i + 1 < alphabet.word_ranges.size(); i += 2) {
    for (std::uint32_t point = alphabet.word_ranges[i];
         point <= alphabet.word_ranges[i + 1] && point < kCodePoints; ++point) {
      word_[point / 64] |= std::uint64_t{1} << (point % 64);
    }
  }
  for (const Alphabet::Fold& fold : alphabet.folds) {
    while (folds_.size() <= fold.from) folds_.push_back(static_cast<std::uint32_t>(folds_.size()));
    folds_[fold.from] = fold.to;
  }
}

void Letters::fold(const char* text, std::int64_t bytes, FoldedText& folded) const {
  if (!unicode()) {
    folded.bytes.assign(text, static_cast<std::size_t>(bytes));
    return;
  }
  folded.bytes.clear();
  folded.word.clear();
  const auto* at = reinterpret_cast<const unsigned char*>(text);
  const auto* const end = at + bytes;
  while (at < end) {
    const int length = sequence_length(at, end - at);
    if (length == 0) {
      folded.bytes.push_back(static_cast<char>(*at++));
      folded.word.push_back(0);
      continue;
    }
    const std::uint32_t point = code_point(at, length);
    char letter[4];
    const int size = encode(point < folds_.size() ? folds_[point] : point, letter);
    folded.bytes.append(letter, static_cast<std::size_t>(size));
    folded.word.insert(folded.word.end(), static_cast<std::size_t>(size), is_word(point) ? 1 : 0);
    at += length;
  }
}

}  // namespace coverset
