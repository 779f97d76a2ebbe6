// What label models count: weights of votes, pairs of columns, joint outcomes.
#include <algorithm>
#include <utility>

#include "array.hpp"
#include "coverset/label_model.hpp"
#include "device.hpp"

namespace coverset::bindings {

using namespace py::literals;

namespace {

using Doubles = Array<double>;
using Indices = Array<std::int64_t>;
using Lfs = Array<std::int32_t>;
using Labels = Array<std::int16_t>;
using Flags = Array<std::uint8_t>;

py::tuple as_tuple(ColumnPairs pairs) {
  return py::make_tuple(as_array(std::move(pairs.first)), as_array(std::move(pairs.second)),
                        as_array(std::move(pairs.rows)), as_array(std::move(pairs.agreeing)));
}

void bind_pairs(py::module_& m) {
  m.def(
      "mirror_overlaps",
      [](const Indices& indptr, const Lfs& other, Indices& out_indptr, Lfs& out_other,
         Indices& entry, int threads) {
        const auto ends = out(out_indptr);
        const auto others = out(out_other);
        const auto entries = out(entry);
        run(threads, [&](const Cpu& device) {
          mirror_overlaps(device, {in(indptr), in(other), {}}, ends, others, entries);
        });
      },
      "indptr"_a.noconvert(), "other"_a.noconvert(), "out_indptr"_a.noconvert(),
      "out_other"_a.noconvert(), "entry"_a.noconvert(), "threads"_a);
  m.def(
      "dependent_pairs",
      [](const Indices& indptr, const Lfs& other, const Doubles& rows, const Indices& column_indptr,
         const Labels& column_label, const Flags& annotator, const Indices& family, int threads) {
        DependentPairs pairs = run(threads, [&](const Cpu& device) {
          return dependent_pairs(device, {in(indptr), in(other), in(rows)},
                                 {in(column_indptr), in(column_label), in(annotator), {}},
                                 in(family));
        });
        return py::make_tuple(as_tuple(std::move(pairs.unipolar)),
                              as_tuple(std::move(pairs.annotators)));
      },
      "indptr"_a.noconvert(), "other"_a.noconvert(), "rows"_a.noconvert(),
      "column_indptr"_a.noconvert(), "column_label"_a.noconvert(), "annotator"_a.noconvert(),
      "family"_a.noconvert(), "threads"_a);
  m.def(
      "multiply_pairs",
      [](const Doubles& left, const Doubles& right, const Indices& first, const Indices& second,
         std::int64_t width, Doubles& products, int threads) {
        const auto target = out(products);
        run(threads, [&](const Cpu& device) {
          multiply_pairs(device, in(left), in(right), in(first), in(second), width, target);
        });
      },
      "left"_a.noconvert(), "right"_a.noconvert(), "first"_a.noconvert(), "second"_a.noconvert(),
      "width"_a, "products"_a.noconvert(), "threads"_a);
  m.def(
      "multiply_annotators",
      [](const Doubles& left, const Doubles& right, const Indices& first, const Indices& second,
         const Indices& column_indptr, const Labels& column_label, std::int64_t width,
         Doubles& products, int threads) {
        const auto target = out(products);
        run(threads, [&](const Cpu& device) {
          multiply_annotators(device, in(left), in(right), in(first), in(second),
                              {in(column_indptr), in(column_label), {}, {}}, width, target);
        });
      },
      "left"_a.noconvert(), "right"_a.noconvert(), "first"_a.noconvert(), "second"_a.noconvert(),
      "column_indptr"_a.noconvert(), "column_label"_a.noconvert(), "width"_a,
      "products"_a.noconvert(), "threads"_a);
  m.def(
      "merge_nearest_clusters",
      [](Doubles& similarity, double least, Indices& cluster, int threads) {
        const auto table = out(similarity);
        const auto target = out(cluster);
        run(threads,
            [&](const Cpu& device) { merge_nearest_clusters(device, table, least, target); });
      },
      "similarity"_a.noconvert(), "least"_a, "cluster"_a.noconvert(), "threads"_a);
}

void bind_outcomes(py::module_& m) {
  m.def(
      "size_outcomes",
      [](const Indices& indptr, const Lfs& lfs, const Labels& labels, const Indices& component,
         const Indices& added, const Indices& start, Indices& out_indptr, int threads) {
        const auto target = out(out_indptr);
        run(threads, [&](const Cpu& device) {
          size_outcomes(device, votes(indptr, lfs, labels), {in(component), in(added), in(start)},
                        target);
        });
      },
      "indptr"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(),
      "component"_a.noconvert(), "added"_a.noconvert(), "start"_a.noconvert(),
      "out_indptr"_a.noconvert(), "threads"_a);
  m.def(
      "fill_outcomes",
      [](const Indices& indptr, const Lfs& lfs, const Labels& labels, const Indices& component,
         const Indices& added, const Indices& start, const Indices& out_indptr, Indices& outcome,
         int threads) {
        const auto target = out(outcome);
        run(threads, [&](const Cpu& device) {
          fill_outcomes(device, votes(indptr, lfs, labels), {in(component), in(added), in(start)},
                        in(out_indptr), target);
        });
      },
      "indptr"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(),
      "component"_a.noconvert(), "added"_a.noconvert(), "start"_a.noconvert(),
      "out_indptr"_a.noconvert(), "outcome"_a.noconvert(), "threads"_a);
}

}  // namespace

void bind_label_model_sums(py::module_& m) {
  bind_pairs(m);
  bind_outcomes(m);
  m.def(
      "weigh_labels",
      [](const Indices& indptr, const Lfs& lfs, const Labels& labels, const Doubles& weight,
         std::int32_t cardinality, Indices& counts, int threads) {
        const auto target = out(counts);
        run(threads, [&](const Cpu& device) {
          weigh_labels(device, votes(indptr, lfs, labels), in(weight), cardinality, target);
        });
      },
      "indptr"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(), "weight"_a.noconvert(),
      "cardinality"_a, "counts"_a.noconvert(), "threads"_a);
  m.def(
      "add_by_column",
      [](const Indices& indptr, const Lfs& column, const Doubles& mass, std::int32_t cardinality,
         Doubles& sums, int threads) {
        const auto target = out(sums);
        run(threads, [&](const Cpu& device) {
          add_by_column(device, in(indptr), in(column), in(mass), cardinality, target);
        });
      },
      "indptr"_a.noconvert(), "column"_a.noconvert(), "mass"_a.noconvert(), "cardinality"_a,
      "sums"_a.noconvert(), "threads"_a);
  m.def(
      "explain_votes",
      [](const Indices& indptr, const Lfs& column, const Doubles& log_weight,
         const Doubles& column_weight, const Doubles& log_prior, double row_correlation,
         Doubles& evidence, int threads) {
        const auto target = out(evidence);
        const Evidence weights{in(log_weight), in(log_prior), row_correlation, in(column_weight)};
        run(threads, [&](const Cpu& device) {
          explain_votes(device, in(indptr), in(column), weights, target);
        });
      },
      "indptr"_a.noconvert(), "column"_a.noconvert(), "log_weight"_a.noconvert(),
      "column_weight"_a.noconvert(), "log_prior"_a.noconvert(), "row_correlation"_a,
      "evidence"_a.noconvert(), "threads"_a);
}

}  // namespace coverset::bindings
