// The moments' loss and its gradient, without anything dense in rows or pairs of columns.
//
// With G = mu' mu and G_b that of the rows of one LF, the loss off the blocks is
//   sum over pairs (O^2 - 2 O mu P mu') + |P^.5 G P^.5|^2 - sum_b |P^.5 G_b P^.5|^2
// and its gradient -4 (O mu - mu P (G - G_b)) P.
#include <cmath>

#include "coverset/label_model.hpp"
#include "coverset/parallel.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlockLfs = 32;
using Square = std::vector<double>;  // (cardinality, cardinality)

/// Adds the outer products of rows first..last-1 of mu with themselves.
void add_gram(std::span<const double> mu, std::size_t k, std::size_t first, std::size_t last,
              Square& gram) {
  for (std::size_t c = first; c < last; ++c) {
    const double* row = mu.data() + c * k;
    for (std::size_t a = 0; a < k; ++a) {
      if (row[a] == 0.0) continue;
      for (std::size_t b = 0; b < k; ++b) gram[a * k + b] += row[a] * row[b];
    }
  }
}

class Problem {
 public:
  Problem(const Cpu& device, const Moments& moments) : device_(device), moments_(moments) {}

  std::size_t k() const { return moments_.class_balance.size(); }
  std::int64_t n_lfs() const { return static_cast<std::int64_t>(moments_.lf_indptr.size()) - 1; }
  double balance(std::size_t y) const { return moments_.class_balance[y]; }
  std::size_t first(std::int64_t lf) const {
    return static_cast<std::size_t>(moments_.lf_indptr[static_cast<std::size_t>(lf)]);
  }

  Square gram(std::span<const double> mu) const {
    return parallel_reduce(
        device_, n_lfs(), kBlockLfs, Square(k() * k()),
        [&](std::int64_t begin, std::int64_t end) {
          Square part(k() * k());
          add_gram(mu, k(), first(begin), first(end), part);
          return part;
        },
        [](Square all, const Square& part) {
          for (std::size_t i = 0; i < all.size(); ++i) all[i] += part[i];
          return all;
        });
  }

  double weighed_square(const Square& gram) const {
    double sum = 0.0;
    for (std::size_t a = 0; a < k(); ++a) {
      for (std::size_t b = 0; b < k(); ++b) {
        const double g = gram[a * k() + b];
        sum += balance(a) * balance(b) * g * g;
      }
    }
    return sum;
  }

  double loss(std::span<const double> mu, std::span<const double> start, double l2) const {
    const double all = weighed_square(gram(mu));
    return parallel_reduce(
        device_, n_lfs(), kBlockLfs, all,
        [&](std::int64_t begin, std::int64_t end) {
          double sum = 0.0;
          Square own(k() * k());
          for (std::int64_t lf = begin; lf < end; ++lf) {
            std::ranges::fill(own, 0.0);
            add_gram(mu, k(), first(lf), first(lf + 1), own);
            sum -= weighed_square(own);
            for (std::size_t c = first(lf); c < first(lf + 1); ++c) {
              sum += column_loss(mu, start, l2, c);
            }
          }
          return sum;
        },
        [](double sum, double part) { return sum + part; });
  }

  /// Gradient of the loss, and weight decay, for the columns of LFs begin..end-1.
  void gradient(std::span<const double> mu, std::span<const double> start, double l2,
                const Square& all, std::int64_t begin, std::int64_t end,
                std::span<double> out) const {
    Square own(k() * k());
    std::vector<double> pull(k());
    for (std::int64_t lf = begin; lf < end; ++lf) {
      std::ranges::fill(own, 0.0);
      add_gram(mu, k(), first(lf), first(lf + 1), own);
      for (std::size_t i = 0; i < own.size(); ++i) own[i] = all[i] - own[i];
      for (std::size_t c = first(lf); c < first(lf + 1); ++c) {
        std::ranges::fill(pull, 0.0);
        for (auto e = static_cast<std::size_t>(moments_.indptr[c]);
             e < static_cast<std::size_t>(moments_.indptr[c + 1]); ++e) {
          const double* other = row(mu, static_cast<std::size_t>(moments_.other[e]));
          for (std::size_t y = 0; y < k(); ++y) pull[y] += moments_.share_both[e] * other[y];
        }
        const double* at = row(mu, c);
        for (std::size_t a = 0; a < k(); ++a) {
          const double weight = balance(a) * at[a];
          if (weight == 0.0) continue;
          for (std::size_t y = 0; y < k(); ++y) pull[y] -= weight * own[a * k() + y];
        }
        const double beyond = voted(mu, c) - moments_.share[c];
        for (std::size_t y = 0; y < k(); ++y) {
          out[c * k() + y] = 2.0 * balance(y) * (beyond - 2.0 * pull[y]) +
                             2.0 * l2 * l2 * (at[y] - start[c * k() + y]) + l2 * at[y];
        }
      }
    }
  }

  /// Calls visit for blocks of LFs.
  template <class Visit>
  void for_each_block(Visit&& visit) const {
    parallel_for(device_, n_lfs(), kBlockLfs, visit);
  }

 private:
  const double* row(std::span<const double> mu, std::size_t c) const { return mu.data() + c * k(); }

  /// P(vote), by the model.
  double voted(std::span<const double> mu, std::size_t c) const {
    double sum = 0.0;
    for (std::size_t y = 0; y < k(); ++y) sum += balance(y) * row(mu, c)[y];
    return sum;
  }

  double column_loss(std::span<const double> mu, std::span<const double> start, double l2,
                     std::size_t c) const {
    double sum = 0.0;
    for (auto e = static_cast<std::size_t>(moments_.indptr[c]);
         e < static_cast<std::size_t>(moments_.indptr[c + 1]); ++e) {
      const double* other = row(mu, static_cast<std::size_t>(moments_.other[e]));
      double model = 0.0;
      for (std::size_t y = 0; y < k(); ++y) model += balance(y) * row(mu, c)[y] * other[y];
      sum += moments_.share_both[e] * (moments_.share_both[e] - 2.0 * model);
    }
    const double beyond = voted(mu, c) - moments_.share[c];
    sum += beyond * beyond;
    for (std::size_t y = 0; y < k(); ++y) {
      const double moved = l2 * (row(mu, c)[y] - start[c * k() + y]);
      sum += moved * moved;
    }
    return sum;
  }

  const Cpu& device_;
  const Moments& moments_;
};

/// Moves along a gradient; keeps what the optimizer remembers.
class Mover {
 public:
  Mover(const DescentOptions& options, std::size_t size)
      : options_(options),
        first_(size),
        second_(options.optimizer == Optimizer::sgd ? 0 : size),
        most_(options.amsgrad ? size : 0) {}

  void begin_step() {
    ++step_;
    power1_ *= options_.beta1;
    power2_ *= options_.beta2;
  }
  void move(std::size_t i, double rate, double gradient, double& x) {
    double& velocity = first_[i];
    if (options_.optimizer == Optimizer::sgd) {
      velocity = step_ == 1 ? gradient : options_.momentum * velocity + gradient;
      x -= rate * velocity;
      return;
    }
    velocity = options_.beta1 * velocity + (1.0 - options_.beta1) * gradient;
    const double scaled = rate / (1.0 - power1_);
    double& spread = second_[i];
    if (options_.optimizer == Optimizer::adamax) {
      spread = std::max(options_.beta2 * spread, std::abs(gradient) + options_.epsilon);
      x -= scaled * velocity / spread;
      return;
    }
    spread = options_.beta2 * spread + (1.0 - options_.beta2) * gradient * gradient;
    double used = spread;
    if (options_.amsgrad) used = most_[i] = std::max(most_[i], spread);
    x -= scaled * velocity / (std::sqrt(used) / std::sqrt(1.0 - power2_) + options_.epsilon);
  }

 private:
  const DescentOptions& options_;
  std::vector<double> first_, second_, most_;
  std::int64_t step_ = 0;
  double power1_ = 1.0, power2_ = 1.0;
};

}  // namespace

double moment_loss(const Cpu& device, const Moments& moments, std::span<const double> mu,
                   std::span<const double> start, double l2) {
  return Problem(device, moments).loss(mu, start, l2);
}

bool descend_moments(const Cpu& device, const Moments& moments, const DescentOptions& options,
                     std::span<const double> rates, std::span<const double> start,
                     std::span<double> mu) {
  const Problem problem(device, moments);
  const std::size_t k = problem.k();
  std::vector<double> gradient(mu.size());
  Mover mover(options, mu.size());
  for (const double rate : rates) {
    const Square gram = problem.gram(mu);
    problem.for_each_block([&](std::int64_t begin, std::int64_t end) {
      problem.gradient(mu, start, options.l2, gram, begin, end, gradient);
    });
    mover.begin_step();
    problem.for_each_block([&](std::int64_t begin, std::int64_t end) {
      for (std::size_t i = problem.first(begin) * k; i < problem.first(end) * k; ++i) {
        mover.move(i, rate, gradient[i], mu[i]);
      }
    });
    double sum = 0.0;
    for (const double x : mu) sum += x;
    if (!std::isfinite(sum)) return false;
  }
  return true;
}

}  // namespace coverset
