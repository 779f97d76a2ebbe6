// Collecting hits: each block of rows writes its own, in order; blocks are joined at the end.
#pragma once

#include <algorithm>

#include "coverset/lf.hpp"
#include "coverset/parallel.hpp"

namespace coverset {

/// Calls emit(begin, end, hits) for blocks of rows, where emit appends the hits of its rows in
/// order, and joins them.
template <class Emit>
Hits collect_hits(const Cpu& device, std::int64_t n, std::int64_t block, Emit&& emit) {
  std::vector<Hits> parts(static_cast<std::size_t>((n + block - 1) / block));
  parallel_for(device, n, block, [&](std::int64_t begin, std::int64_t end) {
    emit(begin, end, parts[static_cast<std::size_t>(begin / block)]);
  });
  if (parts.size() == 1) return std::move(parts[0]);
  std::vector<std::size_t> starts{0};
  for (const Hits& part : parts) starts.push_back(starts.back() + part.rows.size());
  Hits all;
  all.rows.resize(starts.back());
  all.rules.resize(starts.back());
  parallel_for(device, static_cast<std::int64_t>(parts.size()), 1,
               [&](std::int64_t index, std::int64_t) {
                 const auto i = static_cast<std::size_t>(index);
                 std::ranges::copy(parts[i].rows, all.rows.data() + starts[i]);
                 std::ranges::copy(parts[i].rules, all.rules.data() + starts[i]);
                 parts[i] = {};
               });
  return all;
}

}  // namespace coverset
