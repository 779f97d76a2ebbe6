#define COVERSET_LEVEL neon
#include "tile_product/product_kernel.inl"
