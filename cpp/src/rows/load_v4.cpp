#define COVERSET_LEVEL v4
#include "rows/load_kernel.inl"
