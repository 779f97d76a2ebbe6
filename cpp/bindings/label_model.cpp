#include "coverset/label_model.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "array.hpp"
#include "coverset/error.hpp"
#include "coverset/exp_log.hpp"
#include "device.hpp"

namespace coverset::bindings {

using namespace py::literals;

namespace {

using Doubles = Array<double>;
using Indices = Array<std::int64_t>;
using Lfs = Array<std::int32_t>;
using Labels = Array<std::int16_t>;
using Flags = Array<std::uint8_t>;

VoteColumns vote_columns(const Indices& indptr, const Labels& label, const Flags& annotator,
                         const Doubles& weight) {
  return {in(indptr), in(label), in(annotator), in(weight)};
}

Patterns pattern_view(const Indices& indptr, const Lfs& column, const Doubles& weight,
                      const Labels& gold) {
  return {in(indptr), in(column), in(weight), in(gold)};
}

LabelModelState model_state(Doubles& expected, Doubles& log_weight, Doubles& class_balance,
                            Doubles& believed, Doubles& believed_rows) {
  const auto balance = out(class_balance);
  return {static_cast<std::int32_t>(balance.size()),
          out(expected),
          out(log_weight),
          balance,
          out(believed),
          out(believed_rows)};
}

Confusion confusion_named(const std::string& name) {
  if (name == "class") return Confusion::by_class;
  return name == "one_coin" ? Confusion::one_coin : Confusion::full;
}

Optimizer optimizer_named(const std::string& name) {
  if (name == "adam") return Optimizer::adam;
  return name == "adamax" ? Optimizer::adamax : Optimizer::sgd;
}

/// Moments as Python has them: (lf_indptr, share, indptr, other, share_both, class_balance).
using MomentArrays = std::tuple<Indices, Doubles, Indices, Lfs, Doubles, Doubles>;

Moments moments_of(const MomentArrays& arrays) {
  const auto& [lf_indptr, share, indptr, other, both, balance] = arrays;
  return {in(lf_indptr), in(share), in(indptr), in(other), in(both), in(balance)};
}

void bind_dawid_skene(py::module_& m) {
  py::class_<DawidSkeneOptions>(m, "DawidSkeneOptions")
      .def(py::init([](const std::string& confusion, bool abstain_is_outcome, double smoothing,
                       double diagonal, bool balance_given, std::int64_t most_passes,
                       double tolerance) {
             return DawidSkeneOptions{confusion_named(confusion),
                                      abstain_is_outcome,
                                      smoothing,
                                      diagonal,
                                      balance_given,
                                      most_passes,
                                      tolerance};
           }),
           "confusion"_a, "abstain_is_outcome"_a, "smoothing"_a, "diagonal"_a, "balance_given"_a,
           "most_passes"_a, "tolerance"_a);
  m.def(
      "weigh_confusions",
      [](const Indices& column_indptr, const Labels& column_label, const DawidSkeneOptions& options,
         Doubles& expected, Doubles& rows, Doubles& class_balance, Doubles& log_weight,
         Doubles& log_prior, int threads) {
        const auto k = static_cast<std::int32_t>(class_balance.size());
        DawidSkeneState state{
            k, out(expected), out(rows), out(class_balance), out(log_weight), out(log_prior)};
        run(threads, [&](const Cpu& device) {
          weigh_confusions(device, {in(column_indptr), in(column_label), {}, {}}, options, state);
        });
      },
      "column_indptr"_a.noconvert(), "column_label"_a.noconvert(), "options"_a,
      "expected"_a.noconvert(), "rows"_a.noconvert(), "class_balance"_a.noconvert(),
      "log_weight"_a.noconvert(), "log_prior"_a.noconvert(), "threads"_a);
  m.def(
      "fit_dawid_skene",
      [](const Indices& indptr, const Lfs& column, const Doubles& weight, const Labels& gold,
         const Indices& column_indptr, const Labels& column_label, const DawidSkeneOptions& options,
         Doubles& expected, Doubles& rows, Doubles& class_balance, Doubles& log_weight,
         Doubles& log_prior, int threads) {
        const auto k = static_cast<std::int32_t>(class_balance.size());
        DawidSkeneState state{
            k, out(expected), out(rows), out(class_balance), out(log_weight), out(log_prior)};
        const FitReport report = run(threads, [&](const Cpu& device) {
          return fit_dawid_skene(device, pattern_view(indptr, column, weight, gold),
                                 {in(column_indptr), in(column_label), {}, {}}, options, state);
        });
        return py::make_tuple(report.passes, report.change);
      },
      "indptr"_a.noconvert(), "column"_a.noconvert(), "weight"_a.noconvert(), "gold"_a.noconvert(),
      "column_indptr"_a.noconvert(), "column_label"_a.noconvert(), "options"_a,
      "expected"_a.noconvert(), "rows"_a.noconvert(), "class_balance"_a.noconvert(),
      "log_weight"_a.noconvert(), "log_prior"_a.noconvert(), "threads"_a);
}

void bind_moments(py::module_& m) {
  m.def(
      "moment_loss",
      [](const MomentArrays& moments, const Doubles& mu, const Doubles& start, double l2,
         int threads) {
        return run(threads, [&](const Cpu& device) {
          return moment_loss(device, moments_of(moments), in(mu), in(start), l2);
        });
      },
      "moments"_a, "mu"_a.noconvert(), "start"_a.noconvert(), "l2"_a, "threads"_a);
  m.def(
      "descend_moments",
      [](const MomentArrays& moments, const std::string& optimizer, double momentum, double beta1,
         double beta2, double epsilon, bool amsgrad, double l2, const Doubles& rates,
         const Doubles& start, Doubles& mu, int threads) {
        const DescentOptions options{
            optimizer_named(optimizer), momentum, beta1, beta2, epsilon, amsgrad, l2};
        const auto target = out(mu);
        return run(threads, [&](const Cpu& device) {
          return descend_moments(device, moments_of(moments), options, in(rates), in(start),
                                 target);
        });
      },
      "moments"_a, "optimizer"_a, "momentum"_a, "beta1"_a, "beta2"_a, "epsilon"_a, "amsgrad"_a,
      "l2"_a, "rates"_a.noconvert(), "start"_a.noconvert(), "mu"_a.noconvert(), "threads"_a);
  m.def(
      "predict_one_vs_rest",
      [](const Indices& indptr, const Lfs& column, const Doubles& log_weight,
         const Doubles& log_prior, Array<float>& probabilities, int threads) {
        const auto target = out(probabilities);
        const Evidence evidence{in(log_weight), in(log_prior), 0.0};
        run(threads, [&](const Cpu& device) {
          predict_one_vs_rest(device, in(indptr), in(column), evidence, target);
        });
      },
      "indptr"_a.noconvert(), "column"_a.noconvert(), "log_weight"_a.noconvert(),
      "log_prior"_a.noconvert(), "probabilities"_a.noconvert(), "threads"_a);
  m.def(
      "logs",
      [](const py::array_t<double, py::array::c_style>& values) {
        py::array_t<double> result(
            std::vector<py::ssize_t>(values.shape(), values.shape() + values.ndim()));
        std::transform(values.data(), values.data() + values.size(), result.mutable_data(),
                       log_exact_order);
        return result;
      },
      "values"_a);
  m.def(
      "solve_neighborhoods",
      [](const Doubles& correlation, double l1, Doubles& coefficients, int threads) {
        require(correlation.ndim() == 2 && correlation.shape(0) == correlation.shape(1) &&
                    coefficients.size() == correlation.size(),
                "correlation and coefficients must be square, of one size");
        const auto target = out(coefficients);
        run(threads,
            [&](const Cpu& device) { solve_neighborhoods(device, in(correlation), l1, target); });
      },
      "correlation"_a.noconvert(), "l1"_a, "coefficients"_a.noconvert(), "threads"_a);
  m.def(
      "fit_factors",
      [](const Indices& label_indptr, const Labels& label, const Flags& edge, const Doubles& counts,
         double ridge, Doubles& parameters, int threads) {
        const auto target = out(parameters);
        FactorOptions options;
        options.ridge = ridge;
        return run(threads, [&](const Cpu& device) {
          return fit_factors(device, {in(label_indptr), in(label), in(edge)}, in(counts), options,
                             target);
        });
      },
      "label_indptr"_a.noconvert(), "label"_a.noconvert(), "edge"_a.noconvert(),
      "counts"_a.noconvert(), "ridge"_a, "parameters"_a.noconvert(), "threads"_a);
  m.def(
      "factor_log_probabilities",
      [](const Indices& label_indptr, const Labels& label, const Flags& edge,
         const Doubles& parameters, Doubles& log_probabilities, int threads) {
        const auto target = out(log_probabilities);
        run(threads, [&](const Cpu& device) {
          factor_log_probabilities(device, {in(label_indptr), in(label), in(edge)}, in(parameters),
                                   target);
        });
      },
      "label_indptr"_a.noconvert(), "label"_a.noconvert(), "edge"_a.noconvert(),
      "parameters"_a.noconvert(), "log_probabilities"_a.noconvert(), "threads"_a);
  m.def(
      "solve_triplets",
      [](const Indices& indptr, const Lfs& lf, const Doubles& correlation, Doubles& mean_out,
         int threads) {
        const auto target = out(mean_out);
        run(threads, [&](const Cpu& device) {
          solve_triplets(device, {in(indptr), in(lf), in(correlation)}, target);
        });
      },
      "indptr"_a.noconvert(), "lf"_a.noconvert(), "correlation"_a.noconvert(),
      "mean_out"_a.noconvert(), "threads"_a);
}

TieBreak tie_break_named(const std::string& name) {
  if (name == "lowest") return TieBreak::lowest;
  return name == "random" ? TieBreak::random : TieBreak::abstain;
}

void bind_votes(py::module_& m) {
  m.def(
      "vote_fractions",
      [](const Indices& indptr, const Lfs& lfs, const Labels& labels, std::int32_t cardinality,
         Array<float>& probabilities, int threads) {
        const auto target = out(probabilities);
        run(threads, [&](const Cpu& device) {
          vote_fractions(device, votes(indptr, lfs, labels), cardinality, target);
        });
      },
      "indptr"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(), "cardinality"_a,
      "probabilities"_a.noconvert(), "threads"_a);
  m.def(
      "choose_labels",
      [](const Array<float>& probabilities, std::int32_t cardinality, const std::string& tie_break,
         std::uint64_t seed, Labels& labels, int threads) {
        const auto target = out(labels);
        const TieBreak policy = tie_break_named(tie_break);
        run(threads, [&](const Cpu& device) {
          choose_labels(device, in(probabilities), cardinality, policy, seed, target);
        });
      },
      "probabilities"_a.noconvert(), "cardinality"_a, "tie_break"_a, "seed"_a,
      "labels"_a.noconvert(), "threads"_a);
  m.def(
      "group_rows",
      [](const Indices& indptr, const Lfs& lfs, const Labels& labels, const Labels& gold,
         Indices& pattern_of_row, Indices& first_row, int threads) {
        const auto patterns = out(pattern_of_row);
        const auto firsts = out(first_row);
        return run(threads, [&](const Cpu& device) {
          return group_rows(device, votes(indptr, lfs, labels), in(gold), patterns, firsts);
        });
      },
      "indptr"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(), "gold"_a.noconvert(),
      "pattern_of_row"_a.noconvert(), "first_row"_a.noconvert(), "threads"_a);
  m.def(
      "find_columns",
      [](const Indices& indptr, const Lfs& lfs, const Labels& labels, const Indices& column_indptr,
         const Labels& column_label, const Flags& annotator, const Doubles& column_weight,
         Lfs& column_of_vote, int threads) {
        const auto target = out(column_of_vote);
        run(threads, [&](const Cpu& device) {
          find_columns(device, votes(indptr, lfs, labels),
                       vote_columns(column_indptr, column_label, annotator, column_weight), target);
        });
      },
      "indptr"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(),
      "column_indptr"_a.noconvert(), "column_label"_a.noconvert(), "annotator"_a.noconvert(),
      "column_weight"_a.noconvert(), "column_of_vote"_a.noconvert(), "threads"_a);
}

void bind_overlaps(py::module_& m) {
  m.def(
      "measure_agreement",
      [](const Indices& indptr, const Lfs& column, const Doubles& weight, const Labels& gold,
         const Indices& column_indptr, const Labels& column_label, const Flags& annotator,
         const Doubles& column_weight, const Lfs& cluster, Doubles& share, int threads) {
        const auto shares = out(share);
        const Agreement agreement = run(threads, [&](const Cpu& device) {
          return measure_agreement(
              device, pattern_view(indptr, column, weight, gold),
              vote_columns(column_indptr, column_label, annotator, column_weight), in(cluster),
              shares);
        });
        return py::make_tuple(agreement.alpha, agreement.covered);
      },
      "indptr"_a.noconvert(), "column"_a.noconvert(), "weight"_a.noconvert(), "gold"_a.noconvert(),
      "column_indptr"_a.noconvert(), "column_label"_a.noconvert(), "annotator"_a.noconvert(),
      "column_weight"_a.noconvert(), "cluster"_a.noconvert(), "share"_a.noconvert(), "threads"_a);
  m.def(
      "count_overlaps",
      [](const Indices& indptr, const Lfs& column, const Doubles& weight, const Labels& gold,
         std::int64_t columns, int threads) {
        for (const std::int32_t c : in(column)) {
          require(0 <= c && c < columns, "columns must be in 0..", columns - 1, ", got ", c);
        }
        Overlaps overlaps = run(threads, [&](const Cpu& device) {
          return count_overlaps(device, pattern_view(indptr, column, weight, gold), columns);
        });
        return py::make_tuple(as_array(std::move(overlaps.indptr)),
                              as_array(std::move(overlaps.other)),
                              as_array(std::move(overlaps.rows)));
      },
      "indptr"_a.noconvert(), "column"_a.noconvert(), "weight"_a.noconvert(), "gold"_a.noconvert(),
      "columns"_a, "threads"_a);
}

void bind_evidence(py::module_& m) {
  m.def(
      "weigh_columns",
      [](const Indices& column_indptr, const Labels& column_label, const Flags& annotator,
         const Doubles& column_weight, const FitOptions& options, Doubles& expected,
         Doubles& log_weight, Doubles& class_balance, Doubles& believed, Doubles& believed_rows,
         int threads) {
        LabelModelState state =
            model_state(expected, log_weight, class_balance, believed, believed_rows);
        run(threads, [&](const Cpu& device) {
          weigh_columns(device, vote_columns(column_indptr, column_label, annotator, column_weight),
                        options, state);
        });
      },
      "column_indptr"_a.noconvert(), "column_label"_a.noconvert(), "annotator"_a.noconvert(),
      "column_weight"_a.noconvert(), "options"_a, "expected"_a.noconvert(),
      "log_weight"_a.noconvert(), "class_balance"_a.noconvert(), "believed"_a.noconvert(),
      "believed_rows"_a.noconvert(), "threads"_a);
  m.def(
      "class_log_prior",
      [](const FitOptions& options, const Doubles& class_balance, Doubles& log_prior) {
        class_log_prior(options, in(class_balance), out(log_prior));
      },
      "options"_a, "class_balance"_a.noconvert(), "log_prior"_a.noconvert());
  m.def(
      "fit_label_model",
      [](const Indices& indptr, const Lfs& column, const Doubles& weight, const Labels& gold,
         const Indices& column_indptr, const Labels& column_label, const Flags& annotator,
         const Doubles& column_weight, const FitOptions& options, Doubles& expected,
         Doubles& log_weight, Doubles& class_balance, Doubles& believed, Doubles& believed_rows,
         int threads) {
        LabelModelState state =
            model_state(expected, log_weight, class_balance, believed, believed_rows);
        const FitReport report = run(threads, [&](const Cpu& device) {
          return fit_label_model(
              device, pattern_view(indptr, column, weight, gold),
              vote_columns(column_indptr, column_label, annotator, column_weight), options, state);
        });
        return py::make_tuple(report.passes, report.change);
      },
      "indptr"_a.noconvert(), "column"_a.noconvert(), "weight"_a.noconvert(), "gold"_a.noconvert(),
      "column_indptr"_a.noconvert(), "column_label"_a.noconvert(), "annotator"_a.noconvert(),
      "column_weight"_a.noconvert(), "options"_a, "expected"_a.noconvert(),
      "log_weight"_a.noconvert(), "class_balance"_a.noconvert(), "believed"_a.noconvert(),
      "believed_rows"_a.noconvert(), "threads"_a);
  m.def(
      "refine_by_rows",
      [](const Indices& indptr, const Lfs& lfs, const Labels& labels, const Lfs& column_of,
         const Labels& gold, const Indices& column_indptr, const Labels& column_label,
         const Flags& annotator, const Doubles& column_weight, const FitOptions& options,
         double rows_before, Doubles& expected, Doubles& log_weight, Doubles& class_balance,
         Doubles& believed, Doubles& believed_rows, int threads) {
        LabelModelState state =
            model_state(expected, log_weight, class_balance, believed, believed_rows);
        run(threads, [&](const Cpu& device) {
          refine_by_rows(device, votes(indptr, lfs, labels), in(column_of), in(gold),
                         vote_columns(column_indptr, column_label, annotator, column_weight),
                         options, rows_before, state);
        });
      },
      "indptr"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(),
      "column_of"_a.noconvert(), "gold"_a.noconvert(), "column_indptr"_a.noconvert(),
      "column_label"_a.noconvert(), "annotator"_a.noconvert(), "column_weight"_a.noconvert(),
      "options"_a, "rows_before"_a, "expected"_a.noconvert(), "log_weight"_a.noconvert(),
      "class_balance"_a.noconvert(), "believed"_a.noconvert(), "believed_rows"_a.noconvert(),
      "threads"_a);
  m.def(
      "predict_proba",
      [](const Indices& indptr, const Lfs& column, const Doubles& log_weight,
         const Doubles& column_weight, const Doubles& log_prior, double row_correlation,
         const Doubles& without_votes, Array<float>& probabilities, int threads) {
        const auto target = out(probabilities);
        const Evidence evidence{in(log_weight), in(log_prior), row_correlation, in(column_weight)};
        run(threads, [&](const Cpu& device) {
          predict_proba(device, in(indptr), in(column), evidence, in(without_votes), target);
        });
      },
      "indptr"_a.noconvert(), "column"_a.noconvert(), "log_weight"_a.noconvert(),
      "column_weight"_a.noconvert(), "log_prior"_a.noconvert(), "row_correlation"_a,
      "without_votes"_a.noconvert(), "probabilities"_a.noconvert(), "threads"_a);
}

}  // namespace

void bind_label_model(py::module_& m) {
  m.attr("TIE_BREAKER") = kTieBreaker;
  bind_dawid_skene(m);
  bind_moments(m);
  py::class_<FitOptions>(m, "FitOptions")
      .def(py::init<>())
      .def_readwrite("anchor", &FitOptions::anchor)
      .def_readwrite("kappa", &FitOptions::kappa)
      .def_readwrite("annotator_share", &FitOptions::annotator_share)
      .def_readwrite("row_correlation", &FitOptions::row_correlation)
      .def_readwrite("tolerance", &FitOptions::tolerance)
      .def_readwrite("most_passes", &FitOptions::most_passes)
      .def_readwrite("batch", &FitOptions::batch)
      .def_readwrite("seed", &FitOptions::seed)
      .def_readwrite("balance_given", &FitOptions::balance_given);
  bind_votes(m);
  bind_overlaps(m);
  bind_evidence(m);
}

}  // namespace coverset::bindings
