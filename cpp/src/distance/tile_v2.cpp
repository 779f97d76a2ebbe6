#define COVERSET_LEVEL v2
#include "distance/tile_kernel.inl"
