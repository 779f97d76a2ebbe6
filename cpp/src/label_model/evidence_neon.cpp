#define COVERSET_LEVEL neon
#include "label_model/evidence_kernel.inl"
