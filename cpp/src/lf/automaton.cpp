#include "lf/automaton.hpp"

#include <limits>
#include <new>

namespace coverset {
namespace {

/// A state still to be expanded: the texts begin..end-1 share their first `depth` bytes.
struct Node {
  std::size_t begin, end, depth;
};

}  // namespace

Automaton::Automaton(const std::vector<std::string>& texts) {
  end_text_.resize(texts.size());
  for (std::size_t i = texts.size(); i-- > 0;) {
    const bool same = i + 1 < texts.size() && texts[i + 1] == texts[i];
    end_text_[i] = same ? end_text_[i + 1] : static_cast<std::int32_t>(i + 1);
  }
  std::vector<Node> level{{0, texts.size(), 0}}, deeper;
  byte_.push_back(0);
  while (!level.empty()) {
    deeper.clear();
    for (const Node& node : level) {
      const bool ends = node.depth > 0 && texts[node.begin].size() == node.depth;
      first_text_.push_back(ends ? static_cast<std::int32_t>(node.begin) : -1);
      first_child_.push_back(static_cast<std::int32_t>(byte_.size()));
      std::size_t i = ends ? static_cast<std::size_t>(end_text_[node.begin]) : node.begin;
      while (i < node.end) {
        const char byte = texts[i][node.depth];
        std::size_t end = i + 1;
        while (end < node.end && texts[end][node.depth] == byte) ++end;
        if (byte_.size() >= std::numeric_limits<std::int32_t>::max()) throw std::bad_alloc();
        byte_.push_back(byte);
        deeper.push_back({i, end, node.depth + 1});
        i = end;
      }
    }
    level.swap(deeper);
  }
  first_child_.push_back(static_cast<std::int32_t>(byte_.size()));
  byte_.resize(byte_.size() + 8);
  link();
}

/// Failure links, breadth first: those of shorter states are there when a longer one asks.
void Automaton::link() {
  const std::size_t states = first_text_.size();
  failure_.assign(states, 0);
  shorter_.assign(states, 0);
  for (std::int32_t child = first_child_[0]; child < first_child_[1]; ++child) {
    root_[static_cast<unsigned char>(byte_[static_cast<std::size_t>(child)])] = child;
  }
  for (std::size_t state = 1; state < states; ++state) {
    const auto back = static_cast<std::size_t>(failure_[state]);
    shorter_[state] = back != 0 && first_text_[back] >= 0 ? failure_[state] : shorter_[back];
    for (std::int32_t child = first_child_[state]; child < first_child_[state + 1]; ++child) {
      failure_[static_cast<std::size_t>(child)] =
          step(failure_[state], byte_[static_cast<std::size_t>(child)]);
    }
  }
}

}  // namespace coverset
