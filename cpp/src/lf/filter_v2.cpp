#define COVERSET_LEVEL v2
#include "lf/filter_kernel.inl"
