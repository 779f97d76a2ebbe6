#include <array>
#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "coverset/error.hpp"
#include "coverset/simd.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace coverset {
namespace {

#if defined(__x86_64__)
constexpr std::array kLevels{SimdLevel::v2, SimdLevel::v3, SimdLevel::v4, SimdLevel::vnni,
                             SimdLevel::amx};
constexpr const char* kNames = "v2, v3, v4, vnni, amx";
#else
constexpr std::array kLevels{SimdLevel::neon};
constexpr const char* kNames = "neon";
#endif

#if defined(__x86_64__)
/// Whether there are int8 and bfloat16 tiles, and the kernel lets this process use them.
bool has_tiles() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr unsigned kBfloat16 = 1u << 22, kTile = 1u << 24, kInt8 = 1u << 25;
  constexpr unsigned kAll = kBfloat16 | kTile | kInt8;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || (edx & kAll) != kAll) return false;
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // see the kernel's xstate.rst
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}
#endif

/// -1: not chosen yet.
std::atomic<int> chosen{-1};

SimdLevel best() {
  SimdLevel level = kLevels.front();
  for (const SimdLevel candidate : kLevels) {
    if (simd_supported(candidate)) level = candidate;
  }
  return level;
}

SimdLevel parse(std::string_view name, const char* argument) {
  for (const SimdLevel level : kLevels) {
    if (name != simd_name(level)) continue;
    if (simd_supported(level)) return level;
    throw std::runtime_error(std::string(argument) + "=" + simd_name(level) +
                             ": this CPU does not run that SIMD level");
  }
  fail(argument, " must be one of ", kNames, ", got ", name);
}

SimdLevel from_environment() {
  const char* wanted = std::getenv("COVERSET_SIMD");
  return wanted != nullptr && *wanted != '\0' ? parse(wanted, "COVERSET_SIMD") : best();
}

}  // namespace

bool simd_supported(SimdLevel level) {
#if defined(__x86_64__)
  // The builtins read CPUID feature bits and what the operating system saves (XCR0).
  __builtin_cpu_init();
  switch (level) {
    case SimdLevel::v2:
      return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
    case SimdLevel::v3:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
             __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
    case SimdLevel::v4:
      return simd_supported(SimdLevel::v3) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    case SimdLevel::vnni:
      return simd_supported(SimdLevel::v4) && __builtin_cpu_supports("avx512vnni");
    case SimdLevel::amx: {
      static const bool supported = has_tiles();
      return supported && simd_supported(SimdLevel::vnni) && multiplies_bfloat16();
    }
    case SimdLevel::neon:
      return false;
  }
  return false;
#else
  return level == SimdLevel::neon;
#endif
}

const char* simd_name(SimdLevel level) {
  switch (level) {
    case SimdLevel::v2:
      return "v2";
    case SimdLevel::v3:
      return "v3";
    case SimdLevel::v4:
      return "v4";
    case SimdLevel::vnni:
      return "vnni";
    case SimdLevel::amx:
      return "amx";
    case SimdLevel::neon:
      return "neon";
  }
  return "unknown";
}

std::span<const SimdLevel> simd_levels() { return kLevels; }

bool multiplies_bfloat16() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

SimdLevel simd_level() {
  int level = chosen;
  if (level < 0) {
    level = static_cast<int>(from_environment());
    chosen = level;
  }
  return static_cast<SimdLevel>(level);
}

void force_simd_level(std::string_view name) {
  chosen = static_cast<int>(name.empty() ? from_environment() : parse(name, "level"));
}

}  // namespace coverset
