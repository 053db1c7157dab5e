// These kernels are for AVX-512 (F, BW, DQ, VL): 24 of 32 registers hold a tile of 8 x 48.
#define VECTOR_WIDTH 16
#define TILE_ROWS 8
#define TILE_VECTORS 3
#define DEPTH_BLOCK 160
#define KEY_BLOCK 96
#define KERNELS avx512Kernels
#define KERNELS_NAME "avx512"
#include "table-impl.h"
