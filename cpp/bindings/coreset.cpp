// Bindings of core-sets.
#include "coverset/coreset.hpp"

#include <algorithm>
#include <string>

#include "array.hpp"
#include "coverset/error.hpp"
#include "device.hpp"
#include "rows.hpp"

namespace coverset::bindings {
namespace {

KCenterWay way_of(const std::string& name) {
  constexpr const char* kWays[] = {"best", "whole", "prefix", "eager"};
  const auto* found = std::ranges::find(kWays, name);
  require(found != std::end(kWays), "way must be a way, got ", name);
  return static_cast<KCenterWay>(found - std::begin(kWays));
}

}  // namespace

void bind_coreset(py::module_& m) {
  using namespace py::literals;
  m.def(
      "k_center",
      [](const py::array& data, const std::string& kind, const Array<float>& scale, bool unit,
         std::int64_t start, const Array<std::int64_t>& initial, const Array<float>& weights,
         std::int64_t n_outliers, float stop, Array<std::int64_t>& indices, Array<float>& keys,
         int threads, const std::string& way, const py::object& tick) {
        const auto taken = out(indices);
        const auto largest = out(keys);
        Rows rows = rows_of(data, kind, scale);
        rows.unit = unit;
        const KCenterOptions options{start,      in(initial), in(weights),
                                     n_outliers, stop,        way_of(way)};
        const KCenterWork work = run(
            threads,
            [&](const Cpu& device) { return k_center(device, rows, options, taken, largest); },
            tick);
        return py::dict("centers"_a = work.centers, "before"_a = work.before,
                        "distances"_a = work.distances, "products"_a = work.products,
                        "coordinates"_a = work.coordinates, "bytes"_a = work.bytes,
                        "refreshes"_a = work.refreshes, "prefix"_a = work.prefix);
      },
      "data"_a, "kind"_a, "scale"_a.noconvert(), "unit"_a, "start"_a, "initial"_a.noconvert(),
      "weights"_a.noconvert(), "n_outliers"_a, "stop"_a, "indices"_a.noconvert(),
      "keys"_a.noconvert(), "threads"_a, "way"_a = "best", "tick"_a = py::none());
  m.def(
      "assign_nearest",
      [](const py::array& data, const std::string& kind, const Array<float>& scale, bool unit,
         const Array<std::int64_t>& centers, Array<std::int64_t>& nearest, int threads) {
        const auto to = out(nearest);
        Rows rows = rows_of(data, kind, scale);
        rows.unit = unit;
        run(threads, [&](const Cpu& device) { assign_nearest(device, rows, in(centers), to); });
      },
      "data"_a, "kind"_a, "scale"_a.noconvert(), "unit"_a, "centers"_a.noconvert(),
      "nearest"_a.noconvert(), "threads"_a);
}

}  // namespace coverset::bindings
