// These kernels are for AVX-512 with BF16 and VNNI. Dot products take two vectors side by side, because a line of bfloat16 is 32 columns.
#define VECTOR_WIDTH 16
#define TILE_ROWS 8
#define TILE_VECTORS 3
#define DOT_TILE_ROWS 12
#define DOT_TILE_VECTORS 2
#define DEPTH_BLOCK 160
#define KEY_BLOCK 96
#define KERNELS avx512Bf16Kernels
#define KERNELS_NAME "avx512-bf16"
#include "table-impl.h"
