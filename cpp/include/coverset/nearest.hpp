// A row and how far it is, and the order of near rows: one rule for every kernel and device.
#pragma once

#include <cstdint>

#include "coverset/device.hpp"

namespace coverset {

/// A row and how far it is. The lesser distance is nearer; ties go to the lower row.
struct NearRow {
  float distance;
  std::int64_t row;

  COVERSET_HD friend bool operator<(const NearRow& a, const NearRow& b) {
    return a.distance < b.distance || (a.distance == b.distance && a.row < b.row);
  }
};

}  // namespace coverset
