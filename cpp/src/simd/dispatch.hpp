// Picks the variant of a kernel for the SIMD level in use.
//
//   COVERSET_DECLARE_LEVELS(void exp_in_place(double* values, long n));
//   COVERSET_AT_LEVEL(exp_in_place)(data, n);
#pragma once

#include "coverset/simd.hpp"

#if defined(__x86_64__)
#define COVERSET_DECLARE_LEVELS(...) \
  namespace v2 {                     \
  __VA_ARGS__;                       \
  }                                  \
  namespace v3 {                     \
  __VA_ARGS__;                       \
  }                                  \
  namespace v4 {                     \
  __VA_ARGS__;                       \
  }                                  \
  static_assert(true)
#define COVERSET_AT_LEVEL(kernel)                \
  (simd_level() >= SimdLevel::v4   ? &v4::kernel \
   : simd_level() == SimdLevel::v3 ? &v3::kernel \
                                   : &v2::kernel)
#else
#define COVERSET_DECLARE_LEVELS(...) \
  namespace neon {                   \
  __VA_ARGS__;                       \
  }                                  \
  static_assert(true)
#define COVERSET_AT_LEVEL(kernel) (&neon::kernel)
#endif
