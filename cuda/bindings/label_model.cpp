#include "coverset/label_model.hpp"

#include "array.hpp"
#include "coverset/cuda/device.cuh"
#include "coverset/label_matrix.hpp"

namespace coverset::bindings {

using namespace py::literals;

void bind_label_model(py::module_& m) {
  m.def(
      "vote_fractions",
      [](int ordinal, std::uintptr_t stream, const py::object& indptr, const py::object& labels,
         std::int64_t cardinality, const py::object& probabilities) {
        require(ordinal >= 0, "device must be at least 0, got ", ordinal);
        require(1 <= cardinality && cardinality <= kMostClasses, "cardinality must be in 1..",
                kMostClasses, ", got ", cardinality);
        const auto offsets = device_array<const std::int64_t>(indptr, "indptr");
        require(offsets.shape.size() == 1 && offsets.size >= 1,
                "indptr must have shape (n + 1,) with n >= 0, got ", shape_text(offsets.shape));
        const auto given = device_array<const std::int16_t>(labels, "labels");
        require(given.shape.size() == 1, "labels must have shape (votes,), got ",
                shape_text(given.shape));
        const auto target = device_array<float>(probabilities, "probabilities");
        const std::vector<std::int64_t> wanted{offsets.size - 1, cardinality};
        require(target.shape == wanted, "probabilities must have shape ", shape_text(wanted),
                " (rows, cardinality), got ", shape_text(target.shape));

        const py::gil_scoped_release unlocked;
        cuda::require_device(ordinal);
        const cuda::DeviceGuard guard(ordinal);
        const auto queue = reinterpret_cast<cudaStream_t>(stream);
        admit(offsets, ordinal, queue);
        admit(given, ordinal, queue);
        admit(target, ordinal, queue);
        vote_fractions(Cuda{ordinal, queue, {}}, Votes{offsets.span(), {}, given.span()},
                       static_cast<std::int32_t>(cardinality), target.span());
      },
      "device"_a, "stream"_a, "indptr"_a, "labels"_a, "cardinality"_a, "probabilities"_a);
}

}  // namespace coverset::bindings
