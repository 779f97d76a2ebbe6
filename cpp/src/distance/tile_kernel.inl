// distance_tile, compiled once per level. Raw pointers, no STL.
#include "distance/tile.hpp"

#pragma GCC diagnostic ignored "-Wpsabi"  // registers passed between functions of this file only

namespace coverset::COVERSET_LEVEL {
namespace {

constexpr long kLanes = 16;
// One source for every level: the compiler splits it into the registers that there are.
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));

inline Lanes load(const float* at) {
  Lanes lanes;
  __builtin_memcpy(&lanes, at, sizeof lanes);
  return lanes;
}

/// The last d % 16 coordinates, and zeros, which change no sum.
inline Lanes load_some(const float* at, long count) {
  float some[kLanes] = {};
  for (long l = 0; l < count; ++l) some[l] = at[l];
  return load(some);
}

inline float reduced(const Lanes& lanes) {
  float at[kLanes];
  __builtin_memcpy(at, &lanes, sizeof at);
  for (long half = kLanes / 2; half > 0; half /= 2) {
    for (long l = 0; l < half; ++l) at[l] += at[l + half];
  }
  return at[0];
}

template <bool kGaps>
inline Lanes term(const Lanes& a, const Lanes& b) {
  if constexpr (kGaps) {
    const Lanes gap = a - b;
    return gap * gap;
  } else {
    return a * b;
  }
}

/// kRows rows against kColumns rows: each loaded once for the whole patch.
template <bool kGaps, int kRows, int kColumns>
inline void patch(const float* a, long a_stride, const float* b, long b_stride, long d, float* out,
                  long out_stride) {
  Lanes sums[kRows][kColumns] = {};
  const auto add = [&](auto&& loaded) {
    Lanes rows[kRows];
    for (int i = 0; i < kRows; ++i) rows[i] = loaded(a + i * a_stride);
    for (int j = 0; j < kColumns; ++j) {
      const Lanes column = loaded(b + j * b_stride);
      for (int i = 0; i < kRows; ++i) sums[i][j] += term<kGaps>(rows[i], column);
    }
  };
  long c = 0;
  for (; c + kLanes <= d; c += kLanes) {
    add([c](const float* row) { return load(row + c); });
  }
  if (c < d) add([c, d](const float* row) { return load_some(row + c, d - c); });
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kColumns; ++j) out[i * out_stride + j] = reduced(sums[i][j]);
  }
}

template <bool kGaps>
void tile(const float* a, long n, long a_stride, const float* b, long m, long b_stride, long d,
          float* out) {
  constexpr int kRows = 4, kColumns = 2;
  long i = 0;
  for (; i + kRows <= n; i += kRows) {
    long j = 0;
    for (; j + kColumns <= m; j += kColumns) {
      patch<kGaps, kRows, kColumns>(a + i * a_stride, a_stride, b + j * b_stride, b_stride, d,
                                    out + i * m + j, m);
    }
    for (; j < m; ++j) {
      patch<kGaps, kRows, 1>(a + i * a_stride, a_stride, b + j * b_stride, b_stride, d,
                             out + i * m + j, m);
    }
  }
  for (; i < n; ++i) {
    for (long j = 0; j < m; ++j) {
      patch<kGaps, 1, 1>(a + i * a_stride, a_stride, b + j * b_stride, b_stride, d, out + i * m + j,
                         m);
    }
  }
}

}  // namespace

void distance_tile(bool gaps, const float* a, long n, long a_stride, const float* b, long m,
                   long b_stride, long d, float* out) {
  if (gaps) {
    tile<true>(a, n, a_stride, b, m, b_stride, d, out);
  } else {
    tile<false>(a, n, a_stride, b, m, b_stride, d, out);
  }
}

}  // namespace coverset::COVERSET_LEVEL
