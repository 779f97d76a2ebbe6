// Fuzzes the literal scanner. The input is read as an alphabet, literals and rows of text; every
// SIMD level, with one thread and with two, must find what a matcher that tries each position
// finds. All memory is on the heap and of exact size, so that AddressSanitizer sees what is read
// past it.
//
// A libFuzzer target; with COVERSET_FUZZ_MAIN a program that draws its inputs: fuzz_scan [RUNS
// [SEED]].
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coverset/lf.hpp"
#include "coverset/simd.hpp"

#if defined(COVERSET_FUZZ_MAIN)
#include <random>
#endif

namespace {

using namespace coverset;

constexpr std::size_t kMostRowBytes = 12'000;
constexpr std::size_t kMostBytes = 8'000;
constexpr std::size_t kManyRows = 16'400;  // more than a block has

/// The fuzzer's bytes, read one by one; zeros where they have ended.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}

  unsigned byte() { return at_ < end_ ? *at_++ : 0; }
  unsigned below(unsigned n) { return byte() % n; }
  bool flag() { return byte() % 2 != 0; }

 private:
  const std::uint8_t *at_, *end_;
};

// Characters, the slow way

std::string encoded(std::uint32_t point) {
  const auto tail = [&](int i) { return static_cast<char>(0x80 | (point >> 6 * i & 0x3f)); };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xc0 | point >> 6), tail(0)};
  if (point < 0x10000) return {static_cast<char>(0xe0 | point >> 12), tail(1), tail(0)};
  return {static_cast<char>(0xf0 | point >> 18), tail(2), tail(1), tail(0)};
}

constexpr std::uint32_t kMalformed = 0x110000;  // added to a byte that begins no character

/// The character that the text begins with: of all lengths, the one at which encoding its bits
/// gives its bytes.
std::uint32_t first_point(std::string_view text) {
  constexpr std::uint32_t kLeadBits[] = {0x7f, 0x1f, 0x0f, 0x07};
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t n = 1; n <= 4 && n <= text.size(); ++n) {
    std::uint32_t point = at(0) & kLeadBits[n - 1];
    for (std::size_t i = 1; i < n; ++i) point = point << 6 | (at(i) & 0x3fU);
    const bool is_character = point < kMalformed && (point < 0xd800 || point > 0xdfff);
    if (is_character && encoded(point) == text.substr(0, n)) return point;
  }
  return kMalformed + at(0);
}

bool valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::uint32_t point = first_point(text);
    if (point >= kMalformed) return false;
    text.remove_prefix(encoded(point).size());
  }
  return true;
}

std::uint32_t lower(std::uint32_t point) {
  return 'A' <= point && point <= 'Z' ? point + ('a' - 'A') : point;
}

std::string swapped_case(std::string text) {
  for (char& c : text) {
    if (('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z')) c = static_cast<char>(c ^ 0x20);
  }
  return text;
}

/// The first n bytes, or a few fewer: no character is cut.
std::string cut(const std::string& text, std::size_t n) {
  if (n >= text.size()) return text;
  while (n > 0 && (text[n] & 0xc0) == 0x80) --n;
  return text.substr(0, n);
}

// Reading a case from the input

// what begins and ends words, and ASCII letters of either case, some of them folded to from afar
constexpr std::string_view kAscii = "abABkKsSiIzZ019__  .-,\n@[`{/:";
// é É ß ẞ, Kelvin, long s, dotted and dotless i, sigmas, two mus, two of unequal lengths in UTF-8,
// Han, two of four bytes; then what is no word character: combining acute, middle dot, euro, emoji
constexpr std::uint32_t kPoints[] = {
    0xe9, 0xc9,  0xdf,  0x1e9e, 0x212a, 0x17f,   0x130,   0x131, 0x3c3, 0x3c2,  0x3a3,
    0xb5, 0x3bc, 0x23a, 0x2c65, 0x65e5, 0x10400, 0x10428, 0x301, 0xb7,  0x20ac, 0x1f600};
constexpr std::size_t kWordPoints = 18;
constexpr Alphabet::Fold kFolds[] = {
    {0xc9, 0xe9},   {0x1e9e, 0xdf}, {0x212a, 'k'}, {0x17f, 's'},    {0x130, 'i'},      {0x131, 'i'},
    {0x3c2, 0x3a3}, {0x3c3, 0x3a3}, {0x3bc, 0xb5}, {0x23a, 0x2c65}, {0x10400, 0x10428}};
constexpr std::string_view kSeparators[] = {" ", ".", "_", "-", "\n", "\xc3\xa9", "  ", "a"};

struct Row {
  std::size_t text;  // of Case::texts
  bool valid;
};

struct Case {
  Alphabet alphabet;
  std::vector<Literal> literals;
  std::vector<std::int32_t> min_counts;
  std::vector<std::string> texts;
  std::vector<Row> rows;
};

/// ASCII as it is in any alphabet; other letters fold to letters.
Alphabet read_alphabet(Input& input) {
  Alphabet alphabet;
  const unsigned kind = input.below(4);
  if (kind == 0) return alphabet;
  alphabet.word_ranges = {'0', '9', 'A', 'Z', '_', '_', 'a', 'z'};
  std::vector<std::uint32_t> points(kPoints, kPoints + kWordPoints);
  std::ranges::sort(points);
  for (const std::uint32_t point : points) {
    alphabet.word_ranges.insert(alphabet.word_ranges.end(), 2, point);
  }
  if (kind == 1) return alphabet;
  std::map<std::uint32_t, std::uint32_t> folds;
  for (std::uint32_t letter = 'A'; letter <= 'Z'; ++letter) folds[letter] = lower(letter);
  for (const Alphabet::Fold& fold : kFolds) folds[fold.from] = fold.to;
  if (kind == 3) {
    for (unsigned n = input.below(6); n > 0; --n) {
      const std::uint32_t from = kPoints[input.below(kWordPoints)];
      const unsigned to = input.byte();
      folds[from] = to % 2 != 0 ? kPoints[to / 2 % kWordPoints] : 'a' + to / 2 % 26;
    }
  }
  for (const auto& [from, to] : folds) alphabet.folds.push_back({from, to});
  return alphabet;
}

std::string read_letter(Input& input, bool malformed) {
  const unsigned draw = input.byte();
  if (draw < 150) return {kAscii[draw % kAscii.size()]};
  if (draw < 230 || !malformed) return encoded(kPoints[draw % std::size(kPoints)]);
  return {static_cast<char>(input.byte())};
}

std::string read_letters(Input& input, bool malformed) {
  unsigned n = 1 + input.below(8);
  if (n == 8) n = 1 + input.below(64);
  std::string letters;
  for (; n > 0; --n) letters += read_letter(input, malformed);
  return letters;
}

/// A text of its own, or one made of those before it.
std::string read_literal_text(Input& input, const std::vector<Literal>& before, bool malformed) {
  const unsigned kind = input.below(10);
  if (kind < 4 || before.empty()) return read_letters(input, malformed);
  const std::string& known = before[input.below(static_cast<unsigned>(before.size()))].text;
  switch (kind) {
    case 4:
      return swapped_case(known);
    case 5:
      return cut(known, input.below(16)) + read_letters(input, malformed);
    case 6:
      return cut(known, 64) + ' ' + read_letters(input, malformed);
    case 7:
      return cut(known, 64) + cut(before[input.byte() % before.size()].text, 64);
    case 8: {
      const std::string letter = read_letter(input, malformed);
      std::string text;
      for (unsigned n = 1 + input.byte(); n > 0; --n) text += letter;
      return text;
    }
    default:
      return known;
  }
}

void read_literals(Input& input, Case& made) {
  const bool unicode = made.alphabet.unicode();
  for (unsigned n = 1 + input.below(5); n > 0; --n) {
    const unsigned count = input.below(8);
    made.min_counts.push_back(count < 5 ? 1 : static_cast<std::int32_t>(2 * (count - 4)));
  }
  const auto rules = static_cast<unsigned>(made.min_counts.size());
  for (unsigned n = 1 + input.below(20); n > 0; --n) {
    std::string text = read_literal_text(input, made.literals, !unicode);
    const unsigned flags = input.byte();
    // as Python has it: an alphabet with folds is for literals of either case
    const bool fold_case = flags % 2 != 0 || !made.alphabet.folds.empty();
    const Literal literal{std::move(text), static_cast<std::int32_t>(flags / 8 % rules), fold_case,
                          flags / 2 % 2 != 0, flags / 4 % 2 != 0};
    made.literals.push_back(literal);
    if (flags < 252) continue;
    // many of one beginning
    Literal other = literal;
    const std::string begin = cut(literal.text, 6);
    for (unsigned i = 0, most = 2 * input.byte(); i < most; ++i) {
      other.text = begin + static_cast<char>('a' + i % 26) + static_cast<char>('0' + i / 26);
      other.rule = static_cast<std::int32_t>(i % rules);
      made.literals.push_back(other);
    }
  }
}

std::string read_text(Input& input, const Case& made) {
  const auto literal = [&] { return made.literals[input.byte() % made.literals.size()].text; };
  std::string text;
  const auto fill = [&](int multiple, int before) {
    const char letter = kAscii[input.below(kAscii.size())];
    do text += letter;
    while ((static_cast<int>(text.size()) + before) % multiple != 0);
  };
  while (text.size() < kMostRowBytes) {
    switch (input.below(13)) {
      case 0:
        return text;
      case 1:
      case 2:
        text += literal();
        break;
      case 3:
        text += swapped_case(literal());
        break;
      case 4:
        text += literal().substr(1);
        break;
      case 5:
        text += cut(literal(), input.below(12));
        break;
      case 6:
      case 7:
        text += read_letters(input, true);
        break;
      case 8:
        text += kSeparators[input.below(std::size(kSeparators))];
        break;
      case 9:  // the last bytes again and again
      case 10: {
        const std::size_t most = std::min<std::size_t>(text.size(), 1 + input.below(64));
        const std::string last = text.substr(text.size() - most);
        const unsigned n = input.byte();
        for (unsigned i = 0; i < (n < 192 ? n % 16 : n); ++i) text += last;
        break;
      }
      case 11: {  // to about the end of a piece
        const int draw = static_cast<int>(input.byte());
        fill(4096, draw < 128 ? draw % 16 - 4 : draw - 128);
        break;
      }
      default:  // or of a register
        fill(64, static_cast<int>(input.below(16)) - 4);
    }
  }
  text.resize(kMostRowBytes);
  return text;
}

Case read_case(Input& input) {
  Case made;
  made.alphabet = read_alphabet(input);
  read_literals(input, made);
  std::size_t bytes = 0;
  for (unsigned n = input.below(10); n > 0 && bytes < kMostBytes; --n) {
    const bool valid = input.below(8) != 1;
    made.rows.push_back({made.texts.size(), valid});
    made.texts.push_back(read_text(input, made));
    bytes += made.texts.back().size();
  }
  const bool many = input.byte() == 'm' && input.byte() > 128;
  if (many && !made.rows.empty() && bytes < 64 * made.rows.size()) {
    const std::size_t few = made.rows.size();
    for (std::size_t i = few; i < kManyRows; ++i) made.rows.push_back(made.rows[i % few]);
  }
  return made;
}

// What must be found

/// A text by characters, or by bytes where letters are ASCII.
struct Units {
  std::u32string points, folded;
  std::vector<bool> word;
};

bool is_word(std::uint32_t point, const Alphabet& alphabet) {
  if (!alphabet.unicode()) {
    const std::uint32_t letter = lower(point);
    return ('a' <= letter && letter <= 'z') || ('0' <= letter && letter <= '9') || letter == '_';
  }
  for (std::size_t i = 0; i < alphabet.word_ranges.size(); i += 2) {
    if (alphabet.word_ranges[i] <= point && point <= alphabet.word_ranges[i + 1]) return true;
  }
  return false;
}

Units units_of(std::string_view text, const Alphabet& alphabet) {
  std::map<std::uint32_t, std::uint32_t> folds;
  for (const Alphabet::Fold& fold : alphabet.folds) folds[fold.from] = fold.to;
  Units units;
  while (!text.empty()) {
    std::uint32_t point = static_cast<unsigned char>(text[0]);
    if (alphabet.unicode()) point = first_point(text);
    const bool character = alphabet.unicode() && point < kMalformed;
    text.remove_prefix(character ? encoded(point).size() : 1);
    units.points += point;
    units.folded += lower(folds.contains(point) ? folds[point] : point);
    units.word.push_back(is_word(point, alphabet));
  }
  return units;
}

std::int32_t occurrences(const Units& text, const Units& wanted, const Literal& literal) {
  const std::u32string& in = literal.fold_case ? text.folded : text.points;
  const std::u32string& what = literal.fold_case ? wanted.folded : wanted.points;
  std::int32_t count = 0;
  for (std::size_t begin = 0; begin + what.size() <= in.size(); ++begin) {
    const std::size_t end = begin + what.size();
    if (in[begin] != what[0] || in.compare(begin, what.size(), what) != 0) continue;
    if (literal.word_start && begin > 0 && text.word[begin - 1]) continue;
    if (literal.word_end && end < in.size() && text.word[end]) continue;
    ++count;
  }
  return count;
}

/// The rules that fire on each text.
std::vector<std::vector<std::int32_t>> expected_rules(const Case& made) {
  std::vector<Units> literals;
  for (const Literal& literal : made.literals) {
    literals.push_back(units_of(literal.text, made.alphabet));
  }
  std::vector<std::vector<std::int32_t>> expected;
  for (const std::string& text : made.texts) {
    const Units units = units_of(text, made.alphabet);
    std::vector<std::int32_t> counts(made.min_counts.size());
    for (std::size_t i = 0; i < literals.size(); ++i) {
      counts[static_cast<std::size_t>(made.literals[i].rule)] +=
          occurrences(units, literals[i], made.literals[i]);
    }
    expected.emplace_back();
    for (std::size_t rule = 0; rule < counts.size(); ++rule) {
      if (counts[rule] >= made.min_counts[rule]) {
        expected.back().push_back(static_cast<std::int32_t>(rule));
      }
    }
  }
  return expected;
}

// Memory

/// The rows as Arrow lays them out, in memory of exact size.
class Column {
 public:
  Column(const Case& made, Input& input) : rows_(made.rows.size()) {
    lay_out_validity(made, input);
    const unsigned layout = input.below(3);
    if (layout == 0) lay_out_offsets<std::int32_t>(made, input, TextView::Layout::offsets32);
    if (layout == 1) lay_out_offsets<std::int64_t>(made, input, TextView::Layout::offsets64);
    if (layout == 2) lay_out_views(made, input);
    view_.n = static_cast<std::int64_t>(rows_);
    view_.buffers = buffers_;
  }

  const TextView& view() const { return view_; }

 private:
  char* hold(const void* data, std::size_t bytes) {
    memory_.push_back(std::make_unique<char[]>(bytes));
    if (bytes > 0) std::memcpy(memory_.back().get(), data, bytes);
    return memory_.back().get();
  }
  void hold_buffer(const std::string& text) {
    buffers_.push_back({hold(text.data(), text.size()), static_cast<std::int64_t>(text.size())});
  }
  static std::string read_slack(Input& input) {
    const unsigned n = input.byte();
    return std::string(n < 128 ? n % 80 : 0, 'a');
  }

  void lay_out_validity(const Case& made, Input& input) {
    const bool all = std::ranges::all_of(made.rows, [](const Row& row) { return row.valid; });
    if (input.flag() && all) return;
    const std::size_t skipped = input.below(17);
    std::vector<std::uint8_t> bits((skipped + rows_ + 7) / 8, 0xff);
    for (std::size_t i = 0; i < rows_; ++i) {
      const std::size_t bit = skipped + i;
      if (!made.rows[i].valid) bits[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    }
    view_.validity = {reinterpret_cast<const std::uint8_t*>(hold(bits.data(), bits.size())),
                      static_cast<std::int64_t>(skipped)};
  }

  template <class Offset>
  void lay_out_offsets(const Case& made, Input& input, TextView::Layout layout) {
    std::string text = read_slack(input);
    std::vector<Offset> ends{static_cast<Offset>(text.size())};
    for (const Row& row : made.rows) {
      text += made.texts[row.text];
      ends.push_back(static_cast<Offset>(text.size()));
    }
    hold_buffer(text + read_slack(input));
    view_.layout = layout;
    view_.index = hold(ends.data(), ends.size() * sizeof(Offset));
  }

  void lay_out_views(const Case& made, Input& input) {
    const unsigned layout = input.byte();
    const char padding = layout % 2 != 0 ? 'a' : '\0';
    std::vector<std::string> buffers(1 + layout / 2 % 3, read_slack(input));
    std::string views;
    for (std::size_t i = 0; i < rows_; ++i) {
      const std::string& text = made.texts[made.rows[i].text];
      const auto size = static_cast<std::int32_t>(text.size());
      std::string view(16, padding);
      if (!made.rows[i].valid && layout / 8 % 2 != 0) {
        view.assign(16, '\x7f');  // a null's view says nothing
      } else if (size <= TextView::kInlineBytes) {
        std::memcpy(view.data(), &size, 4);
        std::memcpy(view.data() + 4, text.data(), text.size());
      } else {
        std::string& buffer = buffers[i % buffers.size()];
        const std::int32_t place[] = {static_cast<std::int32_t>(i % buffers.size()),
                                      static_cast<std::int32_t>(buffer.size())};
        std::memcpy(view.data(), &size, 4);
        std::memcpy(view.data() + 4, text.data(), 4);
        std::memcpy(view.data() + 8, place, 8);
        buffer += text;
      }
      views += view;
    }
    for (const std::string& buffer : buffers) hold_buffer(buffer + read_slack(input));
    view_.layout = TextView::Layout::views;
    view_.index = hold(views.data(), views.size());
  }

  std::size_t rows_;
  std::vector<std::unique_ptr<char[]>> memory_;
  std::vector<TextBuffer> buffers_;
  TextView view_;
};

// The comparison

void show(const char* name, std::string_view text) {
  std::fprintf(stderr, "%s, %zu bytes: ", name, text.size());
  for (const char c : text.substr(0, 400)) {
    if (' ' <= c && c <= '~' && c != '\\') {
      std::fputc(c, stderr);
    } else {
      std::fprintf(stderr, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  std::fputc('\n', stderr);
}

[[noreturn]] void fail_on(const Case& made, const char* what, std::size_t row) {
  const Alphabet& alphabet = made.alphabet;
  std::fprintf(stderr, "%s; SIMD level %s, %s alphabet, %zu folds\n", what, simd_name(simd_level()),
               alphabet.unicode() ? "Unicode" : "ASCII", alphabet.folds.size());
  for (std::size_t i = 0; i < made.literals.size() && i < 40; ++i) {
    const Literal& literal = made.literals[i];
    std::fprintf(stderr, "rule %d, from %d, fold %d, start %d, end %d ", literal.rule,
                 made.min_counts[static_cast<std::size_t>(literal.rule)], literal.fold_case,
                 literal.word_start, literal.word_end);
    show("literal", literal.text);
  }
  if (row < made.rows.size()) {
    std::fprintf(stderr, "row %zu of %zu, ", row, made.rows.size());
    show("text", made.texts[made.rows[row].text]);
  }
  std::abort();
}

void check_hits(const Case& made, const std::vector<std::vector<std::int32_t>>& expected,
                const Hits& hits) {
  if (hits.rows.size() != hits.rules.size()) fail_on(made, "rows and rules differ in number", -1UL);
  std::size_t at = 0;
  for (std::size_t row = 0; row < made.rows.size(); ++row) {
    std::vector<std::int32_t> rules;
    while (at < hits.rows.size() && static_cast<std::size_t>(hits.rows[at]) == row) {
      rules.push_back(hits.rules[at++]);
    }
    std::ranges::sort(rules);
    const Row& from = made.rows[row];
    if (rules != (from.valid ? expected[from.text] : std::vector<std::int32_t>{})) {
      fail_on(made, "the scan finds something else", row);
    }
  }
  if (at != hits.rows.size()) fail_on(made, "rows do not ascend", -1UL);
}

void check_case(Input input) {
  Case made = read_case(input);
  std::erase_if(made.literals, [](const Literal& literal) { return literal.text.empty(); });
  const Column column(made, input);
  const auto expected = expected_rules(made);
  const LiteralScanner scanner(made.literals, made.min_counts, made.alphabet);
  std::unique_ptr<Hits> first;
  for (const SimdLevel level : {SimdLevel::v2, SimdLevel::v3, SimdLevel::v4, SimdLevel::neon}) {
    if (!simd_supported(level)) continue;
    force_simd_level(simd_name(level));
    for (const int threads : {1, 2}) {
      const Hits hits = scan_literals(Cpu{threads}, scanner, column.view());
      check_hits(made, expected, hits);
      if (first == nullptr) first = std::make_unique<Hits>(hits);
      if (hits.rows != first->rows || hits.rules != first->rules) {
        fail_on(made, "the order of rules differs", -1UL);
      }
    }
  }
  std::vector<bool> valid;
  for (const std::string& text : made.texts) valid.push_back(valid_utf8(text));
  const auto bad = std::ranges::find_if(
      made.rows, [&](const Row& row) { return row.valid && !valid[row.text]; });
  const std::int64_t wanted = bad == made.rows.end() ? -1 : bad - made.rows.begin();
  for (const int threads : {1, 2}) {
    if (find_invalid_utf8(Cpu{threads}, column.view()) != wanted) {
      fail_on(made, "invalid UTF-8 is found elsewhere", static_cast<std::size_t>(wanted));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_case(Input(data, size));
  return 0;
}

#if defined(COVERSET_FUZZ_MAIN)
int main(int argc, char** argv) {
  const long runs = argc > 1 ? std::atol(argv[1]) : 1000;
  std::mt19937_64 draw(argc > 2 ? static_cast<std::uint64_t>(std::atoll(argv[2])) : 0);
  for (long run = 0; run < runs; ++run) {
    std::vector<std::uint8_t> input(draw() % 1024);
    for (std::uint8_t& byte : input) byte = static_cast<std::uint8_t>(draw());
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("%ld inputs: clean\n", runs);
}
#endif
