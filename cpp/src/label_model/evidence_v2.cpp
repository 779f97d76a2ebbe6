#define COVERSET_LEVEL v2
#include "label_model/evidence_kernel.inl"
