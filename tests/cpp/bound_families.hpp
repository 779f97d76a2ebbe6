// For tests: rows that drive one term each of the error bound as far as they can.
#pragma once

#include <cmath>
#include <functional>
#include <vector>

#include "exact/product/reduced.hpp"
#include "stored_rows.hpp"

namespace coverset {

/// What is compared with a bound: docs/neighbors.md derives each.
enum class Check {
  score,      // a score as it is computed, with the exact one
  product,    // a product, with the exact one of the numbers that are multiplied
  near,       // a computed score, with what rows at its canonical distance may have
  as_query,   // the same, of a row of the panel as a query
  square,     // an exact square, with what its canonical distance allows
  bound,      // an exact score, likewise
  from,       // an exact score, with what that of a row canonically as far allows
  norm,       // an exact norm, with the one from half of a square
  lost,       // the norm of what rounding took away
  unbounded,  // nothing: sums could overflow
};
inline constexpr const char* kCheckNames[] = {"score", "product", "near", "as_query", "square",
                                              "bound", "from",    "norm", "lost",     "unbounded"};

struct Family {
  const char* name;
  Check check;          // what it drives,
  Precision precision;  // and at which precision
  Metric metric;
  std::int64_t d;
  std::vector<float> rows, queries;  // (n, d), (m, d)
  std::vector<float> mean = {};      // none: zeros
  float scale = 1.0f;
  Dtype dtype = Dtype::float32;
};

/// n rows of d numbers, number(row, coordinate) each.
inline std::vector<float> rows_of(std::int64_t n, std::int64_t d,
                                  const std::function<float(std::int64_t, std::int64_t)>& number) {
  std::vector<float> rows;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t c = 0; c < d; ++c) rows.push_back(number(i, c));
  }
  return rows;
}

inline std::vector<float> random_rows(std::uint64_t seed, std::int64_t n, std::int64_t d,
                                      float size = 1.0f, float around = 0.0f) {
  return rows_of(n, d, [=](std::int64_t i, std::int64_t c) {
    return around + size * random_number(seed, static_cast<std::uint64_t>(i * d + c));
  });
}

/// The first numbers are `first`, all others `rest`.
inline std::vector<float> two_sizes(std::int64_t d, std::int64_t firsts, float first, float rest) {
  return rows_of(1, d, [=](std::int64_t, std::int64_t c) { return c < firsts ? first : rest; });
}

inline std::vector<float> joined(std::vector<float> a, const std::vector<float>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Squares just below, and above, half of what a sum of 1 is rounded to.
inline constexpr float kVanishes = 127.0f / 128.0f * 0x1p-12f;
inline constexpr float kRoundsUp = 129.0f / 128.0f * 0x1p-12f;

inline void add_of_scores(std::vector<Family>& all) {
  const auto int8 = Precision::int8, bfloat16 = Precision::bfloat16, float32 = Precision::float32;
  const auto squares = Metric::sqeuclidean, product = Metric::inner_product;
  const std::vector<float> uneven = two_sizes(400, 1, 127.0f, 0.49f),
                           even = two_sizes(400, 1, 0.0f, 1.0f);
  all.push_back({"int8, rows rounded", Check::score, int8, product, 400, uneven, even});
  all.push_back({"int8, queries rounded", Check::score, int8, product, 400, even, uneven});
  all.push_back({"int8, both rounded", Check::score, int8, product, 65536,
                 rows_of(1, 65536, [](auto, auto c) { return c == 0 ? 127.0f : 0.501f; }),
                 rows_of(1, 65536, [](auto, auto c) { return c == 1 ? 127.0f : 0.501f; })});
  all.push_back({"bfloat16, rows rounded", Check::score, bfloat16, product, 200,
                 two_sizes(200, 200, 1.0f + 0.98f * 0x1p-8f, 0.0f), two_sizes(200, 0, 0.0f, 1.0f)});
  all.push_back({"bfloat16, queries rounded", Check::score, bfloat16, squares, 200,
                 two_sizes(200, 0, 0.0f, 1.0f), two_sizes(200, 200, 1.0f + 0.98f * 0x1p-8f, 0.0f)});
  all.push_back({"bfloat16, subnormal rows", Check::score, bfloat16, product, 9,
                 two_sizes(9, 4, 0x1p-127f, 0x1p-149f), two_sizes(9, 9, 0x1p40f, 0.0f)});
  all.push_back({"what is lost underflows", Check::score, bfloat16, product, 9,
                 two_sizes(9, 9, (1.0f + 0.98f * 0x1p-8f) * 0x1p-67f, 0.0f),
                 two_sizes(9, 9, 1.0f, 0.0f)});
  all.push_back({"what is lost underflows, of queries", Check::score, bfloat16, product, 9,
                 two_sizes(9, 9, 1.0f, 0.0f),
                 two_sizes(9, 9, (1.0f + 0.98f * 0x1p-8f) * 0x1p-67f, 0.0f)});
  all.push_back({"int8, rows below 2^-100", Check::score, int8, product, 9,
                 two_sizes(9, 9, 0x1p-101f, 0.0f), two_sizes(9, 9, 1.0f, 0.0f)});
  for (const Precision precision : {float32, bfloat16}) {
    all.push_back({"long sums of one sign", Check::score, precision, product, 4096,
                   two_sizes(4096, 1, 1.0f, kVanishes), two_sizes(4096, 1, 1.0f, kVanishes)});
  }
  all.push_back({"long sums of one sign, both ways", Check::product, float32, squares, 2048,
                 joined(two_sizes(2048, 1, 1.0f, kVanishes), two_sizes(2048, 1, 1.0f, kRoundsUp)),
                 joined(two_sizes(2048, 1, 1.0f, kVanishes), two_sizes(2048, 1, 1.0f, kRoundsUp))});
  all.push_back({"long sums of squares", Check::score, float32, squares, 8192,
                 joined(two_sizes(8192, 8, 1.0f, kVanishes), two_sizes(8192, 8, 1.0f, kRoundsUp)),
                 two_sizes(8192, 0, 0.0f, 0.0f)});
  all.push_back({"squares of few numbers",
                 Check::score,
                 float32,
                 squares,
                 2,
                 random_rows(1, 96, 2, 0.25f, 1.5f),
                 {0.1f, 0.1f},
                 {0.1f, 0.1f}});
  all.push_back({"products of few numbers", Check::score, float32, squares, 3,
                 random_rows(2, 96, 3), random_rows(3, 9, 3)});
  all.push_back({"products of one number",
                 Check::score,
                 float32,
                 squares,
                 1,
                 random_rows(34, 96, 1),
                 random_rows(35, 60, 1, 4096.0f),
                 {0.1f}});
  all.push_back(
      {"squares that underflow", Check::score, float32, product, 1, {1.1f * 0x1p-76f}, {1.3f}});
  all.push_back({"products that underflow", Check::score, float32, product, 9,
                 two_sizes(9, 9, 1.1f * 0x1p-70f, 0.0f), two_sizes(9, 9, 1.3f * 0x1p-72f, 0.0f)});
  all.push_back({"bfloat16, products that underflow", Check::score, bfloat16, product, 40,
                 two_sizes(40, 40, 1.9921875f * 0x1p-64f, 0.0f),
                 two_sizes(40, 40, 1.9921875f * 0x1p-64f, 0.0f)});
  all.push_back(
      {"subnormal queries", Check::score, float32, product, 1, {0x1p62f}, {0x3p-149f}, {}, 0.5f});
  all.push_back(
      {"subnormal rows", Check::score, float32, product, 1, {0x3p-149f}, {0x1p62f}, {}, 0.5f});
  all.push_back({"far from the mean", Check::score, float32, squares, 40, random_rows(4, 60, 40),
                 random_rows(5, 9, 40), std::vector<float>(40, 1000.0f)});
  all.push_back({"long and short rows",
                 Check::score,
                 float32,
                 squares,
                 33,
                 rows_of(96, 33,
                         [](auto i, auto c) {
                           return std::ldexp(
                               random_number(6, static_cast<std::uint64_t>(33 * i + c)),
                               static_cast<int>(i % 61) - 30);
                         }),
                 joined(random_rows(7, 2, 33, 0x1p30f), random_rows(8, 2, 33, 0x1p-30f)),
                 {},
                 0x1p20f});
  all.push_back({"almost too long for a bound", Check::score, float32, squares, 4,
                 random_rows(9, 40, 4, 0x1.6p61f), random_rows(10, 9, 4, 0x1.6p61f)});
  all.push_back({"too long for a bound",
                 Check::unbounded,
                 float32,
                 squares,
                 1,
                 {-0.9f * 0x1p63f},
                 {-0.99f * 0x1p63f},
                 {0x1.12p63f}});
  all.push_back({"rows too long for a bound",
                 Check::unbounded,
                 float32,
                 product,
                 2,
                 {0x1p62f, 0x1.ep62f},
                 {1.0f, -1.0f}});
  for (const Metric metric : kMetrics) {
    for (const Precision precision : {int8, bfloat16, float32}) {
      all.push_back({"ordinary rows", Check::score, precision, metric, 70, random_rows(11, 96, 70),
                     random_rows(12, 20, 70), random_rows(13, 1, 70, 0.1f), 0.25f});
    }
    all.push_back({"as stored",
                   Check::score,
                   int8,
                   metric,
                   70,
                   random_rows(14, 96, 70),
                   random_rows(15, 20, 70),
                   {},
                   8.0f,
                   Dtype::int8});
    all.push_back({"as stored, tiny factors",
                   Check::score,
                   int8,
                   metric,
                   70,
                   random_rows(16, 40, 70, 0x1p-60f),
                   random_rows(17, 9, 70, 0x1p-60f),
                   {},
                   0x1p-14f,
                   Dtype::int8});
  }
}

inline void add_of_distances(std::vector<Family>& all) {
  const auto float32 = Precision::float32;
  const auto squares = Metric::sqeuclidean, product = Metric::inner_product,
             cosine = Metric::cosine;
  const std::vector<float> zeros(4096), vanishing = two_sizes(4096, 16, 1.0f, kVanishes);
  all.push_back({"canonical sums", Check::square, float32, squares, 4096, vanishing, zeros});
  all.push_back(
      {"canonical sums, as scores", Check::bound, float32, squares, 4096, vanishing, zeros});
  all.push_back({"canonical squares of few numbers", Check::square, float32, squares, 3,
                 random_rows(20, 96, 3), random_rows(21, 20, 3)});
  const float gap = 0.99f * 0x1p-75f;
  for (const Check check : {Check::square, Check::from}) {
    all.push_back({"canonical squares that underflow",
                   check,
                   float32,
                   squares,
                   5,
                   joined(two_sizes(5, 5, gap, 0.0f), two_sizes(5, 5, 0.0f, 0.0f)),
                   two_sizes(5, 5, 0.0f, 0.0f),
                   {},
                   0x1p40f});
  }
  const std::vector<float> points = random_rows(22, 20, 500, 1.0f, 1.0f);
  all.push_back({"squares of queries, in double", Check::bound, float32, squares, 500, points,
                 points, random_rows(23, 1, 500)});
  all.push_back({"equal canonical distances", Check::from, float32, squares, 4096,
                 joined(vanishing, two_sizes(4096, 1, 4.0f, 0.0f)), zeros});
  all.push_back({"scores in double",
                 Check::from,
                 float32,
                 squares,
                 3,
                 {0x1p-18f, 0.0f, 0.0f, 0x1p-18f, 0x1p-31f, 0.0f},
                 {0.0f, 0.0f, 0.0f},
                 {0.0f, 0.0f, -1.0f}});
  const std::vector<float> mean = two_sizes(4096, 16, 1024.0f, 1024.0f * kVanishes);
  std::vector<float> around = joined(mean, mean);
  for (std::size_t i = 0; i < around.size(); i += 37) around[i] *= 1.0f + 0x1p-12f;
  all.push_back({"products around a long mean", Check::near, float32, product, 4096, around,
                 two_sizes(4096, 16, -1.0f, -kVanishes), mean});
  all.push_back({"canonical products that underflow",
                 Check::near,
                 float32,
                 product,
                 5,
                 two_sizes(5, 5, gap, 0.0f),
                 two_sizes(5, 5, -gap, 0.0f),
                 {},
                 0x1p60f});
  for (const float rest : {kVanishes, kRoundsUp}) {
    const std::vector<float> row = two_sizes(16384, 8, 1.0f, rest);
    const double length = std::sqrt(8.0 + 16376.0 * rest * rest);
    std::vector<float> direction;
    for (const float value : row) direction.push_back(static_cast<float>(value / length));
    for (const Check check : {Check::score, Check::near}) {
      all.push_back({"lengths of long rows", check, float32, cosine, 16384, row,
                     joined(two_sizes(16384, 8, 1.0f, 0.0f), two_sizes(16384, 8, -1.0f, 0.0f)),
                     direction});
    }
  }
  all.push_back(
      {"directions of short rows", Check::near, float32, cosine, 7,
       rows_of(96, 7,
               [](auto i, auto c) {
                 const float value = random_number(24, static_cast<std::uint64_t>(7 * i + c));
                 return c == 0 ? 0x1p-126f : value * 0x1p-120f * (i % 2 == 0 ? 1.0f : 0x1p-6f);
               }),
       random_rows(25, 9, 7, 0x1p-110f)});
  all.push_back({"directions around their mean",
                 Check::near,
                 float32,
                 cosine,
                 3,
                 random_rows(26, 96, 3, 0x1p-12f, 1.0f),
                 random_rows(27, 20, 3, 1.0f),
                 {0.57735f, 0.57735f, 0.57735f},
                 0x1p12f});
  const std::vector<float> rounded_up =
      joined(two_sizes(8192, 8, 1.0f, kRoundsUp), two_sizes(8192, 0, 0.0f, 0.0f));
  all.push_back(
      {"rows as queries", Check::as_query, float32, squares, 8192, rounded_up, rounded_up});
  all.push_back({"few numbers as queries",
                 Check::as_query,
                 float32,
                 squares,
                 3,
                 random_rows(28, 96, 3),
                 random_rows(29, 20, 3),
                 {0.1f, 0.2f, 0.3f}});
}

inline void add_of_norms(std::vector<Family>& all) {
  const auto squares = Metric::sqeuclidean;
  all.push_back({"norms of long rows", Check::norm, Precision::float32, squares, 8192,
                 two_sizes(8192, 8, 1.0f, kVanishes), std::vector<float>(8192)});
  all.push_back({"norms of tiny rows", Check::norm, Precision::float32, squares, 5,
                 two_sizes(5, 5, 1.9f * 0x1p-76f, 0.0f), std::vector<float>(5)});
  for (const Precision precision : {Precision::int8, Precision::bfloat16}) {
    all.push_back({"rounding", Check::lost, precision, squares, 300, random_rows(30, 96, 300),
                   random_rows(31, 20, 300)});
    all.push_back({"rounding tiny rows", Check::lost, precision, squares, 5,
                   random_rows(32, 96, 5, 0x1p-68f), random_rows(33, 20, 5, 0x1p-100f)});
  }
}

inline std::vector<Family> families() {
  std::vector<Family> all;
  add_of_scores(all);
  add_of_distances(all);
  add_of_norms(all);
  for (Family& family : all) {
    if (family.mean.empty()) family.mean.resize(static_cast<std::size_t>(family.d));
  }
  return all;
}

}  // namespace coverset
