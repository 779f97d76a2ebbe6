// Where rows lie, about: fast products are of rows less a mean, times a scale.
#pragma once

#include <span>

#include "coverset/device.hpp"
#include "coverset/metric.hpp"
#include "coverset/rows.hpp"

namespace coverset {

/// A point near the middle of rows, and their scale: fast products are of (x - mean) * scale.
/// Whatever it is, answers are the same; it decides how many candidates there are.
struct Normalization {
  std::span<const float> mean;  // (d)
  float scale = 1.0f;           // a power of 2
};

/// Writes the mean (d) of at most 1,024 rows at equal distances, for cosine of their directions,
/// and returns the scale. Rows many times as long as the median do not count. Scratch: 8 d bytes a
/// row of the sample.
float find_normalization(const Cpu& device, const Rows& rows, Metric metric, std::span<float> mean);

}  // namespace coverset
