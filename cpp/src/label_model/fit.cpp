// The anchored label model. docs/label_model.md has the equations, in this order.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "coverset/error.hpp"
#include "coverset/exp_log.hpp"
#include "coverset/parallel.hpp"
#include "coverset/random.hpp"
#include "label_model/evidence.hpp"
#include "label_model/maximize.hpp"
#include "label_model/sums.hpp"

namespace coverset {
namespace {

constexpr double kOwnClassLift = 4.0;    // prior odds that a unipolar vote is right, over balance
constexpr double kBalanceVotes = 2.0;    // pseudo-votes spread over the classes
constexpr double kConfusionVotes = 2.0;  // pseudo-votes of the pooled confusion, per class
constexpr double kPooledRight = 2.0;     // pseudo-votes on the pooled confusion's diagonal
constexpr double kPooledAny = 0.5;       // and on all of it
constexpr std::int64_t kStep = 1 << 10;  // patterns
constexpr double kStepDecay = 0.6;       // step of minibatch t: (t + 1)^-kStepDecay

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
        share_(order_.size()),
        posterior_(order_.size() * k_),
        log_prior_(k_) {
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    for (std::size_t i = 0; i < order_.size(); ++i) {
      if (patterns.indptr[i + 1] > patterns.indptr[i]) covered_ += patterns.weight[i];
    }
  }

  FitReport fit(const Cpu& device) {
    const auto size = static_cast<std::int64_t>(order_.size());
    const std::int64_t batch = options_.batch > 0 ? std::min(options_.batch, size) : size;
    if (batch < size) shuffle();
    weigh_rows(device);
    const Expected majority = expect(device, 0, size, Source::start);
    Expected running = majority;
    maximize(device, running);
    FitReport report;
    std::int64_t step = 1;
    while (report.passes < options_.most_passes) {
      ++report.passes;
      report.change = 0.0;
      for (std::int64_t begin = 0; begin < size; begin += batch, ++step) {
        const std::int64_t end = std::min(begin + batch, size);
        Expected part = expect(device, begin, end, Source::model);
        report.change = std::max(report.change, part.change);
        const double weight = std::accumulate(part.rows.begin(), part.rows.end(), 0.0);
        if (weight <= 0.0) continue;
        const Expected held =
            batch < size ? expect(device, begin, end, Source::majority) : Expected(0, 0);
        part.approach(device, batch < size ? held : majority, options_.anchor, 1.0);
        const double rate =
            batch < size
                ? exp_exact_order(-kStepDecay * log_exact_order(static_cast<double>(step + 1)))
                : 1.0;
        running.approach(device, part, rate, covered_ / weight);
        maximize(device, running);
      }
      if (report.change <= options_.tolerance) break;
    }
    const Expected posterior = expect(device, 0, size, Source::model);
    std::ranges::copy(posterior.votes, state_.believed.begin());
    std::ranges::copy(posterior.rows, state_.believed_rows.begin());
    return report;
  }

 private:
  /// Where the expected classes of a row come from; at the start majority votes are what moves.
  enum class Source { start, majority, model };

  void shuffle() {
    for (std::size_t i = order_.size(); i > 1; --i) {
      const auto j = random_bits(options_.seed, i) % i;
      std::swap(order_[i - 1], order_[j]);
    }
  }

  /// How much of each row's evidence counts does not change while the model is fitted.
  void weigh_rows(const Cpu& device) {
    const auto weight = uneven(columns_.weight);
    parallel_for(device, patterns_.size(), kStep, [&](std::int64_t begin, std::int64_t end) {
      RowGroup group;
      for (std::int64_t i = begin; i < end; i += group.count) {
        fill(group, i, std::min(i + kGroup, end));
        group.weigh(options_.row_correlation, weight);
        std::copy_n(group.share.begin(), group.count, share_.begin() + i);
      }
    });
  }

  /// Expected statistics of patterns order_[begin..end), with gold where it is known.
  Expected expect(const Cpu& device, std::int64_t begin, std::int64_t end, Source source) {
    return sum_parts(device, begin, end, kStep, static_cast<std::size_t>(columns_.size()), k_,
                     [&](std::int64_t from, std::int64_t to, Expected& part) {
                       add_patterns(from, to, source, part);
                     });
  }

  void add_patterns(std::int64_t from, std::int64_t to, Source source, Expected& part) {
    RowGroup group;
    std::vector<double> classes(static_cast<std::size_t>(kGroup) * k_);
    std::array<double, kGroup> weight;
    for (std::int64_t i = from; i < to; i += group.count) {
      fill(group, i, std::min(i + kGroup, to));
      if (source == Source::model) {
        std::copy_n(share_.begin() + i, group.count, group.share.begin());
        group_probabilities(group, state_.log_weight, log_prior_, classes.data());
      } else {
        vote(group, classes);
      }
      for (std::size_t at = 0; at < static_cast<std::size_t>(group.count); ++at) {
        double* own = classes.data() + at * k_;
        const bool without_votes = group.rows[at].first == group.rows[at].last;
        weight[at] = without_votes ? 0.0 : patterns_.weight[pattern(i, at)];
        if (without_votes) std::fill_n(own, k_, 0.0);
      }
      if (source != Source::majority) {
        const double move = COVERSET_AT_LEVEL(keep_rows)(
            classes.data(), static_cast<long>(group.count) * static_cast<long>(k_),
            posterior_.data() + static_cast<std::size_t>(i) * k_);
        if (source == Source::model) part.change = std::max(part.change, move);
      }
      for (std::size_t at = 0; at < static_cast<std::size_t>(group.count); ++at) {
        const auto gold = patterns_.gold[pattern(i, at)];
        if (gold < 0) continue;
        double* own = classes.data() + at * k_;
        std::fill_n(own, k_, 0.0);
        own[gold] = 1.0;
      }
      COVERSET_AT_LEVEL(scatter_rows)
      (classes.data(), weight.data(), 0.0, static_cast<long>(k_), group.rows.data(),
       static_cast<long>(group.count), part.votes.data(), part.rows.data());
    }
  }

  std::size_t pattern(std::int64_t from, std::size_t at) const {
    return static_cast<std::size_t>(order_[static_cast<std::size_t>(from) + at]);
  }

  /// Patterns order_[from..to), at most kGroup.
  void fill(RowGroup& group, std::int64_t from, std::int64_t to) const {
    group.clear();
    for (std::int64_t i = from; i < to; ++i) {
      group.add(patterns_.indptr, patterns_.column.data(), order_[static_cast<std::size_t>(i)]);
    }
  }

  /// Majority votes.
  void vote(const RowGroup& group, std::span<double> classes) const {
    for (std::size_t at = 0; at < static_cast<std::size_t>(group.count); ++at) {
      double* share = classes.data() + at * k_;
      const RowVotes row = group.rows[at];
      double votes = 0.0;
      for (auto c = row.first; c != row.last; ++c) votes += weight_of(*c);
      std::fill_n(share, k_, 0.0);
      for (auto c = row.first; c != row.last; ++c) {
        share[columns_.label[static_cast<std::size_t>(*c)]] += weight_of(*c) / votes;
      }
    }
  }

  double weight_of(std::int32_t column) const {
    return columns_.weight_of(static_cast<std::size_t>(column));
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
  std::vector<double> share_;     // of each place in the order
  std::vector<float> posterior_;  // likewise, of the last pass, to see how far it moved
  std::vector<double> log_prior_;
  double covered_ = 0.0;  // weight of all patterns with a vote
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
