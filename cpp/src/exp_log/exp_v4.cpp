#define COVERSET_LEVEL v4
#include "exp_log/exp_kernel.inl"
