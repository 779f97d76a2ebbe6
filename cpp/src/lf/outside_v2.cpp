#define COVERSET_LEVEL v2
#include "lf/outside_kernel.inl"
