#define COVERSET_LEVEL neon
#include "distance/tile_kernel.inl"
