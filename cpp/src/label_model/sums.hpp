// Sums over rows by column and class: in one order, or order-independent and exact.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "coverset/label_model.hpp"
#include "coverset/parallel.hpp"

namespace coverset {

/// Where doubles lie so far apart that numbers rounded to their distance add up to `largest`
/// without rounding: such sums are the same in any order.
inline double exact_grain(double largest) {
  int bits = 16;  // small sums are all rounded alike
  while (std::ldexp(1.0, bits) < largest) ++bits;
  return std::ldexp(1.5, bits);
}

/// Expected votes by (column, class), expected rows by class, and the largest move of a posterior.
struct Expected {
  std::vector<double> votes, rows;
  double change = 0.0;

  Expected(std::size_t columns, std::size_t k) : votes(columns * k), rows(k) {}

  void add(const Cpu& device, const Expected& other) {
    if (other.rows.empty()) return;
    for_each_vote(device, [&](std::size_t i) { votes[i] += other.votes[i]; });
    for (std::size_t y = 0; y < rows.size(); ++y) rows[y] += other.rows[y];
    change = std::max(change, other.change);
  }
  /// Moves `step` of the way to `scale` times `target`.
  void approach(const Cpu& device, const Expected& target, double step, double scale) {
    const auto move = [=](double& from, double to) { from += step * (scale * to - from); };
    for_each_vote(device, [&](std::size_t i) { move(votes[i], target.votes[i]); });
    for (std::size_t y = 0; y < rows.size(); ++y) move(rows[y], target.rows[y]);
  }
  template <class Visit>
  void for_each_vote(const Cpu& device, Visit&& visit) const {
    const auto size = static_cast<std::int64_t>(votes.size());
    parallel_for(device, size, 1 << 16, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
        visit(i);
    });
  }
};

/// Calls visit(begin, end, sums) for blocks of 0..n-1 and adds up the sums: one for each thread,
/// as far as 64 MiB go, for order-independent exact sums.
template <class Visit>
Expected sum_blocks(const Cpu& device, std::int64_t n, std::size_t columns, std::size_t k,
                    Visit&& visit) {
  constexpr std::int64_t kBlock = 1 << 13, kMostBytes = 64 << 20;
  const auto bytes = static_cast<std::int64_t>(sizeof(double) * (columns + 1) * k);
  const std::int64_t threads = thread_count(device);
  const std::int64_t parts =
      std::clamp<std::int64_t>(std::min((n + kBlock / 4 - 1) / (kBlock / 4), threads), 1,
                               std::max<std::int64_t>(1, kMostBytes / bytes));
  std::vector<Expected> sums(static_cast<std::size_t>(parts), Expected(columns, k));
  const std::int64_t range = (n + parts - 1) / parts;
  advance_parts(device, 0, n, range, kBlock,
                [&](std::int64_t part, std::int64_t from, std::int64_t to) {
                  visit(from, to, sums[static_cast<std::size_t>(part)]);
                });
  for (std::size_t part = 1; part < sums.size(); ++part) sums[0].add(device, sums[part]);
  return std::move(sums[0]);
}

/// Calls visit(from, to, part) for stretches of `begin..end` and adds up the parts, in one order.
/// Parts have sums of their own, as many as fit the memory, whatever the threads; all advance by
/// `step` rows at a time, so that the poll is never far away however large the sums are.
template <class Visit>
Expected sum_parts(const Cpu& device, std::int64_t begin, std::int64_t end, std::int64_t step,
                   std::size_t columns, std::size_t k, Visit&& visit) {
  constexpr std::int64_t kFewest = 4, kMost = 256, kMostBytes = 64 << 20;
  const auto bytes = static_cast<std::int64_t>(sizeof(double) * (columns + 1) * k);
  const std::int64_t fit = std::clamp<std::int64_t>(kMostBytes / bytes, kFewest, kMost);
  // a part has more to add than it costs to make
  const std::int64_t least = std::max(step, static_cast<std::int64_t>(columns * k) / 2);
  const std::int64_t count = std::clamp((end - begin + least - 1) / least, std::int64_t{1}, fit);
  const std::int64_t range = (end - begin + count - 1) / count;
  std::vector<Expected> parts(static_cast<std::size_t>(count), Expected(0, 0));
  advance_parts(device, begin, end, range, step,
                [&](std::int64_t index, std::int64_t from, std::int64_t to) {
                  Expected& part = parts[static_cast<std::size_t>(index)];
                  if (part.rows.empty()) part = Expected(columns, k);
                  visit(from, to, part);
                });
  Expected sum(columns, k);
  for (const Expected& part : parts) sum.add(device, part);
  return sum;
}

}  // namespace coverset
