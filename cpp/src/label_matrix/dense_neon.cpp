#define COVERSET_LEVEL neon
#include "label_matrix/dense_kernel.inl"
