// Threads: one lazy pool, a fixed grid of blocks, results in block order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "coverset/device.hpp"

namespace coverset {

/// Threads this process may use: COVERSET_NUM_THREADS when set, else the smaller of the CPU
/// affinity and the cgroup quota; at least 1.
int available_threads();

/// Threads that a device asks for.
inline int thread_count(const Cpu& device) {
  return device.threads > 0 ? device.threads : available_threads();
}

/// Calls body(state, block) once for every block in 0..blocks-1, on at most device.threads
/// threads; the calling thread takes part and polls between its blocks. Blocks start in
/// ascending order. When blocks throw, the exception of the lowest such block is rethrown and
/// blocks not yet started are dropped. A call from inside a block runs inline. Safe after fork
/// and from several threads at once.
void run_blocks(const Cpu& device, std::int64_t blocks, void (*body)(void* state, std::int64_t),
                void* state);

/// Calls body(begin, end) for consecutive ranges of `block` items that cover 0..n-1. The grid
/// depends on n and block alone, never on the number of threads.
template <class Body>
void parallel_for(const Cpu& device, std::int64_t n, std::int64_t block, Body&& body) {
  struct Job {
    Body& body;
    std::int64_t n, block;
  } job{body, n, block};
  run_blocks(
      device, (n + block - 1) / block,
      [](void* state, std::int64_t index) {
        const Job& grid = *static_cast<Job*>(state);
        const std::int64_t begin = index * grid.block;
        grid.body(begin, std::min(begin + grid.block, grid.n));
      },
      &job);
}

/// Cuts begin..end-1 into parts of `range` items and calls body(part, from, to) for each, `step`
/// items at a time: all parts advance together, so that the poll is never far away. A part is in
/// one call at a time and may keep state between its calls.
template <class Body>
void advance_parts(const Cpu& device, std::int64_t begin, std::int64_t end, std::int64_t range,
                   std::int64_t step, Body&& body) {
  if (begin >= end) return;
  const std::int64_t parts = (end - begin + range - 1) / range;
  for (std::int64_t at = 0; at < range; at += step) {
    parallel_for(device, parts, 1, [&](std::int64_t part, std::int64_t) {
      const std::int64_t last = std::min(begin + (part + 1) * range, end);
      const std::int64_t from = std::min(begin + part * range + at, last);
      body(part, from, std::min(from + step, last));
    });
  }
}

/// Folds map(begin, end) over the same grid, in block order: the same bytes on any thread count.
/// Holds one T per block.
template <class T, class Map, class Fold>
T parallel_reduce(const Cpu& device, std::int64_t n, std::int64_t block, T start, Map&& map,
                  Fold&& fold) {
  std::vector<T> partial(static_cast<std::size_t>((n + block - 1) / block), start);
  parallel_for(device, n, block, [&](std::int64_t begin, std::int64_t end) {
    partial[static_cast<std::size_t>(begin / block)] = map(begin, end);
  });
  for (const T& part : partial) start = fold(std::move(start), part);
  return start;
}

}  // namespace coverset
