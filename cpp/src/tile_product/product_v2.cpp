#define COVERSET_LEVEL v2
#include "tile_product/product_kernel.inl"
