// What scans find, however rows, queries and precisions are divided among them, against all
// canonical distances in order; and an inverted-file search that is made of the same pieces.
#include "exact/scan.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <vector>

#include "coverset/neighbors.hpp"
#include "stored_rows.hpp"

namespace {

using namespace coverset;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr const char* kKinds[] = {"ordinary",       "equal distances", "near duplicates",
                                  "long and short", "equal rows",      "longest"};
constexpr int kKindCount = 6;

/// Draws numbers one after another.
struct Draw {
  std::uint64_t seed, next = 0;
  std::int64_t below(std::int64_t bound) {
    return random_below(seed, next++, static_cast<std::uint32_t>(bound));
  }
};

std::vector<std::int64_t> permutation(std::int64_t n, Draw& draw) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::int64_t i = n - 1; i > 0; --i) {
    std::swap(order[static_cast<std::size_t>(i)],
              order[static_cast<std::size_t>(draw.below(i + 1))]);
  }
  return order;
}

/// Rows that make a search hard in one way each; none is refused.
std::vector<float> make_rows(int kind, std::uint64_t seed, std::int64_t n, std::int64_t d) {
  std::vector<float> rows(static_cast<std::size_t>(n * d));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const float value = random_number(seed, i);
    const auto row = static_cast<std::int64_t>(i) / d, c = static_cast<std::int64_t>(i) % d;
    if (kind == 0) rows[i] = value;
    if (kind == 1) rows[i] = c == 0 ? 1.0f : std::nearbyint(value * 1.4f);
    if (kind == 2) rows[i] = 3.0f + static_cast<float>(c) + value * 1e-6f;
    if (kind == 3) rows[i] = std::ldexp(value, row % 9 == 0 ? 60 : static_cast<int>(row % 50) - 25);
    if (kind == 3 && c == 0) rows[i] += std::copysign(0x1p-13f, value);  // no zeros in float16
    if (kind == 5) {  // squares add up to almost 2^126
      const float size = 0.999f * 0x1p63f / std::sqrt(static_cast<float>(d));
      rows[i] = std::copysign(size * (row % 3 == 0 ? 1.0f : std::fabs(value)), value);
    }
    if (kind == 4) rows[i] = row % 40 == 7 ? value : static_cast<float>(c + 1);
  }
  return rows;
}

/// Rows and queries, and all canonical distances.
struct Example {
  Example(int kind_, Metric metric_, Dtype dtype, bool unit, std::int64_t n, std::int64_t m_,
          std::int64_t d)
      : kind(kind_),
        metric(metric_),
        m(m_),
        stored(make_rows(kind, 1, n, d), n, d, dtype, unit, 1),
        numbers(make_rows(kind, 2, m, d)),
        queries{numbers.data(), m, d, d} {
    for (std::int64_t q = 0; q < m; ++q) {
      for (std::int64_t i = 0; i < n; ++i) {
        distances.push_back(canonical::distance(metric, stored.value(i), queries.row(q), d));
      }
    }
  }

  float distance(std::int64_t q, std::int64_t row) const {
    return distances[static_cast<std::size_t>(q * stored.rows.n + row)];
  }

  int kind;
  Metric metric;
  std::int64_t m;
  StoredRows stored;
  std::vector<float> numbers;
  FloatRows queries;
  std::vector<float> distances;  // (queries, rows)
};

/// What is wanted, and the arrays that it borrows.
struct Wish {
  Wish(const Example& example, Draw& draw) {
    const std::int64_t n = example.stored.rows.n;
    std::int64_t names = n;
    if (draw.below(2) == 0) {
      names = 3 * n;
      ids = permutation(names, draw);
      ids.resize(static_cast<std::size_t>(n));
    }
    const std::int64_t some = draw.below(4);  // excluded: none, none, a third, almost all
    for (std::int64_t id = 0; some > 1 && id < names; ++id) {
      excluded.push_back(some == 2 ? draw.below(3) == 0 : draw.below(20) != 0);
    }
    if (draw.below(2) == 0) {
      for (std::int64_t q = 0; q < example.m; ++q) own.push_back(draw.below(names + 1) - 1);
    }
    const std::int64_t counts[] = {1, 3, 10, 40, n + 5};
    wanted.k = counts[draw.below(5)];
    wanted.within = draw.below(3) == 0;
    if (wanted.within) {
      const float radii[] = {example.distance(0, draw.below(n)), example.distance(0, draw.below(n)),
                             kInfinity, -kInfinity};
      wanted.k = 1;
      wanted.radius = radii[draw.below(4)];
    }
    wanted.ids = ids;
    wanted.excluded = excluded;
    wanted.own = own;
  }
  Wish(const Wish&) = delete;

  Wanted wanted;

 private:
  std::vector<std::int64_t> ids, own;
  std::vector<std::uint8_t> excluded;
};

/// Of the rows that a query saw those it wants, by distance and then id.
std::vector<NearRow> expected_of(const Example& example, const Wanted& wanted, std::int64_t q,
                                 const std::vector<bool>& seen) {
  std::vector<NearRow> found;
  for (std::int64_t i = 0; i < example.stored.rows.n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::int64_t id = wanted.ids.empty() ? i : wanted.ids[at];
    if (!seen[at]) continue;
    if (!wanted.excluded.empty() && wanted.excluded[static_cast<std::size_t>(id)] != 0) continue;
    if (!wanted.own.empty() && wanted.own[static_cast<std::size_t>(q)] == id) continue;
    const float distance = example.distance(q, i);
    if (!wanted.within || distance <= wanted.radius) found.push_back({distance, id});
  }
  std::sort(found.begin(), found.end(), [](const NearRow& a, const NearRow& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.row < b.row;
  });
  if (!wanted.within && std::ssize(found) > wanted.k) {
    found.resize(static_cast<std::size_t>(wanted.k));
  }
  return found;
}

bool same(const std::vector<NearRow>& found, const std::vector<NearRow>& expected) {
  return std::ranges::equal(found, expected, [](const NearRow& a, const NearRow& b) {
    return bits_of(a.distance) == bits_of(b.distance) && a.row == b.row;
  });
}

/// Rows in a random division: parts of a range or of a list, each by one of several scans, for all
/// queries, some or none; scans change their precision on the way.
class Division {
 public:
  Division(const Example& example, const Wanted& wanted, Draw& draw)
      : example_(example),
        draw_(draw),
        mean_(static_cast<std::size_t>(example.queries.d)),
        normalization_{mean_, normalize()},
        bounds_(example.metric, example.queries.d, normalization_),
        block_(example.stored.rows, bounds_, example.metric, normalization_, example.queries,
               wanted),
        seen_(static_cast<std::size_t>(example.m),
              std::vector<bool>(static_cast<std::size_t>(example.stored.rows.n))) {}

  /// The first query that found something else, or -1.
  std::int64_t first_wrong() {
    std::vector<CandidateScan> scans;
    const std::int64_t count = 1 + draw_.below(3), n = example_.stored.rows.n;
    for (std::int64_t s = 0; s < count; ++s) {
      scans.emplace_back(block_, normalization_, example_.metric, precision());
    }
    const bool listed = draw_.below(2) == 0;
    if (listed) list_ = permutation(n, draw_);
    const ScannedRows all{n, 0, listed ? list_.data() : nullptr};
    for (std::int64_t from = 0; from < n;) {
      const std::int64_t some = std::min(n - from, 1 + draw_.below(draw_.below(2) == 0 ? 20 : n));
      CandidateScan& scan = scans[static_cast<std::size_t>(draw_.below(count))];
      if (draw_.below(3) == 0) {
        const Precision next = precision();
        scan.change_precision(next);
        if (scan.panel().precision() != next) return 0;
      }
      visit(scan, all.part(from, some));
      from += some;
    }
    std::vector<float> room(static_cast<std::size_t>(2 * example_.queries.d));
    for (std::int64_t q = 0; q < example_.m; ++q) {
      const auto at = static_cast<std::size_t>(q);
      const std::vector<NearRow> expected = expected_of(example_, block_.wanted, q, seen_[at]);
      if (!same(finish(scans, at, room.data()), expected)) return q;
    }
    return -1;
  }

 private:
  /// A mean and scale that fit, or that have nothing to do with the rows: answers are the same.
  float normalize() {
    const std::int64_t way = draw_.below(4);
    if (way == 0) return 1.0f;
    const float scale = find_normalization(Cpu{1}, example_.stored.rows, example_.metric, mean_);
    if (way < 3) return scale;
    for (float& m : mean_) m = std::ldexp(m, static_cast<int>(draw_.below(20)) - 10) + 0.1f;
    return std::ldexp(1.0f, static_cast<int>(draw_.below(241)) - 120);
  }

  Precision precision() {
    return precision_from(static_cast<Precision>(draw_.below(3)), example_.queries.d);
  }

  void visit(CandidateScan& scan, const ScannedRows& rows) {
    const std::int64_t way = draw_.below(4);
    std::vector<std::int64_t> some;
    for (std::int64_t q = 0; q < example_.m; ++q) {
      if (way < 2 || draw_.below(5) < 2) some.push_back(q);
    }
    if (way == 2) std::ranges::reverse(some);
    if (way == 3 && draw_.below(4) == 0) some.clear();
    for (const std::int64_t q : some) {
      for (std::int64_t i = 0; i < rows.count; ++i) {
        seen_[static_cast<std::size_t>(q)][static_cast<std::size_t>(rows.row(i))] = true;
      }
    }
    if (way == 1 && draw_.below(3) == 0) return measure(scan, rows);
    const Precision precision = scan.panel().precision();
    scan.scan(rows,
              way < 2 ? PackedQueries(block_, precision) : PackedQueries(block_, some, precision));
  }

  /// Without products, as few queries are.
  void measure(CandidateScan& scan, const ScannedRows& rows) {
    std::vector<float> distances(static_cast<std::size_t>(rows.count));
    for (std::size_t q = 0; q < block_.canonical.size(); ++q) {
      block_.canonical[q].distances(block_.rows, rows, scan.room(), distances.data());
      for (std::int64_t i = 0; i < rows.count; ++i) {
        const float distance = distances[static_cast<std::size_t>(i)];
        if (!scan.candidates(q).out(distance))
          scan.candidates(q).add_measured(distance, rows.row(i));
      }
    }
  }

  const Example& example_;
  Draw& draw_;
  std::vector<float> mean_;
  Normalization normalization_;
  ErrorBounds bounds_;
  QueryBlock block_;
  std::vector<std::vector<bool>> seen_;  // by query: rows
  std::vector<std::int64_t> list_;
};

bool divisions_hold(int kind, Metric metric, Dtype dtype) {
  const bool many = kind == 2;  // more than the candidates that are held
  const bool unit = kind == 0 && metric == Metric::sqeuclidean;
  const Example example(kind, metric, dtype, unit, many ? 1400 : 230, many ? 5 : 70,
                        kind == 1 ? 5 : 21);
  return at_each_level([&](const char* level) {
    for (std::uint64_t round = 0; round < 8; ++round) {
      Draw draw{static_cast<std::uint64_t>(kind) + 10 * static_cast<std::uint64_t>(metric) +
                100 * static_cast<std::uint64_t>(dtype) + 1000 * round};
      const Wish wish(example, draw);
      const std::int64_t wrong = Division(example, wish.wanted, draw).first_wrong();
      if (wrong < 0) continue;
      std::printf("scan: %s rows (%s, %s), round %d, query %d, at %s\n", kKinds[kind], name(dtype),
                  name(metric), static_cast<int>(round), static_cast<int>(wrong), level);
      return false;
    }
    return true;
  });
}

/// Rows in lists, one for each of the first rows, in whose list are the rows nearest to it. Lists
/// lie one after another; ids say which row is where. A query scans the lists nearest to it.
struct InvertedFile {
  InvertedFile(const Rows& rows, const std::vector<float>& values, Metric metric,
               std::int64_t lists)
      : begin{0} {
    std::vector<std::vector<std::int64_t>> of_list(static_cast<std::size_t>(lists));
    for (std::int64_t i = 0; i < rows.n; ++i) {
      const float* row = values.data() + i * rows.d;
      of_list[static_cast<std::size_t>(nearest_lists(values, metric, row, rows.d, lists)[0].row)]
          .push_back(i);
    }
    for (auto& list : of_list) {
      std::ranges::reverse(list);  // ids in a list need no order
      for (const std::int64_t id : list) {
        ids.push_back(id);
        const auto* from = static_cast<const float*>(rows.row(id));
        numbers.insert(numbers.end(), from, from + rows.d);
      }
      begin.push_back(std::ssize(ids));
    }
    view = {numbers.data(), rows.n, rows.d, rows.d * 4, Dtype::float32};
  }
  InvertedFile(const InvertedFile&) = delete;

  static std::vector<NearRow> nearest_lists(const std::vector<float>& values, Metric metric,
                                            const float* query, std::int64_t d,
                                            std::int64_t lists) {
    std::vector<NearRow> near;
    for (std::int64_t l = 0; l < lists; ++l) {
      near.push_back({canonical::distance(metric, query, values.data() + l * d, d), l});
    }
    std::sort(near.begin(), near.end());
    return near;
  }

  /// The k nearest rows in the `probes` nearest lists of each query.
  std::vector<std::vector<NearRow>> search(const Example& example, std::int64_t k,
                                           std::int64_t probes) const {
    const std::int64_t lists = std::ssize(begin) - 1, d = view.d;
    std::vector<std::vector<std::int64_t>> queries_of(static_cast<std::size_t>(lists));
    for (std::int64_t q = 0; q < example.m; ++q) {
      const auto near =
          nearest_lists(example.stored.values, example.metric, example.queries.row(q), d, lists);
      for (std::int64_t p = 0; p < probes; ++p) {
        queries_of[static_cast<std::size_t>(near[static_cast<std::size_t>(p)].row)].push_back(q);
      }
    }
    std::vector<float> mean(static_cast<std::size_t>(d)), room(static_cast<std::size_t>(2 * d));
    const float scale = find_normalization(Cpu{1}, view, example.metric, mean);
    const Normalization normalization{mean, scale};
    const ErrorBounds bounds(example.metric, d, normalization);
    Wanted wanted;
    wanted.k = k;
    wanted.ids = ids;
    const QueryBlock block(view, bounds, example.metric, normalization, example.queries, wanted);
    const Precision precision = precision_from(Precision::int8, d);
    std::vector<CandidateScan> scans;  // as two threads would have them
    for (int s = 0; s < 2; ++s) scans.emplace_back(block, normalization, example.metric, precision);
    for (std::int64_t l = 0; l < lists; ++l) {
      const auto at = static_cast<std::size_t>(l);
      scans[at % 2].scan({begin[at + 1] - begin[at], begin[at]},
                         PackedQueries(block, queries_of[at], precision));
    }
    std::vector<std::vector<NearRow>> found;
    for (std::int64_t q = 0; q < example.m; ++q) {
      found.push_back(finish(scans, static_cast<std::size_t>(q), room.data()));
    }
    return found;
  }

  std::vector<std::int64_t> begin, ids;
  std::vector<float> numbers;
  Rows view;
};

bool inverted_file_holds(int kind, Metric metric) {
  constexpr std::int64_t n = 500, m = 40, d = 12, k = 15, lists = 9;
  const Example example(kind, metric, Dtype::float32, false, n, m, d);
  const InvertedFile file(example.stored.rows, example.stored.values, metric, lists);
  return at_each_level([&](const char* level) {
    for (const std::int64_t probes : {std::int64_t{1}, std::int64_t{3}, lists}) {
      const auto found = file.search(example, k, probes);
      for (std::int64_t q = 0; q < m; ++q) {
        std::vector<bool> seen(n);
        const auto near = InvertedFile::nearest_lists(example.stored.values, metric,
                                                      example.queries.row(q), d, lists);
        for (std::int64_t p = 0; p < probes; ++p) {
          const auto list = static_cast<std::size_t>(near[static_cast<std::size_t>(p)].row);
          for (std::int64_t i = file.begin[list]; i < file.begin[list + 1]; ++i) {
            seen[static_cast<std::size_t>(file.ids[static_cast<std::size_t>(i)])] = true;
          }
        }
        Wanted wanted;
        wanted.k = k;
        if (same(found[static_cast<std::size_t>(q)], expected_of(example, wanted, q, seen)))
          continue;
        std::printf("scan: inverted file of %s rows (%s), %d probes, query %d, at %s\n",
                    kKinds[kind], name(metric), static_cast<int>(probes), static_cast<int>(q),
                    level);
        return false;
      }
    }
    return true;
  });
}

}  // namespace

int main() {
  for (int kind = 0; kind < kKindCount; ++kind) {
    for (const Metric metric : kMetrics) {
      if (!inverted_file_holds(kind, metric)) return 1;
      for (const Dtype dtype : kDtypes) {
        if (!divisions_hold(kind, metric, dtype)) return 1;
      }
    }
  }
  std::printf("scan: all answers hold\n");
  return 0;
}
