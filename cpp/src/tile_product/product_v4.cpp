#define COVERSET_LEVEL v4
#include "tile_product/product_kernel.inl"
