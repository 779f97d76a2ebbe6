#include "coverset/parallel.hpp"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "coverset/error.hpp"

namespace coverset {
namespace {

constexpr int kMostWorkers = 256;
constexpr auto kPollInterval = std::chrono::milliseconds(20);

/// One call of run_blocks: a counter that hands out blocks, and the first failure.
struct Job {
  std::int64_t blocks;
  void (*body)(void*, std::int64_t);
  void* state;
  int seats;  // workers that may still join
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> stop{false};
  int active = 0;  // workers inside, guarded by Pool::mutex
  std::mutex failure_mutex;
  std::int64_t failed_block = std::numeric_limits<std::int64_t>::max();
  std::exception_ptr failure;

  bool open() const { return seats > 0 && !stop && next < blocks; }

  /// Runs one block; false when none is left.
  bool step() {
    if (stop) return false;
    const std::int64_t block = next.fetch_add(1);
    if (block >= blocks) return false;
    try {
      body(state, block);
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      if (block < failed_block) {
        failed_block = block;
        failure = std::current_exception();
      }
      stop = true;
    }
    return true;
  }
};

thread_local bool inside_block = false;

class Pool;
std::atomic<Pool*> shared_pool{nullptr};

/// Worker threads, started when first needed and never joined: the process may end at any time.
class Pool {
 public:
  void run(Job& job, const Cpu& device) {
    enter(job);
    bool canceled = false;
    inside_block = true;
    while (job.step()) {
      if (device.poll != nullptr && device.poll(device.state)) {
        canceled = true;
        job.stop = true;
      }
      if (shared_pool != this) throw Canceled();  // the poll forked: here is no worker, no lock
    }
    inside_block = false;
    std::unique_lock lock(mutex_);
    jobs_.remove(&job);
    while (job.active > 0) {
      left_.wait_for(lock, kPollInterval);
      if (!canceled && job.active > 0 && device.poll != nullptr) {
        lock.unlock();
        canceled = device.poll(device.state);
        if (shared_pool != this) throw Canceled();
        if (canceled) job.stop = true;
        lock.lock();
      }
    }
    lock.unlock();
    if (canceled) throw Canceled();
    if (job.failure) std::rethrow_exception(job.failure);
  }

 private:
  void enter(Job& job) {
    if (job.seats == 0) return;
    const std::lock_guard lock(mutex_);
    start_workers(job.seats);
    jobs_.push_back(&job);
    wake_.notify_all();
  }

  /// Workers take no signals: those are for the threads that the program knows of.
  void start_workers(int wanted) {
    if (workers_ >= wanted) return;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      for (; workers_ < wanted; ++workers_) std::thread([this] { work(); }).detach();
    } catch (const std::exception&) {
      // no more threads to be had: those that run, and the caller, do the work
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  [[noreturn]] void work() {
    inside_block = true;
    std::unique_lock lock(mutex_);
    for (;;) {
      Job* job = nullptr;
      for (Job* waiting : jobs_) {
        if (waiting->open()) {
          job = waiting;
          break;
        }
      }
      if (job == nullptr) {
        wake_.wait(lock);
        continue;
      }
      --job->seats;
      ++job->active;
      lock.unlock();
      while (job->step()) {
      }
      lock.lock();
      if (--job->active == 0) left_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, left_;
  std::list<Job*> jobs_;
  int workers_ = 0;
};

/// A fork leaves the child without worker threads, so the child forgets the parent's pool (a few
/// hundred bytes) and makes its own.
const int fork_handler = pthread_atfork(nullptr, nullptr, [] {
  shared_pool = nullptr;
  inside_block = false;
});

/// The pool, made on first use.
Pool& pool() {
  Pool* current = shared_pool;
  if (current == nullptr) {
    auto made = std::make_unique<Pool>();
    if (shared_pool.compare_exchange_strong(current, made.get())) current = made.release();
  }
  return *current;
}

/// CPUs granted by the cgroup's quota, rounded up; 0 when there is none.
int cgroup_quota() {
  std::string quota;
  double period = 0.0;
  if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2 >> quota >> period) {
    if (quota == "max" || period <= 0.0) return 0;
    return static_cast<int>(std::strtod(quota.c_str(), nullptr) / period + 0.999);
  }
  double granted = 0.0;
  std::ifstream v1_quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream v1_period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (v1_quota >> granted && v1_period >> period && granted > 0.0 && period > 0.0) {
    return static_cast<int>(granted / period + 0.999);
  }
  return 0;
}

}  // namespace

int available_threads() {
  if (const char* wanted = std::getenv("COVERSET_NUM_THREADS"); wanted != nullptr && *wanted) {
    char* end = nullptr;
    const long threads = std::strtol(wanted, &end, 10);
    require(*end == '\0' && threads >= 1,
            "COVERSET_NUM_THREADS must be a number of at least 1, got ", wanted);
    return static_cast<int>(std::min<long>(threads, kMostWorkers));
  }
  int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) threads = CPU_COUNT(&allowed);
#endif
  static const int quota = cgroup_quota();
  if (quota > 0) threads = std::min(threads, quota);
  return std::clamp(threads, 1, kMostWorkers);
}

void run_blocks(const Cpu& device, std::int64_t blocks, void (*body)(void*, std::int64_t),
                void* state) {
  if (blocks <= 0) return;
  if (inside_block) {
    for (std::int64_t block = 0; block < blocks; ++block) body(state, block);
    return;
  }
  const int threads = thread_count(device);
  Job job;
  job.blocks = blocks;
  job.body = body;
  job.state = state;
  job.seats = static_cast<int>(std::min<std::int64_t>(std::min(threads, kMostWorkers), blocks)) - 1;
  pool().run(job, device);
}

}  // namespace coverset
