// Table of contents of the extension _cuda.
#include <pybind11/pybind11.h>

#include "coverset/cuda/device.cuh"

namespace coverset::bindings {

namespace py = pybind11;

void bind_label_model(py::module_& m);

}  // namespace coverset::bindings

PYBIND11_MODULE(_cuda, m) {
  namespace cb = coverset::bindings;
  namespace py = pybind11;
  m.doc() = "Kernels of coverset on a CUDA device. Private: use the Python package.";
  m.attr("__version__") = COVERSET_VERSION;
  m.def("why_not", &coverset::cuda::why_not, py::call_guard<py::gil_scoped_release>());
  cb::bind_label_model(m);
}
