#define COVERSET_LEVEL neon
#include "lf/quiet_kernel.inl"
