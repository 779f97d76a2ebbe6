// The scan for literals: sieve, automaton, word boundaries, counts.
#include <algorithm>
#include <cstring>

#include "coverset/error.hpp"
#include "coverset/lf.hpp"
#include "lf/alphabet.hpp"
#include "lf/automaton.hpp"
#include "lf/filter.hpp"
#include "lf/hits.hpp"
#include "lf/sieve.hpp"
#include "lf/text_blocks.hpp"
#include "lf/word_index.hpp"

namespace coverset {
namespace {

/// Literals in the order of their folded texts, which is that of the automaton's.
std::vector<Literal> sorted_by_folded_text(std::vector<Literal> literals, const Letters& letters,
                                           std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::size_t>> order;
  FoldedText folded;
  for (std::size_t i = 0; i < literals.size(); ++i) {
    require(!literals[i].text.empty(), "literal ", i, " must not be empty");
    const auto bytes = static_cast<std::int64_t>(literals[i].text.size());
    letters.fold(literals[i].text.data(), bytes, folded);
    std::ranges::transform(folded.bytes, folded.bytes.begin(), fold_ascii);
    order.emplace_back(folded.bytes, i);
  }
  std::ranges::sort(order);
  std::vector<Literal> sorted;
  for (auto& [text, i] : order) {
    sorted.push_back(std::move(literals[i]));
    texts.push_back(std::move(text));
  }
  return sorted;
}

/// How many bytes of the text agree with the folded one.
std::size_t agreement(const char* text, const std::string& folded) {
  std::size_t i = 0;
  while (i < folded.size() && fold_ascii(text[i]) == folded[i]) ++i;
  return i;
}

bool all_ascii(const char* text, std::int64_t bytes) {
  std::uint64_t bits = 0;
  std::int64_t at = 0;
  for (; at + 8 <= bytes; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text + at, 8);
    bits |= word;
  }
  for (; at < bytes; ++at) bits |= static_cast<unsigned char>(text[at]);
  return (bits & 0x8080808080808080ULL) == 0;
}

}  // namespace

struct LiteralScanner::Parts {
  Parts(std::vector<Literal> given, std::vector<std::int32_t> counts, const Alphabet& alphabet)
      : letters(alphabet),
        literals(sorted_by_folded_text(std::move(given), letters, texts)),
        min_counts(std::move(counts)),
        automaton(texts),
        words(texts, literals),
        sieve(texts, literals, words) {}

  Letters letters;
  std::vector<std::string> texts;  // folded
  std::vector<Literal> literals;
  std::vector<std::int32_t> min_counts;
  Automaton automaton;
  WordIndex words;
  Sieve sieve;
};

LiteralScanner::LiteralScanner(std::vector<Literal> literals, std::vector<std::int32_t> min_counts,
                               Alphabet alphabet) {
  for (std::size_t i = 0; i < literals.size(); ++i) {
    require(literals[i].rule >= 0 && static_cast<std::size_t>(literals[i].rule) < min_counts.size(),
            "rule of literal ", i, " must be in 0..", min_counts.size(), "-1");
  }
  parts_ = std::make_unique<const Parts>(std::move(literals), std::move(min_counts), alphabet);
}
LiteralScanner::~LiteralScanner() = default;
LiteralScanner::LiteralScanner(LiteralScanner&&) noexcept = default;

namespace {

/// A scan of consecutive rows by one thread.
class RowScan {
 public:
  RowScan(const LiteralScanner::Parts& parts, Hits& hits)
      : parts_(parts), hits_(hits), last_row_(parts.min_counts.size(), -1) {
    for (const std::int32_t wanted : parts.min_counts) any_count_ |= wanted > 1;
    if (any_count_) counts_.resize(parts.min_counts.size());
  }

  void scan(std::int32_t row, TextRow text) {
    row_ = row;
    word_ = nullptr;
    if (parts_.letters.unicode() && !all_ascii(text.text, text.bytes)) {
      parts_.letters.fold(text.text, text.bytes, folded_);
      const auto bytes = static_cast<std::int64_t>(folded_.bytes.size());
      word_ = folded_.word.data();
      text = {folded_.bytes.data(), bytes, bytes};
    }
    resume_ = work_ = 0;
    for (std::int64_t at = 0; at < text.bytes; at += kPiece) scan_piece(text, at);
  }

 private:
  void scan_piece(const TextRow& text, std::int64_t at) {
    const bool after_word = at > 0 && word_byte(text.text[at - 1]);
    const std::int64_t left = text.bytes - at;
    const std::int64_t size = std::min<std::int64_t>(left, kPiece);
    const char* piece = text.text + at;
    std::int64_t end = left;
    if (text.readable - at < left + kReadAhead) {  // too near the end of its memory
      end = std::min<std::int64_t>(left, kPiece + kReadAhead);
      std::memcpy(copy_, piece, static_cast<std::size_t>(end));
      std::memset(copy_ + end, 0, sizeof copy_ - static_cast<std::size_t>(end));
      piece = copy_;
    }
    const long found = parts_.sieve.candidates(piece, size, end, after_word, positions_);
    for (long i = 0; i < found; ++i) {
      const std::int64_t position = at + (positions_[i] & ~kFree);
      if (position < resume_) continue;
      if (i + 1 < found && (positions_[i + 1] & ~kFree) == positions_[i]) continue;  // kFree next
      const bool free = (positions_[i] & kFree) != 0;
      if (free || !look_up(text, position)) walk(text, position);
    }
  }

  /// Reports the literals that begin with the word here; false where they are too many for that.
  bool look_up(const TextRow& text, std::int64_t begin) {
    constexpr std::size_t kMost = 4;
    const std::int64_t left = std::min<std::int64_t>(text.bytes - begin, kWordKeyBytes);
    std::int64_t length = 0;
    while (length < left && word_byte(text.text[begin + length])) ++length;
    const auto key = word_key(text.text + begin, static_cast<std::size_t>(length));
    const std::span<const std::int32_t> literals = parts_.words.find(key);
    if (literals.size() > kMost) return false;
    for (const std::int32_t i : literals) {
      const std::string& wanted = parts_.texts[static_cast<std::size_t>(i)];
      const auto size = static_cast<std::int64_t>(wanted.size());
      if (size > text.bytes - begin) continue;
      const std::size_t agreed = agreement(text.text + begin, wanted);
      work_ += static_cast<std::int64_t>(agreed);
      if (agreed == wanted.size()) report(text, i, begin + size);
    }
    limit_work(text, begin);
    return true;
  }

  /// Reports the literals that begin here, byte by byte down the trie.
  void walk(const TextRow& text, std::int64_t begin) {
    std::int32_t state = 0;
    std::int64_t at = begin;
    while (at < text.bytes && (state = parts_.automaton.child(state, text.text[at])) != 0) {
      ++at;
      parts_.automaton.for_each_text(state, [&](std::int32_t i) { report(text, i, at); });
    }
    work_ += at - begin;
    limit_work(text, begin);
  }

  /// Where looking at each position has cost too much in this row (a text of one letter against
  /// long words of it), lets the automaton read the rest.
  void limit_work(const TextRow& text, std::int64_t begin) {
    constexpr std::int64_t kFreeWork = 4096, kWorkPerByte = 8;
    if (work_ > kFreeWork + kWorkPerByte * (begin + 1)) read_rest(text, begin + 1);
  }

  /// Reports every literal that begins at `at` or later.
  void read_rest(const TextRow& text, std::int64_t at) {
    std::int32_t state = 0;
    while (at < text.bytes) {
      state = parts_.automaton.step(state, text.text[at++]);
      parts_.automaton.for_each_end(state, [&](std::int32_t i) { report(text, i, at); });
    }
    resume_ = text.bytes;
  }

  void report(const TextRow& text, std::int32_t which, std::int64_t end) {
    const auto i = static_cast<std::size_t>(which);
    const Literal& literal = parts_.literals[i];
    const auto rule = static_cast<std::size_t>(literal.rule);
    const bool seen = last_row_[rule] == row_;
    if (seen && (!any_count_ || counts_[rule] >= parts_.min_counts[rule])) return;
    const std::int64_t begin = end - static_cast<std::int64_t>(parts_.texts[i].size());
    if (literal.word_start && begin > 0 && is_word(text, begin - 1)) return;
    if (literal.word_end && end < text.bytes && is_word(text, end)) return;
    if (!literal.fold_case &&
        std::memcmp(literal.text.data(), text.text + begin, literal.text.size()) != 0) {
      return;
    }
    last_row_[rule] = row_;
    if (any_count_) {
      counts_[rule] = seen ? counts_[rule] + 1 : 1;
      if (counts_[rule] < parts_.min_counts[rule]) return;
    }
    hits_.rows.push_back(row_);
    hits_.rules.push_back(literal.rule);
  }

  bool is_word(const TextRow& text, std::int64_t at) const {
    return word_ != nullptr ? word_[at] != 0 : word_byte(text.text[at]);
  }

  const LiteralScanner::Parts& parts_;
  Hits& hits_;
  std::vector<std::int32_t> last_row_, counts_;  // by rule
  bool any_count_ = false;
  std::int32_t row_ = 0;
  std::int64_t resume_ = 0;  // every literal that begins before is found
  std::int64_t work_ = 0;    // bytes walked in this row
  FoldedText folded_;
  const char* word_ = nullptr;  // by byte of a folded text
  unsigned positions_[kPositions];
  char copy_[kPiece + 2 * kReadAhead];
};

}  // namespace

Hits scan_literals(const Cpu& device, const LiteralScanner& scanner, const TextView& text) {
  return collect_hits(device, text.rows(), block_rows(text),
                      [&](std::int64_t begin, std::int64_t end, Hits& hits) {
                        RowScan scan(scanner.parts(), hits);
                        for (std::int64_t row = begin; row < end; ++row) {
                          if (text.validity[row])
                            scan.scan(static_cast<std::int32_t>(row), text.row(row));
                        }
                      });
}

}  // namespace coverset
