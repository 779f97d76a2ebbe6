// Which rows a scan reads: a range of them, or a list.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace coverset {

/// Rows that are scanned: `count` from `first` on, or those of a list.
struct ScannedRows {
  std::int64_t count = 0;
  std::int64_t first = 0;
  const std::int64_t* list = nullptr;

  std::int64_t row(std::int64_t i) const { return list == nullptr ? first + i : list[i]; }
  /// Rows from..from+some-1 of these.
  ScannedRows part(std::int64_t from, std::int64_t some) const {
    return {some, first + from, list == nullptr ? nullptr : list + from};
  }
};

/// At most `most` of n rows at equal distances, ascending.
inline std::vector<std::int64_t> spread_rows(std::int64_t n, std::int64_t most) {
  std::vector<std::int64_t> some(static_cast<std::size_t>(std::min(n, most)));
  const std::int64_t count = std::min(n, most);
  for (std::int64_t i = 0; i < count; ++i) some[static_cast<std::size_t>(i)] = i * n / count;
  return some;
}

}  // namespace coverset
