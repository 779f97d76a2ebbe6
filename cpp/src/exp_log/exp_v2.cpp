#define COVERSET_LEVEL v2
#include "exp_log/exp_kernel.inl"
