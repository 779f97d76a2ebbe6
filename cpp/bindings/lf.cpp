#include "coverset/lf.hpp"

#include <pybind11/stl.h>

#include <string>
#include <tuple>

#include "array.hpp"
#include "coverset/error.hpp"
#include "device.hpp"
#include "text.hpp"

namespace coverset::bindings {

using namespace py::literals;

namespace {

using RowNumbers = Array<std::int32_t>;
using Labels = Array<std::int16_t>;

py::tuple as_tuple(Hits hits) {
  return py::make_tuple(as_array(std::move(hits.rows)), as_array(std::move(hits.rules)));
}

/// Runs a kernel and hands its hits to Python as (rows, rules).
template <class Kernel>
py::tuple hits_of(int threads, Kernel&& kernel) {
  Hits hits = run(threads, kernel);
  return as_tuple(std::move(hits));
}

using Word = std::tuple<py::bytes, std::int32_t, bool, bool, bool>;

LiteralScanner make_scanner(const std::vector<Word>& words, const std::vector<std::int32_t>& counts,
                            const Array<std::uint32_t>& word_ranges,
                            const Array<std::uint32_t>& folds) {
  std::vector<Literal> literals;
  literals.reserve(words.size());
  for (const auto& [text, rule, fold_case, word_start, word_end] : words) {
    literals.push_back({std::string(text), rule, fold_case, word_start, word_end});
  }
  Alphabet alphabet;
  const auto ranges = in(word_ranges);
  alphabet.word_ranges.assign(ranges.begin(), ranges.end());
  const auto pairs = in(folds);
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    alphabet.folds.push_back({pairs[i], pairs[i + 1]});
  }
  return LiteralScanner(std::move(literals), counts, std::move(alphabet));
}

StringTable make_table(const std::vector<py::bytes>& strings,
                       std::vector<std::vector<std::int32_t>> rules,
                       std::vector<std::int32_t> others) {
  std::vector<std::string> texts;
  texts.reserve(strings.size());
  for (const py::bytes& text : strings) texts.emplace_back(text);
  return StringTable(std::move(texts), std::move(rules), std::move(others));
}

template <class T>
void bind_numbers(py::module_& m) {
  m.def(
      "match_numbers",
      [](const Array<T>& values, const Bytes& validity, std::int64_t validity_offset,
         const Array<T>& low, const Array<T>& high, const RowNumbers& rules, int threads) {
        require(low.size() == rules.size() && high.size() == rules.size(),
                "low, high and rules must be of one length");
        require(values.size() < kMostBlockRows, "a block must have fewer than ", kMostBlockRows,
                " rows, got ", values.size());
        const NumberView<T> numbers{in(values),
                                    validity_bits(validity, validity_offset, values.size())};
        const RangeRules<T> ranges{in(low), in(high), in(rules)};
        return hits_of(threads,
                       [&](const Cpu& device) { return match_numbers(device, ranges, numbers); });
      },
      "values"_a.noconvert(), "validity"_a.noconvert(), "validity_offset"_a, "low"_a.noconvert(),
      "high"_a.noconvert(), "rules"_a.noconvert(), "threads"_a);
}

/// Scores are (values, validity, validity_offset) by class: views of columns, or of one matrix.
template <class T>
void bind_scores(py::module_& m) {
  m.def(
      "match_scores",
      [](const std::vector<std::tuple<py::array_t<T>, Bytes, std::int64_t>>& scores,
         const Array<T>& thresholds, const RowNumbers& rules, int threads) {
        require(!scores.empty() && scores.size() == static_cast<std::size_t>(thresholds.size()) &&
                    thresholds.size() == rules.size(),
                "scores, thresholds and rules must be of one length");
        const std::int64_t n = std::get<0>(scores[0]).size();
        require(n < kMostBlockRows, "a block must have fewer than ", kMostBlockRows, " rows, got ",
                n);
        std::vector<ScoreColumn<T>> columns;
        for (const auto& [values, bits, offset] : scores) {
          require(values.ndim() == 1 && values.size() == n, "scores must be columns of one length");
          columns.push_back({values.data(), values.strides(0) / std::int64_t{sizeof(T)},
                             validity_bits(bits, offset, n)});
        }
        const ScoreRules<T> own{in(thresholds), in(rules)};
        return hits_of(threads,
                       [&](const Cpu& device) { return match_scores<T>(device, own, columns, n); });
      },
      "scores"_a, "thresholds"_a.noconvert(), "rules"_a.noconvert(), "threads"_a);
}

template <class Index, class Value>
void bind_features(py::module_& m) {
  m.def(
      "match_features",
      [](const Array<Index>& indptr, const Array<Index>& columns, const Array<Value>& values,
         const Array<std::int64_t>& weight_indptr, const RowNumbers& members,
         const Array<double>& weights, const Array<double>& bias, const RowNumbers& rules,
         int threads) {
        const FeatureView<Index, Value> features{in(indptr), in(columns), in(values)};
        const LinearRules linear{in(weight_indptr), in(members), in(weights), in(bias), in(rules)};
        require(!features.indptr.empty() && features.indptr.front() >= 0 &&
                    static_cast<std::size_t>(features.indptr.back()) <= features.columns.size() &&
                    features.columns.size() == features.values.size(),
                "indptr of the features must start at 0 or above and end within their entries");
        for (std::size_t row = 1; row < features.indptr.size(); ++row) {
          require(features.indptr[row - 1] <= features.indptr[row],
                  "indptr of the features must not fall, row ", row - 1, " does");
        }
        return hits_of(threads,
                       [&](const Cpu& device) { return match_features(device, linear, features); });
      },
      "indptr"_a.noconvert(), "columns"_a.noconvert(), "values"_a.noconvert(),
      "weight_indptr"_a.noconvert(), "members"_a.noconvert(), "weights"_a.noconvert(),
      "bias"_a.noconvert(), "rules"_a.noconvert(), "threads"_a);
}

FloatRows float_rows(const py::array_t<float>& array) {
  return {array.data(), array.shape(0), array.shape(1),
          array.strides(0) / static_cast<std::int64_t>(sizeof(float))};
}

py::tuple match_embeddings_array(const py::array_t<float>& embeddings, const Bytes& validity,
                                 std::int64_t validity_offset, const Array<float>& prototypes,
                                 const Array<double>& thresholds, const RowNumbers& rules,
                                 bool cosine, std::int64_t first_row, int threads) {
  require(embeddings.ndim() == 2 && embeddings.strides(1) == sizeof(float),
          "embeddings must be rows of consecutive float32");
  require(prototypes.ndim() == 2 && prototypes.shape(1) == embeddings.shape(1),
          "prototypes must be of the embeddings' dimension");
  const PrototypeRules near{float_rows(prototypes), in(thresholds), in(rules), cosine};
  const FloatRows rows = float_rows(embeddings);
  const Bitmap bits = validity_bits(validity, validity_offset, rows.n);
  return hits_of(threads, [&](const Cpu& device) {
    return match_embeddings(device, near, rows, bits, first_row);
  });
}

/// (indptr, lfs, labels) of a block of n rows; parts are (rows, rules, labels).
py::tuple assemble_votes(std::int64_t n,
                         const std::vector<std::tuple<RowNumbers, RowNumbers, Labels>>& parts,
                         const RowNumbers& rule_lfs, const Labels& rule_labels, int threads) {
  std::vector<VotePart> views;
  for (const auto& [rows, rules, labels] : parts) {
    require(rows.size() == rules.size() && (labels.size() == 0 || labels.size() == rows.size()),
            "rows, rules and labels must be of one length");
    views.push_back({in(rows), in(rules), in(labels)});
  }
  const Rules rules{in(rule_lfs), in(rule_labels)};
  const auto starts =
      run(threads, [&](const Cpu& device) { return count_votes(device, views, rules, n); });
  Array<std::int64_t> indptr(n + 1);
  RowNumbers lfs(starts.back());
  Labels labels(starts.back());
  const auto ends = out(indptr);
  const auto ids = out(lfs);
  const auto values = out(labels);
  run(threads,
      [&](const Cpu& device) { place_votes(device, views, rules, starts, ends, ids, values); });
  return py::make_tuple(indptr, lfs, labels);
}

}  // namespace

void bind_lf(py::module_& m) {
  bind_text(m);
  py::class_<LiteralScanner>(m, "LiteralScanner")
      .def(py::init(&make_scanner), "literals"_a, "min_counts"_a, "word_ranges"_a, "folds"_a);
  py::class_<StringTable>(m, "StringTable")
      .def(py::init(&make_table), "strings"_a, "rules"_a, "others"_a);
  m.def(
      "scan_literals",
      [](const LiteralScanner& scanner, const TextColumn& text, int threads) {
        return hits_of(threads, [&](const Cpu& device) {
          return scan_literals(device, scanner, text.view());
        });
      },
      "scanner"_a, "text"_a, "threads"_a);
  py::class_<PatternDatabase>(m, "PatternDatabase")
      .def(py::init<const std::vector<std::string>&, bool>(), "patterns"_a, "once"_a)
      .def_static("available", &PatternDatabase::available);
  m.def(
      "find_patterns",
      [](const PatternDatabase& database, const TextColumn& text, const RowNumbers& rows,
         bool as_lines, int threads) {
        require_rows(text, rows);
        PatternHits found = run(threads, [&](const Cpu& device) {
          return find_patterns(device, database, text.view(), in(rows), as_lines);
        });
        return py::make_tuple(as_tuple(std::move(found.hits)), found.matches);
      },
      "database"_a, "text"_a, "rows"_a.noconvert(), "as_lines"_a, "threads"_a);
  m.def(
      "match_strings",
      [](const StringTable& table, const TextColumn& text, int threads) {
        return hits_of(
            threads, [&](const Cpu& device) { return match_strings(device, table, text.view()); });
      },
      "table"_a, "text"_a, "threads"_a);
  m.def(
      "expand_hits",
      [](const RowNumbers& rows, const RowNumbers& rules, const RowNumbers& codes,
         std::int64_t n_values, int threads) {
        for (const std::int32_t code : in(codes)) {
          require(code < n_values, "codes must be below ", n_values, ", got ", code);
        }
        return hits_of(threads, [&](const Cpu& device) {
          return expand_hits(device, in(rows), in(rules), in(codes), n_values);
        });
      },
      "rows"_a.noconvert(), "rules"_a.noconvert(), "codes"_a.noconvert(), "n_values"_a,
      "threads"_a);
  bind_numbers<std::int8_t>(m);
  bind_numbers<std::int16_t>(m);
  bind_numbers<std::int32_t>(m);
  bind_numbers<std::int64_t>(m);
  bind_numbers<std::uint8_t>(m);
  bind_numbers<std::uint16_t>(m);
  bind_numbers<std::uint32_t>(m);
  bind_numbers<std::uint64_t>(m);
  bind_numbers<float>(m);
  bind_numbers<double>(m);
  bind_scores<float>(m);
  bind_scores<double>(m);
  bind_features<std::int32_t, float>(m);
  bind_features<std::int32_t, double>(m);
  bind_features<std::int64_t, float>(m);
  bind_features<std::int64_t, double>(m);
  m.def("match_embeddings", &match_embeddings_array, "embeddings"_a.noconvert(),
        "validity"_a.noconvert(), "validity_offset"_a, "prototypes"_a.noconvert(),
        "thresholds"_a.noconvert(), "rules"_a.noconvert(), "cosine"_a, "first_row"_a, "threads"_a);
  m.def("assemble_votes", &assemble_votes, "n"_a, "parts"_a, "rule_lfs"_a, "rule_labels"_a,
        "threads"_a);
}

}  // namespace coverset::bindings
