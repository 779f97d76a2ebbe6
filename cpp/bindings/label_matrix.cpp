#include "coverset/label_matrix.hpp"

#include "array.hpp"
#include "device.hpp"

namespace coverset::bindings {

using namespace py::literals;

namespace {

using Indices = Array<std::int64_t>;
using Lfs = Array<std::int32_t>;
using Labels = Array<std::int16_t>;

template <class Out>
void narrow_to(const std::string& name, const py::array& values, std::int64_t low,
               std::int64_t high, Array<Out>& target, int threads) {
  const Integers from = integers(values);
  Out* const to = out(target).data();
  run(threads, [&](const Cpu& device) { narrow(device, name.c_str(), from, low, high, to); });
}

DenseView dense_view(const py::array& cells) {
  return {cells.data(), static_cast<std::int64_t>(cells.shape(0)),
          static_cast<std::int64_t>(cells.shape(1)), static_cast<std::int64_t>(cells.strides(0)),
          static_cast<int>(cells.itemsize())};
}

Duplicates duplicates_named(const std::string& name) {
  if (name == "majority") return Duplicates::majority;
  return name == "last" ? Duplicates::last : Duplicates::error;
}

void bind_construction(py::module_& m) {
  m.def(
      "check_votes",
      [](const Indices& indptr, const Lfs& lfs, const Labels& labels, std::int64_t n_lfs,
         std::int32_t cardinality, int threads) {
        const Votes view = votes(indptr, lfs, labels);
        return run(threads, [&](const Cpu& device) {
          return check_votes(device, view, n_lfs, cardinality);
        });
      },
      "indptr"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(), "n_lfs"_a,
      "cardinality"_a, "threads"_a);
  m.def(
      "sort_rows",
      [](const Indices& indptr, Lfs& lfs, Labels& labels, int threads) {
        const auto rows = in(indptr);
        const auto ids = out(lfs);
        const auto values = out(labels);
        run(threads, [&](const Cpu& device) { sort_rows(device, rows, ids, values); });
      },
      "indptr"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(), "threads"_a);
  m.def(
      "count_dense",
      [](const py::array& cells, std::int32_t cardinality, Indices& indptr, int threads) {
        const DenseView view = dense_view(cells);
        const auto ends = out(indptr);
        return run(threads,
                   [&](const Cpu& device) { return count_dense(device, view, cardinality, ends); });
      },
      "cells"_a, "cardinality"_a, "indptr"_a.noconvert(), "threads"_a);
  m.def(
      "fill_dense",
      [](const py::array& cells, const Indices& indptr, Lfs& lfs, Labels& labels, int threads) {
        const DenseView view = dense_view(cells);
        const auto starts = in(indptr);
        const auto ids = out(lfs);
        const auto values = out(labels);
        run(threads, [&](const Cpu& device) { fill_dense(device, view, starts, ids, values); });
      },
      "cells"_a, "indptr"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(), "threads"_a);
  m.def(
      "to_dense",
      [](const Indices& indptr, const Lfs& lfs, const Labels& labels, std::int64_t n_lfs,
         Labels& dense, int threads) {
        const Votes view = votes(indptr, lfs, labels);
        const auto cells = out(dense);
        run(threads, [&](const Cpu& device) { to_dense(device, view, n_lfs, cells); });
      },
      "indptr"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(), "n_lfs"_a,
      "dense"_a.noconvert(), "threads"_a);
  m.def(
      "from_triplets",
      [](const Indices& rows, const Lfs& lfs, const Labels& labels, const std::string& duplicates,
         Indices& indptr, Lfs& out_lfs, Labels& out_labels, int threads) {
        const auto ends = out(indptr);
        const auto ids = out(out_lfs);
        const auto values = out(out_labels);
        const DuplicateReport report = run(threads, [&](const Cpu& device) {
          return from_triplets(device, in(rows), in(lfs), in(labels), duplicates_named(duplicates),
                               ends, ids, values);
        });
        return py::make_tuple(report.votes, report.repeated, report.conflicting, report.abstained);
      },
      "rows"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(), "duplicates"_a,
      "indptr"_a.noconvert(), "out_lfs"_a.noconvert(), "out_labels"_a.noconvert(), "threads"_a);
}

void bind_selection(py::module_& m) {
  m.def(
      "size_rows",
      [](const Indices& indptr, const Indices& rows, Indices& out_indptr, int threads) {
        const auto ends = out(out_indptr);
        run(threads,
            [&](const Cpu& device) { size_rows(device, {in(indptr), {}, {}}, in(rows), ends); });
      },
      "indptr"_a.noconvert(), "rows"_a.noconvert(), "out_indptr"_a.noconvert(), "threads"_a);
  m.def(
      "fill_rows",
      [](const Indices& indptr, const Lfs& lfs, const Labels& labels, const Indices& rows,
         const Indices& out_indptr, Lfs& out_lfs, Labels& out_labels, int threads) {
        const auto ids = out(out_lfs);
        const auto values = out(out_labels);
        run(threads, [&](const Cpu& device) {
          fill_rows(device, votes(indptr, lfs, labels), in(rows), in(out_indptr), ids, values);
        });
      },
      "indptr"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(), "rows"_a.noconvert(),
      "out_indptr"_a.noconvert(), "out_lfs"_a.noconvert(), "out_labels"_a.noconvert(), "threads"_a);
  m.def(
      "size_lfs",
      [](const Indices& indptr, const Lfs& lfs, const Lfs& new_id, Indices& out_indptr,
         int threads) {
        const auto ends = out(out_indptr);
        run(threads, [&](const Cpu& device) {
          size_lfs(device, {in(indptr), in(lfs), {}}, in(new_id), ends);
        });
      },
      "indptr"_a.noconvert(), "lfs"_a.noconvert(), "new_id"_a.noconvert(),
      "out_indptr"_a.noconvert(), "threads"_a);
  m.def(
      "fill_lfs",
      [](const Indices& indptr, const Lfs& lfs, const Labels& labels, const Lfs& new_id,
         const Indices& out_indptr, Lfs& out_lfs, Labels& out_labels, int threads) {
        const auto ids = out(out_lfs);
        const auto values = out(out_labels);
        run(threads, [&](const Cpu& device) {
          fill_lfs(device, votes(indptr, lfs, labels), in(new_id), in(out_indptr), ids, values);
        });
      },
      "indptr"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(), "new_id"_a.noconvert(),
      "out_indptr"_a.noconvert(), "out_lfs"_a.noconvert(), "out_labels"_a.noconvert(), "threads"_a);
  m.def(
      "size_label",
      [](const Indices& indptr, const Lfs& lfs, const Labels& labels, std::int16_t label,
         Indices& out_indptr, int threads) {
        const auto target = out(out_indptr);
        run(threads, [&](const Cpu& device) {
          size_label(device, votes(indptr, lfs, labels), label, target);
        });
      },
      "indptr"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(), "label"_a,
      "out_indptr"_a.noconvert(), "threads"_a);
  m.def(
      "fill_label",
      [](const Indices& indptr, const Lfs& lfs, const Labels& labels, std::int16_t label,
         const Indices& out_indptr, Lfs& out_lfs, int threads) {
        const auto ids = out(out_lfs);
        run(threads, [&](const Cpu& device) {
          fill_label(device, votes(indptr, lfs, labels), label, in(out_indptr), ids);
        });
      },
      "indptr"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(), "label"_a,
      "out_indptr"_a.noconvert(), "out_lfs"_a.noconvert(), "threads"_a);
  m.def(
      "append_lfs",
      [](const Indices& indptr, const Lfs& lfs, const Labels& labels, std::int32_t first_lf,
         const Indices& out_indptr, Indices& filled, Lfs& out_lfs, Labels& out_labels,
         int threads) {
        const auto counts = out(filled);
        const auto ids = out(out_lfs);
        const auto values = out(out_labels);
        run(threads, [&](const Cpu& device) {
          append_lfs(device, votes(indptr, lfs, labels), first_lf, in(out_indptr), counts, ids,
                     values);
        });
      },
      "indptr"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(), "first_lf"_a,
      "out_indptr"_a.noconvert(), "filled"_a.noconvert(), "out_lfs"_a.noconvert(),
      "out_labels"_a.noconvert(), "threads"_a);
}

void bind_summary(py::module_& m) {
  m.def(
      "count_lfs",
      [](const Indices& indptr, const Lfs& lfs, const Labels& labels, std::int32_t cardinality,
         const Labels& gold, Indices& by_class, Indices& overlaps, Indices& conflicts,
         Indices& correct, Indices& incorrect, int threads) {
        const LfCounts counts{out(by_class), out(overlaps), out(conflicts), out(correct),
                              out(incorrect)};
        run(threads, [&](const Cpu& device) {
          count_lfs(device, votes(indptr, lfs, labels), cardinality, in(gold), counts);
        });
      },
      "indptr"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(), "cardinality"_a,
      "gold"_a.noconvert(), "by_class"_a.noconvert(), "overlaps"_a.noconvert(),
      "conflicts"_a.noconvert(), "correct"_a.noconvert(), "incorrect"_a.noconvert(), "threads"_a);
  m.def(
      "count_labels",
      [](const Indices& indptr, const Lfs& lfs, const Labels& labels, std::int32_t cardinality,
         Indices& counts, int threads) {
        const auto target = out(counts);
        run(threads, [&](const Cpu& device) {
          count_labels(device, votes(indptr, lfs, labels), cardinality, target);
        });
      },
      "indptr"_a.noconvert(), "lfs"_a.noconvert(), "labels"_a.noconvert(), "cardinality"_a,
      "counts"_a.noconvert(), "threads"_a);
}

}  // namespace

void bind_label_matrix(py::module_& m) {
  m.attr("MOST_CLASSES") = kMostClasses;
  m.def("narrow", &narrow_to<std::int64_t>, "name"_a, "values"_a, "low"_a, "high"_a,
        "out"_a.noconvert(), "threads"_a);
  m.def("narrow", &narrow_to<std::int32_t>, "name"_a, "values"_a, "low"_a, "high"_a,
        "out"_a.noconvert(), "threads"_a);
  m.def("narrow", &narrow_to<std::int16_t>, "name"_a, "values"_a, "low"_a, "high"_a,
        "out"_a.noconvert(), "threads"_a);
  bind_construction(m);
  bind_selection(m);
  bind_summary(m);
}

}  // namespace coverset::bindings
