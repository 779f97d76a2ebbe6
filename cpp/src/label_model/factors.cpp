// Pairwise factors of a few labeling functions, with exact normalizers: every joint outcome is
// visited. Outcomes are prefixes of LFs: outcome p of the first j LFs has n_j children, one an
// abstain.
#include <algorithm>
#include <cmath>
#include <limits>

#include "coverset/exp_log.hpp"
#include "coverset/label_model.hpp"
#include "coverset/parallel.hpp"

namespace coverset {
namespace {

constexpr int kMemory = 8;  // steps that the next direction is made from

/// The parameters of one component as one vector: by class and label, then by pair.
class Layout {
 public:
  explicit Layout(const FactorComponent& component) : component_(component) {
    std::int64_t total = 1;
    for (std::size_t j = 0; j < size(); ++j) {
      total *= labels(j) + 1;
      sizes_.push_back(total);
    }
  }
  std::size_t size() const { return component_.label_indptr.size() - 1; }
  std::int64_t labels(std::size_t j) const {
    return component_.label_indptr[j + 1] - component_.label_indptr[j];
  }
  std::int64_t outcomes(std::size_t j) const { return sizes_[j]; }
  std::int64_t outcomes() const { return sizes_.back(); }
  std::size_t all_labels() const { return component_.label.size(); }
  /// Label of LF i in outcome p of the first j + 1 LFs; -1: an abstain.
  std::int32_t label(std::size_t i, std::size_t j, std::int64_t p) const {
    const std::int64_t own = p / (sizes_[j] / sizes_[i]) % (labels(i) + 1);
    return own == 0 ? -1 : component_.label[place(i, own)];
  }
  std::size_t place(std::size_t i, std::int64_t own) const {
    return static_cast<std::size_t>(component_.label_indptr[i] + own - 1);
  }
  bool edge(std::size_t i, std::size_t j) const { return component_.edge[i * size() + j] != 0; }

 private:
  const FactorComponent& component_;
  std::vector<std::int64_t> sizes_;
};

/// Log probabilities of all outcomes in one class, `unary` (labels) and `pair` (size, size) given.
void log_probabilities(const Layout& layout, const double* unary, const double* pair,
                       std::vector<double>& scores) {
  std::vector<double> next;
  scores.assign(1, 0.0);
  for (std::size_t j = 0; j < layout.size(); ++j) {
    const std::int64_t children = layout.labels(j) + 1;
    next.resize(static_cast<std::size_t>(layout.outcomes(j)));
    for (std::size_t p = 0; p < scores.size(); ++p) {
      double* own = next.data() + p * static_cast<std::size_t>(children);
      own[0] = scores[p];
      for (std::int64_t x = 1; x < children; ++x) {
        own[x] = scores[p] + unary[layout.place(j, x)];
      }
      for (std::size_t i = 0; i < j; ++i) {
        if (!layout.edge(i, j)) continue;
        const std::int32_t label = layout.label(i, j - 1, static_cast<std::int64_t>(p));
        for (std::int64_t x = 1; label >= 0 && x < children; ++x) {
          const auto c = static_cast<std::int64_t>(p) * children + x;
          if (layout.label(j, j, c) == label) own[x] += pair[i * layout.size() + j];
        }
      }
    }
    scores.swap(next);
  }
  const double most = *std::ranges::max_element(scores);
  next.resize(scores.size());
  for (std::size_t o = 0; o < scores.size(); ++o) next[o] = scores[o] - most;
  exp_in_place(next);
  double sum = 0.0;
  for (const double p : next) sum += p;
  const double log_sum = most + log_exact_order(sum);
  for (double& score : scores) score -= log_sum;
}

/// Adds how much of `mass` (by outcome; consumed) has each label, and each pair of equal labels.
void add_marginals(const Layout& layout, std::vector<double>& mass, double* unary, double* pair) {
  for (std::size_t j = layout.size(); j-- > 0;) {
    const std::int64_t children = layout.labels(j) + 1;
    const std::size_t parents = mass.size() / static_cast<std::size_t>(children);
    for (std::size_t p = 0; p < parents; ++p) {
      const double* own = mass.data() + p * static_cast<std::size_t>(children);
      for (std::int64_t x = 1; x < children; ++x) unary[layout.place(j, x)] += own[x];
      for (std::size_t i = 0; i < j; ++i) {
        if (!layout.edge(i, j)) continue;
        const std::int32_t label = layout.label(i, j - 1, static_cast<std::int64_t>(p));
        for (std::int64_t x = 1; label >= 0 && x < children; ++x) {
          const auto c = static_cast<std::int64_t>(p) * children + x;
          if (layout.label(j, j, c) == label) pair[i * layout.size() + j] += own[x];
        }
      }
    }
    for (std::size_t p = 0; p < parents; ++p) {
      double sum = 0.0;
      for (std::int64_t x = 0; x < children; ++x) {
        sum += mass[p * static_cast<std::size_t>(children) + static_cast<std::size_t>(x)];
      }
      mass[p] = sum;
    }
    mass.resize(parents);
  }
}

class Problem {
 public:
  Problem(const Cpu& device, const FactorComponent& component, std::span<const double> counts,
          double ridge)
      : device_(device), layout_(component), counts_(counts), ridge_(ridge) {
    outcomes_ = static_cast<std::size_t>(layout_.outcomes());
    k_ = counts.size() / outcomes_;
    unary_ = layout_.all_labels();
    pairs_ = layout_.size() * layout_.size();
    observed_.assign(parameters(), 0.0);
    for (std::size_t y = 0; y < k_; ++y) {
      std::vector<double> mass(counts.begin() + static_cast<std::ptrdiff_t>(y * outcomes_),
                               counts.begin() + static_cast<std::ptrdiff_t>((y + 1) * outcomes_));
      double rows = 0.0;
      for (const double n : mass) rows += n;
      rows_.push_back(rows);
      total_ += rows;
      add_marginals(layout_, mass, observed_.data() + y * unary_, observed_.data() + k_ * unary_);
    }
    total_ = std::max(total_, 1.0);
  }
  std::size_t parameters() const { return k_ * unary_ + pairs_; }

  /// Penalized log-likelihood a row, and its gradient.
  double value(std::span<const double> x, std::vector<double>& gradient) const {
    struct Part {
      double likelihood = 0.0;
      std::vector<double> unary, pair;
    };
    std::vector<Part> parts(k_);
    parallel_for(device_, static_cast<std::int64_t>(k_), 1, [&](std::int64_t index, std::int64_t) {
      const auto y = static_cast<std::size_t>(index);
      Part& part = parts[y];
      std::vector<double> scores;
      log_probabilities(layout_, x.data() + y * unary_, x.data() + k_ * unary_, scores);
      for (std::size_t o = 0; o < outcomes_; ++o) {
        part.likelihood += counts_[y * outcomes_ + o] * scores[o];
      }
      exp_in_place(scores);
      for (double& p : scores) p *= rows_[y];
      part.unary.assign(unary_, 0.0);
      part.pair.assign(pairs_, 0.0);
      add_marginals(layout_, scores, part.unary.data(), part.pair.data());
    });
    gradient = observed_;
    double sum = 0.0;
    for (std::size_t y = 0; y < k_; ++y) {
      sum += parts[y].likelihood;
      for (std::size_t i = 0; i < unary_; ++i) gradient[y * unary_ + i] -= parts[y].unary[i];
      for (std::size_t i = 0; i < pairs_; ++i) gradient[k_ * unary_ + i] -= parts[y].pair[i];
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      sum -= 0.5 * ridge_ * x[i] * x[i];
      gradient[i] = (gradient[i] - ridge_ * x[i]) / total_;
    }
    return sum / total_;
  }

 private:
  const Cpu& device_;
  Layout layout_;
  std::span<const double> counts_;
  double ridge_, total_ = 0.0;
  std::size_t outcomes_ = 0, k_ = 0, unary_ = 0, pairs_ = 0;
  std::vector<double> observed_, rows_;
};

double product(std::span<const double> a, std::span<const double> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// Directions of steep ascent from the last few steps (L-BFGS, Liu & Nocedal 1989).
class Directions {
 public:
  void add(std::vector<double> step, std::vector<double> fall) {
    const double curvature = product(step, fall);
    if (curvature <= 0.0) return;
    if (steps_.size() == kMemory) {
      steps_.erase(steps_.begin());
      falls_.erase(falls_.begin());
      scales_.erase(scales_.begin());
    }
    steps_.push_back(std::move(step));
    falls_.push_back(std::move(fall));
    scales_.push_back(1.0 / curvature);
  }
  std::vector<double> from(const std::vector<double>& gradient) const {
    std::vector<double> q = gradient, weights(steps_.size());
    for (std::size_t i = steps_.size(); i-- > 0;) {
      weights[i] = scales_[i] * product(steps_[i], q);
      for (std::size_t d = 0; d < q.size(); ++d) q[d] -= weights[i] * falls_[i][d];
    }
    if (!steps_.empty()) {
      const double scale = 1.0 / (scales_.back() * product(falls_.back(), falls_.back()));
      for (double& x : q) x *= scale;
    }
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const double back = weights[i] - scales_[i] * product(falls_[i], q);
      for (std::size_t d = 0; d < q.size(); ++d) q[d] += back * steps_[i][d];
    }
    return q;
  }

 private:
  std::vector<std::vector<double>> steps_, falls_;
  std::vector<double> scales_;
};

}  // namespace

std::int64_t fit_factors(const Cpu& device, const FactorComponent& component,
                         std::span<const double> counts, const FactorOptions& options,
                         std::span<double> parameters) {
  const Problem problem(device, component, counts, options.ridge);
  std::vector<double> x(parameters.begin(), parameters.end()), gradient, tried(x.size()), next;
  double value = problem.value(x, gradient);
  Directions directions;
  std::int64_t steps = 0;
  for (; steps < options.most_steps; ++steps) {
    double steepest = 0.0;
    for (const double g : gradient) steepest = std::max(steepest, std::abs(g));
    if (steepest <= options.tolerance) break;
    std::vector<double> direction = directions.from(gradient);
    double slope = product(direction, gradient);
    if (slope <= 0.0) {
      direction = gradient;
      slope = product(gradient, gradient);
    }
    double length = 1.0, reached = -std::numeric_limits<double>::infinity();
    for (int halving = 0; halving < 40; ++halving, length *= 0.5) {
      for (std::size_t i = 0; i < x.size(); ++i) tried[i] = x[i] + length * direction[i];
      reached = problem.value(tried, next);
      if (reached >= value + 1e-4 * length * slope) break;
    }
    if (!(reached > value)) break;
    std::vector<double> step(x.size()), fall(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      step[i] = tried[i] - x[i];
      fall[i] = gradient[i] - next[i];
    }
    directions.add(std::move(step), std::move(fall));
    x = tried;
    gradient = next;
    value = reached;
  }
  std::ranges::copy(x, parameters.begin());
  return steps;
}

void factor_log_probabilities(const Cpu& device, const FactorComponent& component,
                              std::span<const double> parameters, std::span<double> out) {
  const Layout layout(component);
  const auto outcomes = static_cast<std::size_t>(layout.outcomes());
  const std::size_t k = out.size() / outcomes;
  parallel_for(device, static_cast<std::int64_t>(k), 1, [&](std::int64_t index, std::int64_t) {
    const auto y = static_cast<std::size_t>(index);
    std::vector<double> scores;
    log_probabilities(layout, parameters.data() + y * layout.all_labels(),
                      parameters.data() + k * layout.all_labels(), scores);
    std::ranges::copy(scores, out.begin() + static_cast<std::ptrdiff_t>(y * outcomes));
  });
}

}  // namespace coverset
