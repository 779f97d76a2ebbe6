#define COVERSET_LEVEL v4
#include "distance/tile_kernel.inl"
