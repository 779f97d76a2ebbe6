#define COVERSET_LEVEL neon
#include "lf/linear_rows_kernel.inl"
