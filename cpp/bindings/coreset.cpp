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

KCenterStrategy strategy_of(const std::string& name) {
  constexpr const char* kNames[] = {"best", "whole", "projection", "eager"};
  const auto* found = std::ranges::find(kNames, name);
  require(found != std::end(kNames), "strategy must be a strategy, got ", name);
  return static_cast<KCenterStrategy>(found - std::begin(kNames));
}

}  // namespace

void bind_coreset(py::module_& m) {
  using namespace py::literals;
  m.def(
      "k_center",
      [](const py::array& data, const std::string& kind, const Array<float>& scale, bool unit,
         std::int64_t start, const Array<std::int64_t>& initial, const Array<float>& weights,
         std::int64_t n_outliers, float stop, Array<std::int64_t>& indices, Array<float>& bounds,
         int threads, const std::string& strategy, const py::object& tick) {
        const auto taken = out(indices);
        const auto largest = out(bounds);
        Rows rows = rows_of(data, kind, scale);
        rows.unit = unit;
        const KCenterOptions options{start,      in(initial), in(weights),
                                     n_outliers, stop,        strategy_of(strategy)};
        const KCenterWork work = run(
            threads,
            [&](const Cpu& device) { return k_center(device, rows, options, taken, largest); },
            tick);
        return py::dict("centers"_a = work.centers, "before"_a = work.before,
                        "distances"_a = work.distances, "products"_a = work.products,
                        "coordinates"_a = work.coordinates, "bytes"_a = work.bytes,
                        "refreshes"_a = work.refreshes, "projection"_a = work.projection);
      },
      "data"_a, "kind"_a, "scale"_a.noconvert(), "unit"_a, "start"_a, "initial"_a.noconvert(),
      "weights"_a.noconvert(), "n_outliers"_a, "stop"_a, "indices"_a.noconvert(),
      "bounds"_a.noconvert(), "threads"_a, "strategy"_a = "best", "tick"_a = py::none());
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
