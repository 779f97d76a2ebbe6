// distance_tile, compiled once per level. Raw pointers, no STL.
#include "exact/distance/tile.hpp"
#include "simd/lanes.hpp"

namespace coverset::COVERSET_LEVEL {
namespace {

constexpr long kLanes = 16;
constexpr long kParts = kLanes / kLanesOf<float>;
using Part = Lanes<float>;

/// 16 floats in the registers that there are.
struct Sixteen {
  Part part[kParts];

  friend Sixteen operator-(const Sixteen& a, const Sixteen& b) {
    Sixteen result;
    for (long p = 0; p < kParts; ++p) result.part[p] = a.part[p] - b.part[p];
    return result;
  }
  friend Sixteen operator*(const Sixteen& a, const Sixteen& b) {
    Sixteen result;
    for (long p = 0; p < kParts; ++p) result.part[p] = a.part[p] * b.part[p];
    return result;
  }
  Sixteen& operator+=(const Sixteen& a) {
    for (long p = 0; p < kParts; ++p) part[p] += a.part[p];
    return *this;
  }
};

inline Sixteen load_all(const float* at) {
  Sixteen lanes;
  for (long p = 0; p < kParts; ++p) lanes.part[p] = load(at + p * kLanesOf<float>);
  return lanes;
}

/// The last d % 16 coordinates, and zeros, which change no sum.
inline Sixteen load_some(const float* at, long count) {
  float some[kLanes] = {};
  for (long l = 0; l < count; ++l) some[l] = at[l];
  return load_all(some);
}

inline float reduced(const Sixteen& lanes) {
  float at[kLanes];
  store(lanes, at);
  fold_halves<kLanes>([&](long l, long other) { at[l] += at[other]; });
  return at[0];
}

/// reduced() of four at once, the same sums side by side.
inline void reduce_four(const Sixteen* rows, float* out, long stride) {
#define COVERSET_PICK(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#if defined(__AVX512F__)
  const Part a = rows[0].part[0], b = rows[1].part[0], c = rows[2].part[0], d = rows[3].part[0];
  const Part ab = COVERSET_PICK(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
                  COVERSET_PICK(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  const Part cd = COVERSET_PICK(c, d, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
                  COVERSET_PICK(c, d, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  const Part four =
      COVERSET_PICK(ab, cd, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
      COVERSET_PICK(ab, cd, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
  const Part two =
      four + COVERSET_PICK(four, four, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  const Part one =
      two + COVERSET_PICK(two, two, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
  constexpr long kApart = 4;
#elif defined(__AVX2__)
  Part half[4];
  for (long i = 0; i < 4; ++i) half[i] = rows[i].part[0] + rows[i].part[1];
  const Part ab = COVERSET_PICK(half[0], half[1], 0, 1, 2, 3, 8, 9, 10, 11) +
                  COVERSET_PICK(half[0], half[1], 4, 5, 6, 7, 12, 13, 14, 15);
  const Part cd = COVERSET_PICK(half[2], half[3], 0, 1, 2, 3, 8, 9, 10, 11) +
                  COVERSET_PICK(half[2], half[3], 4, 5, 6, 7, 12, 13, 14, 15);
  const Part two = COVERSET_PICK(ab, cd, 0, 1, 4, 5, 8, 9, 12, 13) +
                   COVERSET_PICK(ab, cd, 2, 3, 6, 7, 10, 11, 14, 15);
  const Part one = two + COVERSET_PICK(two, two, 1, 0, 3, 2, 5, 4, 7, 6);
  constexpr long kApart = 2;
#else
  Part half[4];
  for (long i = 0; i < 4; ++i) {
    const Part low = rows[i].part[0] + rows[i].part[2];
    const Part high = rows[i].part[1] + rows[i].part[3];
    half[i] = low + high;
  }
  const Part ab =
      COVERSET_PICK(half[0], half[1], 0, 1, 4, 5) + COVERSET_PICK(half[0], half[1], 2, 3, 6, 7);
  const Part cd =
      COVERSET_PICK(half[2], half[3], 0, 1, 4, 5) + COVERSET_PICK(half[2], half[3], 2, 3, 6, 7);
  const Part one = COVERSET_PICK(ab, cd, 0, 2, 4, 6) + COVERSET_PICK(ab, cd, 1, 3, 5, 7);
  constexpr long kApart = 1;
#endif
#undef COVERSET_PICK
  for (long i = 0; i < 4; ++i) out[i * stride] = one[kApart * i];
}

template <bool kGaps>
inline Sixteen term(const Sixteen& a, const Sixteen& b) {
  if constexpr (kGaps) {
    const Sixteen gap = a - b;
    return gap * gap;
  } else {
    return a * b;
  }
}

/// kRows rows against kColumns rows: each loaded once for the whole patch.
template <bool kGaps, int kRows, int kColumns>
inline void patch(const float* a, long a_stride, const float* b, long b_stride, long d, float* out,
                  long out_stride) {
  Sixteen sums[kRows][kColumns] = {};
  const auto add = [&](auto&& loaded) {
    Sixteen rows[kRows];
    for (int i = 0; i < kRows; ++i) rows[i] = loaded(a + i * a_stride);
    for (int j = 0; j < kColumns; ++j) {
      const Sixteen column = loaded(b + j * b_stride);
      for (int i = 0; i < kRows; ++i) sums[i][j] += term<kGaps>(rows[i], column);
    }
  };
  long c = 0;
  for (; c + kLanes <= d; c += kLanes) {
    add([c](const float* row) { return load_all(row + c); });
  }
  if (c < d) add([c, d](const float* row) { return load_some(row + c, d - c); });
  for (int j = 0; j < kColumns; ++j) {
    if constexpr (kRows == 4) {
      const Sixteen rows[4] = {sums[0][j], sums[1][j], sums[2][j], sums[3][j]};
      reduce_four(rows, out + j, out_stride);
    } else {
      for (int i = 0; i < kRows; ++i) out[i * out_stride + j] = reduced(sums[i][j]);
    }
  }
}

/// The same for one row of b, by one row of a after another: memory is read in order.
template <bool kGaps>
inline void column(const float* a, long a_stride, const float* b, long d, float* out,
                   long out_stride) {
  Sixteen sums[4] = {};
  for (int i = 0; i < 4; ++i) {
    const float* row = a + i * a_stride;
    long c = 0;
    for (; c + kLanes <= d; c += kLanes) sums[i] += term<kGaps>(load_all(row + c), load_all(b + c));
    if (c < d) sums[i] += term<kGaps>(load_some(row + c, d - c), load_some(b + c, d - c));
  }
  reduce_four(sums, out, out_stride);
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
      column<kGaps>(a + i * a_stride, a_stride, b + j * b_stride, d, out + i * m + j, m);
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
