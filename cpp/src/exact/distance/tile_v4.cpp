#define COVERSET_LEVEL v4
#include "exact/distance/tile_kernel.inl"
