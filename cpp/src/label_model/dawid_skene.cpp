// Dawid and Skene's EM (1979), by maximum a posteriori. docs/label_model.md has the equations.
#include <numeric>

#include "coverset/exp_log.hpp"
#include "label_model/evidence.hpp"
#include "label_model/sums.hpp"

namespace coverset {
namespace {

/// One annotator's probabilities from its expected votes.
class Annotator {
 public:
  Annotator(const DawidSkeneOptions& options, std::size_t k)
      : options_(options), k_(k), right_(k), votes_(k), abstain_(k) {}

  /// Reads the columns first..last-1 and writes their log probabilities, and those of abstains.
  void weigh(std::size_t first, std::size_t last, const VoteColumns& columns,
             const DawidSkeneState& state, std::span<double> log_weight,
             std::span<double> log_abstain) {
    std::ranges::fill(votes_, 0.0);
    std::ranges::fill(right_, 0.0);
    for (std::size_t c = first; c < last; ++c) {
      for (std::size_t y = 0; y < k_; ++y) votes_[y] += state.expected[c * k_ + y];
      const auto label = static_cast<std::size_t>(columns.label[c]);
      right_[label] = state.expected[c * k_ + label];
    }
    find_abstains(state);
    find_right();
    for (std::size_t c = first; c < last; ++c) {
      const auto label = static_cast<std::size_t>(columns.label[c]);
      for (std::size_t y = 0; y < k_; ++y) {
        const double p = probability(y, label, state.expected[c * k_ + y]);
        log_weight[c * k_ + y] = p * (1.0 - abstain_[y]);
      }
    }
    log_in_place(log_weight.subspan(first * k_, (last - first) * k_));
    for (std::size_t y = 0; y < k_; ++y) {
      log_abstain[y] = options_.abstain_is_outcome ? log_exact_order(abstain_[y]) : 0.0;
    }
  }

 private:
  double labels() const { return static_cast<double>(k_); }

  void find_abstains(const DawidSkeneState& state) {
    std::ranges::fill(abstain_, 0.0);
    if (!options_.abstain_is_outcome) return;
    const double s = options_.smoothing;
    if (options_.confusion == Confusion::full) {  // one of k + 1 outcomes
      for (std::size_t y = 0; y < k_; ++y) {
        const double all = state.rows[y] + (labels() + 1.0) * s + options_.diagonal;
        abstain_[y] = (std::max(state.rows[y] - votes_[y], 0.0) + s) / all;
      }
      return;
    }
    double rows = 0.0, votes = 0.0;
    for (std::size_t y = 0; y < k_; ++y) {
      rows += state.rows[y];
      votes += votes_[y];
    }
    for (std::size_t y = 0; y < k_; ++y) {
      const bool one = options_.confusion == Confusion::one_coin;
      const double n = one ? rows : state.rows[y];
      abstain_[y] = (std::max(n - (one ? votes : votes_[y]), 0.0) + s) / (n + 2.0 * s);
    }
  }

  /// The probability of a right vote in each class, where that is all there is.
  void find_right() {
    if (options_.confusion == Confusion::full) return;
    const double pseudo = options_.smoothing + options_.diagonal;
    const double all = labels() * options_.smoothing + options_.diagonal;
    if (options_.confusion == Confusion::one_coin) {
      const double right = std::accumulate(right_.begin(), right_.end(), 0.0);
      const double votes = std::accumulate(votes_.begin(), votes_.end(), 0.0);
      std::ranges::fill(right_, (right + pseudo) / (votes + all));
      return;
    }
    for (std::size_t y = 0; y < k_; ++y) right_[y] = (right_[y] + pseudo) / (votes_[y] + all);
  }

  /// P(label | y) among votes.
  double probability(std::size_t y, std::size_t label, double expected) const {
    if (options_.confusion != Confusion::full) {
      return label == y ? right_[y] : (1.0 - right_[y]) / (labels() - 1.0);
    }
    const double own = label == y ? options_.diagonal : 0.0;
    return (expected + options_.smoothing + own) /
           (votes_[y] + labels() * options_.smoothing + options_.diagonal);
  }

  const DawidSkeneOptions& options_;
  std::size_t k_;
  std::vector<double> right_, votes_, abstain_;
};

class Trainer {
 public:
  Trainer(const Patterns& patterns, const VoteColumns& columns, const DawidSkeneOptions& options,
          DawidSkeneState& state)
      : patterns_(patterns),
        columns_(columns),
        options_(options),
        state_(state),
        k_(static_cast<std::size_t>(state.cardinality)),
        posterior_(static_cast<std::size_t>(patterns.size()) * k_),
        grain_(0.0) {
    double counted = 1.0;
    for (std::size_t i = 0; i < patterns.weight.size(); ++i) {
      counted += counts(i) ? patterns.weight[i] : 0.0;
    }
    grain_ = exact_grain(counted);
  }

  FitReport fit(const Cpu& device) {
    FitReport report;
    maximize(device, start(device));
    while (report.passes < options_.most_passes) {
      ++report.passes;
      const Expected sums = expect(device);
      report.change = sums.change;
      // the weights stay those that gave these posteriors
      if (sums.change <= options_.tolerance || report.passes == options_.most_passes) break;
      maximize(device, sums);
    }
    return report;
  }

 private:
  std::int64_t votes_of(std::size_t i) const {
    return patterns_.indptr[i + 1] - patterns_.indptr[i];
  }
  bool counts(std::size_t i) const {
    return options_.abstain_is_outcome || votes_of(i) > 0 || patterns_.gold[i] >= 0;
  }

  /// Expected statistics by the share of a row's votes, which become the posteriors.
  Expected start(const Cpu& device) {
    return sum(device, [&](const RowGroup& group, double* classes) {
      std::fill_n(classes, static_cast<std::size_t>(group.count) * k_, 0.0);
      for (std::size_t at = 0; at < static_cast<std::size_t>(group.count); ++at) {
        const auto [first, last] = group.rows[at];
        double* p = classes + at * k_;
        if (first == last) std::fill_n(p, k_, 1.0 / static_cast<double>(k_));
        const double vote = 1.0 / static_cast<double>(last - first);
        for (auto c = first; c != last; ++c)
          p[columns_.label[static_cast<std::size_t>(*c)]] += vote;
      }
    });
  }

  Expected expect(const Cpu& device) {
    return sum(device, [&](const RowGroup& group, double* classes) {
      group_probabilities(group, state_.log_weight, state_.log_prior, classes);
    });
  }

  /// Sums of what believe(group, classes) says, or of gold where it is known.
  template <class Believe>
  Expected sum(const Cpu& device, Believe&& believe) {
    const auto add = [&](std::int64_t from, std::int64_t to, Expected& sums) {
      RowGroup group;
      group.share.fill(1.0);
      std::vector<double> classes(static_cast<std::size_t>(kGroup) * k_);
      for (std::int64_t i = from; i < to; i += group.count) {
        group.clear();
        for (std::int64_t at = i; at < std::min(i + kGroup, to); ++at) {
          group.add(patterns_.indptr, patterns_.column.data(), at);
        }
        believe(group, classes.data());
        clamp(static_cast<std::size_t>(i), group, classes.data());
        double* kept = posterior_.data() + static_cast<std::size_t>(i) * k_;
        const auto k = static_cast<long>(k_);
        const auto count = static_cast<long>(group.count);
        const double move = COVERSET_AT_LEVEL(keep_exact_rows)(classes.data(), count * k, kept);
        sums.change = std::max(sums.change, move);
        COVERSET_AT_LEVEL(scatter_rows)
        (classes.data(), patterns_.weight.data() + i, grain_, k, group.rows.data(), count,
         sums.votes.data(), sums.rows.data());
      }
    };
    return sum_blocks(device, patterns_.size(), columns_.label.size(), k_, add);
  }

  /// Gold where it is known, nothing where a row does not count: neither moves.
  void clamp(std::size_t i, const RowGroup& group, double* classes) const {
    for (std::size_t at = 0; at < static_cast<std::size_t>(group.count); ++at) {
      const auto gold = patterns_.gold[i + at];
      if (gold < 0 && counts(i + at)) continue;
      std::fill_n(classes + at * k_, k_, 0.0);
      if (gold >= 0) classes[at * k_ + static_cast<std::size_t>(gold)] = 1.0;
    }
  }

  void maximize(const Cpu& device, const Expected& sums) {
    std::ranges::copy(sums.votes, state_.expected.begin());
    std::ranges::copy(sums.rows, state_.rows.begin());
    if (!options_.balance_given) {
      const double rows = std::accumulate(state_.rows.begin(), state_.rows.end(), 0.0);
      const double all = rows + static_cast<double>(k_) * options_.smoothing;
      for (std::size_t y = 0; y < k_; ++y) {
        state_.class_balance[y] =
            all > 0.0 ? (state_.rows[y] + options_.smoothing) / all : 1.0 / static_cast<double>(k_);
      }
    }
    weigh_confusions(device, columns_, options_, state_);
  }

  const Patterns& patterns_;
  const VoteColumns& columns_;
  const DawidSkeneOptions& options_;
  DawidSkeneState& state_;
  std::size_t k_;
  std::vector<double> posterior_;
  double grain_;  // to which expected rows are rounded, so that their sums are exact
};

}  // namespace

void weigh_confusions(const Cpu& device, const VoteColumns& columns,
                      const DawidSkeneOptions& options, DawidSkeneState& state) {
  const auto k = static_cast<std::size_t>(state.cardinality);
  const auto m = static_cast<std::size_t>(columns.n_lfs());
  std::vector<double> log_abstain(options.abstain_is_outcome ? m * k : k);
  const std::int64_t block = std::clamp<std::int64_t>(
      (1 << 15) * columns.n_lfs() / std::max<std::int64_t>(1, columns.size() * state.cardinality),
      1, 1 << 12);
  parallel_for(device, columns.n_lfs(), block, [&](std::int64_t begin, std::int64_t end) {
    Annotator annotator(options, k);
    std::vector<double> ignored(k);
    for (auto j = static_cast<std::size_t>(begin); j < static_cast<std::size_t>(end); ++j) {
      const auto first = static_cast<std::size_t>(columns.indptr[j]);
      const auto last = static_cast<std::size_t>(columns.indptr[j + 1]);
      const auto abstain = options.abstain_is_outcome ? std::span(log_abstain).subspan(j * k, k)
                                                      : std::span(ignored);
      annotator.weigh(first, last, columns, state, state.log_weight, abstain);
      for (std::size_t i = first * k; i < last * k; ++i) state.log_weight[i] -= abstain[i % k];
    }
  });
  for (std::size_t y = 0; y < k; ++y) {
    double no_votes = 0.0;
    for (std::size_t j = 0; options.abstain_is_outcome && j < m; ++j) {
      no_votes += log_abstain[j * k + y];
    }
    state.log_prior[y] = log_exact_order(state.class_balance[y]) + no_votes;
  }
}

FitReport fit_dawid_skene(const Cpu& device, const Patterns& patterns, const VoteColumns& columns,
                          const DawidSkeneOptions& options, DawidSkeneState& state) {
  return Trainer(patterns, columns, options, state).fit(device);
}

}  // namespace coverset
