// Whether projections pay, and how long they should be: tried on the first centers.
#pragma once

#include <memory>
#include <span>

#include "coreset/projection.hpp"

namespace coverset {

/// What a traversal is still to do.
struct WorkAhead {
  std::int64_t centers = 0;  // to be taken
  double missed = 0.0;       // centers that a row is refreshed with at a time
};

/// The projection of rows that costs least by far, or none: some rows meet the first of the
/// centers.
std::unique_ptr<Projection> choose_projection(const Cpu& device, const Rows& rows,
                                              const Normalization& normalization,
                                              std::span<const std::int64_t> centers,
                                              WorkAhead ahead);

/// One of at most 16 numbers, whatever it costs; none where all rows are one.
std::unique_ptr<Projection> short_projection(const Cpu& device, const Rows& rows,
                                             const Normalization& normalization);

}  // namespace coverset
