// Prints a checksum of every kernel's output for each SIMD level and several thread counts, and
// fails unless they are all the same. The last line is the same on every machine.
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "coverset/coreset.hpp"
#include "coverset/exp_log.hpp"
#include "coverset/label_matrix.hpp"
#include "coverset/label_model.hpp"
#include "coverset/lf.hpp"
#include "coverset/neighbors.hpp"
#include "coverset/random.hpp"
#include "coverset/simd.hpp"

namespace {

using namespace coverset;

class Checksum {
 public:
  template <class Range>
  void add(const Range& values) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(values.data());
    for (std::size_t i = 0; i < values.size() * sizeof(values[0]); ++i) {
      hash_ = (hash_ ^ bytes[i]) * 0x100000001b3ULL;
    }
  }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

struct Matrix {
  std::vector<std::int64_t> indptr;
  std::vector<std::int32_t> lfs;
  std::vector<std::int16_t> labels;
  Votes view() const { return {indptr, lfs, labels}; }
};

template <class T>
Matrix scan_dense(const Cpu& device, std::int64_t n, std::int64_t m, std::int32_t k) {
  std::vector<T> cells(static_cast<std::size_t>(n * m));
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::uint32_t draw = random_below(1, i, 4 * static_cast<std::uint32_t>(k));
    cells[i] = draw < static_cast<std::uint32_t>(k) ? static_cast<T>(draw) : static_cast<T>(-1);
  }
  const DenseView view{cells.data(), n, m, m * static_cast<std::int64_t>(sizeof(T)), sizeof(T)};
  Matrix matrix;
  matrix.indptr.resize(static_cast<std::size_t>(n) + 1);
  count_dense(device, view, k, matrix.indptr);
  matrix.lfs.resize(static_cast<std::size_t>(matrix.indptr.back()));
  matrix.labels.resize(matrix.lfs.size());
  fill_dense(device, view, matrix.indptr, matrix.lfs, matrix.labels);
  return matrix;
}

void add_matrices(const Cpu& device, Checksum& sum) {
  for (const std::int64_t m : {1, 63, 64, 65, 130}) {
    for (const Matrix& matrix :
         {scan_dense<std::int8_t>(device, 300, m, 3), scan_dense<std::int16_t>(device, 300, m, 3),
          scan_dense<std::int32_t>(device, 300, m, 3),
          scan_dense<std::int64_t>(device, 300, m, 3)}) {
      sum.add(matrix.indptr);
      sum.add(matrix.lfs);
      sum.add(matrix.labels);
    }
  }
}

void add_exponentials(Checksum& sum) {
  std::vector<double> values;
  for (int i = -80000; i <= 80000; ++i) values.push_back(i * 0.00891);
  exp_in_place(values);
  sum.add(values);
  for (double& value : values) value = value > 0.0 ? log_exact_order(value) : 1.0;
  sum.add(values);
  for (double& value : values) value = value > 0.0 ? value : 1.0;
  log_in_place(values);
  sum.add(values);
}

template <std::int32_t k>
void add_model(const Cpu& device, std::int64_t n, Checksum& sum) {
  constexpr std::int64_t m = 12;
  const auto rows = static_cast<std::size_t>(n);
  const Matrix matrix = scan_dense<std::int8_t>(device, n, m, k);
  std::vector<std::int64_t> columns_indptr;
  std::vector<std::int16_t> column_label;
  for (std::int64_t lf = 0; lf <= m; ++lf) columns_indptr.push_back(lf * k);
  for (std::int64_t c = 0; c < m * k; ++c) column_label.push_back(static_cast<std::int16_t>(c % k));
  std::vector<std::uint8_t> annotator(m, 1);
  annotator[3] = 0;
  std::vector<double> part(m * k, 1.0);
  part[4] = part[7] = 0.6;
  const VoteColumns columns{columns_indptr, column_label, annotator, part};
  std::vector<std::int32_t> column(matrix.lfs.size());
  find_columns(device, matrix.view(), columns, column);
  const std::vector<double> weight(rows, 1.0);
  const std::vector<std::int16_t> gold(rows, -1);
  const Patterns patterns{matrix.indptr, column, weight, gold};
  const Overlaps overlaps = count_overlaps(device, patterns, m * k);
  sum.add(overlaps.indptr);
  sum.add(overlaps.other);
  sum.add(overlaps.rows);
  std::vector<std::int32_t> cluster(m * k);
  for (std::size_t c = 0; c < cluster.size(); ++c) cluster[c] = static_cast<std::int32_t>(c);
  cluster[7] = 4;
  std::vector<double> share(k);
  share.push_back(measure_agreement(device, patterns, columns, cluster, share).alpha);
  sum.add(share);
  for (const std::int64_t batch : {0, 512}) {
    std::vector<double> expected(m * k * k), log_weight(m * k * k), balance(k, 1.0 / k),
        believed(m * k * k), believed_rows(k);
    FitOptions options;
    options.annotator_share = 0.9;
    options.batch = batch;
    LabelModelState state{k, expected, log_weight, balance, believed, believed_rows};
    fit_label_model(device, patterns, columns, options, state);
    sum.add(log_weight);
    sum.add(balance);
    sum.add(believed);
    std::vector<std::int32_t> column_of(m * k);
    for (std::size_t c = 0; c < column_of.size(); ++c) column_of[c] = static_cast<std::int32_t>(c);
    refine_by_rows(device, matrix.view(), column_of, gold, columns, options, 1000.0, state);
    sum.add(expected);
    sum.add(believed_rows);
    std::vector<double> log_prior(k);
    class_log_prior(options, balance, log_prior);
    std::vector<float> probabilities(rows * k);
    predict_proba(device, matrix.indptr, column, {log_weight, log_prior, 0.1, part}, balance,
                  probabilities);
    sum.add(probabilities);
  }
}

void add_other_models(const Cpu& device, Checksum& sum) {
  constexpr std::int32_t k = 3;
  constexpr std::int64_t m = 10;
  const Matrix matrix = scan_dense<std::int8_t>(device, 5000, m, k);
  std::vector<std::int64_t> lf_indptr;
  std::vector<std::int16_t> label;
  for (std::int64_t lf = 0; lf <= m; ++lf) lf_indptr.push_back(lf * k);
  for (std::int64_t c = 0; c < m * k; ++c) label.push_back(static_cast<std::int16_t>(c % k));
  const VoteColumns columns{lf_indptr, label, {}};
  std::vector<std::int32_t> column(matrix.lfs.size());
  find_columns(device, matrix.view(), columns, column);
  const std::vector<double> weight(5000, 1.0);
  const std::vector<std::int16_t> gold(5000, -1);
  const Patterns patterns{matrix.indptr, column, weight, gold};
  for (const Confusion confusion : {Confusion::full, Confusion::by_class, Confusion::one_coin}) {
    for (const bool outcome : {false, true}) {
      std::vector<double> expected(m * k * k), rows(k), balance(k, 1.0 / k), weights(m * k * k),
          prior(k);
      DawidSkeneState state{k, expected, rows, balance, weights, prior};
      fit_dawid_skene(device, patterns, columns, {confusion, outcome, 0.01, 0.5, false, 15, 0.0},
                      state);
      for (const auto& part : {expected, rows, balance, weights, prior}) sum.add(part);
      std::vector<float> probabilities(5000 * k);
      predict_one_vs_rest(device, matrix.indptr, column, {weights, prior, 0.0}, probabilities);
      sum.add(probabilities);
    }
  }
  const Overlaps half = count_overlaps(device, patterns, m * k);
  std::vector<std::vector<std::pair<std::int32_t, double>>> pairs(m * k);
  for (std::int32_t c = 0; c < m * k; ++c) {
    for (auto e = half.indptr[static_cast<std::size_t>(c)];
         e < half.indptr[static_cast<std::size_t>(c) + 1]; ++e) {
      const std::int32_t other = half.other[static_cast<std::size_t>(e)];
      const double share = half.rows[static_cast<std::size_t>(e)] / 5000;
      pairs[static_cast<std::size_t>(c)].push_back({other, share});
      pairs[static_cast<std::size_t>(other)].push_back({c, share});
    }
  }
  std::vector<std::int64_t> indptr{0};
  std::vector<std::int32_t> other;
  std::vector<double> both;
  for (const auto& some : pairs) {
    for (const auto& [c, share] : some) {
      other.push_back(c);
      both.push_back(share);
    }
    indptr.push_back(static_cast<std::int64_t>(other.size()));
  }
  const std::vector<double> shares(m * k, 0.2), balance{0.5, 0.3, 0.2}, rates(20, 0.05);
  const Moments moments{lf_indptr, shares, indptr, other, both, balance};
  for (const Optimizer optimizer : {Optimizer::sgd, Optimizer::adam, Optimizer::adamax}) {
    const std::vector<double> start(m * k * k, 0.1);
    std::vector<double> mu(m * k * k, 0.1);
    for (std::size_t i = 0; i < mu.size(); i += 4) mu[i] = 0.3;
    descend_moments(device, moments, {optimizer, 0.9, 0.9, 0.999, 1e-8, false, 0.01}, rates, start,
                    mu);
    mu.push_back(moment_loss(device, moments, mu, start, 0.01));
    sum.add(mu);
  }
  const std::vector<std::int64_t> factor_indptr{0, 2, 3, 6};
  const std::vector<std::int16_t> factor_label{0, 1, 1, 0, 1, 2};
  const std::vector<std::uint8_t> edge{0, 1, 1, 0, 0, 1, 0, 0, 0};
  std::vector<double> counts(k * 24), parameters(k * 6 + 9), probabilities(k * 24);
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = random_below(6, i, 50);
  const FactorComponent component{factor_indptr, factor_label, edge};
  fit_factors(device, component, counts, {}, parameters);
  factor_log_probabilities(device, component, parameters, probabilities);
  sum.add(parameters);
  sum.add(probabilities);
  std::vector<double> correlation(25), coefficients(25);
  for (std::size_t i = 0; i < 25; ++i) {
    correlation[i] = i % 6 == 0 ? 1.0 : 0.1 * static_cast<double>((i / 5 + i % 5) % 4);
  }
  solve_neighborhoods(device, correlation, 0.05, coefficients);
  sum.add(coefficients);
  std::vector<double> reliability(m * k);
  solve_triplets(device, {indptr, other, both}, reliability);
  sum.add(reliability);
}

void add_hits(Checksum& sum, const Hits& hits) {
  sum.add(hits.rows);
  sum.add(hits.rules);
}

void add_text(const Cpu& device, Checksum& sum) {
  std::string text;
  std::vector<std::int32_t> offsets{0};
  for (std::uint64_t row = 0; row < 4000; ++row) {
    const std::uint32_t words = random_below(7, row, 12);
    for (std::uint32_t w = 0; w < words; ++w) {
      for (std::uint32_t i = 0; i < 3; ++i) {
        text += static_cast<char>((w % 2 != 0 ? 'A' : 'a') + random_below(row, 40 * w + i, 3));
      }
      text += ' ';
    }
    offsets.push_back(static_cast<std::int32_t>(text.size()));
  }
  const LiteralScanner scanner({{"abc", 0, true, true, true},
                                {"bc", 1, true, false, false},
                                {"ABC", 2, false, true, true},
                                {"ab a", 3, true, false, false},
                                {"b ab", 4, true, true, true},
                                {"c", 1, false, false, false}},
                               {1, 2, 1, 1, 1}, {});
  const TextBuffer buffer{text.data(), static_cast<std::int64_t>(text.size())};
  const auto rows = static_cast<std::int64_t>(offsets.size()) - 1;
  const TextView view{TextView::Layout::offsets32, offsets.data(), rows, {&buffer, 1}};
  add_hits(sum, scan_literals(device, scanner, view));
}

template <class T>
void add_numbers(const Cpu& device, Checksum& sum) {
  std::vector<T> values(40'000);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<T>(random_below(3, i, 128));
  }
  const std::vector<T> low{0, 100, 101, 60}, high{2, 120, 101, 59};
  const std::vector<std::int32_t> rules{0, 1, 2, 3};
  add_hits(sum, match_numbers<T>(device, {low, high, rules}, {values}));
}

template <class T>
void add_scores(const Cpu& device, Checksum& sum) {
  std::vector<T> values(3 * 20'000);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<T>(random_below(5, i, 100)) / T{100};
  }
  const std::vector<T> thresholds{T{0.5}, T{0.7}, T{0.3}};
  const std::vector<std::int32_t> rules{0, 1, 2};
  const T* at = values.data();
  const std::vector<ScoreColumn<T>> columns{{at, 3}, {at + 1, 3}, {at + 2, 3}};
  add_hits(sum, match_scores<T>(device, {thresholds, rules}, columns, 20'000));
}

void add_distances(const Cpu& device, Checksum& sum) {
  for (const std::int64_t d : {1, 15, 16, 33, 100}) {
    std::vector<float> values(static_cast<std::size_t>(77 * d));
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>(random_below(4, i, 1'000'003)) * 1e-6F - 0.5F;
    }
    const FloatRows rows{values.data(), 70, d, d}, some{rows.row(70), 7, d, d};
    std::vector<float> out(70 * 7);
    inner_products(rows, some, out.data());
    sum.add(out);
    squared_distances(rows, some, out.data());
    sum.add(out);
    const std::vector<double> thresholds(7, 0.1);
    const std::vector<std::int32_t> rules{0, 0, 1, 1, 2, 2, 2};
    add_hits(sum, match_embeddings(device, {some, thresholds, rules, true}, rows, {}, 0));
  }
}

/// Exact neighbors by every path: few queries and many, each storage type and metric.
void add_neighbors(const Cpu& device, Checksum& sum) {
  constexpr std::int64_t n = 1500;
  for (const std::int64_t d : {3, 40, 300}) {
    const auto size = static_cast<std::size_t>(n * d);
    std::vector<std::uint16_t> halves(size), brains(size);
    std::vector<std::int8_t> bytes(size);
    std::vector<float> values(size), scale(n);
    for (std::size_t i = 0; i < size; ++i) {
      const std::uint32_t drawn = random_below(8, i % 90'001, 30'000);
      halves[i] = static_cast<std::uint16_t>(drawn);
      brains[i] = static_cast<std::uint16_t>((drawn % 3) << 15 | 0x3f00 | drawn % 300);
      bytes[i] = static_cast<std::int8_t>(static_cast<int>(drawn % 255) - 127);
      values[i] = static_cast<float>(drawn) * 1e-4F - 1.0F;
    }
    for (std::size_t i = 0; i < scale.size(); ++i) {
      scale[i] = 0.01F * static_cast<float>(1 + random_below(9, i, 5));
    }
    const std::vector<float> first(values.begin(), values.begin() + 70 * d);
    const Rows stored[] = {{values.data(), n, d, 4 * d, Dtype::float32},
                           {halves.data(), n, d, 2 * d, Dtype::float16},
                           {brains.data(), n, d, 2 * d, Dtype::bfloat16},
                           {bytes.data(), n, d, d, Dtype::int8, scale.data()}};
    for (const Rows& rows : stored) {
      for (const Metric metric : {Metric::sqeuclidean, Metric::cosine, Metric::inner_product}) {
        sum.add(std::vector<std::int64_t>{find_bad_row(device, rows, metric).row});
        std::vector<float> mean(static_cast<std::size_t>(d));
        const float scale_of_rows = find_normalization(device, rows, metric, mean);
        const Normalization normalization{mean, scale_of_rows};
        for (const std::int64_t q : {1, 5, 70}) {
          const FloatRows queries{first.data(), q, d, d};
          std::vector<float> distances(static_cast<std::size_t>(q) * 20);
          std::vector<std::int64_t> nearest(distances.size());
          std::vector<std::int64_t> own(static_cast<std::size_t>(q));
          std::iota(own.begin(), own.end(), std::int64_t{0});
          find_nearest(device, rows, normalization, queries, {metric, 20, {}, own}, distances,
                       nearest);
          sum.add(distances);
          sum.add(nearest);
          const RowsWithin within =
              find_within(device, rows, normalization, queries, {metric}, distances[3]);
          sum.add(within.distances);
          sum.add(within.rows);
        }
      }
    }
  }
}

/// Core-sets and graphs, whose rows are refreshed by products.
void add_core_sets(const Cpu& device, Checksum& sum) {
  constexpr std::int64_t n = 3000;
  for (const std::int64_t d : {2, 33}) {
    std::vector<float> values(static_cast<std::size_t>(n * d)), weights(n);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<float>(random_below(11, i, 1000)) * 0.01F;
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
      weights[i] = static_cast<float>(random_below(12, i, 8)) / 8.0F;
    }
    Rows rows{values.data(), n, d, 4 * d, Dtype::float32};
    const std::vector<std::int64_t> initial{5, 77, 1234};
    const KCenterOptions some[] = {{3},
                                   {0, initial, weights},
                                   {0, {}, {}, 40},
                                   {0, {}, {}, 0, 30.0F},
                                   {0, initial, {}, 0, -1.0F, KCenterStrategy::projection},
                                   {0, initial, {}, 0, -1.0F, KCenterStrategy::eager}};
    for (const KCenterOptions& options : some) {
      std::vector<std::int64_t> indices(200);
      std::vector<float> bounds(indices.size());
      k_center(device, rows, options, indices, bounds);
      sum.add(indices);
      sum.add(bounds);
      rows.unit = !rows.unit;
    }
    rows.unit = false;
    std::vector<float> distances(static_cast<std::size_t>(n) * 5,
                                 std::numeric_limits<float>::infinity());
    std::vector<std::int64_t> nearest(distances.size(), -1);
    std::vector<float> mean(static_cast<std::size_t>(d));
    const float scale = find_normalization(device, rows, Metric::sqeuclidean, mean);
    extend_graph(device, rows, {mean, scale}, Metric::sqeuclidean, {0, n, 0}, 5, distances,
                 nearest);
    sum.add(distances);
    sum.add(nearest);
  }
}

}  // namespace

int main() {
  std::uint64_t first = 0;
  bool same = true;
  for (const SimdLevel level : simd_levels()) {
    if (!simd_supported(level)) continue;
    force_simd_level(simd_name(level));
    for (const int threads : {1, 2, 7}) {
      Checksum sum;
      add_matrices(Cpu{threads}, sum);
      add_exponentials(sum);
      add_model<3>(Cpu{threads}, 6000, sum);
      add_model<2>(Cpu{threads}, 2000, sum);
      add_model<5>(Cpu{threads}, 2000, sum);
      add_model<10>(Cpu{threads}, 2000, sum);
      add_model<19>(Cpu{threads}, 2000, sum);
      add_model<40>(Cpu{threads}, 2000, sum);
      add_other_models(Cpu{threads}, sum);
      add_text(Cpu{threads}, sum);
      add_numbers<std::int8_t>(Cpu{threads}, sum);
      add_numbers<std::uint16_t>(Cpu{threads}, sum);
      add_numbers<std::int32_t>(Cpu{threads}, sum);
      add_numbers<std::uint64_t>(Cpu{threads}, sum);
      add_numbers<float>(Cpu{threads}, sum);
      add_numbers<double>(Cpu{threads}, sum);
      add_scores<float>(Cpu{threads}, sum);
      add_scores<double>(Cpu{threads}, sum);
      add_distances(Cpu{threads}, sum);
      add_neighbors(Cpu{threads}, sum);
      add_core_sets(Cpu{threads}, sum);
      std::printf("%s, %d threads: %016llx\n", simd_name(level), threads,
                  static_cast<unsigned long long>(sum.value()));
      if (first == 0) first = sum.value();
      same &= sum.value() == first;
    }
  }
  std::printf("checksum %016llx\n", static_cast<unsigned long long>(first));
  return same ? 0 : 1;
}
