#include "coverset/lf.hpp"

#include <pybind11/stl.h>

#include <memory>
#include <tuple>

#include "array.hpp"
#include "coverset/error.hpp"
#include "device.hpp"

namespace coverset::bindings {

using namespace py::literals;

namespace {

using Bytes = Array<std::uint8_t>;

/// Text as Arrow lays it out. An empty `validity` means that no row is null. The caller vouches
/// for the buffers' contents except the offsets, which are checked here.
template <class Offset>
TextView<Offset> text_view(const Array<Offset>& offsets, const Bytes& bytes, const Bytes& validity,
                           std::int64_t validity_offset) {
  const auto ends = in(offsets);
  require(!ends.empty() && ends.front() >= 0, "text offsets must start at 0 or above");
  for (std::size_t row = 1; row < ends.size(); ++row) {
    require(ends[row - 1] <= ends[row], "text offsets must not fall: row ", row - 1, " starts at ",
            ends[row - 1], " and ends at ", ends[row]);
  }
  require(ends.back() <= bytes.size(), "text offsets must end within the ", bytes.size(),
          " bytes of text, got ", ends.back());
  require(validity.size() == 0 ||
              validity.size() * 8 >= validity_offset + static_cast<std::int64_t>(ends.size()) - 1,
          "validity bitmap is too short for ", ends.size() - 1, " rows");
  return {ends, reinterpret_cast<const char*>(bytes.data()),
          validity.size() == 0 ? nullptr : validity.data(), validity_offset};
}

/// An array that owns the vector's memory: nothing is copied.
template <class T>
py::array_t<T> as_array(std::vector<T> values) {
  auto owner = std::make_unique<std::vector<T>>(std::move(values));
  const auto size = static_cast<py::ssize_t>(owner->size());
  const T* data = owner->data();
  py::capsule keeper(owner.get(),
                     [](void* vector) { delete static_cast<std::vector<T>*>(vector); });
  owner.release();
  return py::array_t<T>(size, data, keeper);
}

template <class Offset>
void bind_text(py::module_& m) {
  m.def(
      "scan_keywords",
      [](const KeywordAutomaton& automaton, const Array<Offset>& offsets, const Bytes& bytes,
         const Bytes& validity, std::int64_t validity_offset, int threads) {
        const auto text = text_view(offsets, bytes, validity, validity_offset);
        Hits hits =
            run(threads, [&](const Cpu& device) { return scan_keywords(device, automaton, text); });
        return py::make_tuple(as_array(std::move(hits.rows)), as_array(std::move(hits.lfs)));
      },
      "automaton"_a, "offsets"_a.noconvert(), "data"_a.noconvert(), "validity"_a.noconvert(),
      "validity_offset"_a, "threads"_a);
  m.def(
      "find_invalid_utf8",
      [](const Array<Offset>& offsets, const Bytes& bytes, const Bytes& validity,
         std::int64_t validity_offset, int threads) {
        const auto text = text_view(offsets, bytes, validity, validity_offset);
        return run(threads, [&](const Cpu& device) { return find_invalid_utf8(device, text); });
      },
      "offsets"_a.noconvert(), "data"_a.noconvert(), "validity"_a.noconvert(), "validity_offset"_a,
      "threads"_a);
}

/// Python strings laid out as Arrow lays them out: (offsets, bytes, validity bits). None is null.
py::tuple text_of_strings(const py::sequence& strings) {
  const auto n = static_cast<std::size_t>(py::len(strings));
  py::array_t<std::int64_t> offsets(static_cast<py::ssize_t>(n) + 1);
  std::vector<std::uint8_t> validity((n + 7) / 8, 0), bytes;
  auto ends = offsets.mutable_unchecked<1>();
  ends(0) = 0;
  bool any_null = false;
  for (std::size_t i = 0; i < n; ++i) {
    const py::object item = strings[i];
    if (item.is_none()) {
      any_null = true;
    } else if (PyUnicode_Check(item.ptr()) != 0) {
      Py_ssize_t size = 0;
      const char* text = PyUnicode_AsUTF8AndSize(item.ptr(), &size);
      if (text == nullptr) throw py::error_already_set();
      bytes.insert(bytes.end(), text, text + size);
      validity[i / 8] = static_cast<std::uint8_t>(validity[i / 8] | (1U << (i % 8)));
    } else {
      throw py::type_error("row " + std::to_string(i) + " must be a str or None, got " +
                           std::string(py::str(py::type::of(item).attr("__name__"))));
    }
    ends(static_cast<py::ssize_t>(i) + 1) = static_cast<std::int64_t>(bytes.size());
  }
  if (!any_null) validity.clear();
  return py::make_tuple(offsets, as_array(std::move(bytes)), as_array(std::move(validity)));
}

}  // namespace

void bind_lf(py::module_& m) {
  py::class_<KeywordAutomaton>(m, "KeywordAutomaton")
      .def(py::init([](const std::vector<std::tuple<py::bytes, std::int32_t, bool, bool>>& words) {
             std::vector<Keyword> keywords;
             keywords.reserve(words.size());
             for (const auto& [text, lf, whole_word, fold_case] : words) {
               keywords.push_back({std::string(text), lf, whole_word, fold_case});
             }
             return KeywordAutomaton(std::move(keywords));
           }),
           "keywords"_a);
  bind_text<std::int32_t>(m);
  bind_text<std::int64_t>(m);
  m.def("text_of_strings", &text_of_strings, "strings"_a);
}

}  // namespace coverset::bindings
