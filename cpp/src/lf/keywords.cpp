#include <algorithm>
#include <cstdlib>
#include <limits>
#include <new>

#include "coverset/error.hpp"
#include "coverset/lf.hpp"
#include "lf/text_blocks.hpp"

namespace coverset {
namespace {

char fold(char c) { return 'A' <= c && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool word_byte(char c) {
  return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') || c == '_';
}

}  // namespace

KeywordAutomaton::KeywordAutomaton(std::vector<Keyword> keywords) : keywords_(std::move(keywords)) {
  for (std::size_t i = 0; i < keywords_.size(); ++i) {
    require(!keywords_[i].text.empty(), "keyword ", i, " must not be empty");
    n_lfs_ = std::max(n_lfs_, keywords_[i].lf + 1);
    for (const char c : keywords_[i].text) {
      auto& of = class_of_[static_cast<unsigned char>(fold(c))];
      if (of == 0) of = static_cast<std::uint16_t>(classes_++);
    }
  }
  for (int c = 'A'; c <= 'Z'; ++c) {
    class_of_[static_cast<std::size_t>(c)] =
        class_of_[static_cast<std::size_t>(fold(static_cast<char>(c)))];
  }
  insert_all();
  link_all();
}

/// Builds the trie; until link_all, 0 in next_ means that there is no child.
void KeywordAutomaton::insert_all() {
  const auto width = static_cast<std::size_t>(classes_);
  next_.assign(width, 0);
  first_keyword_.assign(1, -1);
  same_text_.assign(keywords_.size(), -1);
  for (std::size_t k = 0; k < keywords_.size(); ++k) {
    std::size_t state = 0;
    for (const char c : keywords_[k].text) {
      const std::size_t edge = state * width + class_of_[static_cast<unsigned char>(fold(c))];
      if (next_[edge] == 0) {
        if (first_keyword_.size() >= std::numeric_limits<std::int32_t>::max())
          throw std::bad_alloc();
        next_[edge] = static_cast<std::int32_t>(first_keyword_.size());
        first_keyword_.push_back(-1);
        next_.resize(next_.size() + width, 0);
      }
      state = static_cast<std::size_t>(next_[edge]);
    }
    same_text_[k] = first_keyword_[state];
    first_keyword_[state] = static_cast<std::int32_t>(k);
  }
}

/// Completes the transitions breadth first, so that a scan never follows a failure link.
void KeywordAutomaton::link_all() {
  const auto width = static_cast<std::size_t>(classes_);
  const std::size_t states = first_keyword_.size();
  std::vector<std::int32_t> failure(states, 0), order;
  order.reserve(states);
  shorter_.assign(states, 0);
  for (std::size_t c = 0; c < width; ++c) {
    if (next_[c] != 0) order.push_back(next_[c]);
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto state = static_cast<std::size_t>(order[i]);
    const auto back = static_cast<std::size_t>(failure[state]);
    shorter_[state] = first_keyword_[back] >= 0 ? failure[state] : shorter_[back];
    for (std::size_t c = 0; c < width; ++c) {
      std::int32_t& edge = next_[state * width + c];
      const std::int32_t fallback = next_[back * width + c];
      if (edge == 0) {
        edge = fallback;
      } else {
        failure[static_cast<std::size_t>(edge)] = fallback;
        order.push_back(edge);
      }
    }
  }
  for (std::int32_t& edge : next_) {
    const auto state = static_cast<std::size_t>(edge);
    if (first_keyword_[state] >= 0 || shorter_[state] != 0) edge = -edge;
  }
}

bool KeywordAutomaton::accepts(const Keyword& keyword, const char* text, std::int64_t bytes,
                               std::int64_t end) const {
  const std::int64_t begin = end - static_cast<std::int64_t>(keyword.text.size());
  if (keyword.whole_word) {
    if (begin > 0 && word_byte(text[begin - 1])) return false;
    if (end < bytes && word_byte(text[end])) return false;
  }
  return keyword.fold_case || std::equal(keyword.text.begin(), keyword.text.end(), text + begin);
}

void KeywordAutomaton::scan(const char* text, std::int64_t bytes, std::int64_t stamp,
                            std::span<std::int64_t> seen, std::vector<std::int32_t>& fired) const {
  const auto before = static_cast<std::ptrdiff_t>(fired.size());
  const auto width = static_cast<std::size_t>(classes_);
  const std::int32_t* const next = next_.data();
  std::size_t state = 0;
  for (std::int64_t at = 0; at < bytes; ++at) {
    const std::int32_t edge = next[state * width + class_of_[static_cast<unsigned char>(text[at])]];
    state = static_cast<std::size_t>(std::abs(edge));
    if (edge >= 0) [[likely]]
      continue;
    for (std::size_t ends = state; ends != 0; ends = static_cast<std::size_t>(shorter_[ends])) {
      for (std::int32_t k = first_keyword_[ends]; k >= 0;
           k = same_text_[static_cast<std::size_t>(k)]) {
        const Keyword& keyword = keywords_[static_cast<std::size_t>(k)];
        std::int64_t& last = seen[static_cast<std::size_t>(keyword.lf)];
        if (last == stamp || !accepts(keyword, text, bytes, at + 1)) continue;
        last = stamp;
        fired.push_back(keyword.lf);
      }
    }
  }
  std::sort(fired.begin() + before, fired.end());
}

namespace {

template <class Offset>
Hits scan_rows(const Cpu& device, const KeywordAutomaton& automaton, const TextView<Offset>& text) {
  const std::int64_t block = block_rows(text);
  std::vector<Hits> parts(static_cast<std::size_t>((text.rows() + block - 1) / block));
  parallel_for(device, text.rows(), block, [&](std::int64_t begin, std::int64_t end) {
    Hits& hits = parts[static_cast<std::size_t>(begin / block)];
    std::vector<std::int64_t> seen(static_cast<std::size_t>(automaton.n_lfs()), -1);
    for (std::int64_t row = begin; row < end; ++row) {
      if (!text.valid(row)) continue;
      const TextRow at = text_row(text, row);
      automaton.scan(at.text, at.bytes, row, seen, hits.lfs);
      hits.rows.resize(hits.lfs.size(), row);
    }
  });
  std::vector<std::size_t> starts{0};
  for (const Hits& part : parts) starts.push_back(starts.back() + part.rows.size());
  Hits all;
  all.rows.resize(starts.back());
  all.lfs.resize(starts.back());
  parallel_for(device, static_cast<std::int64_t>(parts.size()), 1,
               [&](std::int64_t index, std::int64_t) {
                 const auto i = static_cast<std::size_t>(index);
                 std::ranges::copy(parts[i].rows, all.rows.data() + starts[i]);
                 std::ranges::copy(parts[i].lfs, all.lfs.data() + starts[i]);
                 parts[i] = {};
               });
  return all;
}

}  // namespace

Hits scan_keywords(const Cpu& device, const KeywordAutomaton& automaton,
                   const TextView<std::int32_t>& text) {
  return scan_rows(device, automaton, text);
}
Hits scan_keywords(const Cpu& device, const KeywordAutomaton& automaton,
                   const TextView<std::int64_t>& text) {
  return scan_rows(device, automaton, text);
}

}  // namespace coverset
