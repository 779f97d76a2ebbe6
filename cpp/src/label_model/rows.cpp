// One pass of stepwise EM over rows as they come: for votes that hardly repeat, where distinct rows
// would be a copy of all.
#include <array>

#include "label_model/evidence.hpp"
#include "label_model/maximize.hpp"
#include "label_model/sums.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kStepRows = 1 << 17;
constexpr std::int64_t kPartRows = 1 << 12;

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
        table_(static_cast<std::size_t>(columns.size()) * 2 * k_) {
    for (std::size_t c = 0; c < columns.label.size(); ++c) {
      table_[(2 * c + 1) * k_ + static_cast<std::size_t>(columns.label[c])] = columns.weight_of(c);
    }
  }

  void run(const Cpu& device, double rows_before) {
    const std::int64_t n = votes_.rows();
    const double all = static_cast<double>(n);
    std::vector<double> rows(state_.class_balance.begin(), state_.class_balance.end());
    for (double& r : rows) r *= all;
    std::ranges::fill(state_.believed, 0.0);
    std::ranges::fill(state_.believed_rows, 0.0);
    double seen = rows_before;
    for (std::int64_t begin = 0; begin < n; begin += kStepRows) {
      const std::int64_t count = std::min(kStepRows, n - begin);
      maximize(device, columns_, options_, rows, log_prior_, state_);
      const Expected sums = expect(device, begin, begin + count);
      seen += static_cast<double>(count);
      const double rate = static_cast<double>(count) / seen;
      const double scale = all / static_cast<double>(count);
      // of each 2 k sums the first k are anchored, the others by the posterior alone
      const auto add = [&](const double* from, double* anchored, double* believed) {
        for (std::size_t y = 0; y < k_; ++y) {
          anchored[y] += rate * (scale * from[y] - anchored[y]);
          believed[y] += from[k_ + y];
        }
      };
      for (std::size_t i = 0; i < state_.expected.size(); i += k_) {
        add(sums.votes.data() + 2 * i, state_.expected.data() + i, state_.believed.data() + i);
      }
      add(sums.rows.data(), rows.data(), state_.believed_rows.data());
    }
    maximize(device, columns_, options_, rows, log_prior_, state_);
  }

 private:
  /// Room for the rows that pass through the kernels together.
  struct Room {
    RowGroup group;
    std::vector<std::int32_t> column;
    std::vector<double> votes, classes, expected;
    std::array<double, kGroup> once;  // each row counts once

    explicit Room(std::size_t k)
        : votes(kGroup * 2 * k), classes(kGroup * k), expected(kGroup * 2 * k) {
      once.fill(1.0);
    }
  };

  Expected expect(const Cpu& device, std::int64_t begin, std::int64_t end) {
    for (std::size_t c = 0; c < columns_.label.size(); ++c) {
      std::copy_n(state_.log_weight.data() + c * k_, k_, table_.data() + 2 * c * k_);
    }
    return sum_parts(device, begin, end, kPartRows, columns_.label.size(), 2 * k_,
                     [&](std::int64_t from, std::int64_t to, Expected& part) {
                       Room room(k_);
                       for (std::int64_t row = from; row < to; row += room.group.count) {
                         fill(row, std::min(row + kGroup, to), room);
                         add_rows(row, room, part);
                       }
                     });
  }

  /// The columns of the votes of rows from..to-1, at most kGroup.
  void fill(std::int64_t from, std::int64_t to, Room& room) const {
    const auto at = [&](std::int64_t row) { return votes_.indptr[static_cast<std::size_t>(row)]; };
    const std::int64_t first = at(from);
    room.column.resize(static_cast<std::size_t>(at(to) - first));
    for (std::size_t e = 0; e < room.column.size(); ++e) {
      const std::size_t vote = static_cast<std::size_t>(first) + e;
      room.column[e] = column_of_[static_cast<std::size_t>(votes_.columns[vote]) * k_ +
                                  static_cast<std::size_t>(votes_.values[vote])];
    }
    room.group.count = to - from;
    for (std::int64_t row = from; row < to; ++row) {
      room.group.rows[static_cast<std::size_t>(row - from)] = {
          room.column.data() + (at(row) - first), room.column.data() + (at(row + 1) - first)};
    }
  }

  /// Adds anchored posteriors and posteriors, or gold where it is known.
  void add_rows(std::int64_t from, Room& room, Expected& part) const {
    const auto k = static_cast<long>(k_);
    RowGroup& group = room.group;
    const auto count = static_cast<std::size_t>(group.count);
    COVERSET_AT_LEVEL(gather_rows)
    (table_.data(), 2 * k, group.rows.data(), group.count, room.votes.data());
    for (std::size_t i = 0; i < count; ++i) {
      const double* evidence = room.votes.data() + 2 * i * k_;
      double counted = 0.0;
      for (std::size_t y = 0; y < k_; ++y) counted += evidence[k_ + y];
      group.share[i] = 1.0 / (1.0 + options_.row_correlation * std::max(counted - 1.0, 0.0));
      std::copy_n(evidence, k_, room.classes.data() + i * k_);
      // to what a row's majority vote is multiplied by
      room.votes[2 * i * k_] = counted > 0.0 ? options_.anchor / counted : 0.0;
    }
    COVERSET_AT_LEVEL(softmax_rows)
    (group.share.data(), log_prior_.data(), k, group.count, room.classes.data());
    for (std::size_t i = 0; i < count; ++i) {
      const double* majority = room.votes.data() + (2 * i + 1) * k_;
      const double share = room.votes[2 * i * k_];
      const double* posterior = room.classes.data() + i * k_;
      double* expected = room.expected.data() + 2 * i * k_;
      const bool without_votes = group.rows[i].first == group.rows[i].last;
      const auto row = static_cast<std::size_t>(from) + i;
      const std::int16_t gold = gold_.empty() ? std::int16_t{-1} : gold_[row];
      if (without_votes || gold >= 0) {
        std::fill_n(expected, 2 * k_, 0.0);
        if (!without_votes) expected[gold] = expected[k_ + static_cast<std::size_t>(gold)] = 1.0;
        continue;
      }
      for (std::size_t y = 0; y < k_; ++y) {
        expected[y] = share * majority[y] + (1.0 - options_.anchor) * posterior[y];
        expected[k_ + y] = posterior[y];
      }
    }
    COVERSET_AT_LEVEL(scatter_rows)
    (room.expected.data(), room.once.data(), 0.0, 2 * k, group.rows.data(), group.count,
     part.votes.data(), part.rows.data());
  }

  const Votes& votes_;
  std::span<const std::int32_t> column_of_;
  std::span<const std::int16_t> gold_;
  const VoteColumns& columns_;
  const FitOptions& options_;
  LabelModelState& state_;
  std::size_t k_;
  std::vector<double> log_prior_;
  std::vector<double> table_;  // (columns, 2 k): evidence of a vote, and the vote itself
};

}  // namespace

void refine_by_rows(const Cpu& device, const Votes& votes, std::span<const std::int32_t> column_of,
                    std::span<const std::int16_t> gold, const VoteColumns& columns,
                    const FitOptions& options, double rows_before, LabelModelState& state) {
  Pass(votes, column_of, gold, columns, options, state).run(device, rows_before);
}

}  // namespace coverset
