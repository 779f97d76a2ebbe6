// Every contract can be included by device code, and the scalar canonical distance and the order of
// near rows are device functions: this file only has to compile.
#include "coverset/canonical.hpp"
#include "coverset/coreset.hpp"
#include "coverset/exp_log.hpp"
#include "coverset/label_matrix.hpp"
#include "coverset/label_model.hpp"
#include "coverset/lf.hpp"
#include "coverset/nearest.hpp"
#include "coverset/neighbors.hpp"
#include "coverset/random.hpp"

namespace coverset {

__global__ void find_nearer(Metric metric, const float* rows, std::int64_t n, std::int64_t d,
                            const float* query, NearRow* nearest) {
  for (std::int64_t i = 0; i < n; ++i) {
    const NearRow near{canonical::distance(metric, rows + i * d, query, d), i};
    if (near < *nearest) *nearest = near;
  }
}

}  // namespace coverset
