#define COVERSET_LEVEL v3
#include "exact/rows/load_kernel.inl"
