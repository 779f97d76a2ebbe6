#define COVERSET_LEVEL v3
#include "exact/distance/tile_kernel.inl"
