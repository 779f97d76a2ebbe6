// Counter-based random numbers: the same on every thread count and device.
#pragma once

#include <cstdint>

#include "coverset/device.hpp"

namespace coverset {

/// 64 random bits for a (seed, counter) pair: splitmix64 (Steele, Lea & Flood 2014) of a seeded
/// Weyl sequence. Independent of call order, so any thread may ask for any counter.
COVERSET_HD constexpr std::uint64_t random_bits(std::uint64_t seed, std::uint64_t counter) {
  const auto mix = [](std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  };
  return mix(mix(seed + 0x9e3779b97f4a7c15ULL) + (counter + 1) * 0x9e3779b97f4a7c15ULL);
}

/// A number in 0..bound-1; the bias is below bound / 2^32. bound in 1..2^32-1.
COVERSET_HD constexpr std::uint32_t random_below(std::uint64_t seed, std::uint64_t counter,
                                                 std::uint32_t bound) {
  return static_cast<std::uint32_t>(((random_bits(seed, counter) >> 32) * bound) >> 32);
}

}  // namespace coverset
