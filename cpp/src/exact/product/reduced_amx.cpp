#include "exact/product/reduced_amx_kernel.inl"
