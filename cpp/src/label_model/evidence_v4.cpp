#define COVERSET_LEVEL v4
#include "label_model/evidence_kernel.inl"
