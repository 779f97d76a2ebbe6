#define COVERSET_LEVEL v4
#include "label_matrix/dense_kernel.inl"
