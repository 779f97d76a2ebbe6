#define COVERSET_LEVEL neon
#include "exp_log/exp_kernel.inl"
