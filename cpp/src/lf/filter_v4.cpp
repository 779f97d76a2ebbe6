#define COVERSET_LEVEL v4
#include "lf/filter_kernel.inl"
