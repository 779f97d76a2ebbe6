// Labeling functions: what fires on which rows of a column, and the label matrix of it all.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "coverset/canonical.hpp"
#include "coverset/device.hpp"
#include "coverset/view.hpp"

namespace coverset {

/// What fired: rows ascend; a rule stands for a labeling function and the label it gives. The
/// rules of one row are in no order, each there once.
struct Hits {
  std::vector<std::int32_t> rows;
  std::vector<std::int32_t> rules;
};

/// The most rows of one call: rows are 32 bits wide.
inline constexpr std::int64_t kMostBlockRows = 1 << 30;

/// A literal to look for.
struct Literal {
  std::string text;         // UTF-8, not empty
  std::int32_t rule = 0;    // the rule that fires, 0..n_rules-1
  bool fold_case = true;    // letters match in either case
  bool word_start = false;  // no word character directly before
  bool word_end = false;    // none directly after
};

/// What letters are. ASCII: letters, digits and underscore are word characters, letters fold; other
/// bytes match exactly. With code points given, of Unicode: sorted, for the whole table.
struct Alphabet {
  struct Fold {
    std::uint32_t from, to;
  };
  std::vector<std::uint32_t> word_ranges;  // first and last code point of each run of \w, by turns
  std::vector<Fold> folds;                 // code points that fold to another one

  bool unicode() const { return !word_ranges.empty(); }
};

/// Finds many literals in one pass: a SIMD sieve for positions where one may begin (lf/filter.hpp),
/// from there a walk down a trie; where walks overlap too much, the trie's failure links (Aho &
/// Corasick 1975). Time O(bytes + occurrences) whatever the literals; 17 bytes a state, of which
/// there are at most as many as bytes in all literals. Immutable once built. Text need not be valid
/// UTF-8 under the ASCII alphabet; under Unicode's a malformed byte is no word character and folds
/// to itself.
class LiteralScanner {
 public:
  /// min_counts[rule]: the rule fires at that many occurrences of its literals, overlapping ones
  /// counted. Throws std::invalid_argument for an empty literal.
  LiteralScanner(std::vector<Literal> literals, std::vector<std::int32_t> min_counts,
                 Alphabet alphabet);
  ~LiteralScanner();
  LiteralScanner(LiteralScanner&&) noexcept;

  struct Parts;
  const Parts& parts() const { return *parts_; }

 private:
  std::unique_ptr<const Parts> parts_;
};

/// The rules that fire on each row that is not null. Reads each byte once; allocates O(hits), and
/// 8 bytes a rule for each block in work.
Hits scan_literals(const Cpu& device, const LiteralScanner& scanner, const TextView& text);

/// Bytes of all rows.
std::int64_t total_bytes(const TextView& text);

/// Where the strings at `rows` lie once they are copied side by side (rows + 1 offsets), and their
/// bytes, at `out`; with `lines`, each ends in a newline. On the calling thread.
std::int64_t take_offsets(const TextView& text, std::span<const std::int32_t> rows, bool lines,
                          std::span<std::int64_t> offsets);
void take_bytes(const TextView& text, std::span<const std::int32_t> rows, bool lines, char* out);

/// The first row that is not null and not valid UTF-8, or -1.
std::int64_t find_invalid_utf8(const Cpu& device, const TextView& text);

/// Patterns compiled by Hyperscan or Vectorscan, whose library is looked for when first needed.
class PatternDatabase {
 public:
  static bool available();

  /// `once`: a scan tells each pattern at most once, and patterns may match nothing. Throws
  /// std::invalid_argument where the library is missing or refuses the patterns.
  PatternDatabase(const std::vector<std::string>& patterns, bool once);
  ~PatternDatabase();
  PatternDatabase(PatternDatabase&&) noexcept;

  struct Parts;
  Parts& parts() const { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

/// Candidates: rows ascend, a rule is a pattern; and the number of matches that were told.
struct PatternHits {
  Hits hits;
  std::int64_t matches = 0;
};

/// Which of `rows` (ascending, valid UTF-8) may hold which patterns: all that do, perhaps more. As
/// lines, about a MiB of rows at a time, set apart by newlines; matches may then span rows. Else
/// row by row. Allocates O(hits) and about 2 MiB a thread.
PatternHits find_patterns(const Cpu& device, const PatternDatabase& database, const TextView& text,
                          std::span<const std::int32_t> rows, bool as_lines);

/// What fires on a whole string: the rules of a known one, or those for all others.
class StringTable {
 public:
  /// rules[i] fire on strings[i]; strings are distinct.
  StringTable(std::vector<std::string> strings, std::vector<std::vector<std::int32_t>> rules,
              std::vector<std::int32_t> others);

  std::span<const std::int32_t> find(const char* text, std::int64_t bytes) const;

 private:
  std::vector<std::string> strings_;
  std::vector<std::vector<std::int32_t>> rules_;
  std::vector<std::int32_t> others_;
  std::vector<std::int32_t> slots_;  // open addressing: a string, or -1
};

/// The rules of each row that is not null. Allocates O(hits).
Hits match_strings(const Cpu& device, const StringTable& table, const TextView& text);

/// Hits on the distinct values of a column, given to the rows that hold them. codes[row] is a
/// value, or -1. Allocates O(hits) and 8 bytes a value.
Hits expand_hits(const Cpu& device, std::span<const std::int32_t> rows,
                 std::span<const std::int32_t> rules, std::span<const std::int32_t> codes,
                 std::int64_t n_values);

/// Numbers of a column; a row is null where `validity` has a 0, and where the number is NaN.
template <class T>
struct NumberView {
  std::span<const T> values;
  Bitmap validity = {};

  bool valid(std::int64_t row) const {
    const T value = values[static_cast<std::size_t>(row)];
    return value == value && validity[row];
  }
};

/// Rules over the numbers of one column: rules[i] fires where low[i] <= x <= high[i]; a rule may
/// have several ranges. The ranges cut the line into segments, each with
/// the rules that fire there, so that a number is located once, whatever the number of rules.
template <class T>
struct RangeRules {
  std::span<const T> low, high;
  std::span<const std::int32_t> rules;
};

/// T: every signed and unsigned integer of 8 to 64 bits, float and double. Reads the column once;
/// allocates O(hits + ranges x rules that overlap).
template <class T>
Hits match_numbers(const Cpu& device, const RangeRules<T>& ranges, const NumberView<T>& numbers);

/// Rows of features, columns in any order within a row.
template <class Index, class Value>
struct FeatureView {
  std::span<const Index> indptr, columns;
  std::span<const Value> values;
};

/// Sparse weights by feature, and what is added for each rule: rule r fires where
/// sum_j x[j] weight[j][r] + bias[r] >= 0.
struct LinearRules {
  std::span<const std::int64_t> indptr;   // by feature
  std::span<const std::int32_t> members;  // 0..bias.size()-1
  std::span<const double> weights;
  std::span<const double> bias;
  std::span<const std::int32_t> rules;  // by member
};

/// Gustavson's row-wise product (1978), each row's sums compared at once and never stored. Sums
/// are float64, in the order of the row's entries. Allocates O(hits) and 16 bytes a member for each
/// block in work.
template <class Index, class Value>
Hits match_features(const Cpu& device, const LinearRules& rules,
                    const FeatureView<Index, Value>& features);

/// Prototype i belongs to a rule; the rule fires on rows near any of its prototypes.
struct PrototypeRules {
  FloatRows prototypes;
  std::span<const double> thresholds;
  std::span<const std::int32_t> rules;  // ascending: a rule's prototypes lie together
  bool cosine = true;  // cosine similarity >= threshold, or Euclidean distance <= threshold
};

/// Distances are canonical (canonical.hpp). A row of norm 0 has no cosine and fires nothing. Reads
/// each row once; rows where `validity` has a 0 are null. A row with a value that is not finite is
/// an error by number, `first_row` added.
Hits match_embeddings(const Cpu& device, const PrototypeRules& rules, const FloatRows& rows,
                      const Bitmap& validity, std::int64_t first_row);

/// One class's score of each row, `stride` numbers apart; null where `validity` has a 0.
template <class T>
struct ScoreColumn {
  const T* values = nullptr;
  std::int64_t stride = 1;
  Bitmap validity = {};
};

/// By class: the least score that counts, and the rule that fires where the class wins.
template <class T>
struct ScoreRules {
  std::span<const T> thresholds;
  std::span<const std::int32_t> rules;
};

/// Of the classes that reach their thresholds, the one with the highest score; none on a tie, where
/// a score is null or NaN, or where it is -infinity. T: float or double. Reads each score once;
/// allocates O(hits).
template <class T>
Hits match_scores(const Cpu& device, const ScoreRules<T>& rules,
                  std::span<const ScoreColumn<T>> columns, std::int64_t n);

/// Hits, perhaps with labels of their own (else the rules' labels).
struct VotePart {
  std::span<const std::int32_t> rows, rules;
  std::span<const std::int16_t> labels;  // by hit, or empty
};

/// The labeling function and the label of each rule; hits of a rule with label -1 are no votes.
struct Rules {
  std::span<const std::int32_t> lfs;
  std::span<const std::int16_t> labels;
};

/// Rows that place_votes takes at once.
inline constexpr std::int64_t kVoteBlockRows = 1 << 13;

/// Where the votes of each block of rows begin, and the number of votes: one entry a block of n
/// rows, and one more.
std::vector<std::int64_t> count_votes(const Cpu& device, std::span<const VotePart> parts,
                                      const Rules& rules, std::int64_t n);

/// The label matrix that the parts make together: indptr (n + 1) and its entries, by row, then by
/// labeling function. `starts` is count_votes'. No function may vote twice on a row: throws
/// std::invalid_argument.
void place_votes(const Cpu& device, std::span<const VotePart> parts, const Rules& rules,
                 std::span<const std::int64_t> starts, std::span<std::int64_t> indptr,
                 std::span<std::int32_t> lfs, std::span<std::int16_t> labels);

}  // namespace coverset
