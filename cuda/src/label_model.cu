#include <cuda_runtime.h>

#include <algorithm>

#include "coverset/cuda/check.cuh"
#include "coverset/cuda/device.cuh"
#include "coverset/label_model.hpp"

namespace coverset {
namespace {

constexpr int kBlock = 256;
constexpr std::int64_t kMostBlocks = 1 << 12;

/// One thread owns one row: it reads the row's votes and writes its probabilities. Launch: at most
/// kMostBlocks blocks of kBlock threads, any number of rows. Shared memory: none.
__global__ void fractions_of_rows(const std::int64_t* indptr, const std::int16_t* labels,
                                  std::int64_t rows, std::int32_t cardinality,
                                  float* probabilities) {
  const std::int64_t threads = std::int64_t{gridDim.x} * blockDim.x;
  for (std::int64_t row = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; row < rows;
       row += threads) {
    const std::int64_t first = indptr[row];
    vote_fractions_of_row(labels + first, indptr[row + 1] - first, cardinality,
                          probabilities + row * cardinality);
  }
}

}  // namespace

void vote_fractions(const Cuda& device, const Votes& votes, std::int32_t cardinality,
                    std::span<float> probabilities) {
  const std::int64_t rows = votes.rows();
  if (rows == 0) return;
  const cuda::DeviceGuard guard(device.ordinal);
  cudaLaunchConfig_t launch{};
  launch.gridDim = static_cast<unsigned>(std::min((rows + kBlock - 1) / kBlock, kMostBlocks));
  launch.blockDim = kBlock;
  launch.stream = static_cast<cudaStream_t>(device.stream);
  // this call's own status; cudaGetLastError could answer for someone else's earlier one
  COVERSET_CUDA_CHECK(cudaLaunchKernelEx(&launch, fractions_of_rows, votes.indptr.data(),
                                         votes.values.data(), rows, cardinality,
                                         probabilities.data()));
}

}  // namespace coverset
