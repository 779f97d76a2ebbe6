// Bindings of core-sets.
#include "coverset/coreset.hpp"

#include <string>

#include "array.hpp"
#include "device.hpp"
#include "rows.hpp"

namespace coverset::bindings {

void bind_coreset(py::module_& m) {
  using namespace py::literals;
  m.def(
      "k_center",
      [](const py::array& data, const std::string& kind, const Array<float>& scale, bool unit,
         std::int64_t start, const Array<std::int64_t>& initial, const Array<float>& weights,
         std::int64_t n_outliers, float stop, Array<std::int64_t>& indices, Array<float>& keys,
         int threads, bool eager) {
        const auto taken = out(indices);
        const auto largest = out(keys);
        Rows rows = rows_of(data, kind, scale);
        rows.unit = unit;
        const KCenterOptions options{start, in(initial), in(weights), n_outliers, stop, eager};
        const KCenterWork work = run(threads, [&](const Cpu& device) {
          return k_center(device, rows, options, taken, largest);
        });
        return py::dict("centres"_a = work.centres, "before"_a = work.before,
                        "distances"_a = work.distances, "products"_a = work.products,
                        "coordinates"_a = work.coordinates, "bytes"_a = work.bytes,
                        "refreshes"_a = work.refreshes);
      },
      "data"_a, "kind"_a, "scale"_a.noconvert(), "unit"_a, "start"_a, "initial"_a.noconvert(),
      "weights"_a.noconvert(), "n_outliers"_a, "stop"_a, "indices"_a.noconvert(),
      "keys"_a.noconvert(), "threads"_a, "eager"_a = false);
}

}  // namespace coverset::bindings
