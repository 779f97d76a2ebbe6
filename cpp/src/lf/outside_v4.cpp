#define COVERSET_LEVEL v4
#include "lf/outside_kernel.inl"
