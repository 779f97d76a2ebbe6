// The canonical distance: every decision about near and far rests on these numbers. The scalar
// functions are for host and device; SIMD levels give the same bits.
#pragma once

#include <cmath>
#include <cstdint>

#include "coverset/device.hpp"
#include "coverset/metric.hpp"
#include "coverset/rows.hpp"

namespace coverset {

/// Floats summed side by side: lane l holds the terms of the coordinates l, l + 16, l + 32, ...,
/// added in that order; then lane l takes lane l + 8, then l + 4, l + 2, l + 1. Each product,
/// difference and sum is rounded to float32, nothing is contracted: the same bits on every level,
/// thread count and device. Code that includes this header on a host with fused multiply-add is to
/// be compiled with -ffp-contract=off.
inline constexpr int kDistanceLanes = 16;

namespace canonical {

COVERSET_HD inline float product(float a, float b) {
#if defined(__CUDA_ARCH__)
  return __fmul_rn(a, b);
#else
  return a * b;
#endif
}

COVERSET_HD inline float sum(float a, float b) {
#if defined(__CUDA_ARCH__)
  return __fadd_rn(a, b);
#else
  return a + b;
#endif
}

/// The sum of term(c) over the coordinates.
template <class Term>
COVERSET_HD float sum_in_lanes(std::int64_t d, Term&& term) {
  float lanes[kDistanceLanes] = {};
  for (std::int64_t c = 0; c < d; ++c) {
    float& lane = lanes[c % kDistanceLanes];
    lane = sum(lane, term(c));
  }
  for (int half = kDistanceLanes / 2; half > 0; half /= 2) {
    for (int l = 0; l < half; ++l) lanes[l] = sum(lanes[l], lanes[l + half]);
  }
  return lanes[0];
}

COVERSET_HD inline float inner_product(const float* a, const float* b, std::int64_t d) {
  return sum_in_lanes(d, [=](std::int64_t c) { return product(a[c], b[c]); });
}

COVERSET_HD inline float squared_distance(const float* a, const float* b, std::int64_t d) {
  return sum_in_lanes(d, [=](std::int64_t c) {
    const float gap = sum(a[c], -b[c]);
    return product(gap, gap);
  });
}

/// The power of 2 that brings a number above 0 into [1, 2); 1 for 0.
COVERSET_HD inline float unit_factor(float largest) {
  return largest > 0.0f ? std::ldexp(1.0f, -std::ilogb(largest)) : 1.0f;
}

/// The same of the largest of d numbers, whatever their signs.
COVERSET_HD inline float unit_factor(const float* row, std::int64_t d) {
  float largest = 0.0f;
  for (std::int64_t c = 0; c < d; ++c) largest = std::fmax(largest, std::fabs(row[c]));
  return unit_factor(largest);
}

/// 1 - cos of rows that hold a number of at least 2^-126.
COVERSET_HD inline float cosine_distance(const float* a, const float* b, std::int64_t d) {
  const float by_a = unit_factor(a, d), by_b = unit_factor(b, d);
  const auto scaled_product = [=](const float* x, float by_x, const float* y, float by_y) {
    return sum_in_lanes(
        d, [=](std::int64_t c) { return product(product(x[c], by_x), product(y[c], by_y)); });
  };
  const float norm_a = std::sqrt(scaled_product(a, by_a, a, by_a));
  const float norm_b = std::sqrt(scaled_product(b, by_b, b, by_b));
  return sum(1.0f, -(scaled_product(a, by_a, b, by_b) / product(norm_a, norm_b)));
}

/// The distance that orders rows: least is nearest, so that inner products are negated.
COVERSET_HD inline float distance(Metric metric, const float* a, const float* b, std::int64_t d) {
  if (metric == Metric::sqeuclidean) return squared_distance(a, b, d);
  return metric == Metric::cosine ? cosine_distance(a, b, d) : -inner_product(a, b, d);
}

}  // namespace canonical

/// out[i * b.n + j] = canonical::inner_product of row i of a and row j of b. Runs on the calling
/// thread, at the SIMD level in use. No scratch.
void inner_products(const FloatRows& a, const FloatRows& b, float* out);

/// out[i * b.n + j] = canonical::squared_distance of row i of a and row j of b. Likewise.
void squared_distances(const FloatRows& a, const FloatRows& b, float* out);

}  // namespace coverset
