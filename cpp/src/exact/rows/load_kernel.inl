// Loops over one row, compiled once per level. Raw pointers, no STL.
#include "exact/rows/load.hpp"
#include "simd/lanes.hpp"

namespace coverset::COVERSET_LEVEL {
namespace {

constexpr long kLanes = kLanesOf<float>;

inline float half_to_float(std::uint16_t half) {
  const std::uint32_t magnitude = static_cast<std::uint32_t>(half & 0x7fff) << 13;
  float value;
  __builtin_memcpy(&value, &magnitude, sizeof value);
  value *= 0x1p112f;  // moves the exponent's bias; subnormal halves become normal
  std::uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  bits |= (half & 0x7c00) == 0x7c00 ? 0x7f800000u : 0u;  // infinity and NaN
  bits |= static_cast<std::uint32_t>(half & 0x8000) << 16;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

inline void load_half(const std::uint16_t* row, long d, float* out) {
  long c = 0;
#if defined(__AVX512F__)
  for (; c + 16 <= d; c += 16) {
    const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + c));
    _mm512_storeu_ps(out + c, _mm512_cvtph_ps(halves));
  }
#elif defined(__F16C__)
  for (; c + 8 <= d; c += 8) {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + c));
    _mm256_storeu_ps(out + c, _mm256_cvtph_ps(halves));
  }
#endif
  for (; c < d; ++c) out[c] = half_to_float(row[c]);
}

}  // namespace

void load_row(Dtype dtype, const void* row, float scale, long d, float* out) {
  switch (dtype) {
    case Dtype::float32:
      __builtin_memcpy(out, row, static_cast<unsigned long>(d) * sizeof(float));
      return;
    case Dtype::float16:
      load_half(static_cast<const std::uint16_t*>(row), d, out);
      return;
    case Dtype::bfloat16: {
      const auto* from = static_cast<const std::uint16_t*>(row);
      auto* bits = reinterpret_cast<std::uint32_t*>(out);
      for (long c = 0; c < d; ++c) bits[c] = static_cast<std::uint32_t>(from[c]) << 16;
      return;
    }
    case Dtype::int8: {
      const auto* from = static_cast<const std::int8_t*>(row);
      for (long c = 0; c < d; ++c) out[c] = static_cast<float>(from[c]) * scale;
      return;
    }
  }
}

float center_row(const float* row, float norm, const float* mean, float scale, long d, long depth,
                 float* out) {
  // half of the sums each, so that one does not wait for the other
  Lanes<float> first = {}, second = {};
  long c = 0;
  for (; c + 2 * kLanes <= d; c += 2 * kLanes) {
    const Lanes<float> a = (load(row + c) * norm - load(mean + c)) * scale;
    const Lanes<float> b = (load(row + c + kLanes) * norm - load(mean + c + kLanes)) * scale;
    store(a, out + c);
    store(b, out + c + kLanes);
    first += a * a;
    second += b * b;
  }
  float sums[kLanes];
  store(first + second, sums);
  for (long l = 0; c < d; ++c, l = (l + 1) % kLanes) {
    const float value = (row[c] * norm - mean[c]) * scale;
    out[c] = value;
    sums[l] += value * value;
  }
  for (; c < depth; ++c) out[c] = 0.0f;
  fold_halves<kLanes>([&](long l, long other) { sums[l] += sums[other]; });
  return 0.5f * sums[0];
}

RowSize measure_row(const float* row, long d) {
  constexpr long kSums = 16;  // on every level, so that the same rows are refused
  Lanes<float, kSums> squares = {}, most = {};
  long c = 0;
  for (; c + kSums <= d; c += kSums) {
    const Lanes<float, kSums> value = load<kSums>(row + c);
    const Lanes<float, kSums> size = value < 0.0f ? -value : value;
    squares += value * value;
    most = larger(most, size);
  }
  float sums[kSums], sizes[kSums];
  store(squares, sums);
  store(most, sizes);
  for (long l = 0; c < d; ++c, ++l) {
    const float size = row[c] < 0.0f ? -row[c] : row[c];
    sums[l] += row[c] * row[c];
    sizes[l] = larger(sizes[l], size);
  }
  fold_halves<kSums>([&](long l, long other) {
    sums[l] += sums[other];
    sizes[l] = larger(sizes[l], sizes[other]);
  });
  return {sums[0], sizes[0]};
}

void scale_row(const float* row, float factor, long d, float* out) {
  for (long c = 0; c < d; ++c) out[c] = row[c] * factor;
}

}  // namespace coverset::COVERSET_LEVEL
