#include "text.hpp"

#include "coverset/error.hpp"
#include "coverset/lf.hpp"
#include "device.hpp"

namespace coverset::bindings {

using namespace py::literals;

namespace {

template <class Offset>
void check_offsets(const Offset* ends, std::int64_t n, std::int64_t bytes) {
  require(ends[0] >= 0, "text offsets must start at 0 or above");
  for (std::int64_t row = 0; row < n; ++row) {
    require(ends[row] <= ends[row + 1], "text offsets must not fall: row ", row, " starts at ",
            ends[row], " and ends at ", ends[row + 1]);
  }
  require(ends[n] <= bytes, "text offsets must end within the ", bytes, " bytes of text, got ",
          ends[n]);
}

void check_views(const TextView& text) {
  for (std::int64_t row = 0; row < text.n; ++row) {
    if (!text.validity[row]) continue;
    std::int32_t view[4];
    std::memcpy(view, static_cast<const char*>(text.index) + 16 * row, 16);
    const bool inside =
        view[0] >= 0 &&
        (view[0] <= TextView::kInlineBytes ||
         (view[2] >= 0 && static_cast<std::size_t>(view[2]) < text.buffers.size() && view[3] >= 0 &&
          std::int64_t{view[3]} + view[0] <=
              text.buffers[static_cast<std::size_t>(view[2])].bytes));
    require(inside, "text views must point into their buffers, row ", row, " does not");
  }
}

}  // namespace

TextColumn::TextColumn(const py::array& index, const py::list& buffers, const Bytes& validity,
                       std::int64_t validity_offset)
    : index_(index), validity_(validity) {
  for (const auto& buffer : buffers) {
    arrays_.push_back(py::cast<Bytes>(buffer));
    const Bytes& bytes = arrays_.back();
    buffers_.push_back({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  const bool views = index.itemsize() == 1;
  view_.layout = views                   ? TextView::Layout::views
                 : index.itemsize() == 4 ? TextView::Layout::offsets32
                                         : TextView::Layout::offsets64;
  view_.index = index.data();
  view_.n = views ? index.size() / 16 : index.size() - 1;
  view_.buffers = buffers_;
  require(view_.n >= 0, "text offsets must start at 0 or above");
  view_.validity = validity_bits(validity, validity_offset, view_.n);
  require(view_.n < kMostBlockRows, "a block of text must have fewer than ", kMostBlockRows,
          " rows, got ", view_.n);
  if (views) {
    check_views(view_);
    return;
  }
  require(buffers_.size() == 1, "text with offsets has one buffer, got ", buffers_.size());
  const std::int64_t bytes = buffers_[0].bytes;
  if (index.itemsize() == 4) {
    check_offsets(static_cast<const std::int32_t*>(index.data()), view_.n, bytes);
  } else {
    check_offsets(static_cast<const std::int64_t*>(index.data()), view_.n, bytes);
  }
}

void require_rows(const TextColumn& text, const Array<std::int32_t>& rows) {
  for (const std::int32_t row : in(rows)) {
    require(0 <= row && row < text.view().n, "rows must be in 0..", text.view().n - 1, ", got ",
            row);
  }
}

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

void bind_text(py::module_& m) {
  py::class_<TextColumn>(m, "TextColumn")
      .def(py::init<const py::array&, const py::list&, const Bytes&, std::int64_t>(), "index"_a,
           "buffers"_a, "validity"_a.noconvert(), "validity_offset"_a)
      .def_property_readonly("bytes",
                             [](const TextColumn& text) { return total_bytes(text.view()); });
  m.def(
      "take_text",
      [](const TextColumn& text, const Array<std::int32_t>& rows, bool lines) {
        require_rows(text, rows);
        Array<std::int64_t> offsets(rows.size() + 1);
        const std::int64_t bytes = take_offsets(text.view(), in(rows), lines, out(offsets));
        Bytes data(bytes);
        take_bytes(text.view(), in(rows), lines, reinterpret_cast<char*>(out(data).data()));
        return py::make_tuple(offsets, data);
      },
      "text"_a, "rows"_a.noconvert(), "lines"_a);
  m.def("text_of_strings", &text_of_strings, "strings"_a);
  m.def(
      "find_invalid_utf8",
      [](const TextColumn& text, int threads) {
        return run(threads,
                   [&](const Cpu& device) { return find_invalid_utf8(device, text.view()); });
      },
      "text"_a, "threads"_a);
}

}  // namespace coverset::bindings
