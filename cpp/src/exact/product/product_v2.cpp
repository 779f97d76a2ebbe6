#define COVERSET_LEVEL v2
#include "exact/product/product_kernel.inl"
