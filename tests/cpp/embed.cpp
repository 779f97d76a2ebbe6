// Majority vote of two rows by three labeling functions, without Python.
#include <array>
#include <cstdio>

#include "coverset/label_model.hpp"

int main() {
  const std::array<std::int64_t, 3> indptr{0, 3, 4};
  const std::array<std::int32_t, 4> lfs{0, 1, 2, 1};
  const std::array<std::int16_t, 4> labels{1, 1, 0, 0};
  std::array<float, 4> probabilities{};
  coverset::vote_fractions(coverset::Cpu{}, {indptr, lfs, labels}, 2, probabilities);
  for (const float p : probabilities) std::printf("%.4f\n", p);
  return probabilities[3] == 0.0f ? 0 : 1;
}
