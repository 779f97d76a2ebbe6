#define COVERSET_LEVEL v3
#include "exact/product/product_kernel.inl"
