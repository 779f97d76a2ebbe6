// SIMD levels: which one runs, and how a kernel picks its variant.
#pragma once

#include <string_view>

namespace coverset {

/// x86-64 feature levels, or AArch64's NEON. Kernels give the same bytes on each.
enum class SimdLevel { v2, v3, v4, neon };

/// The level in use: COVERSET_SIMD when set, else the best that the CPU's feature bits allow.
/// Throws std::invalid_argument for an unknown name, std::runtime_error for a level that this
/// CPU cannot run.
SimdLevel simd_level();

/// Forces a level by name ("" returns to the environment's choice); throws as simd_level().
void force_simd_level(std::string_view name);

/// Whether this CPU and operating system run the level.
bool simd_supported(SimdLevel level);

const char* simd_name(SimdLevel level);

}  // namespace coverset
