// Bindings of nearest neighbors.
#include "coverset/neighbors.hpp"

#include <string>
#include <utility>

#include "array.hpp"
#include "coverset/error.hpp"
#include "device.hpp"
#include "rows.hpp"

namespace coverset::bindings {
namespace {

using namespace py::literals;
using Floats = Array<float>;
using Indices = Array<std::int64_t>;
using Flags = Array<std::uint8_t>;

FloatRows queries_of(const Floats& queries) {
  return {queries.data(), queries.shape(0), queries.shape(1), queries.shape(1)};
}

Metric metric_of(const std::string& name) {
  if (name == "sqeuclidean") return Metric::sqeuclidean;
  if (name == "cosine") return Metric::cosine;
  require(name == "inner_product", "metric must be a metric, got ", name);
  return Metric::inner_product;
}

Normalization normalization_of(const Floats& mean, float scale) { return {in(mean), scale}; }

}  // namespace

void bind_neighbors(py::module_& m) {
  m.def(
      "find_normalization",
      [](const py::array& data, const std::string& kind, const Floats& scale,
         const std::string& metric, Floats& mean, int threads) {
        const auto to = out(mean);
        const Rows rows = rows_of(data, kind, scale);
        const Metric by = metric_of(metric);
        return run(threads,
                   [&](const Cpu& device) { return find_normalization(device, rows, by, to); });
      },
      "data"_a, "kind"_a, "scale"_a.noconvert(), "metric"_a, "mean"_a.noconvert(), "threads"_a);
  m.def(
      "find_bad_row",
      [](const py::array& data, const std::string& kind, const Floats& scale,
         const std::string& metric, int threads) {
        const Rows rows = rows_of(data, kind, scale);
        const Metric near = metric_of(metric);
        const BadRow bad =
            run(threads, [&](const Cpu& device) { return find_bad_row(device, rows, near); });
        return py::make_tuple(bad.row, bad.squares);
      },
      "data"_a, "kind"_a, "scale"_a.noconvert(), "metric"_a, "threads"_a);
  m.def(
      "load_rows",
      [](const py::array& data, const std::string& kind, const Floats& scale, Floats& target,
         int threads, bool unit) {
        const auto to = out(target);
        Rows rows = rows_of(data, kind, scale);
        rows.unit = unit;
        run(threads, [&](const Cpu& device) { load_rows(device, rows, to); });
      },
      "data"_a, "kind"_a, "scale"_a.noconvert(), "out"_a.noconvert(), "threads"_a,
      "unit"_a = false);
  m.def(
      "find_nearest",
      [](const py::array& data, const std::string& kind, const Floats& scale, const Floats& mean,
         float mean_scale, const Floats& queries, const std::string& metric, std::int64_t k,
         const Flags& excluded, const Indices& own, Floats& distances, Indices& nearest,
         int threads) {
        const auto near = out(distances);
        const auto ids = out(nearest);
        const SearchOptions options{metric_of(metric), k, in(excluded), in(own)};
        const Rows rows = rows_of(data, kind, scale);
        const Normalization normalization = normalization_of(mean, mean_scale);
        const FloatRows of = queries_of(queries);
        run(threads, [&](const Cpu& device) {
          find_nearest(device, rows, normalization, of, options, near, ids);
        });
      },
      "data"_a, "kind"_a, "scale"_a.noconvert(), "mean"_a.noconvert(), "mean_scale"_a,
      "queries"_a.noconvert(), "metric"_a, "k"_a, "excluded"_a.noconvert(), "own"_a.noconvert(),
      "distances"_a.noconvert(), "nearest"_a.noconvert(), "threads"_a);
  m.def(
      "extend_graph",
      [](const py::array& data, const std::string& kind, const Floats& scale, const Floats& mean,
         float mean_scale, const std::string& metric, std::int64_t begin, std::int64_t end,
         std::int64_t shared_from, Floats& distances, Indices& nearest, int threads) {
        const auto near = out(distances);
        const auto ids = out(nearest);
        const Rows rows = rows_of(data, kind, scale);
        const Metric by = metric_of(metric);
        const Normalization normalization = normalization_of(mean, mean_scale);
        const std::int64_t k = distances.shape(1);
        run(threads, [&](const Cpu& device) {
          extend_graph(device, rows, normalization, by, {begin, end, shared_from}, k, near, ids);
        });
      },
      "data"_a, "kind"_a, "scale"_a.noconvert(), "mean"_a.noconvert(), "mean_scale"_a, "metric"_a,
      "begin"_a, "end"_a, "shared_from"_a, "distances"_a.noconvert(), "nearest"_a.noconvert(),
      "threads"_a);
  m.def(
      "find_within",
      [](const py::array& data, const std::string& kind, const Floats& scale, const Floats& mean,
         float mean_scale, const Floats& queries, const std::string& metric, const Flags& excluded,
         float radius, int threads) {
        const SearchOptions options{metric_of(metric), 1, in(excluded)};
        const Rows rows = rows_of(data, kind, scale);
        const Normalization normalization = normalization_of(mean, mean_scale);
        const FloatRows of = queries_of(queries);
        RowsWithin found = run(threads, [&](const Cpu& device) {
          return find_within(device, rows, normalization, of, options, radius);
        });
        return py::make_tuple(as_array(std::move(found.indptr)),
                              as_array(std::move(found.distances)),
                              as_array(std::move(found.rows)));
      },
      "data"_a, "kind"_a, "scale"_a.noconvert(), "mean"_a.noconvert(), "mean_scale"_a,
      "queries"_a.noconvert(), "metric"_a, "excluded"_a.noconvert(), "radius"_a, "threads"_a);
}

}  // namespace coverset::bindings
