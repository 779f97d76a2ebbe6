#define COVERSET_LEVEL v2
#include "exact/rows/load_kernel.inl"
