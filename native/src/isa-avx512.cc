// Kernels for AVX-512 (F, BW, DQ, VL): 28 of 32 registers hold a tile of 14 x 32.
#define VECTOR_WIDTH 16
#define TILE_ROWS 14
#define DEPTH_BLOCK 256
#define KEY_BLOCK 252
#define KERNELS avx512Kernels
#define KERNELS_NAME "avx512"
#include "table-impl.h"
