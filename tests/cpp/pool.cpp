// The thread pool: every block once, in a fixed grid; failures, cancellation, nesting, fork.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "coverset/error.hpp"
#include "coverset/parallel.hpp"

namespace {

using namespace coverset;

int failures = 0;

void check(bool ok, const char* claim) {
  if (ok) return;
  std::printf("FAILED: %s\n", claim);
  ++failures;
}

std::int64_t sum_to(const Cpu& device, std::int64_t n) {
  return parallel_reduce(
      device, n, 1000, std::int64_t{0},
      [](std::int64_t begin, std::int64_t end) {
        std::int64_t sum = 0;
        for (std::int64_t i = begin; i < end; ++i) sum += i;
        return sum;
      },
      [](std::int64_t a, std::int64_t b) { return a + b; });
}

constexpr std::int64_t kN = 1'000'003;
constexpr std::int64_t kSum = kN * (kN - 1) / 2;

void covers_every_item_once() {
  for (const int threads : {1, 2, 7, 64}) {
    std::vector<std::atomic<int>> visits(10'007);
    parallel_for(Cpu{threads}, 10'007, 13, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
    });
    bool once = true;
    for (const auto& count : visits) once &= count == 1;
    check(once, "every item is visited once");
  }
  parallel_for(Cpu{}, 0, 10,
               [](std::int64_t, std::int64_t) { check(false, "no block of nothing"); });
}

void rethrows_the_lowest_failure() {
  for (int repeat = 0; repeat < 50; ++repeat) {
    try {
      parallel_for(Cpu{4}, 100, 1, [](std::int64_t begin, std::int64_t) {
        if (begin >= 3) throw std::runtime_error(std::to_string(begin));
      });
      check(false, "a failing block throws");
    } catch (const std::runtime_error& error) {
      check(std::string(error.what()) == "3", "the lowest failing block's exception wins");
    }
  }
  check(sum_to(Cpu{4}, kN) == kSum, "the pool works after a failure");
}

void stops_when_polled() {
  int polls = 0;
  const Cpu device{2, [](void* state) { return ++*static_cast<int*>(state) >= 3; }, &polls};
  std::atomic<std::int64_t> blocks{0};
  try {
    parallel_for(device, 1'000'000, 1, [&](std::int64_t, std::int64_t) {
      ++blocks;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    });
    check(false, "a canceled call throws");
  } catch (const Canceled&) {
    check(blocks < 1'000'000, "a canceled call starts no more blocks");
  }
}

void nests_and_shares() {
  std::atomic<std::int64_t> total{0};
  parallel_for(Cpu{4}, 8, 1, [&](std::int64_t, std::int64_t) { total += sum_to(Cpu{4}, 5000); });
  check(total == 8 * (5000 * 4999 / 2), "a call from inside a block runs inline");
  std::vector<std::thread> callers;
  std::atomic<int> right{0};
  for (int i = 0; i < 6; ++i) {
    callers.emplace_back([&] { right += sum_to(Cpu{3}, kN) == kSum; });
  }
  for (std::thread& caller : callers) caller.join();
  check(right == 6, "several threads may call at once");
}

void works_after_fork() {
  check(sum_to(Cpu{4}, kN) == kSum, "the parent's pool is in use");
  const pid_t child = fork();
  if (child == 0) _exit(sum_to(Cpu{4}, kN) == kSum ? 0 : 1);
  int status = 1;
  waitpid(child, &status, 0);
  check(status == 0, "a forked child makes its own pool");
  check(sum_to(Cpu{4}, kN) == kSum, "the parent goes on");
}

}  // namespace

int main(int argc, char**) {
  covers_every_item_once();
  rethrows_the_lowest_failure();
  stops_when_polled();
  nests_and_shares();
  if (argc == 1) works_after_fork();  // any argument: leave fork out (ThreadSanitizer forbids it)
  std::printf(failures == 0 ? "pool: all claims hold\n" : "pool: %d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
