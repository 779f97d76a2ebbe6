// The canonical distances of every SIMD level against the scalar functions, to the bit.
#include "coverset/canonical.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <vector>

#include "coverset/nearest.hpp"
#include "exact/canonical_query.hpp"
#include "stored_rows.hpp"

namespace {

using namespace coverset;

constexpr const char* kKinds[] = {"ordinary", "subnormal", "mixed", "zeros", "huge"};

/// One number of a kind; those of huge rows have squares that add up to almost 2^126.
float number(int kind, std::uint64_t seed, std::uint64_t i, std::int64_t d) {
  const float value = random_number(seed, i);
  const std::uint32_t drawn = random_below(seed + 99, i, 1'000'000);
  switch (kind) {
    case 0:
      return value;
    case 1:
      return float_of(bits_of(value) >> 31 << 31 | drawn << (drawn % 4));
    case 2:
      return std::ldexp(value, static_cast<int>(drawn % 121) - 60);
    case 3:
      return drawn % 3 == 0 ? value : drawn % 3 == 1 ? 0.0f : -0.0f;
    default:
      return std::copysign(0.999f * 0x1p63f / std::sqrt(static_cast<float>(d)), value);
  }
}

std::vector<float> make_rows(int kind, std::uint64_t seed, std::int64_t n, std::int64_t d) {
  std::vector<float> rows(static_cast<std::size_t>(n * d));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = number(kind, seed, i, d);
  return rows;
}

std::vector<std::int64_t> dimensions() {
  std::vector<std::int64_t> all;
  for (std::int64_t d = 1; d <= 80; ++d) all.push_back(d);
  all.insert(all.end(), {127, 128, 129, 1000});
  return all;
}

bool same(float a, float b) { return bits_of(a) == bits_of(b) && std::isfinite(a); }

/// Batches of every shape that patches of 4 by 2 rows leave a rest of.
bool batches_hold(const char* level, int kind, std::int64_t d) {
  constexpr std::int64_t n = 9, m = 5, gap = 3;
  const std::vector<float> a = make_rows(kind, 1, n, d + gap), b = make_rows(kind, 2, m, d + 1);
  std::vector<float> products(n * m), squares(n * m), out(n * m + 1);
  const auto each = [&](auto&& body) {
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < m; ++j) {
        body(static_cast<std::size_t>(i * m + j), a.data() + i * (d + gap), b.data() + j * (d + 1));
      }
    }
  };
  each([&](std::size_t at, const float* x, const float* y) {
    products[at] = canonical::inner_product(x, y, d);
    squares[at] = canonical::squared_distance(x, y, d);
  });
  for (std::int64_t rows = 1; rows <= n; ++rows) {
    for (std::int64_t columns = 1; columns <= m; ++columns) {
      const FloatRows some{a.data(), rows, d, d + gap}, others{b.data(), columns, d, d + 1};
      for (const bool gaps : {false, true}) {
        std::ranges::fill(out, 12345.0f);
        (gaps ? squared_distances : inner_products)(some, others, out.data());
        bool holds = out[static_cast<std::size_t>(rows * columns)] == 12345.0f;
        for (std::int64_t i = 0; i < rows; ++i) {
          for (std::int64_t j = 0; j < columns; ++j) {
            const float expected = (gaps ? squares : products)[static_cast<std::size_t>(i * m + j)];
            holds &= same(out[static_cast<std::size_t>(i * columns + j)], expected);
          }
        }
        if (holds) continue;
        std::printf("canonical: %s of %s rows, %d by %d, d = %d, at %s\n",
                    gaps ? "squared_distances" : "inner_products", kKinds[kind],
                    static_cast<int>(rows), static_cast<int>(columns), static_cast<int>(d), level);
        return false;
      }
    }
  }
  return true;
}

/// CanonicalQuery by each of its ways: one row, a range, a list, and all in blocks.
bool query_holds(const StoredRows& stored, const std::vector<float>& query, Metric metric) {
  const Rows& rows = stored.rows;
  const CanonicalQuery canonical_query(metric, query.data(), rows.d);
  std::vector<float> room(static_cast<std::size_t>(2 * rows.d)), expected, in_range(room.size()),
      in_list;
  std::vector<std::int64_t> list;
  for (std::int64_t i = 0; i < rows.n; ++i) {
    expected.push_back(canonical::distance(metric, stored.value(i), query.data(), rows.d));
    if (!same(canonical_query.distance(rows, i, room.data()), expected.back())) return false;
    list.push_back((i * 7 + 3) % rows.n);
  }
  in_range.resize(expected.size());
  in_list.resize(expected.size());
  const ScannedRows range{rows.n - 1, 1}, listed{rows.n, 0, list.data()};
  canonical_query.distances(rows, range, room.data(), in_range.data());
  canonical_query.distances(rows, listed, room.data(), in_list.data());
  bool holds = true;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    holds &= same(in_list[i], expected[static_cast<std::size_t>(list[i])]);
    holds &= i == 0 || same(in_range[i - 1], expected[i]);
  }
  std::int64_t next = 0;
  canonical_query.each(rows, 0, rows.n, [&](std::int64_t row, float distance) {
    holds &= row == next++ && same(distance, expected[static_cast<std::size_t>(row)]);
  });
  return holds && next == rows.n;
}

/// Every storage type, as it is and divided by its length, for every metric.
bool queries_hold(const char* level, int kind, std::int64_t n, std::int64_t d) {
  std::vector<float> numbers = make_rows(kind, 3, n, d), query = make_rows(kind, 4, 1, d);
  for (const Dtype dtype : kDtypes) {
    for (const int form : {0, 1, 2}) {  // as they are, for cosine, divided by their length
      if (form > 0 && kind != 4) {      // one number that is not subnormal
        for (std::int64_t i = 0; i < n; ++i) {
          numbers[static_cast<std::size_t>(i * d + i % d)] = i % 2 == 0 ? 1.5f : -0x1p-12f;
        }
        query[static_cast<std::size_t>(d / 2)] = -0x1p-126f;
      }
      const StoredRows stored(numbers, n, d, dtype, form == 2, form);
      std::vector<float> loaded(stored.values.size());
      load_rows(Cpu{1}, stored.rows, loaded);
      bool holds = std::ranges::equal(loaded, stored.values, same);
      if (form == 0) {
        holds &= query_holds(stored, query, Metric::sqeuclidean);
        holds &= query_holds(stored, query, Metric::inner_product);
      } else {
        for (const Metric metric : kMetrics) holds &= query_holds(stored, query, metric);
      }
      if (holds) continue;
      std::printf("canonical: CanonicalQuery of %s rows as %s, form %d, d = %d, at %s\n",
                  kKinds[kind], name(dtype), form, static_cast<int>(d), level);
      return false;
    }
  }
  return true;
}

/// The first row that is refused, wherever blocks and threads have it.
bool bad_rows_hold(const char* level) {
  constexpr std::int64_t n = 300, d = 37;
  const float infinity = std::numeric_limits<float>::infinity();
  const struct {
    float number;
    bool for_cosine_alone;
  } cases[] = {{0x1.1p63f, false}, {infinity, false}, {std::nanf(""), false}, {0x1p-127f, true}};
  for (const auto& one : cases) {
    for (const std::int64_t at : {0, 128, 299}) {
      std::vector<float> numbers = make_rows(0, 5, n, d);
      for (const std::int64_t row : {at, n - 1}) {
        std::fill_n(numbers.begin() + row * d, d, 0.0f);
        numbers[static_cast<std::size_t>(row * d + 11)] = one.number;
      }
      const StoredRows stored(numbers, n, d, Dtype::float32);
      for (const Metric metric : kMetrics) {
        const bool refused = !one.for_cosine_alone || metric == Metric::cosine;
        const BadRow found = find_bad_row(Cpu{2}, stored.rows, metric);
        if (found.row == (refused ? at : -1)) continue;
        std::printf("canonical: find_bad_row with %g in row %d for %s at %s\n",
                    static_cast<double>(one.number), static_cast<int>(at), name(metric), level);
        return false;
      }
    }
  }
  return true;
}

/// Rows about as long as the limit are refused by their sum in 16 lanes, the same on every level.
bool limits_hold(const char* level) {
  constexpr std::int64_t d = 101;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    std::vector<float> row(d);
    double squares = 0.0;
    for (std::size_t c = 0; c < row.size(); ++c) {
      row[c] = random_number(seed, c);
      squares += static_cast<double>(row[c]) * row[c];
    }
    for (float& number : row) number *= static_cast<float>(0x1p63 / std::sqrt(squares));
    const Rows rows{row.data(), 1, d, 4 * d, Dtype::float32};
    const float sum = canonical::inner_product(row.data(), row.data(), d);
    const BadRow found = find_bad_row(Cpu{1}, rows, Metric::sqeuclidean);
    if (found.row == (sum > kMostSquares ? 0 : -1) && (found.row < 0 || found.squares == sum)) {
      continue;
    }
    std::printf("canonical: find_bad_row at the limit, seed %d, at %s\n", static_cast<int>(seed),
                level);
    return false;
  }
  return true;
}

/// The lesser distance is nearer; ties, those of 0 and -0 among them, go to the lower row.
bool order_holds() {
  const float least = std::numeric_limits<float>::denorm_min();
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<NearRow> sorted{{-infinity, 7}, {-1.0f, 3},  {-least, 9},      {-0.0f, 1},
                                    {0.0f, 2},      {-0.0f, 4},  {0.0f, 1l << 40}, {least, 0},
                                    {1.0f, 3},      {1.0f, 900}, {infinity, 0},    {infinity, 1}};
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    for (std::size_t j = 0; j < sorted.size(); ++j) {
      if ((sorted[i] < sorted[j]) == (i < j)) continue;
      std::printf("canonical: order of near rows %zu and %zu\n", i, j);
      return false;
    }
  }
  return true;
}

}  // namespace

int main() {
  const bool holds = order_holds() && at_each_level([](const char* level) {
                       for (int kind = 0; kind < 5; ++kind) {
                         for (const std::int64_t d : dimensions()) {
                           if (!batches_hold(level, kind, d) || !queries_hold(level, kind, 6, d))
                             return false;
                         }
                         if (!queries_hold(level, kind, 300, 19)) return false;
                       }
                       return bad_rows_hold(level) && limits_hold(level);
                     });
  if (holds) std::printf("canonical: all distances hold\n");
  return holds ? 0 : 1;
}
