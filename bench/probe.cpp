// The machine's limits: memory bandwidth and multiply-add rates, so that a figure can be given as a
// share of them. Prints JSON. Build: c++ -O3 -march=native -pthread probe.cpp
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>
#if defined(__AVX512VNNI__)
#include <immintrin.h>
#endif

namespace {

double seconds(int threads, void (*work)(int)) {
  double best = 1e9;
  for (int repeat = 0; repeat < 5; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> pool;
    for (int t = 0; t < threads; ++t) pool.emplace_back(work, t);
    for (std::thread& thread : pool) thread.join();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

constexpr std::size_t kWords = std::size_t{1} << 26;  // 512 MiB a thread
std::vector<std::vector<long>> memory;
volatile long sink;
volatile float float_sink;

void read_all(int thread) {
  long sum = 0;
  for (const long word : memory[static_cast<std::size_t>(thread)]) sum += word;
  sink = sum;
}

constexpr long kSteps = 20'000'000;
constexpr int kLanes = 16 * 12;  // enough independent chains for the widest registers

void multiply_add(int) {
  float lanes[kLanes];
  for (int i = 0; i < kLanes; ++i) lanes[i] = static_cast<float>(i);
  for (long step = 0; step < kSteps; ++step) {
    for (int i = 0; i < kLanes; ++i) lanes[i] = lanes[i] * 0.999f + 0.5f;
  }
  for (const float lane : lanes) float_sink = lane;
}

#if defined(__AVX512VNNI__)
constexpr long kInt8Steps = kSteps * 4;
constexpr int kInt8Chains = 12;

void multiply_add_int8(int) {
  __m512i sums[kInt8Chains];
  for (__m512i& sum : sums) sum = _mm512_setzero_si512();
  const __m512i numbers = _mm512_set1_epi8(3);
  for (long step = 0; step < kInt8Steps; ++step) {
    for (__m512i& sum : sums) asm("vpdpbusd %1, %1, %0" : "+v"(sum) : "v"(numbers));
  }
  for (const __m512i& sum : sums) sink = _mm512_reduce_add_epi32(sum);
}
#endif

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  memory.resize(static_cast<std::size_t>(threads), std::vector<long>(kWords, 1));
  const double read = static_cast<double>(threads) * kWords * sizeof(long) / seconds(threads, read_all);
  const double flops = 2.0 * threads * kSteps * kLanes / seconds(threads, multiply_add);
  std::printf("{\"threads\": %d, \"read_gb_s\": %.1f, \"multiply_add_gflop_s\": %.1f", threads,
              read / 1e9, flops / 1e9);
#if defined(__AVX512VNNI__)
  const double operations = 2.0 * 64 * threads * kInt8Steps * kInt8Chains;
  std::printf(", \"multiply_add_int8_gop_s\": %.1f", operations / seconds(threads, multiply_add_int8) / 1e9);
#endif
  std::printf("}\n");
}
