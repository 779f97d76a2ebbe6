// Label matrices from loose answers.
#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "coverset/error.hpp"
#include "coverset/label_matrix.hpp"
#include "coverset/parallel.hpp"
#include "label_matrix/rows.hpp"

namespace coverset {
namespace {

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

/// LF and label of an answer; LF in the high bits, so that sorting by LF is comparing numbers.
constexpr int kLabelBits = 16;
std::uint64_t pack(std::int32_t lf, std::int16_t label) {
  return static_cast<std::uint64_t>(lf) << kLabelBits | static_cast<std::uint16_t>(label);
}
std::int32_t lf_of(std::uint64_t answer) { return static_cast<std::int32_t>(answer >> kLabelBits); }
std::int16_t label_of(std::uint64_t answer) { return static_cast<std::int16_t>(answer); }

/// Sorts a row's answers by LF, stably.
void sort_answers(std::span<std::uint64_t> answers) {
  if (answers.size() > kFewVotes) {
    std::ranges::stable_sort(answers, {}, lf_of);
    return;
  }
  insertion_sort(
      answers.size(), [=](std::size_t i) { return answers[i]; },
      [=](std::size_t i, std::uint64_t answer) { answers[i] = answer; }, lf_of);
}

/// Merges repeats within one sorted row, in place; returns the number of votes left.
std::size_t merge_row(std::int64_t row, std::span<std::uint64_t> answers, Duplicates duplicates,
                      std::vector<std::int16_t>& repeats, DuplicateReport& report) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < answers.size();) {
    const std::int32_t lf = lf_of(answers[i]);
    std::size_t end = i + 1;
    while (end < answers.size() && lf_of(answers[end]) == lf) ++end;
    std::int32_t label = label_of(answers[end - 1]);
    if (end - i > 1) {
      require(duplicates != Duplicates::error, "row ", row, " holds ", end - i, " answers of LF ",
              lf, "; pass duplicates=\"majority\" or \"last\" to merge them");
      report.repeated += static_cast<std::int64_t>(end - i - 1);
      repeats.clear();
      for (std::size_t e = i; e < end; ++e) repeats.push_back(label_of(answers[e]));
      report.conflicting +=
          std::ranges::adjacent_find(repeats, std::not_equal_to<>()) != repeats.end();
      if (duplicates == Duplicates::majority) label = majority(repeats);
      report.abstained += label == kAbstain;
    }
    if (label != kAbstain) answers[kept++] = pack(lf, static_cast<std::int16_t>(label));
    i = end;
  }
  report.votes += static_cast<std::int64_t>(kept);
  return kept;
}

struct Answer {
  std::int64_t row;
  std::uint64_t vote;  // packed
};

/// Buckets of consecutive rows, few enough that scattering answers to them stays in cache, and
/// small enough that sorting one does too.
struct Buckets {
  int shift = 12;
  std::vector<std::int64_t> ends;  // where the next answer of a bucket goes, and at last its end

  explicit Buckets(std::int64_t n) {
    while ((n >> shift) >= 1024) ++shift;
    ends.assign(static_cast<std::size_t>((n >> shift) + 2), 0);
  }
  std::size_t of(std::int64_t row) const { return static_cast<std::size_t>(row >> shift); }
  std::int64_t rows() const { return std::int64_t{1} << shift; }
  std::size_t begin(std::size_t bucket) const {
    return static_cast<std::size_t>(bucket == 0 ? 0 : ends[bucket - 1]);
  }
  std::size_t end(std::size_t bucket) const { return static_cast<std::size_t>(ends[bucket]); }
};

/// The answers with their rows' buckets together, in the order given within a bucket.
std::vector<Answer> to_buckets(const Cpu& device, std::span<const std::int64_t> rows,
                               std::span<const std::int32_t> lfs,
                               std::span<const std::int16_t> labels, Buckets& buckets) {
  constexpr std::int64_t kStretch = 1 << 18;
  const auto count = static_cast<std::int64_t>(rows.size());
  const Cpu alone{1, device.poll, device.state};  // in order, but polled
  parallel_for(alone, count, kStretch, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      ++buckets.ends[buckets.of(rows[i]) + 1];
    }
  });
  std::partial_sum(buckets.ends.begin(), buckets.ends.end(), buckets.ends.begin());
  std::vector<Answer> answers(rows.size());
  parallel_for(alone, count, kStretch, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const auto at = static_cast<std::size_t>(buckets.ends[buckets.of(rows[i])]++);
      answers[at] = {rows[i], pack(lfs[i], labels[i])};
    }
  });
  return answers;
}

/// Sorts one bucket by row and LF, merges repeats, and writes the votes to its front. `ends`
/// (rows of the bucket) gets the number of votes of each row.
DuplicateReport sort_bucket(std::span<Answer> answers, std::int64_t first_row,
                            std::span<std::int64_t> ends, Duplicates duplicates) {
  std::vector<std::int64_t> starts(ends.size() + 1, 0);
  for (const Answer& answer : answers)
    ++starts[static_cast<std::size_t>(answer.row - first_row) + 1];
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  std::vector<std::uint64_t> votes(answers.size());
  for (const Answer& answer : answers) {
    const auto row = static_cast<std::size_t>(answer.row - first_row);
    votes[static_cast<std::size_t>(starts[row]++)] = answer.vote;
  }
  DuplicateReport report;
  std::vector<std::int16_t> repeats;
  std::size_t begin = 0, kept = 0;
  for (std::size_t row = 0; row < ends.size(); ++row) {
    const auto end = static_cast<std::size_t>(starts[row]);
    const auto of_row = std::span(votes).subspan(begin, end - begin);
    sort_answers(of_row);
    const std::size_t left =
        merge_row(first_row + static_cast<std::int64_t>(row), of_row, duplicates, repeats, report);
    ends[row] = static_cast<std::int64_t>(left);
    for (std::size_t i = 0; i < left; ++i) answers[kept++].vote = of_row[i];
    begin = end;
  }
  return report;
}

}  // namespace

DuplicateReport from_triplets(const Cpu& device, std::span<const std::int64_t> rows,
                              std::span<const std::int32_t> lfs,
                              std::span<const std::int16_t> labels, Duplicates duplicates,
                              std::span<std::int64_t> indptr, std::span<std::int32_t> out_lfs,
                              std::span<std::int16_t> out_labels) {
  const auto n = static_cast<std::int64_t>(indptr.size()) - 1;
  Buckets buckets(n);
  std::vector<Answer> answers = to_buckets(device, rows, lfs, labels, buckets);
  indptr[0] = 0;
  const DuplicateReport report = parallel_reduce(
      device, n, buckets.rows(), DuplicateReport{},
      [&](std::int64_t begin, std::int64_t end) {
        const std::size_t bucket = buckets.of(begin);
        const std::size_t first = buckets.begin(bucket);
        return sort_bucket(std::span(answers).subspan(first, buckets.end(bucket) - first), begin,
                           indptr.subspan(static_cast<std::size_t>(begin) + 1,
                                          static_cast<std::size_t>(end - begin)),
                           duplicates);
      },
      [](DuplicateReport a, const DuplicateReport& b) {
        return DuplicateReport{a.votes + b.votes, a.repeated + b.repeated,
                               a.conflicting + b.conflicting, a.abstained + b.abstained};
      });
  std::partial_sum(indptr.begin(), indptr.end(), indptr.begin());
  parallel_for(device, n, buckets.rows(), [&](std::int64_t begin, std::int64_t end) {
    const Answer* from = answers.data() + buckets.begin(buckets.of(begin));
    const auto last = static_cast<std::size_t>(indptr[static_cast<std::size_t>(end)]);
    for (auto to = static_cast<std::size_t>(indptr[static_cast<std::size_t>(begin)]); to < last;
         ++to, ++from) {
      out_lfs[to] = lf_of(from->vote);
      out_labels[to] = label_of(from->vote);
    }
  });
  return report;
}

}  // namespace coverset
