// Pairs of columns that may repeat each other, and what their expected votes have in common.
#include <algorithm>
#include <utility>
#include <vector>

#include "coverset/label_model.hpp"
#include "coverset/parallel.hpp"

namespace coverset {
namespace {

std::vector<std::size_t> lf_of_column(const VoteColumns& columns) {
  std::vector<std::size_t> lf(static_cast<std::size_t>(columns.size()));
  for (std::size_t j = 0; j < static_cast<std::size_t>(columns.n_lfs()); ++j) {
    std::fill(lf.begin() + columns.indptr[j], lf.begin() + columns.indptr[j + 1], j);
  }
  return lf;
}

/// What the pairs of one LF are found with.
class Finder {
 public:
  Finder(const OverlapView& overlaps, const VoteColumns& columns,
         std::span<const std::int64_t> family, const std::vector<std::size_t>& lf)
      : overlaps_(overlaps), columns_(columns), family_(family), lf_(lf) {}

  void unipolar(std::size_t own, ColumnPairs& found) const {
    visit(own, [&](std::size_t c, std::size_t other, double rows) {
      if (columns_.label[c] != columns_.label[other]) return;
      found.first.push_back(static_cast<std::int64_t>(c));
      found.second.push_back(static_cast<std::int64_t>(other));
      found.rows.push_back(rows);
    });
  }

  void annotators(std::size_t own, ColumnPairs& found) {
    const auto m = static_cast<std::size_t>(columns_.n_lfs());
    seen_.resize(m);
    rows_.resize(m);
    agreeing_.resize(m);
    visit(own, [&](std::size_t c, std::size_t other, double rows) {
      const std::size_t lf = lf_[other];
      if (!std::exchange(seen_[lf], 1)) met_.push_back(lf);
      rows_[lf] += rows;
      if (columns_.label[c] == columns_.label[other]) agreeing_[lf] += rows;
    });
    std::ranges::sort(met_);
    for (const std::size_t lf : met_) {
      found.first.push_back(columns_.indptr[own]);
      found.second.push_back(columns_.indptr[lf]);
      found.rows.push_back(std::exchange(rows_[lf], 0.0));
      found.agreeing.push_back(std::exchange(agreeing_[lf], 0.0));
      seen_[lf] = 0;
    }
    met_.clear();
  }

 private:
  /// Calls visit(column, other, rows) for the overlaps with LFs of the same kind and family.
  template <class Visit>
  void visit(std::size_t own, Visit&& visit) const {
    for (auto c = static_cast<std::size_t>(columns_.indptr[own]);
         c < static_cast<std::size_t>(columns_.indptr[own + 1]); ++c) {
      for (auto e = static_cast<std::size_t>(overlaps_.indptr[c]);
           e < static_cast<std::size_t>(overlaps_.indptr[c + 1]); ++e) {
        const auto other = static_cast<std::size_t>(overlaps_.other[e]);
        const std::size_t lf = lf_[other];
        if (columns_.annotator[lf] != columns_.annotator[own]) continue;
        if (family_.empty() || family_[lf] == family_[own]) visit(c, other, overlaps_.rows[e]);
      }
    }
  }

  const OverlapView& overlaps_;
  const VoteColumns& columns_;
  std::span<const std::int64_t> family_;
  const std::vector<std::size_t>& lf_;
  std::vector<std::uint8_t> seen_;
  std::vector<double> rows_, agreeing_;
  std::vector<std::size_t> met_;
};

template <class T>
void append(std::vector<T>& all, std::vector<T>& part) {
  all.insert(all.end(), part.begin(), part.end());
  std::vector<T>().swap(part);
}

void append(ColumnPairs& all, ColumnPairs& part) {
  append(all.first, part.first);
  append(all.second, part.second);
  append(all.rows, part.rows);
  append(all.agreeing, part.agreeing);
}

/// The inner product in two lanes, as the header says.
double product(const double* a, const double* b, std::size_t width) {
  double even = 0.0, odd = 0.0;
  std::size_t i = 0;
  for (; width - i >= 8; i += 8) {
    for (std::size_t j = i + 8; j > i; j -= 2) {
      even += a[j - 2] * b[j - 2];
      odd += a[j - 1] * b[j - 1];
    }
  }
  for (; i < width; i += 2) {
    even += a[i] * b[i];
    if (i + 1 < width) odd += a[i + 1] * b[i + 1];
  }
  return even + odd;
}

std::int64_t pair_block(std::size_t width) {
  return std::max<std::int64_t>(1, (1 << 18) / static_cast<std::int64_t>(width));
}

}  // namespace

DependentPairs dependent_pairs(const Cpu& device, const OverlapView& overlaps,
                               const VoteColumns& columns, std::span<const std::int64_t> family) {
  const std::int64_t m = columns.n_lfs(), block = std::max<std::int64_t>(1, m / 256);
  const std::vector<std::size_t> lf = lf_of_column(columns);
  std::vector<DependentPairs> parts(static_cast<std::size_t>((m + block - 1) / block));
  parallel_for(device, m, block, [&](std::int64_t begin, std::int64_t end) {
    DependentPairs& part = parts[static_cast<std::size_t>(begin / block)];
    Finder finder(overlaps, columns, family, lf);
    for (auto j = static_cast<std::size_t>(begin); j < static_cast<std::size_t>(end); ++j) {
      if (columns.annotator[j] == 0) {
        finder.unipolar(j, part.unipolar);
      } else {
        finder.annotators(j, part.annotators);
      }
    }
  });
  DependentPairs all;
  for (DependentPairs& part : parts) {
    append(all.unipolar, part.unipolar);
    append(all.annotators, part.annotators);
  }
  return all;
}

void multiply_pairs(const Cpu& device, std::span<const double> left, std::span<const double> right,
                    std::span<const std::int64_t> first, std::span<const std::int64_t> second,
                    std::int64_t width, std::span<double> products) {
  const auto k = static_cast<std::size_t>(width);
  const auto n = static_cast<std::int64_t>(first.size());
  parallel_for(device, n, pair_block(k), [&](std::int64_t begin, std::int64_t end) {
    for (auto p = static_cast<std::size_t>(begin); p < static_cast<std::size_t>(end); ++p) {
      products[p] = product(left.data() + static_cast<std::size_t>(first[p]) * k,
                            right.data() + static_cast<std::size_t>(second[p]) * k, k);
    }
  });
}

void multiply_annotators(const Cpu& device, std::span<const double> left,
                         std::span<const double> right, std::span<const std::int64_t> first,
                         std::span<const std::int64_t> second, const VoteColumns& columns,
                         std::int64_t width, std::span<double> products) {
  const auto k = static_cast<std::size_t>(width);
  const auto n = static_cast<std::int64_t>(first.size());
  const std::vector<std::size_t> lf = lf_of_column(columns);
  const auto range = [&](std::int64_t column) {
    const std::size_t j = lf[static_cast<std::size_t>(column)];
    return std::pair(static_cast<std::size_t>(columns.indptr[j]),
                     static_cast<std::size_t>(columns.indptr[j + 1]));
  };
  // a pair has at most `width` labels in common
  const std::int64_t block = std::max<std::int64_t>(1, pair_block(k) / width);
  parallel_for(device, n, block, [&](std::int64_t begin, std::int64_t end) {
    for (auto p = static_cast<std::size_t>(begin); p < static_cast<std::size_t>(end); ++p) {
      auto [a, last_a] = range(first[p]);
      auto [b, last_b] = range(second[p]);
      double sum = 0.0;
      while (a < last_a && b < last_b) {
        if (columns.label[a] == columns.label[b]) {
          sum += product(left.data() + a++ * k, right.data() + b++ * k, k);
        } else if (columns.label[a] < columns.label[b]) {
          ++a;
        } else {
          ++b;
        }
      }
      products[p] = sum;
    }
  });
}

}  // namespace coverset
