// What a pass over votes does for each row, compiled once per level. Raw pointers, no STL.
// Every sum has one order, lane by lane, so that all levels give the same bits.
#include "coverset/exp_log.hpp"
#include "label_model/row_votes.hpp"
#include "simd/lanes.hpp"

namespace coverset::COVERSET_LEVEL {
namespace {

/// Where block b of a row of `width` starts: the last one ends with the row, and so may overlap
/// the one before.
template <int kLanes, int kBlocks>
inline long block_start(int b, long width) {
  return b + 1 < kBlocks ? b * kLanes : width - kLanes;
}

template <int kLanes, int kBlocks>
inline void gather(const double* table, long width, const RowVotes& row, double* out) {
  Lanes<double, kLanes> sums[kBlocks] = {};
  for (const std::int32_t* c = row.first; c != row.last; ++c) {
    if (*c < 0) continue;
    const double* at = table + *c * width;
    for (int b = 0; b < kBlocks; ++b) {
      sums[b] += load<kLanes>(at + block_start<kLanes, kBlocks>(b, width));
    }
  }
  for (int b = 0; b < kBlocks; ++b) {
    store(sums[b], out + block_start<kLanes, kBlocks>(b, width));
  }
}

template <int kLanes, int kBlocks>
inline void scatter(const double* values, const double* scale, double grain, long width,
                    const RowVotes* rows, long count, double* table, double* total) {
  Lanes<double, kLanes> mass[kBlocks], sums[kBlocks], all[kBlocks];
  const auto at = [width](int b) { return block_start<kLanes, kBlocks>(b, width); };
  for (int b = 0; b < kBlocks; ++b) all[b] = load<kLanes>(total + at(b));
  for (long i = 0; i < count; ++i) {
    for (int b = 0; b < kBlocks; ++b) {
      mass[b] = (load<kLanes>(values + i * width + at(b)) * scale[i] + grain) - grain;
      all[b] += mass[b];
    }
    for (const std::int32_t* c = rows[i].first; c != rows[i].last; ++c) {
      double* row = table + *c * width;
      // all blocks are read before one is written: they may overlap
      for (int b = 0; b < kBlocks; ++b) sums[b] = load<kLanes>(row + at(b)) + mass[b];
      for (int b = 0; b < kBlocks; ++b) store(sums[b], row + at(b));
    }
  }
  for (int b = 0; b < kBlocks; ++b) store(all[b], total + at(b));
}

/// Wide rows: one strip of at most 32 lanes after another.
template <class Visit>
inline void for_each_strip(long width, Visit&& visit) {
  for (long from = 0; from < width; from += 32) visit(from, width - from < 32 ? width - from : 32);
}

inline void gather_wide(const double* table, long width, const RowVotes& row, double* out) {
  for_each_strip(width, [&](long from, long lanes) {
    double sums[32] = {};
    for (const std::int32_t* c = row.first; c != row.last; ++c) {
      if (*c < 0) continue;
      const double* at = table + *c * width + from;
      for (long y = 0; y < lanes; ++y) sums[y] += at[y];
    }
    for (long y = 0; y < lanes; ++y) out[from + y] = sums[y];
  });
}

inline void scatter_wide(const double* values, double scale, double grain, long width,
                         const RowVotes& row, double* table, double* total) {
  for (long y = 0; y < width; ++y) total[y] += (values[y] * scale + grain) - grain;
  for (const std::int32_t* c = row.first; c != row.last; ++c) {
    double* at = table + *c * width;
    for (long y = 0; y < width; ++y) at[y] += (values[y] * scale + grain) - grain;
  }
}

/// Calls visit(lanes, blocks) with the constants that cover a row of `width`; false: too wide.
template <class Visit>
inline bool for_width(long width, Visit&& visit) {
  if (width == 1) return visit.template operator()<1, 1>(), true;
  if (width == 2) return visit.template operator()<2, 1>(), true;
  if (width == 3) return visit.template operator()<2, 2>(), true;
  if (width == 4) return visit.template operator()<4, 1>(), true;
  if (width < 8) return visit.template operator()<4, 2>(), true;
  if (width == 8) return visit.template operator()<8, 1>(), true;
  if (width <= 16) return visit.template operator()<8, 2>(), true;
  if (width <= 24) return visit.template operator()<8, 3>(), true;
  if (width <= 32) return visit.template operator()<8, 4>(), true;
  return false;
}

/// Logits of one row: share * row + prior, less the largest.
template <int kLanes, int kBlocks>
inline void settle(double share, const double* prior, long width, double* row) {
  Lanes<double, kLanes> logits[kBlocks];
  Lanes<double, kLanes> most;
  const auto at = [width](int b) { return block_start<kLanes, kBlocks>(b, width); };
  for (int b = 0; b < kBlocks; ++b) {
    logits[b] = load<kLanes>(row + at(b)) * share + load<kLanes>(prior + at(b));
    most = b == 0 ? logits[b] : larger(most, logits[b]);
  }
  double lanes[kLanes];
  store(most, lanes);
  fold_halves<kLanes>([&](long l, long other) { lanes[l] = larger(lanes[l], lanes[other]); });
  const double top = lanes[0];
  for (int b = 0; b < kBlocks; ++b) store(logits[b] - top, row + at(b));
}

inline void settle_wide(double share, const double* prior, long width, double* row) {
  double most = -1e300;
  for (long y = 0; y < width; ++y) {
    row[y] = row[y] * share + prior[y];
    most = larger(most, row[y]);
  }
  for (long y = 0; y < width; ++y) row[y] -= most;
}

template <int kFew>
inline void normalize(long classes, long count, double* probabilities) {
  const long k = kFew > 0 ? kFew : classes;
  for (long i = 0; i < count; ++i) {
    double* p = probabilities + i * k;
    double sum = 0.0;
    for (long y = 0; y < k; ++y) sum += p[y];
    const double scale = 1.0 / sum;
    for (long y = 0; y < k; ++y) p[y] *= scale;
  }
}

template <class Kept>
double keep(const double* values, long count, Kept* kept) {
  constexpr long kMoves = 16;  // as many maxima, so that they are found side by side
  Kept most[kMoves] = {};
  const auto move = [&](long i, long lane) {
    const Kept now = static_cast<Kept>(values[i]);
    const Kept gap = now - kept[i];
    const Kept size = gap < 0 ? -gap : gap;
    most[lane] = size > most[lane] ? size : most[lane];
    kept[i] = now;
  };
  long i = 0;
  for (; i + kMoves <= count; i += kMoves) {
    for (long lane = 0; lane < kMoves; ++lane) move(i + lane, lane);
  }
  for (; i < count; ++i) move(i, 0);
  for (const Kept size : most) most[0] = size > most[0] ? size : most[0];
  return most[0];
}

}  // namespace

void gather_rows(const double* table, long width, const RowVotes* rows, long count, double* out) {
  const bool narrow = for_width(width, [&]<int kLanes, int kBlocks>() {
    for (long i = 0; i < count; ++i) {
      gather<kLanes, kBlocks>(table, width, rows[i], out + i * width);
    }
  });
  for (long i = 0; !narrow && i < count; ++i) gather_wide(table, width, rows[i], out + i * width);
}

void scatter_rows(const double* values, const double* scale, double grain, long width,
                  const RowVotes* rows, long count, double* table, double* total) {
  const bool narrow = for_width(width, [&]<int kLanes, int kBlocks>() {
    scatter<kLanes, kBlocks>(values, scale, grain, width, rows, count, table, total);
  });
  for (long i = 0; !narrow && i < count; ++i) {
    scatter_wide(values + i * width, scale[i], grain, width, rows[i], table, total);
  }
}

void softmax_rows(const double* share, const double* log_prior, long k, long count,
                  double* logits) {
  const bool narrow = for_width(k, [&]<int kLanes, int kBlocks>() {
    for (long i = 0; i < count; ++i) {
      settle<kLanes, kBlocks>(share[i], log_prior, k, logits + i * k);
    }
  });
  for (long i = 0; !narrow && i < count; ++i) settle_wide(share[i], log_prior, k, logits + i * k);
  for (long i = 0; i < count * k; ++i) logits[i] = exp_exact_order(logits[i]);
  if (k == 2) return normalize<2>(k, count, logits);
  if (k == 3) return normalize<3>(k, count, logits);
  if (k == 4) return normalize<4>(k, count, logits);
  normalize<0>(k, count, logits);
}

double keep_rows(const double* values, long count, float* kept) {
  return keep(values, count, kept);
}

double keep_exact_rows(const double* values, long count, double* kept) {
  return keep(values, count, kept);
}

}  // namespace coverset::COVERSET_LEVEL
