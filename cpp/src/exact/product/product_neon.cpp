#define COVERSET_LEVEL neon
#include "exact/product/product_kernel.inl"
