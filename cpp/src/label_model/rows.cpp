// One pass of stepwise EM over rows as they come: for votes that hardly repeat, where distinct rows
// would be a copy of all.
#include <array>

#include "label_model/evidence.hpp"
#include "label_model/maximize.hpp"
#include "label_model/sums.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kStepRows = 1 << 17;

class Pass {
 public:
  Pass(const Votes& votes, std::span<const std::int32_t> column_of,
       std::span<const std::int16_t> gold, const VoteColumns& columns, const FitOptions& options,
       LabelModelState& state)
      : votes_(votes),
        column_of_(column_of),
        gold_(gold),
        columns_(columns),
        options_(options),
        state_(state),
        k_(static_cast<std::size_t>(state.cardinality)),
        log_prior_(k_),
        fixed_(static_cast<double>(kStepRows)) {}

  void run(const Cpu& device, double rows_before) {
    const std::int64_t n = votes_.rows();
    std::vector<double> rows(state_.class_balance.begin(), state_.class_balance.end());
    const double all = static_cast<double>(n);
    for (double& r : rows) r *= all;
    std::ranges::fill(state_.believed, 0.0);
    std::ranges::fill(state_.believed_rows, 0.0);
    double seen = rows_before;
    for (std::int64_t begin = 0; begin < n; begin += kStepRows) {
      const std::int64_t count = std::min(kStepRows, n - begin);
      maximize(device, columns_, options_, rows, log_prior_, state_);
      const Sums sums = expect(device, begin, count);
      seen += static_cast<double>(count);
      const double rate = static_cast<double>(count) / seen;
      const double scale = all / static_cast<double>(count);
      const auto toward = [&](double& from, std::int64_t part) {
        from += rate * (scale * fixed_.from(part) - from);
      };
      for (std::size_t i = 0; i < state_.expected.size(); ++i) {
        toward(state_.expected[i], sums.anchored.votes[i]);
      }
      for (std::size_t c = 0; c < sums.right.size(); ++c) {
        const auto own = static_cast<std::size_t>(columns_.label[c]);
        state_.believed[c * k_ + own] += fixed_.from(sums.right[c]);
      }
      for (std::size_t y = 0; y < k_; ++y) {
        toward(rows[y], sums.anchored.rows[y]);
        state_.believed_rows[y] += fixed_.from(sums.rows[y]);
      }
    }
    maximize(device, columns_, options_, rows, log_prior_, state_);
  }

 private:
  /// Expected statistics by the anchored posterior; by the posterior alone, rows of each class and
  /// right votes of each column.
  struct Sums {
    FixedSums anchored;
    std::vector<std::int64_t> rows, right;

    void add(const Sums& other) {
      anchored.add(other.anchored);
      for (std::size_t y = 0; y < rows.size(); ++y) rows[y] += other.rows[y];
      for (std::size_t c = 0; c < right.size(); ++c) right[c] += other.right[c];
    }
  };

  struct Group {
    std::array<std::int64_t, kGroup + 1> indptr{};
    std::vector<std::int32_t> column;
    std::array<std::int64_t, kGroup> heard{};
    std::vector<double> posterior, majority;
  };

  Sums expect(const Cpu& device, std::int64_t begin, std::int64_t count) {
    const auto columns = static_cast<std::size_t>(columns_.size());
    const Sums zero{FixedSums(columns, k_), std::vector<std::int64_t>(k_),
                    std::vector<std::int64_t>(columns)};
    return sum_blocks(device, count, zero, zero.anchored.bytes(),
                      [&](std::int64_t from, std::int64_t to, Sums& sums) {
                        Group group;
                        group.posterior.resize(static_cast<std::size_t>(kGroup) * k_);
                        group.majority.resize(k_);
                        for (std::int64_t row = begin + from; row < begin + to; row += kGroup) {
                          add_rows(row, std::min(row + kGroup, begin + to), group, sums);
                        }
                      });
  }

  void add_rows(std::int64_t from, std::int64_t to, Group& group, Sums& sums) {
    const std::int64_t first = votes_.indptr[static_cast<std::size_t>(from)];
    const std::int64_t last = votes_.indptr[static_cast<std::size_t>(to)];
    group.column.resize(static_cast<std::size_t>(last - first));
    for (std::int64_t e = first; e < last; ++e) {
      const auto at = static_cast<std::size_t>(e);
      group.column[static_cast<std::size_t>(e - first)] =
          column_of_[static_cast<std::size_t>(votes_.columns[at]) * k_ +
                     static_cast<std::size_t>(votes_.values[at])];
    }
    for (std::int64_t row = from; row <= to; ++row) {
      group.indptr[static_cast<std::size_t>(row - from)] =
          votes_.indptr[static_cast<std::size_t>(row)] - first;
    }
    group_probabilities(
        std::span<const std::int64_t>(group.indptr), group.column, to - from,
        [](std::int64_t i) { return i; },
        Evidence{state_.log_weight, log_prior_, options_.row_correlation, columns_.weight},
        group.posterior, group.heard);
    switch (k_) {
      case 2:
        return add_group<2>(from, to, group, sums);
      case 3:
        return add_group<3>(from, to, group, sums);
      case 4:
        return add_group<4>(from, to, group, sums);
      case 5:
        return add_group<5>(from, to, group, sums);
      default:
        return add_group<0>(from, to, group, sums);
    }
  }

  template <std::size_t kFew>
  void add_group(std::int64_t from, std::int64_t to, Group& group, Sums& sums) {
    const std::size_t k = kFew > 0 ? kFew : k_;
    for (std::int64_t row = from; row < to; ++row) {
      const auto i = static_cast<std::size_t>(row - from);
      if (group.heard[i] == 0) continue;
      const std::int32_t* first = group.column.data() + group.indptr[i];
      const std::int32_t* last = group.column.data() + group.indptr[i + 1];
      const auto gold = gold_.empty() ? std::int16_t{-1} : gold_[static_cast<std::size_t>(row)];
      add_row<kFew>(first, last, gold, group.posterior.data() + i * k, group.majority.data(), sums);
    }
  }

  template <std::size_t kFew>
  void add_row(const std::int32_t* first, const std::int32_t* last, std::int16_t gold,
               const double* posterior, double* majority, Sums& sums) {
    const std::size_t k = kFew > 0 ? kFew : k_;
    double votes = 0.0;
    std::fill_n(majority, k, 0.0);
    for (const std::int32_t* c = first; c != last; ++c) {
      const auto at = static_cast<std::size_t>(*c);
      const double weight = columns_.weight_of(at);
      votes += weight;
      majority[static_cast<std::size_t>(columns_.label[at])] += weight;
    }
    std::int64_t few[kFew > 0 ? kFew : 1];
    std::int64_t* mass = kFew > 0 ? few : sums.anchored.mass.data();
    const double share = options_.anchor / votes;
    for (std::size_t y = 0; y < k; ++y) {
      double anchored = share * majority[y] + (1.0 - options_.anchor) * posterior[y];
      double alone = posterior[y];
      if (gold >= 0) anchored = alone = y == static_cast<std::size_t>(gold) ? 1.0 : 0.0;
      mass[y] = fixed_.to(anchored);
      sums.anchored.rows[y] += mass[y];
      sums.rows[y] += fixed_.to(alone);
      majority[y] = alone;
    }
    for (const std::int32_t* c = first; c != last; ++c) {
      const auto at = static_cast<std::size_t>(*c);
      std::int64_t* to = sums.anchored.votes.data() + at * k;
      for (std::size_t y = 0; y < k; ++y) to[y] += mass[y];
      sums.right[at] += fixed_.to(majority[static_cast<std::size_t>(columns_.label[at])]);
    }
  }

  const Votes& votes_;
  std::span<const std::int32_t> column_of_;
  std::span<const std::int16_t> gold_;
  const VoteColumns& columns_;
  const FitOptions& options_;
  LabelModelState& state_;
  std::size_t k_;
  std::vector<double> log_prior_;
  FixedPoint fixed_;
};

}  // namespace

void refine_by_rows(const Cpu& device, const Votes& votes, std::span<const std::int32_t> column_of,
                    std::span<const std::int16_t> gold, const VoteColumns& columns,
                    const FitOptions& options, double rows_before, LabelModelState& state) {
  Pass(votes, column_of, gold, columns, options, state).run(device, rows_before);
}

}  // namespace coverset
