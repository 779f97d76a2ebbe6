// The error bounds of scores against exact numbers: of families of rows that drive one term each.
// Prints how much of each bound was needed.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "bound_families.hpp"
#include "exact/panel.hpp"

namespace {

using namespace coverset;

static_assert(LDBL_MANT_DIG >= 64);
using Exact = long double;

constexpr const char* kPrecisionNames[] = {"int8", "bfloat16", "float32"};
const char* name(Precision precision) { return kPrecisionNames[static_cast<int>(precision)]; }

Exact dot(const Exact* a, const Exact* b, std::int64_t d) {
  Exact sum = 0;
  for (std::int64_t c = 0; c < d; ++c) sum += a[c] * b[c];
  return sum;
}

double rounded_up(Exact value) {
  const auto near = static_cast<double>(value);
  return near < value ? std::nextafter(near, std::numeric_limits<double>::infinity()) : near;
}

/// Normalized rows and queries by their definition, their scores and canonical distances.
struct Reference {
  explicit Reference(const Family& family)
      : stored(family.rows, std::ssize(family.rows) / family.d, family.d, family.dtype),
        d(family.d),
        n(stored.rows.n),
        m(std::ssize(family.queries) / d) {
    const bool gaps = family.metric == Metric::sqeuclidean;
    for (std::int64_t i = 0; i < n; ++i) append(rows, family, stored.value(i), true);
    for (std::int64_t q = 0; q < m; ++q)
      append(queries, family, family.queries.data() + q * d, gaps);
    for (std::int64_t i = 0; i < n; ++i) {
      row_norms.push_back(std::sqrt(dot(row(i), row(i), d)));
      for (std::int64_t q = 0; q < m; ++q) {
        const float* x = stored.value(i);
        const float* y = family.queries.data() + q * d;
        const Exact product = dot(row(i), query(q), d);
        scores.push_back(gaps ? dot(row(i), row(i), d) / 2 - product : -product);
        distances.push_back(canonical::distance(family.metric, x, y, d));
        Exact square = 0;
        for (std::int64_t c = 0; c < d; ++c) {
          const Exact gap = (static_cast<Exact>(x[c]) - y[c]) * family.scale;
          square += gap * gap;
        }
        squares.push_back(square);
      }
    }
    for (std::int64_t q = 0; q < m; ++q) {
      query_norms.push_back(std::sqrt(dot(query(q), query(q), d)));
    }
  }

  const Exact* row(std::int64_t i) const { return rows.data() + i * d; }
  const Exact* query(std::int64_t q) const { return queries.data() + q * d; }
  std::size_t at(std::int64_t i, std::int64_t q) const {
    return static_cast<std::size_t>(i * m + q);
  }

  StoredRows stored;
  std::int64_t d, n, m;
  std::vector<Exact> rows, queries, row_norms, query_norms;
  std::vector<Exact> scores, squares;  // (n, m); squares are those of normalized gaps
  std::vector<float> distances;        // (n, m)

 private:
  void append(std::vector<Exact>& to, const Family& family, const float* from, bool less_mean) {
    Exact length = 0;
    for (std::int64_t c = 0; c < d; ++c) length += static_cast<Exact>(from[c]) * from[c];
    length = family.metric == Metric::cosine ? std::sqrt(length) : 1;
    for (std::int64_t c = 0; c < d; ++c) {
      const Exact mean = less_mean ? family.mean[static_cast<std::size_t>(c)] : 0.0f;
      to.push_back((from[c] / length - mean) * family.scale);
    }
  }
};

/// A row as it is multiplied, and what rounding it took away.
struct Multiplied {
  Multiplied(Precision precision, const float* normalized, std::int64_t d) {
    const std::int64_t depth = depth_at(precision, d);
    Numbers reduced;
    reduced.resize(precision, depth);
    const ReducedRow row = reduce(precision, normalized, d, depth, 0, reduced);
    bound = lost_norm(precision, row.lost, d);
    Exact squares = 0;
    for (std::int64_t c = 0; c < d; ++c) {
      const auto at = static_cast<std::size_t>(c);
      numbers.push_back(precision == Precision::int8 ? Exact{row.factor} * reduced.int8[at]
                        : precision == Precision::bfloat16
                            ? float_of(static_cast<std::uint32_t>(reduced.bfloat16[at]) << 16)
                            : reduced.float32[at]);
      squares += (normalized[c] - numbers.back()) * (normalized[c] - numbers.back());
    }
    lost = std::sqrt(squares);
  }

  std::vector<Exact> numbers;
  Exact lost = 0;
  double bound = 0.0;
};

/// One family at one level and precision.
class Trial {
 public:
  Trial(const Family& family, const Reference& exact, Precision precision, const char* level)
      : family_(family),
        exact_(exact),
        precision_(precision),
        level_(level),
        normalization_{family.mean, family.scale},
        bounds_(family.metric, family.d, normalization_),
        panel_(exact.stored.rows, normalization_, family.metric, precision) {}

  bool holds() {
    panel_.take({exact_.n}, bounds_);
    std::vector<float> numbers(family_.queries.size());
    std::vector<NormalizedQuery> queries;
    for (std::int64_t q = 0; q < exact_.m; ++q) {
      float* to = numbers.data() + q * exact_.d;
      queries.push_back(
          bounds_.normalize(family_.queries.data() + q * exact_.d, normalization_, exact_.d, to));
    }
    const Strips strips(precision_, numbers, exact_.m, exact_.d);
    panel_.multiply(strips, 0, exact_.m);
    check_sizes(queries, numbers, strips);
    for (std::int64_t q = 0; q < exact_.m; ++q) {
      check_scores(queries[static_cast<std::size_t>(q)], q,
                   strips.lost(static_cast<std::size_t>(q)));
    }
    if (family_.metric == Metric::sqeuclidean) check_as_queries();
    if (holds_ && precision_ == family_.precision && !(needed(family_.check) > 0)) {
      std::printf("bounds: %s (%s) does not drive its %s at %s, %s\n", family_.name,
                  coverset::name(family_.metric), kCheckNames[static_cast<int>(family_.check)],
                  name(precision_), level_);
      return false;
    }
    return holds_;
  }

  /// The largest part of a bound, beyond what was computed, that exact numbers took.
  double needed(Check check) const { return needed_[static_cast<std::size_t>(check)]; }

 private:
  /// `exact` is at most `bound`, of which `computed` needs no bound.
  void check(Check what, Exact exact, Exact bound, Exact computed, std::int64_t i, std::int64_t q) {
    if (!holds_) return;
    double& needed = needed_[static_cast<std::size_t>(what)];
    if (!(exact <= bound)) {
      std::printf("bounds: %s of %s (%s): %.17Lg is above %.17Lg, row %d, query %d, at %s, %s\n",
                  kCheckNames[static_cast<int>(what)], family_.name, coverset::name(family_.metric),
                  exact, bound, static_cast<int>(i), static_cast<int>(q), name(precision_), level_);
      holds_ = false;
    } else if (std::isfinite(bound) && exact > computed) {
      needed = std::max(needed, static_cast<double>((exact - computed) / (bound - computed)));
    }
  }

  void check_sizes(const std::vector<NormalizedQuery>& queries, const std::vector<float>& numbers,
                   const Strips& strips) {
    const std::int64_t d = exact_.d;
    std::vector<float> normalized(static_cast<std::size_t>(d));
    std::vector<Multiplied> rows, others;
    for (std::int64_t q = 0; q < exact_.m; ++q) {
      const auto at = static_cast<std::size_t>(q);
      const float* from = numbers.data() + q * d;
      others.emplace_back(precision_, from, d);
      check(Check::lost, others[at].lost, strips.lost(at), 0, -1, q);
      const std::vector<Exact> as_floats(from, from + d);
      const Exact norm = std::sqrt(dot(as_floats.data(), as_floats.data(), d));
      const double bound = queries[at].norm, subnormal = static_cast<double>(d) * 0x1p-149;
      check(Check::norm, exact_.query_norms[at], bound, bound, -1, q);
      check(Check::norm, norm, bound + subnormal, bound, -1, q);
    }
    for (std::int64_t i = 0; i < exact_.n; ++i) {
      const float half = panel_.halves()[i];
      const Exact computed = std::sqrt(2.0L * half),
                  norm = exact_.row_norms[static_cast<std::size_t>(i)];
      check(Check::norm, norm, bounds_.norm(half), computed, i, -1);
      check(Check::norm, norm, panel_.norm(), computed, i, -1);
    }
    if (family_.metric == Metric::cosine || family_.dtype == Dtype::int8) return;
    for (std::int64_t i = 0; i < exact_.n; ++i) {
      COVERSET_AT_LEVEL(center_row)
      (exact_.stored.value(i), 1.0f, family_.mean.data(), family_.scale, d, d, normalized.data());
      rows.emplace_back(precision_, normalized.data(), d);
      check(Check::lost, rows.back().lost, rows.back().bound, 0, i, -1);
      check(Check::lost, rows.back().lost, panel_.lost(), 0, i, -1);
      for (std::int64_t q = 0; q < exact_.m; ++q) {
        const auto at = static_cast<std::size_t>(q);
        const double size = panel_.norm() + panel_.lost(),
                     other = queries[at].norm + strips.lost(at);
        if (!std::isfinite(size * other)) continue;
        const Exact product = dot(rows.back().numbers.data(), others[at].numbers.data(), d);
        check(Check::product, std::fabs(panel_.products(i)[q] - product),
              bounds_.product_error(size, other), 0, i, q);
      }
    }
  }

  void check_scores(const NormalizedQuery& query, std::int64_t q, double lost) {
    const bool gaps = family_.metric == Metric::sqeuclidean;
    const double error_bound = bounds_.error_bound(query, panel_.norm(), panel_.lost(), lost);
    needed_[static_cast<std::size_t>(Check::unbounded)] +=
        error_bound == std::numeric_limits<double>::infinity();
    for (std::int64_t i = 0; i < exact_.n; ++i) {
      const std::size_t at = exact_.at(i, q);
      const float score = panel_.offsets()[i] - panel_.products(i)[q];
      const float distance = exact_.distances[at];
      const double bound = bounds_.score_bound(query, distance);
      const Exact exact = exact_.scores[at], error = std::fabs(score - exact);
      if (std::isfinite(error_bound)) check(Check::score, error, error_bound, 0, i, q);
      if (gaps) {
        const Exact square = Exact{family_.scale} * family_.scale * distance;
        check(Check::square, exact_.squares[at], bounds_.normalized_square(distance), square, i, q);
        check(Check::bound, exact, bound, (square - query.shift) / 2, i, q);
        if (std::isfinite(error_bound)) check(Check::near, score, bound + error_bound, bound, i, q);
      } else if (std::isfinite(error_bound)) {  // one bound for the score and the distance
        check(Check::near, std::max<Exact>(exact - bound, 0) + error, error_bound, 0, i, q);
        check(Check::near, std::max<Exact>(bound - exact, 0) + error, error_bound, 0, i, q);
      }
      const float farther = std::nextafter(distance, std::numeric_limits<float>::infinity());
      check(Check::bound, bound, bounds_.score_bound(query, farther), bound, i, q);
      for (std::int64_t j = 0; j < exact_.n && std::isfinite(error_bound); ++j) {
        const std::size_t other = exact_.at(j, q);
        if (exact_.distances[other] > distance) continue;  // j is canonically as near as i
        const Exact known = gaps ? exact : Exact{score} + error_bound;
        const Exact limit = bounds_.score_bound_from(query, rounded_up(known));
        const float found = panel_.offsets()[j] - panel_.products(j)[q];
        if (gaps) check(Check::from, exact_.scores[other], limit, known, j, q);
        if (!gaps) check(Check::from, found, limit + error_bound, known, j, q);
      }
    }
  }

  /// The other side: rows of the panel look for the queries, which are centered as rows are.
  void check_as_queries() {
    const std::int64_t d = exact_.d;
    std::vector<float> numbers(family_.queries.size()), halves;
    for (std::int64_t q = 0; q < exact_.m; ++q) {
      halves.push_back(COVERSET_AT_LEVEL(center_row)(family_.queries.data() + q * d, 1.0f,
                                                     family_.mean.data(), family_.scale, d, d,
                                                     numbers.data() + q * d));
    }
    const Strips strips(precision_, numbers, exact_.m, d);
    panel_.multiply(strips, 0, exact_.m);
    for (std::int64_t i = 0; i < exact_.n; ++i) {
      const NormalizedQuery row = bounds_.as_query(panel_.halves()[i]);
      for (std::int64_t q = 0; q < exact_.m; ++q) {
        const auto at = static_cast<std::size_t>(q);
        const double error_bound =
            bounds_.error_bound(row, bounds_.norm(halves[at]), strips.lost(at), panel_.lost());
        if (!std::isfinite(error_bound)) continue;
        const float score = halves[at] - panel_.products(i)[q];
        const Exact exact =
            dot(exact_.query(q), exact_.query(q), d) / 2 - dot(exact_.row(i), exact_.query(q), d);
        check(Check::as_query, std::fabs(score - exact), error_bound, 0, i, q);
        const double bound = bounds_.score_bound(row, exact_.distances[exact_.at(i, q)]);
        check(Check::as_query, std::max<Exact>(score - bound, 0), error_bound, 0, i, q);
        check(Check::as_query, std::max<Exact>(exact - bound, 0), error_bound, 0, i, q);
      }
    }
  }

  const Family& family_;
  const Reference& exact_;
  Precision precision_;
  const char* level_;
  Normalization normalization_;
  ErrorBounds bounds_;
  Panel panel_;
  bool holds_ = true;
  std::array<double, 10> needed_{};
};

/// What rows of a million numbers and more take: too long for a panel.
bool very_long_rows_hold(const char* level) {
  const std::int64_t d = 1 << 20;
  const std::vector<float> zeros(static_cast<std::size_t>(d)),
      row = two_sizes(d, 8, 1.0f, kVanishes);
  std::vector<float> normalized(zeros.size());
  const float half =
      COVERSET_AT_LEVEL(center_row)(row.data(), 1.0f, zeros.data(), 1.0f, d, d, normalized.data());
  const Exact norm = std::sqrt(8 + static_cast<Exact>(d - 8) * kVanishes * kVanishes);
  const ErrorBounds bounds(Metric::sqeuclidean, d, {zeros, 1.0f});
  bool holds = norm <= bounds.norm(half);
  if (precision_from(Precision::bfloat16, 8 * d) == Precision::bfloat16) {
    // what is lost of the first 16 numbers hides what is lost of the others
    std::vector<float> rounded = two_sizes(8 * d, 16, 1.0f + 0x1p-9f, 1.0f + 0x1p-21f * 0.99f);
    const Multiplied multiplied(Precision::bfloat16, rounded.data(), 8 * d);
    holds &= multiplied.lost <= multiplied.bound;
  }
  if (!holds) std::printf("bounds: rows of 2^20 numbers and more at %s\n", level);
  return holds;
}

/// Limits are floats, and no less than what they stand for.
bool limits_hold() {
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    const double size = std::ldexp(1.0 + static_cast<double>(random_bits(1, i) >> 12) * 0x1p-52,
                                   static_cast<int>(random_below(2, i, 252)) - 126);
    for (const double value : {size, -size}) {
      if (float_above(value) >= value) continue;
      std::printf("bounds: float_above(%.17g)\n", value);
      return false;
    }
  }
  return true;
}

}  // namespace

int main() {
  bool holds = limits_hold() && at_each_level(very_long_rows_hold);
  for (const Family& family : families()) {
    const Reference exact(family);
    double needed = 0.0;
    holds = holds && at_each_level([&](const char* level) {
              const Precision all[] = {Precision::int8, Precision::bfloat16, Precision::float32};
              for (const Precision precision : all) {
                if (precision_from(precision, family.d) != precision) continue;
                Trial trial(family, exact, precision, level);
                if (!trial.holds()) return false;
                if (precision == family.precision)
                  needed = std::max(needed, trial.needed(family.check));
              }
              return true;
            });
    if (!holds) return 1;
    std::printf("%-38s %-13s %-8s %-9s %.3g\n", family.name, name(family.metric),
                name(family.precision), kCheckNames[static_cast<int>(family.check)], needed);
  }
  std::printf("bounds: all bounds hold\n");
  return 0;
}
