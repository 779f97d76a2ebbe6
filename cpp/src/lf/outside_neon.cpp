#define COVERSET_LEVEL neon
#include "lf/outside_kernel.inl"
