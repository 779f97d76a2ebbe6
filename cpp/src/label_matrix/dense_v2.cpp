#define COVERSET_LEVEL v2
#include "label_matrix/dense_kernel.inl"
