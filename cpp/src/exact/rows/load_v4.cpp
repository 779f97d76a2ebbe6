#define COVERSET_LEVEL v4
#include "exact/rows/load_kernel.inl"
