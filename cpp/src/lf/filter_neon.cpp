#define COVERSET_LEVEL neon
#include "lf/filter_kernel.inl"
