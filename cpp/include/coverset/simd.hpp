// SIMD levels: which one runs, and how a kernel picks its variant.
#pragma once

#include <span>
#include <string_view>

namespace coverset {

/// AArch64's NEON, or the x86-64 feature levels in order: `vnni` is v4 with AVX512-VNNI, `amx` has
/// int8 and bfloat16 tiles too. Kernels give the same bytes on each.
enum class SimdLevel { neon, v2, v3, v4, vnni, amx };

/// The levels of this architecture, lowest first.
std::span<const SimdLevel> simd_levels();

/// The level in use: COVERSET_SIMD when set, else the best that the CPU's feature bits allow.
/// Throws std::invalid_argument for an unknown name, std::runtime_error for a level that this
/// CPU cannot run.
SimdLevel simd_level();

/// Forces a level by name ("" returns to the environment's choice); throws as simd_level().
void force_simd_level(std::string_view name);

/// Whether this CPU and operating system run the level.
bool simd_supported(SimdLevel level);

const char* simd_name(SimdLevel level);

/// Whether the CPU multiplies bfloat16 pairs in vectors (AVX512-BF16).
bool multiplies_bfloat16();

}  // namespace coverset
