#include "coverset/exp_log.hpp"

#include "simd/dispatch.hpp"

namespace coverset {

COVERSET_DECLARE_LEVELS(void exp_in_place(double* values, long n);
                        void log_in_place(double* values, long n));

void exp_in_place(std::span<double> values) {
  COVERSET_AT_LEVEL(exp_in_place)(values.data(), static_cast<long>(values.size()));
}

void log_in_place(std::span<double> values) {
  COVERSET_AT_LEVEL(log_in_place)(values.data(), static_cast<long>(values.size()));
}

}  // namespace coverset
