#define COVERSET_LEVEL v3
#include "exp_log/exp_kernel.inl"
