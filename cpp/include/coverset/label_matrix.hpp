// Label matrices: checking votes, making them, taking them apart, summing them up.
//
// A label matrix of n rows and m labeling functions (LFs) is Votes: within a row LF ids ascend,
// labels lie in 0..cardinality-1, an abstain is absent. Functions that make votes come in pairs:
// one sizes the result (indptr), the caller allocates, the other fills it. All take spans and plain
// structs, none has a CUDA overload: they run where votes come in, on the host.
#pragma once

#include <cstdint>
#include <span>

#include "coverset/device.hpp"
#include "coverset/view.hpp"

namespace coverset {

inline constexpr std::int32_t kAbstain = -1;
inline constexpr std::int32_t kMostClasses = 32767;  // label + 1 fits the int16 of SciPy's form

/// Whole numbers of any width, one after another.
struct Integers {
  const void* data = nullptr;
  std::int64_t n = 0;
  int bytes = 8;  // 1, 2, 4 or 8
  bool is_signed = true;
};

/// Copies values to a narrower (or equal) type. Fails with "`name`[i] must be in low..high, got
/// x" at the first value out of range. `out` may be null: then it only checks.
void narrow(const Cpu& device, const char* name, Integers values, std::int64_t low,
            std::int64_t high, std::int64_t* out);
void narrow(const Cpu& device, const char* name, Integers values, std::int64_t low,
            std::int64_t high, std::int32_t* out);
void narrow(const Cpu& device, const char* name, Integers values, std::int64_t low,
            std::int64_t high, std::int16_t* out);

/// Checks the form of CSR votes before anything else reads them, in O(votes): indptr starts at
/// 0, never falls and ends at the number of votes; LF ids in 0..n_lfs-1; labels in
/// 0..cardinality-1; no LF twice in a row. Returns whether every row's LF ids ascend. Fails with
/// the argument, the first bad position and its value. Allocates O(votes of the longest row).
bool check_votes(const Cpu& device, const Votes& votes, std::int64_t n_lfs,
                 std::int32_t cardinality);

/// Sorts each row by LF id, in place. Rows are found by indptr.
void sort_rows(const Cpu& device, std::span<const std::int64_t> indptr, std::span<std::int32_t> lfs,
               std::span<std::int16_t> labels);

/// A dense label matrix: signed integers, -1 = abstain; rows `row_stride` bytes apart, the
/// entries of a row side by side.
struct DenseView {
  const void* data = nullptr;
  std::int64_t rows = 0, columns = 0, row_stride = 0;
  int bytes = 8;  // 1, 2, 4 or 8
};

/// Counts the votes of each row: indptr (rows + 1) out. Returns the largest label, -1 if there
/// is none. Fails at the first entry below -1 or not below `cardinality`. Reads the matrix once.
std::int32_t count_dense(const Cpu& device, const DenseView& dense, std::int32_t cardinality,
                         std::span<std::int64_t> indptr);

/// Fills the votes that count_dense counted. Reads the matrix once.
void fill_dense(const Cpu& device, const DenseView& dense, std::span<const std::int64_t> indptr,
                std::span<std::int32_t> lfs, std::span<std::int16_t> labels);

/// The dense form: (rows, n_lfs) int16, C order, -1 = abstain.
void to_dense(const Cpu& device, const Votes& votes, std::int64_t n_lfs,
              std::span<std::int16_t> dense);

/// What to do when a row holds several answers of one LF.
enum class Duplicates { error, majority, last };

/// Repeats found by from_triplets: answers that came on top of a first one, (row, LF) pairs
/// whose answers differed, and pairs that abstain because their majority was a tie.
struct DuplicateReport {
  std::int64_t votes = 0;  // entries written to the outputs
  std::int64_t repeated = 0, conflicting = 0, abstained = 0;
};

/// Builds votes from (row, LF, label) answers in any order, all within range already. Sorting is
/// by row, then LF, and stable. Outputs: indptr (rows + 1); lfs and labels hold one entry an
/// answer, of which the first `votes` are valid. Under Duplicates::error the first repeat, in the
/// order of rows and LFs, fails. Allocates 16 bytes an
/// answer, and 8 more for those that are being sorted.
DuplicateReport from_triplets(const Cpu& device, std::span<const std::int64_t> rows,
                              std::span<const std::int32_t> lfs,
                              std::span<const std::int16_t> labels, Duplicates duplicates,
                              std::span<std::int64_t> indptr, std::span<std::int32_t> out_lfs,
                              std::span<std::int16_t> out_labels);

/// Rows `rows` of votes, in that order, repeats allowed: size (indptr, rows.size() + 1), then fill.
void size_rows(const Cpu& device, const Votes& votes, std::span<const std::int64_t> rows,
               std::span<std::int64_t> indptr);
void fill_rows(const Cpu& device, const Votes& votes, std::span<const std::int64_t> rows,
               std::span<const std::int64_t> indptr, std::span<std::int32_t> lfs,
               std::span<std::int16_t> labels);

/// LFs renamed by `new_id` (one entry an LF; -1 drops it; distinct otherwise): size, then fill.
void size_lfs(const Cpu& device, const Votes& votes, std::span<const std::int32_t> new_id,
              std::span<std::int64_t> indptr);
void fill_lfs(const Cpu& device, const Votes& votes, std::span<const std::int32_t> new_id,
              std::span<const std::int64_t> indptr, std::span<std::int32_t> lfs,
              std::span<std::int16_t> labels);

/// The LFs that vote `label`, of each row: size, then fill.
void size_label(const Cpu& device, const Votes& votes, std::int16_t label,
                std::span<std::int64_t> indptr);
void fill_label(const Cpu& device, const Votes& votes, std::int16_t label,
                std::span<const std::int64_t> indptr, std::span<std::int32_t> lfs);

/// Appends the votes of one more block of LFs to rows whose final places `indptr` gives: LF ids
/// move up by `first_lf`, and `filled` (rows) counts what each row already holds.
void append_lfs(const Cpu& device, const Votes& block, std::int32_t first_lf,
                std::span<const std::int64_t> indptr, std::span<std::int64_t> filled,
                std::span<std::int32_t> lfs, std::span<std::int16_t> labels);

/// What each LF did, counted in rows; every span is caller-allocated and overwritten.
struct LfCounts {
  std::span<std::int64_t> votes;      // (n_lfs, cardinality): votes for each class
  std::span<std::int64_t> overlaps;   // (n_lfs): rows where another LF voted too
  std::span<std::int64_t> conflicts;  // (n_lfs): rows where another LF voted differently
  std::span<std::int64_t> correct;    // (n_lfs): rows with gold that agrees
  std::span<std::int64_t> incorrect;  // (n_lfs): rows with gold that differs
};

/// Fills LfCounts in one pass over the votes. `gold` is empty, or one class a row with -1 where
/// it is unknown. A vote conflicts exactly when its row's labels are not all the same. Allocates
/// n_lfs * (cardinality + 4) counts for each block of rows that is in flight.
void count_lfs(const Cpu& device, const Votes& votes, std::int32_t cardinality,
               std::span<const std::int16_t> gold, const LfCounts& counts);

/// counts (n_lfs, cardinality) out: votes of each LF for each class. Allocates as much for each
/// block of votes that is in flight.
void count_labels(const Cpu& device, const Votes& votes, std::int32_t cardinality,
                  std::span<std::int64_t> counts);

}  // namespace coverset
