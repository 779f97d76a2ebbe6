#define COVERSET_LEVEL v2
#include "rows/load_kernel.inl"
