// AMX tiles: eight registers of 16 rows of 64 bytes. A test defines COVERSET_EMULATE_TILES and
// gives the same operations in plain loops.
#pragma once

#if !defined(COVERSET_EMULATE_TILES)
// Written as assembly with all memory named: compilers' own intrinsics do not say what they read.
#define COVERSET_TILE_ASM(code, ...) asm volatile(code::__VA_ARGS__ : "memory")
#define COVERSET_TILES_BEGIN(configuration) COVERSET_TILE_ASM("ldtilecfg (%0)", "r"(configuration))
#define COVERSET_TILES_END() COVERSET_TILE_ASM("tilerelease")
#define COVERSET_TILE_ZERO(tile) COVERSET_TILE_ASM("tilezero %%tmm" #tile)
#define COVERSET_TILE_LOAD(tile, from, stride) \
  COVERSET_TILE_ASM("tileloadd (%0,%1,1), %%tmm" #tile, "r"(from), "r"(stride))
#define COVERSET_TILE_STORE(tile, to, stride) \
  COVERSET_TILE_ASM("tilestored %%tmm" #tile ", (%0,%1,1)", "r"(to), "r"(stride))
#define COVERSET_TILE_ADD_INT8(sums, rows, queries) \
  COVERSET_TILE_ASM("tdpbsud %%tmm" #queries ", %%tmm" #rows ", %%tmm" #sums)
#define COVERSET_TILE_ADD_BFLOAT16(sums, rows, queries) \
  COVERSET_TILE_ASM("tdpbf16ps %%tmm" #queries ", %%tmm" #rows ", %%tmm" #sums)
#endif
