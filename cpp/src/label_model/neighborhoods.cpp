// Which variables each one depends on directly: lasso by coordinate descent.
#include <algorithm>
#include <cmath>

#include "coverset/label_model.hpp"
#include "coverset/parallel.hpp"

namespace coverset {
namespace {

constexpr int kMostSweeps = 1000;
constexpr double kStill = 1e-9;  // a sweep that moves no coefficient by more is the last

/// Minimizes b'Rb / 2 - R_c'b + l1 |b|_1 with b_c = 0. `gap` is R_c - R b.
void solve(std::span<const double> correlation, std::size_t n, std::size_t c, double l1,
           std::vector<double>& gap, double* coefficients) {
  std::copy_n(correlation.data() + c * n, n, gap.data());
  std::fill_n(coefficients, n, 0.0);
  for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
    double moved = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
      if (i == c) continue;
      const double* row = correlation.data() + i * n;
      const double old = coefficients[i];
      const double pull = gap[i] + row[i] * old;
      const double size = std::abs(pull) - l1;
      const double now = size > 0.0 && row[i] > 0.0 ? std::copysign(size, pull) / row[i] : 0.0;
      if (now == old) continue;
      const double step = now - old;
      for (std::size_t d = 0; d < n; ++d) gap[d] -= step * row[d];
      coefficients[i] = now;
      moved = std::max(moved, std::abs(step));
    }
    if (moved <= kStill) return;
  }
}

}  // namespace

void solve_neighborhoods(const Cpu& device, std::span<const double> correlation, double l1,
                         std::span<double> coefficients) {
  const auto n = static_cast<std::size_t>(std::sqrt(static_cast<double>(correlation.size())) + 0.5);
  parallel_for(device, static_cast<std::int64_t>(n), 1, [&](std::int64_t c, std::int64_t) {
    std::vector<double> gap(n);
    solve(correlation, n, static_cast<std::size_t>(c), l1, gap,
          coefficients.data() + static_cast<std::size_t>(c) * n);
  });
}

}  // namespace coverset
