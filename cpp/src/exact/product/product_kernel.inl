// Panel products and their filter, compiled once per level. Raw pointers, no STL.
#include "exact/product/product.hpp"
#include "simd/lanes.hpp"

namespace coverset::COVERSET_LEVEL {
namespace {

#if defined(__AVX512F__)
constexpr long kRows = 12;  // in registers at a time
#elif defined(__x86_64__)
constexpr long kRows = 6;
#else
constexpr long kRows = 8;
#endif
constexpr long kLanes = kLanesOf<float>;
using Floats = Lanes<float>;
constexpr long kGroup = 2 * kLanes;  // queries side by side
constexpr long kDepth = 256;         // coordinates for which a group of queries stays in cache

static_assert(kPanelRows % kRows == 0 && kStripQueries % kGroup == 0);

/// kRows rows by the first kVectors * kLanes queries of a group, over coordinates from..to-1; `out`
/// is added to unless from is 0.
template <int kVectors>
inline void block(const float* rows, long depth, const float* group, long from, long to,
                  float* out) {
  Floats sums[kRows][kVectors];
  for (long i = 0; i < kRows; ++i) {
    for (long j = 0; j < kVectors; ++j) {
      sums[i][j] = from == 0 ? Floats{} : load(out + i * kStripQueries + j * kLanes);
    }
  }
  for (long c = from; c < to; ++c) {
    const Floats first = load(group + c * kGroup);
    const Floats second = kVectors == 2 ? load(group + c * kGroup + kLanes) : first;
    for (long i = 0; i < kRows; ++i) {
      const float value = rows[i * depth + c];
      sums[i][0] += first * value;
      if constexpr (kVectors == 2) sums[i][1] += second * value;
    }
  }
  for (long i = 0; i < kRows; ++i) {
    for (long j = 0; j < kVectors; ++j) store(sums[i][j], out + i * kStripQueries + j * kLanes);
  }
}

constexpr long kMask = 16;  // queries whose comparisons make one mask

/// Bit l: value[l] is not above limit[l].
inline unsigned not_above(const Floats& value, const Floats& limit) {
#if defined(__AVX512F__)
  return _cvtmask16_u32(_mm512_cmp_ps_mask(value, limit, _CMP_NGT_UQ));
#elif defined(__AVX2__)
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(value, limit, _CMP_NGT_UQ)));
#elif defined(__x86_64__)
  return static_cast<unsigned>(_mm_movemask_ps(_mm_cmpngt_ps(value, limit)));
#else
  if (vminvq_u32(vcgtq_f32(value, limit)) != 0) return 0;
  unsigned mask = 0;
  for (int l = 0; l < kLanes; ++l) mask |= (value[l] > limit[l] ? 0u : 1u) << l;
  return mask;
#endif
}

/// Calls pass(products, i, j), which returns the mask of kMask queries from j, and writes hits.
template <class Pass>
inline long write_hits(const float* out, long rows, long queries, TileHit* hits, Pass&& pass) {
  long count = 0;
  for (long i = 0; i < rows; ++i) {
    for (long j = 0; j < queries; j += kMask) {
      const float* products = out + i * kStripQueries + j;
      unsigned mask = 0;
      for (long l = 0; l < kMask; l += kLanes) mask |= pass(load(products + l), i, j + l) << l;
      while (mask != 0) {
        const int lane = __builtin_ctz(mask);
        mask &= mask - 1;
        if (j + lane >= queries) break;
        hits[count++] = {products[lane], static_cast<std::uint16_t>(i),
                         static_cast<std::uint16_t>(j + lane)};
      }
    }
  }
  return count;
}

}  // namespace

void pack_queries(const float* queries, long count, long stride, long depth, float* packed) {
  const long strips = (count + kStripQueries - 1) / kStripQueries;
  for (long first = 0; first < strips * kStripQueries; first += kGroup) {
    float* group = packed + first * depth;
    for (long c = 0; c < depth; ++c) {
      for (long j = 0; j < kGroup; ++j) {
        const long query = first + j;
        group[c * kGroup + j] = query < count ? queries[query * stride + c] : 0.0f;
      }
    }
  }
}

void product_panel(const float* panel, long rows, const float* strip, long queries, long depth,
                   float* out) {
  for (long from = 0; from < depth; from += kDepth) {
    const long to = from + kDepth < depth ? from + kDepth : depth;
    for (long j = 0; j < queries; j += kGroup) {
      float* at = out + j;
      const float* group = strip + j * depth;
      if (queries - j <= kLanes) {
        for (long i = 0; i < rows; i += kRows) {
          block<1>(panel + i * depth, depth, group, from, to, at + i * kStripQueries);
        }
      } else {
        for (long i = 0; i < rows; i += kRows) {
          block<2>(panel + i * depth, depth, group, from, to, at + i * kStripQueries);
        }
      }
    }
  }
}

long filter_panel(const float* out, const float* offset, long rows, const float* limit,
                  long queries, TileHit* hits) {
  return write_hits(out, rows, queries, hits, [&](const Floats& products, long i, long j) {
    return not_above(offset[i] - products, load(limit + j));
  });
}

long filter_pairs(const float* out, const float* row_offset, const float* row_limit, long rows,
                  const float* query_offset, const float* query_limit, long queries,
                  TileHit* hits) {
  return write_hits(out, rows, queries, hits, [&](const Floats& products, long i, long j) {
    const Floats limit = repeated(row_limit[i]);
    return not_above(row_offset[i] - products, load(query_limit + j)) |
           not_above(load(query_offset + j) - products, limit);
  });
}

void least_in_rows(const float* out, long rows, const float* query_offset, long queries,
                   float* least) {
  for (long i = 0; i < rows; ++i) {
    Floats least_yet = repeated(0x1p127f), odd = {};
    for (long j = 0; j < queries; j += kLanes) {
      const Floats value = load(query_offset + j) - load(out + i * kStripQueries + j);
      least_yet = smaller(least_yet, value);
      odd += value - value;  // NaN, where it is not finite
    }
    float lanes[kLanes], odds[kLanes];
    store(least_yet, lanes);
    store(odd, odds);
    fold_halves<kLanes>([&](long l, long other) {
      lanes[l] = smaller(lanes[l], lanes[other]);
      odds[l] += odds[other];
    });
    least[i] = odds[0] == 0.0f ? lanes[0] : -__builtin_inff();
  }
}

}  // namespace coverset::COVERSET_LEVEL
