// These kernels are for AVX2 with FMA and VNNI, which multiplies bytes.
#define VECTOR_WIDTH 8
#define TILE_ROWS 6
#define TILE_VECTORS 2
#define DOT_TILE_ROWS 6
#define DOT_TILE_VECTORS 2
#define DEPTH_BLOCK 256
#define KEY_BLOCK 252
#define KERNELS avx2VnniKernels
#define KERNELS_NAME "avx2-vnni"
#include "table-impl.h"
