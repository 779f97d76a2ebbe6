#define COVERSET_LEVEL v3
#include "label_model/evidence_kernel.inl"
