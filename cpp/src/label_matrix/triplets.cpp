// Label matrices from loose answers.
#include <algorithm>
#include <numeric>

#include "coverset/error.hpp"
#include "coverset/label_matrix.hpp"
#include "coverset/parallel.hpp"
#include "label_matrix/rows.hpp"

namespace coverset {
namespace {

constexpr std::int64_t kBlockRows = 1 << 12;
constexpr std::int64_t kBlockAnswers = 1 << 18;

/// The label most answers gave, or -1 when two labels share the lead.
std::int32_t majority(std::vector<std::int16_t>& answers) {
  std::ranges::sort(answers);
  std::size_t best = 0;
  std::int32_t winner = kAbstain;
  for (std::size_t i = 0; i < answers.size();) {
    std::size_t end = i;
    while (end < answers.size() && answers[end] == answers[i]) ++end;
    if (end - i > best) {
      best = end - i;
      winner = answers[i];
    } else if (end - i == best) {
      winner = kAbstain;
    }
    i = end;
  }
  return winner;
}

/// Merges repeats within one sorted row, in place; returns the number of votes left.
std::size_t merge_row(std::int64_t row, std::int32_t* lfs, std::int16_t* labels, std::size_t n,
                      Duplicates duplicates, std::vector<std::int16_t>& answers,
                      DuplicateReport& report) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < n;) {
    std::size_t end = i + 1;
    while (end < n && lfs[end] == lfs[i]) ++end;
    std::int32_t label = labels[end - 1];
    if (end - i > 1) {
      require(duplicates != Duplicates::error, "row ", row, " holds ", end - i, " answers of LF ",
              lfs[i], "; pass duplicates=\"majority\" or \"last\" to merge them");
      report.repeated += static_cast<std::int64_t>(end - i - 1);
      answers.assign(labels + i, labels + end);
      report.conflicting +=
          std::ranges::adjacent_find(answers, std::not_equal_to<>()) != answers.end();
      if (duplicates == Duplicates::majority) label = majority(answers);
      report.abstained += label == kAbstain;
    }
    if (label != kAbstain) {
      lfs[kept] = lfs[i];
      labels[kept] = static_cast<std::int16_t>(label);
      ++kept;
    }
    i = end;
  }
  report.votes += static_cast<std::int64_t>(kept);
  return kept;
}

}  // namespace

DuplicateReport from_triplets(const Cpu& device, std::span<const std::int64_t> rows,
                              std::span<const std::int32_t> lfs,
                              std::span<const std::int16_t> labels, Duplicates duplicates,
                              std::span<std::int64_t> indptr, std::span<std::int32_t> out_lfs,
                              std::span<std::int16_t> out_labels) {
  const auto n = static_cast<std::int64_t>(indptr.size()) - 1;
  // counting sort by row: starts[r] is where the next answer of row r goes
  std::vector<std::int64_t> starts(static_cast<std::size_t>(n) + 1, 0);
  const auto answers = static_cast<std::int64_t>(rows.size());
  const Cpu alone{1, device.poll, device.state};  // in order, but polled
  parallel_for(alone, answers, kBlockAnswers, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      ++starts[static_cast<std::size_t>(rows[i]) + 1];
    }
  });
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  parallel_for(alone, answers, kBlockAnswers, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const auto at = static_cast<std::size_t>(starts[static_cast<std::size_t>(rows[i])]++);
      out_lfs[at] = lfs[i];
      out_labels[at] = labels[i];
    }
  });
  // now starts[r] is where row r ends
  indptr[0] = 0;
  const auto begin_of = [&](std::int64_t row) {
    return row == 0 ? 0 : starts[static_cast<std::size_t>(row) - 1];
  };
  DuplicateReport report = parallel_reduce(
      device, n, kBlockRows, DuplicateReport{},
      [&](std::int64_t begin, std::int64_t end) {
        DuplicateReport part;
        std::vector<std::pair<std::int32_t, std::int16_t>> scratch;
        std::vector<std::int16_t> repeats;
        for (std::int64_t row = begin; row < end; ++row) {
          const auto first = static_cast<std::size_t>(begin_of(row));
          const auto count =
              static_cast<std::size_t>(starts[static_cast<std::size_t>(row)]) - first;
          sort_row(out_lfs.data() + first, out_labels.data() + first, count, scratch);
          indptr[static_cast<std::size_t>(row) + 1] = static_cast<std::int64_t>(
              merge_row(row, out_lfs.data() + first, out_labels.data() + first, count, duplicates,
                        repeats, part));
        }
        return part;
      },
      [](DuplicateReport a, const DuplicateReport& b) {
        return DuplicateReport{a.votes + b.votes, a.repeated + b.repeated,
                               a.conflicting + b.conflicting, a.abstained + b.abstained};
      });
  // close the gaps that merging left
  std::partial_sum(indptr.begin(), indptr.end(), indptr.begin());
  if (report.repeated == 0) return report;
  parallel_for(alone, n, kBlockAnswers, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t from = begin_of(row);
      const RowRange to = row_range(indptr, row);
      const auto kept = to.end - to.begin;
      std::copy_n(out_lfs.data() + from, kept, out_lfs.data() + to.begin);
      std::copy_n(out_labels.data() + from, kept, out_labels.data() + to.begin);
    }
  });
  return report;
}

}  // namespace coverset
