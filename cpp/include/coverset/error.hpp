// Errors: every message names the argument, the rule and the value.
#pragma once

#include <exception>
#include <sstream>
#include <stdexcept>

namespace coverset {

/// Throws std::invalid_argument (a ValueError in Python) with the parts written one after another.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  throw std::invalid_argument(text.str());
}

/// Fails unless `ok`; the message is only put together when it is needed.
template <class... Parts>
void require(bool ok, const Parts&... parts) {
  if (!ok) fail(parts...);
}

/// Thrown by a kernel whose poll asked it to stop. Outputs are then unspecified.
struct Canceled : std::exception {
  const char* what() const noexcept override { return "canceled"; }
};

}  // namespace coverset
