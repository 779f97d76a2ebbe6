#define COVERSET_LEVEL v3
#include "label_matrix/dense_kernel.inl"
