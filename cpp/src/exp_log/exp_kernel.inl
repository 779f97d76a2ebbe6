// The loops of exp_in_place and log_in_place, compiled once per level. Raw pointers, no STL: see
// CONTRIBUTING.
#include "coverset/exp_log.hpp"

namespace coverset::COVERSET_LEVEL {

void exp_in_place(double* values, long n) {
  for (long i = 0; i < n; ++i) values[i] = exp_exact_order(values[i]);
}

void log_in_place(double* values, long n) {
  for (long i = 0; i < n; ++i) values[i] = log_exact_order(values[i]);
}

}  // namespace coverset::COVERSET_LEVEL
