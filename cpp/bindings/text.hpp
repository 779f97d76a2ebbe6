// A column of text as Python lends it.
#pragma once

#include <vector>

#include "array.hpp"
#include "coverset/view.hpp"

namespace coverset::bindings {

/// Strings as Arrow lays them out, in the caller's memory: an int32 or int64 array of n + 1
/// offsets and one buffer, or 16 bytes a row and many buffers. An empty `validity` means that no
/// row is null. Checked once, so that no row reaches outside its buffer.
class TextColumn {
 public:
  TextColumn(const py::array& index, const py::list& buffers, const Bytes& validity,
             std::int64_t validity_offset);
  TextColumn(const TextColumn&) = delete;
  TextColumn& operator=(const TextColumn&) = delete;

  const TextView& view() const { return view_; }

 private:
  py::array index_;
  std::vector<Bytes> arrays_;
  Bytes validity_;
  std::vector<TextBuffer> buffers_;
  TextView view_;
};

/// Throws std::invalid_argument unless all are rows of the column.
void require_rows(const TextColumn& text, const Array<std::int32_t>& rows);

/// Python strings laid out as Arrow lays them out: (offsets, bytes, validity bits). None is null.
py::tuple text_of_strings(const py::sequence& strings);

void bind_text(py::module_& m);

}  // namespace coverset::bindings
