// Takes the address of every contract that the headers declare for the CPU: a missing one is a
// link error here, not an import error for a user.
#include <cstdio>
#include <type_traits>

#include "coverset/coreset.hpp"
#include "coverset/exp_log.hpp"
#include "coverset/label_matrix.hpp"
#include "coverset/label_model.hpp"
#include "coverset/lf.hpp"
#include "coverset/neighbors.hpp"
#include "coverset/parallel.hpp"
#include "coverset/simd.hpp"

namespace {

using namespace coverset;

/// Volatile, so that the compiler cannot decide the answer without the address.
template <class Function>
std::size_t defined(Function* function) {
  Function* volatile address = function;
  return address != nullptr ? 1 : 0;
}

template <class Out>
using Narrow = void(const Cpu&, const char*, Integers, std::int64_t, std::int64_t, Out*);
template <class T>
using Numbers = Hits(const Cpu&, const RangeRules<T>&, const NumberView<T>&);
template <class Index, class Value>
using Features = Hits(const Cpu&, const LinearRules&, const FeatureView<Index, Value>&);
template <class T>
using Scores = Hits(const Cpu&, const ScoreRules<T>&, std::span<const ScoreColumn<T>>,
                    std::int64_t);

/// How many types of numbers the kernel takes.
template <class... T>
std::size_t number_types() {
  return (defined<Numbers<T>>(&match_numbers<T>) + ...);
}

using Fractions = void(const Cpu&, const Votes&, std::int32_t, std::span<float>);

/// Whether a device can keep the contract, too: it is told everything by spans and plain structs.
template <class Result, class... Told>
constexpr bool for_devices(Result (*)(const Cpu&, Told...)) {
  return !std::is_class_v<Result> &&
         (std::is_trivially_copyable_v<std::remove_reference_t<Told>> && ...);
}
static_assert(for_devices(&vote_fractions) && for_devices(&choose_labels) &&
              for_devices(&group_rows) && for_devices(&find_columns) &&
              for_devices(&weigh_columns) && for_devices(&predict_proba) &&
              for_devices(&predict_one_vs_rest));
static_assert(for_devices(&find_nearest) && for_devices(&extend_graph) &&
              for_devices(&assign_nearest) && for_devices(&find_normalization) &&
              for_devices(&load_rows));
static_assert(!for_devices(&count_overlaps) && !for_devices(&find_within));

}  // namespace

int main() {
  std::size_t count = 0;
  count += defined(&available_threads) + defined(&run_blocks) + defined(&simd_level) +
           defined(&force_simd_level) + defined(&simd_supported) + defined(&simd_name) +
           defined(&exp_in_place) + defined(&log_in_place);
  count += defined<Narrow<std::int64_t>>(&narrow) + defined<Narrow<std::int32_t>>(&narrow) +
           defined<Narrow<std::int16_t>>(&narrow) + defined(&check_votes) + defined(&sort_rows) +
           defined(&count_dense) + defined(&fill_dense) + defined(&to_dense) +
           defined(&from_triplets) + defined(&size_rows) + defined(&fill_rows) +
           defined(&size_lfs) + defined(&fill_lfs) + defined(&size_label) + defined(&fill_label) +
           defined(&append_lfs) + defined(&count_lfs) + defined(&count_labels);
  count += defined<Fractions>(&vote_fractions) + defined(&choose_labels) + defined(&group_rows) +
           defined(&find_columns) + defined(&fit_dawid_skene) + defined(&weigh_confusions) +
           defined(&moment_loss) + defined(&descend_moments) + defined(&solve_triplets) +
           defined(&refine_by_rows) + defined(&fit_factors) + defined(&factor_log_probabilities) +
           defined(&solve_neighborhoods) + defined(&predict_one_vs_rest) +
           defined(&measure_agreement) + defined(&count_overlaps) + defined(&weigh_columns) +
           defined(&class_log_prior) + defined(&fit_label_model) + defined(&predict_proba);
  count += defined(&weigh_labels) + defined(&add_by_column) + defined(&explain_votes) +
           defined(&size_outcomes) + defined(&fill_outcomes) + defined(&mirror_overlaps) +
           defined(&dependent_pairs) + defined(&multiply_pairs) + defined(&multiply_annotators) +
           defined(&merge_nearest_clusters);
  count += defined(&scan_literals) + defined(&find_patterns) + defined(&match_strings) +
           defined(&expand_hits) + defined(&find_invalid_utf8) + defined(&total_bytes) +
           defined(&take_offsets) + defined(&take_bytes) + defined(&match_embeddings) +
           defined(&count_votes) + defined(&place_votes) + defined(&inner_products) +
           defined(&squared_distances);
  count += defined(&find_normalization) + defined(&find_bad_row) + defined(&load_rows) +
           defined(&find_nearest) + defined(&find_within) + defined(&extend_graph) +
           defined(&k_center) + defined(&assign_nearest);
  count += number_types<std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t,
                        std::uint16_t, std::uint32_t, std::uint64_t, float, double>();
  count += defined<Features<std::int32_t, float>>(&match_features<std::int32_t, float>) +
           defined<Features<std::int32_t, double>>(&match_features<std::int32_t, double>) +
           defined<Features<std::int64_t, float>>(&match_features<std::int64_t, float>) +
           defined<Features<std::int64_t, double>>(&match_features<std::int64_t, double>);
  count +=
      defined<Scores<float>>(&match_scores<float>) + defined<Scores<double>>(&match_scores<double>);
  std::printf("%zu contracts defined\n", count);
  return 0;
}
