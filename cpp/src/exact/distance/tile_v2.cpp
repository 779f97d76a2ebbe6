#define COVERSET_LEVEL v2
#include "exact/distance/tile_kernel.inl"
