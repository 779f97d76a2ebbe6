#define COVERSET_LEVEL v3
#include "lf/outside_kernel.inl"
