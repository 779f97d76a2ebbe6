#define COVERSET_LEVEL v3
#include "lf/filter_kernel.inl"
