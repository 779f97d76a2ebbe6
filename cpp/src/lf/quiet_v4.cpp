#define COVERSET_LEVEL v4
#include "lf/quiet_kernel.inl"
