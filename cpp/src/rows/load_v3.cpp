#define COVERSET_LEVEL v3
#include "rows/load_kernel.inl"
