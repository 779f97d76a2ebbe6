// exp and log of our own, against long double: how far they are off, in units in the last place.
#include "coverset/exp_log.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "coverset/random.hpp"

namespace {

double units_off(double got, long double want) {
  const double nearest = static_cast<double>(want);
  const double unit = std::nextafter(std::fabs(nearest), INFINITY) - std::fabs(nearest);
  return static_cast<double>(std::fabs(static_cast<long double>(got) - want)) / unit;
}

}  // namespace

int main() {
  double worst_exp = 0.0, worst_log = 0.0;
  for (std::uint64_t i = 0; i < 4'000'000; ++i) {
    const double share = static_cast<double>(coverset::random_bits(1, i) >> 11) * 0x1p-53;
    const double x = i % 2 != 0 ? share * 1416.0 - 708.0 : share * 2.0 - 1.0;
    worst_exp = std::max(
        worst_exp, units_off(coverset::exp_exact_order(x), std::exp(static_cast<long double>(x))));
    const double y = i % 2 != 0 ? std::exp(x) : 0.5 + 1.5 * share;
    worst_log = std::max(
        worst_log, units_off(coverset::log_exact_order(y), std::log(static_cast<long double>(y))));
  }
  std::printf("exp %.3f, log %.3f units in the last place\n", worst_exp, worst_log);
  const bool edges = coverset::exp_exact_order(0.0) == 1.0 &&
                     coverset::log_exact_order(1.0) == 0.0 &&
                     coverset::exp_exact_order(-1e9) == 0.0;
  return worst_exp <= 1.0 && worst_log <= 1.0 && edges ? 0 : 1;
}
