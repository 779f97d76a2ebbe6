// Table of contents of the extension _cpu.
#include <pybind11/pybind11.h>

#include "coverset/error.hpp"
#include "coverset/parallel.hpp"
#include "coverset/simd.hpp"
#include "device.hpp"

namespace coverset::bindings {

namespace py = pybind11;

void bind_label_matrix(py::module_& m);
void bind_label_model(py::module_& m);
void bind_label_model_sums(py::module_& m);
void bind_lf(py::module_& m);
void bind_neighbors(py::module_& m);
void bind_coreset(py::module_& m);

}  // namespace coverset::bindings

PYBIND11_MODULE(_cpu, m) {
  namespace cb = coverset::bindings;
  namespace py = pybind11;
  m.doc() = "Kernels of coverset on the CPU. Private: arguments are checked by the Python package.";
  m.attr("__version__") = COVERSET_VERSION;
  m.def("available_threads", &coverset::available_threads);
  m.def("simd_level", [] { return coverset::simd_name(coverset::simd_level()); });
  m.def("force_simd_level", &coverset::force_simd_level, py::arg("name"));
  m.def("simd_levels", [] {
    py::list names;
    for (const auto level : coverset::simd_levels()) {
      if (coverset::simd_supported(level)) names.append(coverset::simd_name(level));
    }
    return names;
  });
  py::register_local_exception_translator([](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const coverset::Canceled&) {
      // the signal handler's exception is already set
      if (PyErr_Occurred() == nullptr) PyErr_SetString(PyExc_KeyboardInterrupt, "canceled");
    }
  });
  cb::remember_main_thread();
  cb::bind_label_matrix(m);
  cb::bind_label_model(m);
  cb::bind_label_model_sums(m);
  cb::bind_lf(m);
  cb::bind_neighbors(m);
  cb::bind_coreset(m);
}
