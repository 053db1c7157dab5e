// These kernels are for AVX2 with FMA: 12 of 16 registers hold a tile of 6 x 16.
#define VECTOR_WIDTH 8
#define TILE_ROWS 6
#define TILE_VECTORS 2
#define DEPTH_BLOCK 256
#define KEY_BLOCK 252
#define KERNELS avx2Kernels
#define KERNELS_NAME "avx2"
#include "table-impl.h"
