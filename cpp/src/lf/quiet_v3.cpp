#define COVERSET_LEVEL v3
#include "lf/quiet_kernel.inl"
