// Label models: from votes to class probabilities.
//
// Contracts that a CUDA device can keep, too, take spans and plain structs and state their scratch
// memory: votes (vote_fractions, choose_labels), patterns (group_rows, find_columns) and prediction
// (weigh_columns, predict_proba, predict_one_vs_rest). A device's spans are device memory, and its
// scratch is Cuda::scratch. The others are the host's: agreement, overlaps, fits, moments,
// triplets, neighborhoods, factors.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "coverset/device.hpp"
#include "coverset/view.hpp"

namespace coverset {

/// Majority vote of one row: probabilities[y] = share of the n votes for y, uniform when there
/// are none. Host and device share this arithmetic.
COVERSET_HD inline void vote_fractions_of_row(const std::int16_t* labels, std::int64_t n,
                                              std::int32_t cardinality, float* probabilities) {
  if (n == 0) {
    const float uniform = 1.0f / static_cast<float>(cardinality);
    for (std::int32_t y = 0; y < cardinality; ++y) probabilities[y] = uniform;
    return;
  }
  for (std::int32_t y = 0; y < cardinality; ++y) probabilities[y] = 0.0f;
  for (std::int64_t i = 0; i < n; ++i) probabilities[labels[i]] += 1.0f;
  for (std::int32_t y = 0; y < cardinality; ++y) probabilities[y] /= static_cast<float>(n);
}

/// Majority vote: probabilities (rows, cardinality) out, the share of each row's votes; a row
/// without votes is uniform. Exact for rows of at most 2^24 votes. Reads each vote once.
/// Scratch: none.
void vote_fractions(const Cpu& device, const Votes& votes, std::int32_t cardinality,
                    std::span<float> probabilities);
void vote_fractions(const Cuda& device, const Votes& votes, std::int32_t cardinality,
                    std::span<float> probabilities);

/// How predict breaks ties between classes of equal probability.
enum class TieBreak { abstain, lowest, random };

/// The most probable class of each row. A tie is -1, the lowest tied class, or one of the tied
/// classes drawn by (seed, row). Scratch: none.
void choose_labels(const Cpu& device, std::span<const float> probabilities,
                   std::int32_t cardinality, TieBreak tie_break, std::uint64_t seed,
                   std::span<std::int16_t> labels);

/// Groups rows with equal votes, and equal gold where `gold` is given (one class a row, -1 =
/// unknown). Patterns are numbered in order of first appearance: pattern_of_row (rows) out;
/// first_row (rows) out, of which the first entries count, one a pattern. Returns the number of
/// patterns, for which a device's stream is waited for. Scratch on the host: at most 96 bytes a
/// pattern, and 4 MiB and 8 KiB a thread; on a device: 40 bytes a row and 16 MiB (hashes and rows,
/// sorted, and a scan of where they change).
std::int64_t group_rows(const Cpu& device, const Votes& votes, std::span<const std::int16_t> gold,
                        std::span<std::int64_t> pattern_of_row, std::span<std::int64_t> first_row);

/// The (LF, label) pairs that a model has a weight for: labels of LF j, ascending, are
/// label[e] for indptr[j] <= e < indptr[j + 1]. Entry e is called column e.
struct VoteColumns {
  std::span<const std::int64_t> indptr;  // (n_lfs + 1)
  std::span<const std::int16_t> label;
  std::span<const std::uint8_t> annotator;  // (n_lfs): 1 for confusion rows, 0 for lift
  std::span<const double> weight = {};      // how much of a vote counts: less where LFs depend on
                                            // each other; empty: 1
  double weight_of(std::size_t column) const { return weight.empty() ? 1.0 : weight[column]; }
  std::int64_t n_lfs() const { return static_cast<std::int64_t>(indptr.size()) - 1; }
  std::int64_t size() const { return static_cast<std::int64_t>(label.size()); }
};

/// counts (n_lfs, cardinality) out: the weight of the rows with each vote; weights are whole
/// numbers. Allocates as much for each block of rows that is in flight.
void weigh_labels(const Cpu& device, const Votes& votes, std::span<const double> weight,
                  std::int32_t cardinality, std::span<std::int64_t> counts);

/// sums (columns, cardinality) out: for each column the rows of `mass` (rows, cardinality) of the
/// rows with it, added one after another: on one thread, since no other order has the same bits.
void add_by_column(const Cpu& device, std::span<const std::int64_t> indptr,
                   std::span<const std::int32_t> column, std::span<const double> mass,
                   std::int32_t cardinality, std::span<double> sums);

/// Column of each vote, or -1 where the pair is in no column. Scratch on the host: 256 KiB; on a
/// device: none.
void find_columns(const Cpu& device, const Votes& votes, const VoteColumns& columns,
                  std::span<std::int32_t> column_of_vote);

/// Distinct rows of votes as columns, how often each occurs, and its gold (-1: unknown).
struct Patterns {
  std::span<const std::int64_t> indptr;
  std::span<const std::int32_t> column;
  std::span<const double> weight;
  std::span<const std::int16_t> gold;

  std::int64_t size() const { return static_cast<std::int64_t>(indptr.size()) - 1; }
};

/// Chance-corrected agreement of the votes.
struct Agreement {
  double alpha = 0.0;    // Krippendorff's nominal alpha; NaN when no row has two votes
  double covered = 0.0;  // weight of the patterns with a vote
};

/// Krippendorff's alpha (Krippendorff 2011, nominal data) and share (cardinality) out: the mean
/// vote fraction of covered rows. Votes count by their column's weight; columns with equal entries
/// in `cluster` (0..columns-1, of one label) are no pairs. An empty `cluster`: each is its own.
Agreement measure_agreement(const Cpu& device, const Patterns& patterns, const VoteColumns& columns,
                            std::span<const std::int32_t> cluster, std::span<double> share);

/// Pairs of columns that occur in one pattern: those of column c are other[e], ascending and above
/// c, for indptr[c] <= e < indptr[c + 1]; rows[e] is the weight of the patterns with both.
struct Overlaps {
  std::vector<std::int64_t> indptr;
  std::vector<std::int32_t> other;
  std::vector<double> rows;
};

/// Counts overlaps of 0..columns-1 by Gustavson's row-wise product (1978), of which one half is
/// made: O(sum of squared pattern lengths). Sums of whole weights are exact. Allocates the result,
/// 12 bytes a vote, and 12 bytes a column for each block in work; for at most 1,024 columns the
/// result and 8 bytes a pair.
Overlaps count_overlaps(const Cpu& device, const Patterns& patterns, std::int64_t columns);

/// The same overlaps, borrowed.
struct OverlapView {
  std::span<const std::int64_t> indptr;
  std::span<const std::int32_t> other;
  std::span<const double> rows;
};

/// The overlaps both ways round: for indptr[c] <= e < indptr[c + 1], other[e] ascends over all
/// columns that column c occurs with, and entry[e] is their place among `overlaps`. O(pairs), on
/// one thread. Allocates 8 bytes a column.
void mirror_overlaps(const Cpu& device, const OverlapView& overlaps, std::span<std::int64_t> indptr,
                     std::span<std::int32_t> other, std::span<std::int64_t> entry);

/// Pairs of columns, first below second, ascending.
struct ColumnPairs {
  std::vector<std::int64_t> first, second;
  std::vector<double> rows;      // with both votes
  std::vector<double> agreeing;  // of these, with one label
};

/// Pairs of columns that may repeat each other: of LFs of one kind and of one family (one entry an
/// LF; empty: all are of one). Unipolar LFs meet in columns of one label. Annotators meet as a
/// whole: their first columns stand for them, and what their columns overlap is summed, in order.
struct DependentPairs {
  ColumnPairs unipolar, annotators;  // of unipolar LFs all rows agree, and `agreeing` stays empty
};

/// O(overlaps). Allocates twice the result, and 17 bytes an LF for each block in work.
DependentPairs dependent_pairs(const Cpu& device, const OverlapView& overlaps,
                               const VoteColumns& columns, std::span<const std::int64_t> family);

/// products[p]: the inner product of row first[p] of `left` and row second[p] of `right`, both
/// (rows, width). Sums are made in two lanes, numbers of even and of odd place; of each eight
/// numbers, the last come first.
void multiply_pairs(const Cpu& device, std::span<const double> left, std::span<const double> right,
                    std::span<const std::int64_t> first, std::span<const std::int64_t> second,
                    std::int64_t width, std::span<double> products);

/// The same for pairs of LFs, summed over the labels, ascending, that both have a column for:
/// `left` and `right` are (columns, width), and a pair names LFs by any of their columns.
void multiply_annotators(const Cpu& device, std::span<const double> left,
                         std::span<const double> right, std::span<const std::int64_t> first,
                         std::span<const std::int64_t> second, const VoteColumns& columns,
                         std::int64_t width, std::span<double> products);

/// Average linkage of s things by their similarity (s, s), symmetric, which is used up: the two
/// most similar clusters, the first of equals, merge while their mean similarity is at least
/// `least`. cluster[i] is the lowest member of thing i's cluster. O(s^2) where few things have the
/// same nearest one, O(s^3) at worst, on one thread. Allocates 25 bytes a thing.
void merge_nearest_clusters(const Cpu& device, std::span<double> similarity, double least,
                            std::span<std::int64_t> cluster);

/// Settings of the anchored label model; docs/label_model.md derives them.
struct FitOptions {
  double anchor = 0.5;           // weight of the majority vote in the expected labels
  double kappa = 1.0;            // votes that a unipolar LF's prior on lift counts for, per vote
  double annotator_share = 0.0;  // share of votes cast by annotators
  double row_correlation = 0.1;  // votes of a row repeat each other: evidence is divided by
                                 // 1 + row_correlation * (votes - 1)
  double tolerance = 1e-4;       // stop when no pattern's posterior moved by more
  std::int64_t most_passes = 25;
  std::int64_t batch = 0;      // patterns in a minibatch; 0: all of them
  std::uint64_t seed = 0;      // order of the minibatches
  bool balance_given = false;  // class_balance in the state is the user's and stays
};

/// What the model knows: caller-allocated, overwritten by fit_label_model.
struct LabelModelState {
  std::int32_t cardinality = 2;
  std::span<double> expected;       // (columns, cardinality): expected votes in each class
  std::span<double> log_weight;     // (columns, cardinality): evidence of a vote, log scale
  std::span<double> class_balance;  // (cardinality)
  std::span<double> believed;       // (columns, cardinality): expected votes, posterior alone
  std::span<double> believed_rows;  // (cardinality): expected covered rows, posterior alone
};

/// Evidence of each column from its expected votes: unipolar LFs by lift, annotators by
/// confusion. Reads state.expected and state.class_balance, writes state.log_weight. Scratch: 8
/// bytes a cell of (cardinality, cardinality), and 8 bytes a class for each LF in work.
void weigh_columns(const Cpu& device, const VoteColumns& columns, const FitOptions& options,
                   LabelModelState& state);

/// log_prior (cardinality) out: the class balance, as far as it is trusted. A balance that was
/// given is trusted in full; a learned one as far as annotators cast the votes (unipolar LFs say
/// more of where they fire than of how common a class is), the rest is uniform. On the host: it is
/// a few numbers.
void class_log_prior(const FitOptions& options, std::span<const double> class_balance,
                     std::span<double> log_prior);

struct FitReport {
  std::int64_t passes = 0;
  double change = 0.0;  // largest move of a posterior in the last pass
};

/// Fits the anchored label model: ascends
///   J = (1 - anchor) sum_i log p(x_i) + anchor sum_i sum_y mv_i(y) log p(x_i, y)
/// over the patterns, by natural-gradient steps on minibatches of patterns (stepwise EM, Cappe &
/// Moulines 2009); one batch is plain EM. Gold rows count with their class. The sums run over a
/// grid that depends on the patterns alone, so any thread count gives the same bits. Allocates
/// patterns * cardinality doubles, at most 64 MiB of majority votes and at most 64 MiB of sums
/// (four sets of sums if that is more).
FitReport fit_label_model(const Cpu& device, const Patterns& patterns, const VoteColumns& columns,
                          const FitOptions& options, LabelModelState& state);

/// One pass of stepwise EM over rows as they come, every vote read once, from a state that was
/// fitted to a sample of `rows_before` of them; its expected votes are those of all rows. column_of
/// is the column of each (LF, label), LF * cardinality + label; gold may be empty. Sums are made in
/// one order, whatever the threads. Allocates 16 bytes a column and class, and as much for each of
/// at most 32 parts of a step of rows.
void refine_by_rows(const Cpu& device, const Votes& votes, std::span<const std::int32_t> column_of,
                    std::span<const std::int16_t> gold, const VoteColumns& columns,
                    const FitOptions& options, double rows_before, LabelModelState& state);

/// What a vote of a Dawid-Skene annotator depends on.
enum class Confusion { full, by_class, one_coin };

/// MAP EM of Dawid and Skene (1979); docs/label_model.md has the equations.
struct DawidSkeneOptions {
  Confusion confusion = Confusion::full;
  bool abstain_is_outcome = false;
  double smoothing = 0.01;  // pseudo-votes of each cell
  double diagonal = 0.0;    // and of right votes beyond
  bool balance_given = false;
  std::int64_t most_passes = 100;
  double tolerance = 1e-6;
};

/// Expected votes, which are sums of fixed-point numbers: the same whatever the order of the rows.
/// Caller-allocated.
struct DawidSkeneState {
  std::int32_t cardinality = 2;
  std::span<double> expected;       // (columns, cardinality): votes in each class
  std::span<double> rows;           // (cardinality): rows in each class
  std::span<double> class_balance;  // (cardinality)
  std::span<double> log_weight;     // (columns, cardinality): evidence of a vote
  std::span<double> log_prior;      // (cardinality): evidence of a row before its votes
};

/// log_weight and log_prior from expected votes. With abstains as an outcome, the evidence of
/// LFs that abstain is in the prior, and a vote's is relative to it.
void weigh_confusions(const Cpu& device, const VoteColumns& columns,
                      const DawidSkeneOptions& options, DawidSkeneState& state);

/// Starts from vote fractions; gold rows keep their class. Allocates patterns * cardinality
/// doubles and at most 64 MiB of sums (four sets of sums if that is more).
FitReport fit_dawid_skene(const Cpu& device, const Patterns& patterns, const VoteColumns& columns,
                          const DawidSkeneOptions& options, DawidSkeneState& state);

/// Shares of rows with one vote, and with two votes of different LFs, each pair both ways round:
/// what the moments of the model are held against (Ratner et al. 2019).
struct Moments {
  std::span<const std::int64_t> lf_indptr;  // columns of LF j: lf_indptr[j]..lf_indptr[j + 1] - 1
  std::span<const double> share;            // by column
  std::span<const std::int64_t> indptr;     // pairs of a column
  std::span<const std::int32_t> other;
  std::span<const double> share_both;
  std::span<const double> class_balance;
};

/// mu is (columns, cardinality): P(vote | class). The loss, exact without anything dense:
///   |O - mu P mu'|^2 off the blocks of each LF + |mu p - diag O|^2 + |l2 (mu - start)|^2
/// in O(pairs * cardinality + columns * cardinality^2).
double moment_loss(const Cpu& device, const Moments& moments, std::span<const double> mu,
                   std::span<const double> start, double l2);

enum class Optimizer { sgd, adam, adamax };

struct DescentOptions {
  Optimizer optimizer = Optimizer::sgd;
  double momentum = 0.9;              // of sgd
  double beta1 = 0.9, beta2 = 0.999;  // of adam and adamax
  double epsilon = 1e-8;
  bool amsgrad = false;
  double l2 = 0.0;  // of the loss, and weight decay
};

/// One step along the gradient for each entry of `rates`, from mu in place. Stops and returns false
/// once mu is not finite.
bool descend_moments(const Cpu& device, const Moments& moments, const DescentOptions& options,
                     std::span<const double> rates, std::span<const double> start,
                     std::span<double> mu);

/// How far LFs that vote on the same rows agree: pairs of LF j are lf[e] for indptr[j] <= e <
/// indptr[j + 1], ascending, both ways round; correlation[e] is the mean product of their signs.
struct Correlations {
  std::span<const std::int64_t> indptr;
  std::span<const std::int32_t> lf;
  std::span<const double> correlation;
};

/// Method of moments over all triplets (Fu et al. 2020): mean_out[j] is the mean of
/// sqrt(|c(j, a) c(j, b) / c(a, b)|) over the pairs {a, b} with three correlations, the last not
/// 0; NaN without any. O(triplets).
void solve_triplets(const Cpu& device, const Correlations& correlations,
                    std::span<double> mean_out);

/// The l1 regression of each of n variables on all others (Meinshausen & Buhlmann 2006), from their
/// correlations (n, n): row c of `coefficients` minimizes b'Rb / 2 - R_c'b + l1 |b|_1 with b_c = 0.
/// O(n^2) a sweep for each variable. Allocates 8 bytes a variable for each block in work.
void solve_neighborhoods(const Cpu& device, std::span<const double> correlation, double l1,
                         std::span<double> coefficients);

/// Labeling functions (LFs) that depend on each other: given class y, the probability of their
/// votes x is proportional to exp(sum_j unary[y][label x_j of LF j] + sum over edges i < j of
/// pair[i][j] where both vote, for one label). Outcomes count through x_0, x_1, ..., the last one
/// fastest, each 0 for an abstain, then LF j's labels.
struct FactorComponent {
  std::span<const std::int64_t> label_indptr;  // (size + 1): labels of LF j, in `label`
  std::span<const std::int16_t> label;
  std::span<const std::uint8_t> edge;  // (size, size): 1 for each edge i < j
};

struct FactorOptions {
  double ridge = 1.0;       // pseudo-rows that hold parameters to 0
  double tolerance = 1e-7;  // of the gradient, a row
  std::int64_t most_steps = 200;
};

/// Maximizes the penalized likelihood of counts (cardinality, outcomes) by L-BFGS from
/// `parameters`: unary by class and label, then pair (size, size). The normalizers are exact:
/// O(outcomes * size) a step and class. Returns the number of steps. Allocates 40 bytes an outcome
/// and class.
std::int64_t fit_factors(const Cpu& device, const FactorComponent& component,
                         std::span<const double> counts, const FactorOptions& options,
                         std::span<double> parameters);

/// Log probabilities (cardinality, outcomes) out.
void factor_log_probabilities(const Cpu& device, const FactorComponent& component,
                              std::span<const double> parameters, std::span<double> out);

/// What a vote adds to the number of its component's outcome.
struct OutcomePlaces {
  std::span<const std::int64_t> component;  // (n_lfs): -1 for an LF in none
  std::span<const std::int64_t> added;      // (n_lfs, cardinality): 0 where a vote says nothing
  std::span<const std::int64_t> start;      // (components): the number of the outcome without votes
};

/// Rows as the outcomes of their components that have votes, by component, ascending: size
/// (indptr, rows + 1), then fill. Allocates 8 bytes a component for each block in work.
void size_outcomes(const Cpu& device, const Votes& votes, const OutcomePlaces& places,
                   std::span<std::int64_t> indptr);
void fill_outcomes(const Cpu& device, const Votes& votes, const OutcomePlaces& places,
                   std::span<const std::int64_t> indptr, std::span<std::int64_t> outcome);

/// Evidence of rows given fitted weights; log_prior (cardinality) is added to each.
struct Evidence {
  std::span<const double> log_weight;  // (columns, cardinality)
  std::span<const double> log_prior;
  double row_correlation = 0.1;
  std::span<const double> weight = {};  // of each column's votes, in log_weight already; empty: 1
};

/// How much of the log of the probabilities of rows without votes is added to the evidence of all
/// others.
inline constexpr double kTieBreaker = 1e-3;

/// Class probabilities (rows, cardinality) of rows given as columns; rows without votes, or with
/// votes in no column only, get `without_votes` (positive). It also breaks ties: a thousandth of
/// its log is added to the evidence of every row. Scratch: 8 bytes a class, and as much for each
/// row in work: 64 a thread on the host, as many as there is scratch for on a device.
void predict_proba(const Cpu& device, std::span<const std::int64_t> indptr,
                   std::span<const std::int32_t> column, const Evidence& evidence,
                   std::span<const double> without_votes, std::span<float> probabilities);

/// evidence (votes, cardinality) out: what each vote adds, its column's log weight times how much
/// of its row's evidence counts.
void explain_votes(const Cpu& device, std::span<const std::int64_t> indptr,
                   std::span<const std::int32_t> column, const Evidence& weights,
                   std::span<double> evidence);

/// The same evidence, each class against the rest: logistic functions of the evidence, made to sum
/// to 1; of two classes, that of class 1 and what is left. Scratch: 8 bytes a class for each row in
/// work: one a thread on the host, as many as there is scratch for on a device.
void predict_one_vs_rest(const Cpu& device, std::span<const std::int64_t> indptr,
                         std::span<const std::int32_t> column, const Evidence& evidence,
                         std::span<float> probabilities);

}  // namespace coverset
