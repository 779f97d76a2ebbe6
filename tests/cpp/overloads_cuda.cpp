// Takes the address of every contract that the headers declare for CUDA: a missing one is a link
// error here, not an import error for a user. Needs no driver.
#include <cstdio>

#include "coverset/label_model.hpp"

namespace {

using namespace coverset;

using Fractions = void(const Cuda&, const Votes&, std::int32_t, std::span<float>);

/// The address goes through memory, or the optimizer would answer without it.
template <class Function>
int defined(Function* function) {
  Function* volatile address = function;
  return address != nullptr ? 1 : 0;
}

}  // namespace

int main() {
  const int count = defined<Fractions>(&vote_fractions);
  std::printf("%d Cuda overloads\n", count);
  return 0;
}
