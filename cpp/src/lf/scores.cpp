// Class scores: of the classes that reach their thresholds, the highest.
#include <algorithm>
#include <limits>
#include <type_traits>

#include "coverset/lf.hpp"
#include "lf/hits.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlockNumbers = 1 << 16;
constexpr std::int64_t kTile = 64;  // rows that all classes are seen for before the next

/// What is known of a tile's rows. All arrays are of one width, so that the loop over rows is SIMD.
template <class T>
struct Tile {
  using Int = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  T best[kTile];      // the highest score so far, of those that count
  Int winner[kTile];  // and its rule; -1: none, or a tie
  Int bad[kTile];     // not 0: a score was null or NaN

  void clear() {
    std::fill_n(best, kTile, -std::numeric_limits<T>::infinity());
    std::fill_n(winner, kTile, Int{-1});
    std::fill_n(bad, kTile, Int{0});
  }
  void see(const T* scores, T threshold, Int rule) {
    constexpr T kNone = -std::numeric_limits<T>::infinity();
    for (std::int64_t i = 0; i < kTile; ++i) {
      const T x = scores[i];
      const T score = x >= threshold ? x : kNone;
      const Int tied = score == best[i] ? Int{-1} : winner[i];
      winner[i] = score > best[i] ? rule : tied;
      best[i] = score > best[i] ? score : best[i];
      bad[i] |= x != x ? Int{1} : Int{0};
    }
  }
  void see_nulls(const ScoreColumn<T>& column, std::int64_t first, std::int64_t n) {
    if (column.validity.all()) return;
    for (std::int64_t i = 0; i < n; ++i) bad[i] |= column.validity[first + i] ? Int{0} : Int{1};
  }
};

/// Scores first..first+n-1 of a class; in place where they lie together, else in `room`.
template <class T>
const T* together(const ScoreColumn<T>& column, std::int64_t first, std::int64_t n, T* room) {
  const T* scores = column.values + first * column.stride;
  if (column.stride == 1 && n == kTile) return scores;
  for (std::int64_t i = 0; i < n; ++i) room[i] = scores[i * column.stride];
  return room;
}

}  // namespace

template <class T>
Hits match_scores(const Cpu& device, const ScoreRules<T>& rules,
                  std::span<const ScoreColumn<T>> columns, std::int64_t n) {
  const auto k = static_cast<std::int64_t>(columns.size());
  const std::int64_t block = std::max(kTile, kBlockNumbers / std::max<std::int64_t>(k, 1));
  return collect_hits(device, n, block, [&](std::int64_t begin, std::int64_t end, Hits& hits) {
    Tile<T> tile;
    T room[kTile] = {};
    for (std::int64_t first = begin; first < end; first += kTile) {
      const std::int64_t rows = std::min(kTile, end - first);
      tile.clear();
      for (std::size_t c = 0; c < columns.size(); ++c) {
        tile.see(together(columns[c], first, rows, room), rules.thresholds[c], rules.rules[c]);
        tile.see_nulls(columns[c], first, rows);
      }
      for (std::int64_t i = 0; i < rows; ++i) {
        if (tile.winner[i] < 0 || tile.bad[i] != 0) continue;
        hits.rows.push_back(static_cast<std::int32_t>(first + i));
        hits.rules.push_back(static_cast<std::int32_t>(tile.winner[i]));
      }
    }
  });
}

template Hits match_scores(const Cpu&, const ScoreRules<float>&,
                           std::span<const ScoreColumn<float>>, std::int64_t);
template Hits match_scores(const Cpu&, const ScoreRules<double>&,
                           std::span<const ScoreColumn<double>>, std::int64_t);

}  // namespace coverset
