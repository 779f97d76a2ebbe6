// The anchored label model. docs/label_model.md has the equations, in this order.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "coverset/error.hpp"
#include "coverset/parallel.hpp"
#include "coverset/random.hpp"
#include "label_model/evidence.hpp"
#include "label_model/maximize.hpp"

namespace coverset {
namespace {

constexpr double kOwnClassLift = 4.0;    // prior odds that a unipolar vote is right, over balance
constexpr double kBalanceVotes = 2.0;    // pseudo-votes spread over the classes
constexpr double kConfusionVotes = 2.0;  // pseudo-votes of the pooled confusion, per class
constexpr double kPooledRight = 2.0;     // pseudo-votes on the pooled confusion's diagonal
constexpr double kPooledAny = 0.5;       // and on all of it
constexpr std::int64_t kStep = 1 << 10;  // patterns
constexpr std::int64_t kFewestSums = 4;
constexpr std::int64_t kMostSums = 256;
constexpr std::int64_t kSumBytes = 64 << 20;
constexpr std::size_t kMostMajority = 1 << 23;  // numbers: 64 MiB
constexpr double kStepDecay = 0.6;              // step of minibatch t: (t + 1)^-kStepDecay

/// Expected votes by (column, class) and expected rows by class.
struct Expected {
  std::vector<double> votes, rows;
  double change = 0.0;

  Expected(std::size_t columns, std::size_t k) : votes(columns * k), rows(k) {}

  void add(const Cpu& device, const Expected& other) {
    if (other.rows.empty()) return;
    for_each_vote(device, [&](std::size_t i) { votes[i] += other.votes[i]; });
    for (std::size_t y = 0; y < rows.size(); ++y) rows[y] += other.rows[y];
    change = std::max(change, other.change);
  }
  /// Moves `step` of the way to `scale` times `target`.
  void approach(const Cpu& device, const Expected& target, double step, double scale) {
    const auto move = [=](double& from, double to) { from += step * (scale * to - from); };
    for_each_vote(device, [&](std::size_t i) { move(votes[i], target.votes[i]); });
    for (std::size_t y = 0; y < rows.size(); ++y) move(rows[y], target.rows[y]);
  }
  template <class Visit>
  void for_each_vote(const Cpu& device, Visit&& visit) const {
    const auto size = static_cast<std::int64_t>(votes.size());
    parallel_for(device, size, 1 << 16, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
        visit(i);
    });
  }
};

/// All annotators' confusion, (class, label), rows summing to 1.
std::vector<double> pooled_confusion(const VoteColumns& columns, std::span<const double> expected,
                                     std::size_t k) {
  std::vector<double> pooled(k * k, kPooledAny);
  for (std::size_t y = 0; y < k; ++y) pooled[y * k + y] += kPooledRight;
  for (std::int64_t lf = 0; lf < columns.n_lfs(); ++lf) {
    if (columns.annotator[static_cast<std::size_t>(lf)] == 0) continue;
    const auto last = static_cast<std::size_t>(columns.indptr[static_cast<std::size_t>(lf) + 1]);
    for (auto c = static_cast<std::size_t>(columns.indptr[static_cast<std::size_t>(lf)]); c < last;
         ++c) {
      const auto label = static_cast<std::size_t>(columns.label[c]);
      for (std::size_t y = 0; y < k; ++y) pooled[y * k + label] += expected[c * k + y];
    }
  }
  for (std::size_t y = 0; y < k; ++y) {
    const auto row = std::span(pooled).subspan(y * k, k);
    const double sum = std::accumulate(row.begin(), row.end(), 0.0);
    for (double& p : row) p /= sum;
  }
  return pooled;
}

/// Lift: log of P(class | vote) over the class balance, shrunk to a prior on lift.
void weigh_unipolar(std::size_t column, std::size_t own, const FitOptions& options,
                    LabelModelState& state) {
  const auto k = static_cast<std::size_t>(state.cardinality);
  const double* expected = state.expected.data() + column * k;
  double votes = 0.0;
  double lifted = 0.0;
  for (std::size_t y = 0; y < k; ++y) {
    votes += expected[y];
    lifted += (y == own ? kOwnClassLift : 1.0) * state.class_balance[y];
  }
  const double prior_votes = options.kappa * votes + 1.0;
  for (std::size_t y = 0; y < k; ++y) {
    const double prior = (y == own ? kOwnClassLift : 1.0) * state.class_balance[y] / lifted;
    const double precision = (expected[y] + prior_votes * prior) / (votes + prior_votes);
    state.log_weight[column * k + y] =
        log_exact_order(precision) - log_exact_order(state.class_balance[y]);
  }
}

/// Confusion: log of P(vote | class) of the columns first..last-1 of one annotator, shrunk to the
/// pooled confusion. `votes` is scratch (cardinality).
void weigh_annotator(std::size_t first, std::size_t last, const VoteColumns& columns,
                     std::span<const double> pooled, std::span<double> votes,
                     LabelModelState& state) {
  const std::size_t k = votes.size();
  std::ranges::fill(votes, 0.0);
  for (std::size_t c = first; c < last; ++c) {
    for (std::size_t y = 0; y < k; ++y) votes[y] += state.expected[c * k + y];
  }
  for (std::size_t c = first; c < last; ++c) {
    const auto label = static_cast<std::size_t>(columns.label[c]);
    for (std::size_t y = 0; y < k; ++y) {
      const double confusion =
          (state.expected[c * k + y] + kConfusionVotes * pooled[y * k + label]) /
          (votes[y] + kConfusionVotes);
      state.log_weight[c * k + y] = log_exact_order(confusion);
    }
  }
}

class Trainer {
 public:
  Trainer(const Patterns& patterns, const VoteColumns& columns, const FitOptions& options,
          LabelModelState& state)
      : patterns_(patterns),
        columns_(columns),
        options_(options),
        state_(state),
        k_(static_cast<std::size_t>(state.cardinality)),
        order_(static_cast<std::size_t>(patterns.size())),
        posterior_(order_.size() * k_),
        log_prior_(k_) {
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const bool covered = patterns.indptr[i + 1] > patterns.indptr[i];
      covered_ += covered ? patterns.weight[i] : 0.0;
    }
    if (posterior_.size() <= kMostMajority) majority_.resize(posterior_.size());
  }

  FitReport fit(const Cpu& device) {
    const auto size = static_cast<std::int64_t>(order_.size());
    const std::int64_t batch = options_.batch > 0 ? std::min(options_.batch, size) : size;
    if (batch < size) shuffle();
    Expected running = expect(device, 0, size, Start::majority, options_.anchor);
    maximize(device, running);
    FitReport report;
    std::int64_t step = 1;
    while (report.passes < options_.most_passes) {
      ++report.passes;
      report.change = 0.0;
      for (std::int64_t begin = 0; begin < size; begin += batch, ++step) {
        const std::int64_t end = std::min(begin + batch, size);
        const Expected part = expect(device, begin, end, Start::model, options_.anchor);
        report.change = std::max(report.change, part.change);
        if (weight_ <= 0.0) continue;
        const double rate =
            batch < size
                ? exp_exact_order(-kStepDecay * log_exact_order(static_cast<double>(step + 1)))
                : 1.0;
        running.approach(device, part, rate, covered_ / weight_);
        maximize(device, running);
      }
      if (report.change <= options_.tolerance) break;
    }
    const Expected posterior = expect(device, 0, size, Start::model, 0.0);
    std::ranges::copy(posterior.votes, state_.believed.begin());
    std::ranges::copy(posterior.rows, state_.believed_rows.begin());
    return report;
  }

 private:
  enum class Start { majority, model };

  void shuffle() {
    for (std::size_t i = order_.size(); i > 1; --i) {
      const auto j = random_bits(options_.seed, i) % i;
      std::swap(order_[i - 1], order_[j]);
    }
  }

  /// Expected statistics of patterns order_[begin..end), from majority votes or from the model.
  /// Parts of the patterns have sums of their own, as many as fit the memory; all parts advance by
  /// kStep patterns at a time, so that the poll is never far away however large the sums are.
  Expected expect(const Cpu& device, std::int64_t begin, std::int64_t end, Start start,
                  double anchor) {
    const auto columns = static_cast<std::size_t>(columns_.size());
    const auto sum_bytes = static_cast<std::int64_t>(sizeof(double) * (columns + 1) * k_);
    const std::int64_t fit =
        std::clamp<std::int64_t>(kSumBytes / sum_bytes, kFewestSums, kMostSums);
    const std::int64_t count = std::clamp<std::int64_t>((end - begin) / kStep, 1, fit);
    const std::int64_t range = (end - begin + count - 1) / count;
    std::vector<Expected> parts(static_cast<std::size_t>(count), Expected(0, 0));
    for (std::int64_t step = 0; step < range; step += kStep) {
      parallel_for(device, count, 1, [&](std::int64_t index, std::int64_t) {
        Expected& part = parts[static_cast<std::size_t>(index)];
        if (part.rows.empty()) part = Expected(columns, k_);
        const std::int64_t last = std::min(begin + (index + 1) * range, end);
        const std::int64_t from = std::min(begin + index * range + step, last);
        add_patterns(from, std::min(from + kStep, last), start, anchor, part);
      });
    }
    Expected sum(columns, k_);
    for (const Expected& part : parts) sum.add(device, part);
    weight_ = std::accumulate(sum.rows.begin(), sum.rows.end(), 0.0);
    return sum;
  }

  void add_patterns(std::int64_t from, std::int64_t to, Start start, double anchor,
                    Expected& part) {
    Scratch scratch(k_);
    for (std::int64_t i = from; i < to; i += kGroup) {
      const auto group = std::span(order_).subspan(
          static_cast<std::size_t>(i), static_cast<std::size_t>(std::min(kGroup, to - i)));
      if (start == Start::model) update_posteriors(group, part, scratch);
      for (const std::int64_t pattern : group) {
        add_pattern(static_cast<std::size_t>(pattern), start, anchor, part, scratch.believed);
      }
    }
  }

  struct Scratch {
    std::vector<double> believed, logits;
    std::array<std::int64_t, kGroup> votes{};
    explicit Scratch(std::size_t k) : believed(k), logits(static_cast<std::size_t>(kGroup) * k) {}
  };

  /// Posteriors of a group of patterns under the current weights, and how far they moved.
  void update_posteriors(std::span<const std::int64_t> group, Expected& part, Scratch& scratch) {
    group_probabilities(
        patterns_.indptr, patterns_.column, static_cast<std::int64_t>(group.size()),
        [group](std::int64_t i) { return group[static_cast<std::size_t>(i)]; },
        Evidence{state_.log_weight, log_prior_, options_.row_correlation, columns_.weight},
        scratch.logits, scratch.votes);
    const std::size_t k = k_;
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (scratch.votes[i] == 0) continue;
      double* posterior = posterior_.data() + static_cast<std::size_t>(group[i]) * k;
      const double* now = scratch.logits.data() + i * k;
      double change = part.change;
      for (std::size_t y = 0; y < k; ++y) {
        change = std::max(change, std::abs(now[y] - posterior[y]));
        posterior[y] = now[y];
      }
      part.change = change;
    }
  }

  /// Adds one pattern's expected class: gold where it is known, else the anchored posterior.
  void add_pattern(std::size_t i, Start start, double anchor, Expected& part,
                   std::vector<double>& believed) {
    const auto first = static_cast<std::size_t>(patterns_.indptr[i]);
    const auto last = static_cast<std::size_t>(patterns_.indptr[i + 1]);
    if (first == last) return;
    const std::size_t k = k_;
    double* mass = believed.data();
    double* posterior = posterior_.data() + i * k;
    if (majority_.empty() || start == Start::majority) {
      vote(first, last, mass);
      if (start == Start::majority) std::copy_n(mass, k, posterior);
      if (!majority_.empty()) std::copy_n(mass, k, majority_.data() + i * k);
    } else {
      std::copy_n(majority_.data() + i * k, k, mass);
    }
    const double weight = patterns_.weight[i];
    const auto gold = patterns_.gold[i];
    if (gold >= 0) {
      for (std::size_t y = 0; y < k; ++y)
        mass[y] = y == static_cast<std::size_t>(gold) ? weight : 0;
    } else {
      for (std::size_t y = 0; y < k; ++y) {
        mass[y] = weight * (anchor * mass[y] + (1.0 - anchor) * posterior[y]);
      }
    }
    double* rows = part.rows.data();
    for (std::size_t y = 0; y < k; ++y) rows[y] += mass[y];
    switch (k) {
      case 2:
        return add_votes_of<2>(first, last, mass, part);
      case 3:
        return add_votes_of<3>(first, last, mass, part);
      case 4:
        return add_votes_of<4>(first, last, mass, part);
      case 5:
        return add_votes_of<5>(first, last, mass, part);
      default:
        return add_votes_of<0>(first, last, mass, part);
    }
  }

  /// Majority vote of entries first..last-1.
  void vote(std::size_t first, std::size_t last, double* share) const {
    double votes = 0.0;
    for (std::size_t e = first; e < last; ++e) votes += columns_.weight_of(column(e));
    std::fill_n(share, k_, 0.0);
    for (std::size_t e = first; e < last; ++e) {
      const std::size_t c = column(e);
      share[static_cast<std::size_t>(columns_.label[c])] += columns_.weight_of(c) / votes;
    }
  }

  template <std::size_t kFew>
  void add_votes_of(std::size_t first, std::size_t last, const double* mass, Expected& part) const {
    const std::size_t k = kFew > 0 ? kFew : k_;
    for (std::size_t e = first; e < last; ++e) {
      double* expected = part.votes.data() + column(e) * k;
      for (std::size_t y = 0; y < k; ++y) expected[y] += mass[y];
    }
  }

  std::size_t column(std::size_t entry) const {
    return static_cast<std::size_t>(patterns_.column[entry]);
  }

  void maximize(const Cpu& device, const Expected& expected) {
    expected.for_each_vote(device, [&](std::size_t i) { state_.expected[i] = expected.votes[i]; });
    coverset::maximize(device, columns_, options_, expected.rows, log_prior_, state_);
  }

  const Patterns& patterns_;
  const VoteColumns& columns_;
  const FitOptions& options_;
  LabelModelState& state_;
  std::size_t k_;
  std::vector<std::int64_t> order_;
  std::vector<double> posterior_, log_prior_;
  std::vector<double> majority_;  // majority votes of all patterns, where they are few
  double covered_ = 0.0;          // weight of all patterns with a vote
  double weight_ = 0.0;           // and of those in the batch just seen
};

}  // namespace

void class_log_prior(const FitOptions& options, std::span<const double> class_balance,
                     std::span<double> log_prior) {
  const double classes = static_cast<double>(class_balance.size());
  const double trust = options.balance_given ? 1.0 : options.annotator_share;
  for (std::size_t y = 0; y < log_prior.size(); ++y) {
    log_prior[y] = log_exact_order(trust * class_balance[y] + (1.0 - trust) / classes);
  }
}

void weigh_columns(const Cpu& device, const VoteColumns& columns, const FitOptions& options,
                   LabelModelState& state) {
  const auto k = static_cast<std::size_t>(state.cardinality);
  const std::vector<double> pooled = pooled_confusion(columns, state.expected, k);
  const std::int64_t block = std::clamp<std::int64_t>(
      (1 << 15) * columns.n_lfs() / std::max<std::int64_t>(1, columns.size() * state.cardinality),
      1, 1 << 12);
  parallel_for(device, columns.n_lfs(), block, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> votes(k);
    for (std::int64_t lf = begin; lf < end; ++lf) {
      const auto j = static_cast<std::size_t>(lf);
      const auto first = static_cast<std::size_t>(columns.indptr[j]);
      const auto last = static_cast<std::size_t>(columns.indptr[j + 1]);
      for (std::size_t c = first; columns.annotator[j] == 0 && c < last; ++c) {
        weigh_unipolar(c, static_cast<std::size_t>(columns.label[c]), options, state);
      }
      if (columns.annotator[j] != 0) weigh_annotator(first, last, columns, pooled, votes, state);
      for (std::size_t i = first * k; !columns.weight.empty() && i < last * k; ++i) {
        state.log_weight[i] *= columns.weight[i / k];
      }
    }
  });
}

void maximize(const Cpu& device, const VoteColumns& columns, const FitOptions& options,
              std::span<const double> rows, std::span<double> log_prior, LabelModelState& state) {
  if (!options.balance_given) {
    const double classes = static_cast<double>(rows.size());
    const double all = std::accumulate(rows.begin(), rows.end(), 0.0);
    for (std::size_t y = 0; y < rows.size(); ++y) {
      state.class_balance[y] = (rows[y] + kBalanceVotes / classes) / (all + kBalanceVotes);
    }
  }
  class_log_prior(options, state.class_balance, log_prior);
  weigh_columns(device, columns, options, state);
}

FitReport fit_label_model(const Cpu& device, const Patterns& patterns, const VoteColumns& columns,
                          const FitOptions& options, LabelModelState& state) {
  return Trainer(patterns, columns, options, state).fit(device);
}

}  // namespace coverset
