#include "tile_product/reduced_amx_kernel.inl"
