// Rows near a prototype: a tile of rows against all prototypes at a time.
#include <cmath>
#include <limits>

#include "coverset/error.hpp"
#include "coverset/lf.hpp"
#include "lf/hits.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kTileRows = 64;

void check_finite(const FloatRows& rows, std::int64_t i, std::int64_t number) {
  const float* x = rows.row(i);
  for (std::int64_t c = 0; c < rows.d; ++c) {
    require(std::isfinite(x[c]), "embeddings must be finite, row ", number, " holds ", x[c]);
  }
}

/// The canonical square of a row's length; not finite where it overflows.
double squared_norm(const FloatRows& rows, std::int64_t i) {
  const FloatRows one{rows.row(i), 1, rows.d, rows.stride};
  float square = 0.0F;
  inner_products(one, one, &square);
  return static_cast<double>(square);
}

/// x |x|: ordered as x is. Cosines are compared squared, so that no root is rounded.
double signed_square(double x) { return x * std::abs(x); }

}  // namespace

Hits match_embeddings(const Cpu& device, const PrototypeRules& rules, const FloatRows& rows,
                      const Bitmap& validity, std::int64_t first_row) {
  const auto p = static_cast<std::size_t>(rules.prototypes.n);
  std::vector<double> bounds(rules.thresholds.begin(), rules.thresholds.end());
  for (std::size_t j = 0; j < p; ++j) {
    const double t = rules.thresholds[j];
    const double square = squared_norm(rules.prototypes, static_cast<std::int64_t>(j));
    bounds[j] = rules.cosine ? signed_square(t) * square : t * t;
    if (rules.cosine && square == 0.0) bounds[j] = std::numeric_limits<double>::quiet_NaN();
  }
  return collect_hits(
      device, rows.n, 4 * kTileRows, [&](std::int64_t begin, std::int64_t end, Hits& hits) {
        std::vector<float> tile(static_cast<std::size_t>(kTileRows) * p);
        for (std::int64_t first = begin; first < end; first += kTileRows) {
          const FloatRows some{rows.row(first), std::min(kTileRows, end - first), rows.d,
                               rows.stride};
          (rules.cosine ? inner_products : squared_distances)(some, rules.prototypes, tile.data());
          for (std::int64_t i = 0; i < some.n; ++i) {
            if (!validity[first + i]) continue;
            const double square = squared_norm(some, i);
            if (!std::isfinite(square)) {
              check_finite(some, i, first_row + first + i);
              fail("the squared norm of an embedding must be within float32, that of row ",
                   first_row + first + i, " is not");
            }
            if (rules.cosine && square == 0.0) continue;
            const float* at = tile.data() + static_cast<std::size_t>(i) * p;
            for (std::size_t j = 0; j < p; ++j) {
              const auto value = static_cast<double>(at[j]);
              const bool near =
                  rules.cosine ? signed_square(value) >= bounds[j] * square : value <= bounds[j];
              if (!near) continue;
              hits.rows.push_back(static_cast<std::int32_t>(first + i));
              hits.rules.push_back(rules.rules[j]);
              while (j + 1 < p && rules.rules[j + 1] == rules.rules[j]) ++j;  // fires once
            }
          }
        }
      });
}

}  // namespace coverset
