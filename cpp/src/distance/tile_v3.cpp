#define COVERSET_LEVEL v3
#include "distance/tile_kernel.inl"
