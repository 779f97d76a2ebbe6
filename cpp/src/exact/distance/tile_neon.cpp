#define COVERSET_LEVEL neon
#include "exact/distance/tile_kernel.inl"
