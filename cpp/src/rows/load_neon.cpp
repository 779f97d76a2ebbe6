#define COVERSET_LEVEL neon
#include "rows/load_kernel.inl"
