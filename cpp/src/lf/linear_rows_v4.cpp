#define COVERSET_LEVEL v4
#include "lf/linear_rows_kernel.inl"
