#define COVERSET_LEVEL v3
#include "tile_product/product_kernel.inl"
