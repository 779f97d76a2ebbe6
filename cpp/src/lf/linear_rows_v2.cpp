#define COVERSET_LEVEL v2
#include "lf/linear_rows_kernel.inl"
