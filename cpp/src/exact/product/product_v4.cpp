#define COVERSET_LEVEL v4
#include "exact/product/product_kernel.inl"
