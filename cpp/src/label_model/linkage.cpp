// Average linkage over a full table, with each row's most similar other at hand.
#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "coverset/label_model.hpp"
#include "coverset/parallel.hpp"

namespace coverset {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

class Clusters {
 public:
  Clusters(std::span<double> similarity, std::size_t n)
      : similarity_(similarity), n_(n), size_(n, 1.0), nearest_(n), stale_(n), best_(n) {
    for (std::size_t i = 0; i < n; ++i) row(i)[i] = kNever;
    for (std::size_t i = 0; i < n; ++i) look(i);
  }

  /// Merges the two most similar clusters, and tells which; false where none are similar enough.
  bool merge(double least, std::size_t& into, std::size_t& gone) {
    for (;;) {
      into = static_cast<std::size_t>(std::ranges::max_element(best_) - best_.begin());
      if (!(best_[into] >= least)) return false;
      if (!stale_[into]) break;  // no row above it that could be as similar is stale either
      look(into);
    }
    gone = nearest_[into];
    const double a = size_[into], b = size_[gone];
    for (std::size_t t = 0; t < n_; ++t) {
      row(into)[t] = row(t)[into] = (a * row(into)[t] + b * row(gone)[t]) / (a + b);
      row(gone)[t] = row(t)[gone] = kNever;
    }
    row(into)[into] = kNever;
    size_[into] += b;
    best_[gone] = kNever;
    look(into);
    for (std::size_t t = 0; t < n_; ++t) {
      if (best_[t] != kNever && t != into) compare(t, into, gone);
    }
    return true;
  }

 private:
  double* row(std::size_t i) { return similarity_.data() + i * n_; }

  /// Finds the most similar other of i, the first of equals.
  void look(std::size_t i) {
    const double* found = std::max_element(row(i), row(i) + n_);
    best_[i] = *found;
    nearest_[i] = static_cast<std::size_t>(found - row(i));
    stale_[i] = 0;
  }

  /// Updates what is known of t after a merge, but for a row to look through: what was best is a
  /// bound as long as nobody is more similar.
  void compare(std::size_t t, std::size_t into, std::size_t gone) {
    const double now = row(t)[into];
    if (now > best_[t]) {
      best_[t] = now;
      nearest_[t] = into;
      stale_[t] = 0;
    } else if (nearest_[t] == into || nearest_[t] == gone) {
      stale_[t] = 1;
    } else if (now == best_[t] && into < nearest_[t]) {
      nearest_[t] = into;  // and a stale row stays so
    }
  }

  std::span<double> similarity_;
  std::size_t n_;
  std::vector<double> size_;
  std::vector<std::size_t> nearest_;
  std::vector<std::uint8_t> stale_;
  std::vector<double> best_;  // where stale, no less than the similarity of the most similar
};

}  // namespace

void merge_nearest_clusters(const Cpu& device, std::span<double> similarity, double least,
                            std::span<std::int64_t> cluster) {
  const std::size_t n = cluster.size();
  std::iota(cluster.begin(), cluster.end(), 0);
  Clusters clusters(similarity, n);
  bool more = n > 1;
  const auto steps = static_cast<std::int64_t>(n);
  advance_parts(device, 0, steps, steps, 1, [&](std::int64_t, std::int64_t, std::int64_t) {
    std::size_t into = 0, gone = 0;
    more = more && clusters.merge(least, into, gone);
    if (!more) return;
    std::ranges::replace(cluster, static_cast<std::int64_t>(gone), static_cast<std::int64_t>(into));
  });
}

}  // namespace coverset
