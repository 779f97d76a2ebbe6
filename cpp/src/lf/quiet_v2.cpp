#define COVERSET_LEVEL v2
#include "lf/quiet_kernel.inl"
