#define COVERSET_LEVEL v3
#include "lf/linear_rows_kernel.inl"
