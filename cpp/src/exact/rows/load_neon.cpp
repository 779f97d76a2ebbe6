#define COVERSET_LEVEL neon
#include "exact/rows/load_kernel.inl"
