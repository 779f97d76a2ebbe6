// exp and log of our own: one source for every level and device, so results agree to the bit.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

#include "coverset/device.hpp"

namespace coverset {

/// e^x in double, at most 1 unit in the last place from the correctly rounded value. Below -708
/// the result is 0, above 709 it is e^709; NaN is not expected. Products and sums are rounded
/// one by one (no fused multiply-add), so every compiler and device gives the same bits.
COVERSET_HD static inline double exp_exact_order(double x) {
  constexpr double kLog2e = 1.4426950408889634;
  constexpr double kLn2High = 6.93147180369123816490e-01;
  constexpr double kLn2Low = 1.90821492927058770002e-10;
  constexpr double kShift = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer
  const bool underflows = x < -708.0;
  x = x > 709.0 ? 709.0 : x;
  x = underflows ? -708.0 : x;
  const double shifted = x * kLog2e + kShift;
  const double whole = shifted - kShift;
  const double r = (x - whole * kLn2High) - whole * kLn2Low;
  // Taylor series to the 13th power: |r| <= 0.3466, remainder below 2^-57.
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = (p * r) * r + r;
  std::int64_t bits = 0;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = static_cast<std::int64_t>(static_cast<std::uint64_t>(bits) << 52) +
         (std::int64_t{1023} << 52);
  double scale = 0.0;
  std::memcpy(&scale, &bits, sizeof scale);
  const double result = scale + scale * p;
  return underflows ? 0.0 : result;
}

/// Natural logarithm of a positive, finite, normal x, within 1 unit in the last place; bits as
/// for exp_exact_order.
COVERSET_HD static inline double log_exact_order(double x) {
  constexpr double kLn2High = 6.93147180369123816490e-01;
  constexpr double kLn2Low = 1.90821492927058770002e-10;
  std::uint64_t bits = 0;
  std::memcpy(&bits, &x, sizeof bits);
  // x = 2^e * f with sqrt(1/2) <= f < sqrt(2)
  const std::uint64_t moved = bits - 0x3fe6a09e667f3bcdULL;
  const std::int64_t e = static_cast<std::int64_t>(moved) >> 52;
  bits -= static_cast<std::uint64_t>(e) << 52;
  double f = 0.0;
  std::memcpy(&f, &bits, sizeof f);
  // log f = 2 atanh(s), s = (f - 1) / (f + 1): an odd series in s, |s| <= 0.1716.
  const double t = f - 1.0;
  const double s = t / (2.0 + t);
  const double z = s * s;
  double p = 2.0 / 23.0;
  p = p * z + 2.0 / 21.0;
  p = p * z + 2.0 / 19.0;
  p = p * z + 2.0 / 17.0;
  p = p * z + 2.0 / 15.0;
  p = p * z + 2.0 / 13.0;
  p = p * z + 2.0 / 11.0;
  p = p * z + 2.0 / 9.0;
  p = p * z + 2.0 / 7.0;
  p = p * z + 2.0 / 5.0;
  p = p * z + 2.0 / 3.0;
  // log(1 + t) = t - (t^2/2 - s (t^2/2 + p z)): the form that keeps the low bits of t.
  const double half = 0.5 * t * t;
  const double k = static_cast<double>(e);
  return k * kLn2High - ((half - (s * (half + p * z) + k * kLn2Low)) - t);
}

/// values[i] = e^values[i], at the SIMD level in use; the same bits as exp_exact_order.
void exp_in_place(std::span<double> values);

/// values[i] = log values[i], at the SIMD level in use; the same bits as log_exact_order.
void log_in_place(std::span<double> values);

}  // namespace coverset
